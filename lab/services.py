"""The services around the cluster: DNS, the Ingress controller, an S3 server and the Docker Hub stand-ins."""

import json
from pathlib import Path

from lab import addresses, cert_manager, commands, gateway, http, prometheus_operator, sample_images
from lab.cluster import Cluster
from lab.steps import Step

INGRESS_CLASS = "traefik"
S3_REGION = "us-east-1"

ABSENT = "library/regmirror-probe-*"
"""Repositories of Docker Hub that do not exist; the stand-in answers 404 for all others that it does not have."""


def steps(cluster: Cluster) -> list[Step]:
    """S3 and Docker Hub start at once, DNS and the Ingress controller after the API server, which they watch."""
    return [
        Step("s3", lambda: _s3(cluster)),
        Step("hub-storage", lambda: _hub_storage(cluster)),
        Step("hub", lambda: _hub(cluster), after=("hub-storage",)),
        Step("docker-io", lambda: _docker_io(cluster), after=("hub-storage",)),
        Step("dns", lambda: _dns(cluster), after=("api-server",)),
        Step("gateway", lambda: gateway.create(cluster), after=("api-server",)),
        Step("traefik", lambda: _traefik(cluster), after=("gateway",)),
        Step("prometheus-operator", lambda: prometheus_operator.create(cluster), after=("api-server",)),
        Step("cert-manager", lambda: cert_manager.start(cluster), after=("api-server",)),
        Step(
            "samples",
            lambda: _samples(cluster),
            after=("hub-storage",),
            title="sample images pushed to the Docker Hub stand-in",
        ),
    ]


def corefile(kubeconfig: str) -> str:
    """CoreDNS' configuration: cluster names, all names of lab.test and of docker.io, and NXDOMAIN for all others.

    The lab cannot reach the internet, so a forwarder could only time out.
    """
    return f"""\
{addresses.CLUSTER_DOMAIN} in-addr.arpa {{
    bind {addresses.NODE_ADDRESS}
    errors
    ready {addresses.DNS_READY}
    kubernetes {addresses.CLUSTER_DOMAIN} in-addr.arpa {{
        kubeconfig {kubeconfig}
        ttl 5
    }}
}}
{_domain(addresses.LAB_DOMAIN, addresses.NODE_ADDRESS)}\
{_domain(addresses.DOCKER_IO, addresses.DOCKER_IO_ADDRESS)}\
. {{
    bind {addresses.NODE_ADDRESS}
    errors
    template ANY ANY {{
        rcode NXDOMAIN
    }}
}}
"""


def _domain(domain: str, address: str) -> str:
    """The part of the configuration by which a domain and all names below it have one address."""
    return f"""\
{domain} {{
    bind {addresses.NODE_ADDRESS}
    errors
    template IN A {{
        answer "{{{{ .Name }}}} 5 IN A {address}"
    }}
    template ANY ANY {{
        rcode NOERROR
    }}
}}
"""


def _dns(cluster: Cluster) -> None:
    path = cluster.instance.state / "Corefile"
    path.write_text(corefile(str(cluster.instance.kubeconfig)))
    cluster.processes.start("coredns", ["coredns", "-conf", path])
    cluster.processes.wait_until("coredns", lambda: http.answers(f"http://{addresses.DNS_READY}/ready"))


def _traefik(cluster: Cluster) -> None:
    """Traefik serves Ingresses of the class and the Gateway on the ports 80 and 443 of the node.

    It sets its address in their status. It reads the Gateway API only if it is there when Traefik starts.
    """
    manifest = {
        "apiVersion": "networking.k8s.io/v1",
        "kind": "IngressClass",
        "metadata": {"name": INGRESS_CLASS},
        "spec": {"controller": "traefik.io/ingress-controller"},
    }
    cluster.create("/apis/networking.k8s.io/v1/ingressclasses", manifest)
    cluster.processes.start(
        "traefik",
        [
            "traefik",
            f"--entrypoints.web.address={addresses.NODE_ADDRESS}:80",
            f"--entrypoints.websecure.address={addresses.NODE_ADDRESS}:443",
            # As in the official chart: otherwise an Ingress would need an annotation of Traefik for port 443.
            "--entrypoints.websecure.http.tls=true",
            "--entrypoints.web.http.redirections.entrypoint.scheme=https",
            "--entrypoints.web.http.redirections.entrypoint.to=websecure",
            f"--entrypoints.ping.address={addresses.TRAEFIK_PING}",
            "--ping.entrypoint=ping",
            "--providers.kubernetesingress",
            # As in the official chart: a Service without a ready pod answers 503, not 404.
            "--providers.kubernetesingress.allowemptyservices=true",
            f"--providers.kubernetesingress.ingressendpoint.ip={addresses.NODE_ADDRESS}",
            "--providers.kubernetesgateway",
            f"--providers.kubernetesgateway.statusaddress.ip={addresses.NODE_ADDRESS}",
            "--global.checknewversion=false",
            "--global.sendanonymoususage=false",
            "--log.level=INFO",
        ],
        {"KUBECONFIG": str(cluster.instance.kubeconfig)},
    )
    cluster.processes.wait_until("traefik", lambda: http.answers(f"http://{addresses.TRAEFIK_PING}/ping"))


