"""The steps of the demo: init, deploy, verify, and pulls with ordinary clients."""

import os
import sys
import time
from pathlib import Path
from typing import Any

from demo.show import run, say
from lab.target_cluster import TargetCluster

DIRECTORY = Path("build/demo")
NAMESPACE = "regmirror-demo"
PROGRAMS = str(Path(sys.executable).parent)


def run_all(target: TargetCluster) -> None:
    """Run all steps; raises DemoError at the first one that fails."""
    started = time.monotonic()
    host = f"mirror.{target.domain}"
    DIRECTORY.mkdir(parents=True, exist_ok=True)
    environment = _environment(target)
    _introduce(target, host)
    run(["regmirror", *_init(target, host)], DIRECTORY, environment)
    _create_certificate(target, environment)
    run(["regmirror", "deploy"], DIRECTORY, environment)
    run(["regmirror", "verify"], DIRECTORY, environment)
    if target.lab is not None:
        _pull_in_lab(target, target.lab, host, environment)
    say(f"\nDone in {time.monotonic() - started:.0f} s.")
    _show_next_steps(target, host)


def _environment(target: TargetCluster) -> dict[str, str]:
    environment = {
        **target.environment,
        "PATH": f"{PROGRAMS}:{os.environ['PATH']}",
        "REGMIRROR_CONTEXT": target.context,
        "REGMIRROR_NAMESPACE": NAMESPACE,
    }
    environment.setdefault("S3_BUCKET", "regmirror-demo")
    if target.authority:
        environment["REGMIRROR_CA_FILE"] = str(target.authority.resolve())
        environment["SSL_CERT_FILE"] = str(target.authority.resolve())
    return environment


def _introduce(target: TargetCluster, host: str) -> None:
    if target.lab is None:
        say(f"A mirror of Docker Hub at {host}, on the cluster of context {target.context}.")
        return
    say(f"A mirror of Docker Hub at {host}, in the lab: a real Kubernetes, registry, S3 server and Ingress controller.")
    say("Docker Hub itself is a stand-in, because the lab has no access to the internet.")
    if target.lab["auth_is_stand_in"]:
        say("docker_auth is also a stand-in; to use the real one, set LAB_DOCKER_AUTH=/path/to/auth_server.")


def _init(target: TargetCluster, host: str) -> list[str]:
    options = ["--create-bucket", f"--probe-image={target.allowed_image}", *target.init_options]
    return ["init", "--yes", "--force", f"--host={host}", *options]


def _create_certificate(target: TargetCluster, environment: dict[str, str]) -> None:
    """Create the namespace with the TLS Secret of the public host, as the owner of the host would."""
    if not (target.certificate and target.key):
        return
    kubectl = f"kubectl --context {target.context}"
    secret = f"create secret tls regmirror-tls --cert={target.certificate} --key={target.key} --dry-run=client -o yaml"
    shown = (
        f"{kubectl} create namespace {NAMESPACE}\n"
        f"$ {kubectl} -n {NAMESPACE} create secret tls regmirror-tls --cert={target.certificate} --key={target.key}"
    )
    script = (
        f"{kubectl} create namespace {NAMESPACE} --dry-run=client -o yaml | {kubectl} apply -f - && "
        f"{kubectl} -n {NAMESPACE} {secret} | {kubectl} apply -f -"
    )
    run(["sh", "-c", script], DIRECTORY, environment, shown=shown)


def _pull_in_lab(target: TargetCluster, lab: dict[str, Any], host: str, environment: dict[str, str]) -> None:
    """Pull with ordinary clients: crane with the mirror's host name, containerd with Docker Hub's name."""
    say("\nPull an image with crane, from the mirror's host:")
    run(["crane", "pull", f"{host}/{target.allowed_image}", "demo.tar"], DIRECTORY, environment)
    say("\nRun a pod with an image of Docker Hub; this hosts.toml makes containerd pull it through the mirror:")
    hosts = Path(lab["containerd_certs"]) / "docker.io" / "hosts.toml"
    hosts.parent.mkdir(parents=True, exist_ok=True)
    hosts.write_text(
        f'server = "https://registry-1.docker.io"\n\n[host."https://{host}"]\n'
        f'  capabilities = ["pull", "resolve"]\n  ca = "{target.authority}"\n'
    )
    run(["cat", str(hosts)], DIRECTORY, environment)
    kubectl = ["kubectl", "-n", NAMESPACE]
    image = f"docker.io/{target.allowed_image}"
    hello = ["run", "hello", f"--image={image}", "--image-pull-policy=Always", "--restart=Never"]
    run([*kubectl, "delete", "pod", "hello", "--ignore-not-found", "--now"], DIRECTORY, environment)
    run([*kubectl, *hello], DIRECTORY, environment)
    finished = "--for=jsonpath={.status.phase}=Succeeded"
    run([*kubectl, "wait", finished, "pod/hello", "--timeout=60s"], DIRECTORY, environment)
    run([*kubectl, "events", "--for=pod/hello"], DIRECTORY, environment)
    run([*kubectl, "logs", "hello"], DIRECTORY, environment)


def _show_next_steps(target: TargetCluster, host: str) -> None:
    say("\nTry next:")
    if not target.is_lab:
        trust = f" --ca-file {target.authority}" if target.authority else ""
        say(f"  regmirror verify -f {DIRECTORY}/regmirror.yaml --context {target.context} -n {NAMESPACE}{trust}")
        return
    inside = f"{os.path.relpath(sys.executable)} -m lab run --"
    refused = f"env SSL_CERT_FILE={target.authority} crane pull {host}/{target.refused_image} x.tar"
    for command, purpose in (
        (f"{inside} kubectl -n {NAMESPACE} get pods,ingress", "show what is running"),
        (f"{inside} {refused}", "pull an image that is not allowed, which fails"),
        (f"less {DIRECTORY}/regmirror.yaml", "show the configuration file"),
        ("make clean-lab", "stop the lab and remove the programs that it built"),
    ):
        say(f"  {purpose}:\n    {command}")