def _s3(cluster: Cluster) -> None:
    """Passes the keys in the environment; creates no bucket, because that is up to regmirror."""
    data, metadata = (cluster.instance.state / "s3" / name for name in ("data", "metadata"))
    for directory in (data, metadata):
        directory.mkdir(parents=True, exist_ok=True)
    address = f"{addresses.NODE_ADDRESS}:{addresses.S3_PORT}"
    keys = {
        "ROOT_ACCESS_KEY_ID": cluster.credentials.s3_access_key,
        "ROOT_SECRET_ACCESS_KEY": cluster.credentials.s3_secret_key,
    }
    options = ["--port", address, "--region", S3_REGION, "--health", "/healthz"]
    # Without metadata, it loses the ETags of parts and with them every multipart upload, which the registry uses.
    command: list[str | Path] = ["versitygw", *options, "posix", "--sidecar", metadata, data]
    cluster.processes.start("s3", command, keys)
    cluster.processes.wait_until("s3", lambda: http.answers(f"http://{address}/healthz"))


def _hub_storage(cluster: Cluster) -> None:
    """A real registry without authentication, which stores the images of the Docker Hub stand-in."""
    configuration = cluster.instance.state / "hub-storage.json"
    content = {
        "version": 0.1,
        "log": {"level": "warn", "accesslog": {"disabled": True}},
        "storage": {
            "filesystem": {"rootdirectory": str(cluster.instance.state / "hub")},
            "delete": {"enabled": True},
        },
        "http": {"addr": addresses.HUB_STORAGE},
        # Docker Hub has layers that are elsewhere, and indexes of which a part is missing.
        "validation": {"manifests": {"urls": {"allow": [".*"]}, "indexes": {"platforms": "none"}}},
    }
    configuration.write_text(json.dumps(content))
    cluster.processes.start("hub-storage", ["registry", "serve", configuration], {"OTEL_TRACES_EXPORTER": "none"})
    cluster.processes.wait_until("hub-storage", lambda: http.answers(f"http://{addresses.HUB_STORAGE}/v2/"))


def _hub(cluster: Cluster) -> None:
    """The upstream of mirrors."""
    _start_hub(
        cluster,
        "hub",
        f"--listen={addresses.NODE_ADDRESS}:{addresses.HUB_PORT}",
        f"--control={addresses.HUB_CONTROL}",
        f"--realm=http://{addresses.HUB_HOST}:{addresses.HUB_PORT}/token",
    )
    unauthorized = 401
    url = f"http://{addresses.NODE_ADDRESS}:{addresses.HUB_PORT}/v2/"
    cluster.processes.wait_until("hub", lambda: http.request(url)[0] == unauthorized)


def _docker_io(cluster: Cluster) -> None:
    """docker.io for clients. No mirror uses it, so every request to it has bypassed the mirror."""
    certificates = cluster.certificates.docker_io
    _start_hub(
        cluster,
        "docker-io",
        f"--listen={addresses.DOCKER_IO_ADDRESS}:443",
        f"--control={addresses.DOCKER_IO_CONTROL}",
        f"--realm=https://{addresses.DOCKER_IO_TOKENS}/token",
        f"--certificate={certificates.certificate('server')}",
        f"--key={certificates.key('server')}",
    )
    # Not with a request to the public address: the stand-in shows how many there were.
    cluster.processes.wait_until("docker-io", lambda: http.answers(f"http://{addresses.DOCKER_IO_CONTROL}/state"))


def _start_hub(cluster: Cluster, name: str, *options: str) -> None:
    command = [
        "docker-hub-stand-in",
        *options,
        f"--registry=http://{addresses.HUB_STORAGE}",
        f"--account={cluster.credentials.hub_username}:{cluster.credentials.hub_password}",
        f"--private={sample_images.PRIVATE}",
        f"--absent={ABSENT}",
        "--anonymous-limit=0",
        "--account-limit=0",
    ]
    cluster.processes.start(name, command)


def _samples(cluster: Cluster) -> None:
    """Pushes without the environment of the user who runs `up`, which may contain proxies and registry credentials."""
    crane = cluster.instance.programs / "crane"
    for sample in sample_images.all_samples(cluster.instance.cache):
        commands.output_of(
            [crane, "push", "--insecure", sample.directory, f"{addresses.HUB_STORAGE}/{sample.name}"],
            purpose=f"pushing {sample.name} to the Docker Hub stand-in",
            environment={"HOME": str(cluster.instance.state)},
        )
