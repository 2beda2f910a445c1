"""A mirror without an Ingress: what its file may say, what is deployed, and how that is checked."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest

from regmirror.client_config.catalog import RUNTIMES
from regmirror.client_config.registries import mirrored_registries
from regmirror.client_config.setup import ClientOptions
from regmirror.config.problem import InvalidFileError
from regmirror.deploy.diff import diff_mirror
from regmirror.deploy.node_port import check_node_port
from regmirror.deploy.public_check import PublicCheckStep
from regmirror.deploy.rights import deploy_rights
from regmirror.deploy.rollback import take_snapshot
from regmirror.desired import names
from regmirror.desired.auth_config import auth_config
from regmirror.desired.registry_config import registry_config
from regmirror.desired.releases import Release, build_stack
from regmirror.errors import ConfigurationError, HostChangeError
from regmirror.ports.async_cluster import AsyncCluster
from regmirror.ports.cluster import DEPLOYMENT, INGRESS, SECRET, SERVICE, Object, Right
from regmirror.ports.http import Detour
from regmirror.verify.check import Failed, Passed
from tests import samples
from tests.fakes.cluster import FakeCluster
from tests.fakes.http import FakeHttp
from tests.fakes.progress import RecordedWaiting
from tests.fakes.registry_host import RegistryHost
from tests.unit.deployed import Deployed, deployed
from tests.unit.deploying import Place, configured

NODE_PORT: dict[str, Any] = {"type": "NodePort"}
EXPOSED: dict[str, Any] = {"port": 30443, "ingress": {"service": NODE_PORT}}
BALANCED: dict[str, Any] = {"ingress": {"service": {"type": "LoadBalancer"}}}
REPLACES = "mirror.example.com moves from {old} to {new}: pulls fail until DNS points to the new address"
ENDPOINT = "mirror.example.com:30443"


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"ingress": {"service": NODE_PORT}}, "ingress.service.nodePort: the type NodePort opens a port of the nodes"),
        ({"ingress": {"service": {"type": "ClusterIP"}}}, "ingress.service.type"),
        ({"port": 0}, "port: "),
        ({"port": 65536}, "port: "),
        ({"port": "8443"}, "port: "),
        (EXPOSED | {"ingress": {"service": NODE_PORT, "className": "traefik"}}, "ingress.className: has no effect"),
        (EXPOSED | {"ingress": {"service": NODE_PORT, "annotations": {"a": "b"}}}, "use ingress.service.annotations"),
        (
            EXPOSED | {"ingress": {"service": NODE_PORT, "tlsSecret": None}},
            "ingress.tlsSecret: ingress.service requires",
        ),
        (
            EXPOSED | {"ingress": {"service": NODE_PORT | {"loadBalancerClass": "a/b"}}},
            "ingress.service.loadBalancerClass: has no effect with type: NodePort",
        ),
    ],
)
def test_what_has_no_effect_or_no_meaning_is_refused(changes: dict[str, Any], words: str) -> None:
    with pytest.raises(InvalidFileError) as caught:
        samples.mirror(**changes)
    assert words in str(caught.value)


def test_both_programs_and_every_client_file_have_the_port() -> None:
    mirror = samples.mirror(**EXPOSED)
    (upstream,) = mirror.upstreams
    token = registry_config(mirror, upstream, samples.mirror_secrets())["auth"]["token"]
    assert (token["realm"], token["service"]) == (f"https://{ENDPOINT}/auth", ENDPOINT)
    assert {rule["match"]["service"] for rule in auth_config(mirror)["acl"]} == {ENDPOINT}
    registries = mirrored_registries(mirror, {})
    for name, build in RUNTIMES.items():
        setup = build(ClientOptions(registries, "-----BEGIN CERTIFICATE-----\n", "ci-robot"))
        text = "\n".join([*(f"{file.path}\n{file.content}" for file in setup.files), *setup.steps, *setup.limitations])
        assert text.count(ENDPOINT) == text.count(samples.HOST) > 0, name


def release(**changes: Any) -> Release:
    return build_stack(samples.mirror(**changes), samples.mirror_secrets(), {}, samples.NOW).releases[-1]


@pytest.mark.parametrize(
    ("changes", "port", "node_port"),
    [
        (EXPOSED, 30443, 30443),
        ({"port": 443, "ingress": {"service": NODE_PORT | {"nodePort": 30001}}}, 443, 30001),
        (BALANCED, 443, 0),
        (BALANCED | {"port": 8443}, 8443, 0),
    ],
)
def test_the_port_of_clients_is_the_port_of_the_nodes_unless_that_is_set(
    changes: dict[str, Any], port: int, node_port: int
) -> None:
    values = release(**changes).values
    assert (values["service"]["port"], values["service"]["nodePort"]) == (port, node_port)


def test_the_release_of_the_endpoint_has_each_host_with_its_certificate() -> None:
    found = release(**EXPOSED, upstreams=samples.TWO_UPSTREAMS)
    assert (found.name, found.component) == (names.INGRESS, "endpoint")
    assert found.needs == ("regmirror-auth", "regmirror-docker-hub", "regmirror-quay")
    assert [(host["host"], host["registryService"], host["tlsSecretName"]) for host in found.values["hosts"]] == [
        ("mirror.example.com", "regmirror-docker-hub", "regmirror-tls"),
        ("quay.example.com", "regmirror-quay", "regmirror-tls-quay"),
    ]


def test_only_the_endpoint_reaches_the_others_and_clients_need_no_entry() -> None:
    mirror = samples.mirror(**EXPOSED, networkPolicies={"enabled": True})
    stack = build_stack(mirror, samples.mirror_secrets(), {}, samples.NOW)
    policies = {one.name: one.values["networkPolicy"] for one in stack.releases}
    endpoint = [{"podSelector": {"matchLabels": {"app.kubernetes.io/instance": names.INGRESS}}}]
    assert policies["regmirror-auth"] == {"enabled": True, "ingressFrom": endpoint, "metricsFrom": []}
    assert policies["regmirror-docker-hub"] == {"enabled": True, "ingressFrom": endpoint, "metricsFrom": []}
    assert policies[names.INGRESS] == {"enabled": True, "ingressFrom": [], "metricsFrom": []}


def test_trusted_proxies_are_those_in_front_of_the_endpoint() -> None:
    ingress = {"service": NODE_PORT, "trustedProxies": ["10.0.0.0/8"]}
    stack = build_stack(samples.mirror(port=30443, ingress=ingress), samples.mirror_secrets(), {}, samples.NOW)
    trusted = {one.name: one.values["front"]["trustedProxies"] for one in stack.releases if "front" in one.values}
    assert trusted == {"regmirror-auth": [], "regmirror-docker-hub": [], names.INGRESS: ["10.0.0.0/8"]}


def test_several_pods_of_the_endpoint_need_a_budget() -> None:
    budget = Right("create", "policy", "poddisruptionbudgets")
    assert budget not in deploy_rights(samples.mirror(**EXPOSED))
    several = {"port": 30443, "ingress": {"service": NODE_PORT | {"replicas": 2}}}
    assert budget in deploy_rights(samples.mirror(**several))


def service(name: str, namespace: str, **spec: Any) -> Object:
    metadata = {"name": name, "namespace": namespace}
    return {"apiVersion": "v1", "kind": "Service", "metadata": metadata, "spec": spec}


def test_a_port_of_the_nodes_that_another_service_has_is_refused() -> None:
    cluster, mirror = FakeCluster(), samples.mirror(**EXPOSED)
    assert check_node_port(mirror, cluster).detail == "30443"
    cluster.put(service(names.INGRESS, "regmirror", ports=[{"nodePort": 30443}]))
    assert check_node_port(mirror, cluster).detail == "30443"
    cluster.elsewhere = [service("shop", "shop", ports=[{"port": 80}, {"nodePort": 30443}])]
    with pytest.raises(ConfigurationError, match=r"port: port 30443 .* used by the Service shop in namespace shop"):
        check_node_port(mirror, cluster)
    cluster.elsewhere = [service("shop", "shop", healthCheckNodePort=30443)]
    with pytest.raises(ConfigurationError, match="used by the Service shop"):
        check_node_port(mirror, cluster)


def test_a_port_of_the_nodes_outside_of_the_default_range_is_noted() -> None:
    assert check_node_port(samples.mirror(**EXPOSED | {"port": 8443}), FakeCluster()).detail == (
        "8443, outside of the default range 30000-32767"
    )
    assert check_node_port(samples.mirror(**BALANCED), FakeCluster()).detail == "chosen by Kubernetes"


def test_without_permission_to_list_services_the_port_is_not_compared() -> None:
    cluster = FakeCluster()
    cluster.hidden.add(SERVICE)
    done = check_node_port(samples.mirror(**EXPOSED), cluster)
    assert (done.skipped, done.detail) == (True, "30443; not compared with other Services: no permission")


def with_service(changes: dict[str, Any], **spec: Any) -> Deployed:
    mirror = deployed(**changes)
    mirror.cluster.put({**service(names.INGRESS, "regmirror", **spec), "status": {}})
    return mirror


def test_verify_compares_the_service_with_the_file() -> None:
    right = {"type": "NodePort", "ports": [{"port": 30443, "nodePort": 30443}]}
    assert with_service(EXPOSED, **right).ask("config-ingress") == Passed("NodePort 30443")
    for spec, words in (
        (right | {"type": "ClusterIP"}, "has type ClusterIP instead of NodePort"),
        (right | {"ports": [{"port": 443, "nodePort": 30443}]}, "has port 443 instead of 30443"),
        (right | {"ports": [{"port": 30443, "nodePort": 31000}]}, "has nodePort 31000 instead of 30443"),
        (right | {"ports": []}, "has port none instead of 30443"),
    ):
        outcome = with_service(EXPOSED, **spec).ask("config-ingress")
        assert isinstance(outcome, Failed)
        assert words in outcome.message
    missing = deployed(**EXPOSED).ask("config-ingress")
    assert isinstance(missing, Failed)
    assert missing.message == "namespace regmirror has no Service regmirror-ingress"


def test_verify_reports_a_load_balancer_without_an_address() -> None:
    mirror = with_service(BALANCED, type="LoadBalancer", ports=[{"port": 443, "nodePort": 31000}])
    outcome = mirror.ask("config-ingress")
    assert isinstance(outcome, Failed)
    assert outcome.message == "the Service regmirror-ingress has no address: no load balancer serves it yet"
    address = {"loadBalancer": {"ingress": [{"ip": "192.0.2.7"}, {"hostname": "a.example.com"}]}}
    mirror.change(SERVICE, names.INGRESS, lambda found: found.update(status=address))
    assert mirror.ask("config-ingress") == Passed("LoadBalancer 192.0.2.7, a.example.com")


def test_plain_http_is_asked_at_the_port_of_clients() -> None:
    mirror = deployed(**EXPOSED)
    assert mirror.ask("tls-redirect") == Passed("port 30443 is closed")
    mirror.http.hosts[f"http://{ENDPOINT}"] = RegistryHost(scheme="http", host=ENDPOINT)
    assert isinstance(mirror.ask("tls-redirect"), Passed) is False


def test_deploy_says_that_it_checked_another_address_than_clients_use() -> None:
    host = RegistryHost(host=ENDPOINT)
    http = FakeHttp(
        {f"https://{ENDPOINT}": host}, detours={("mirror.example.com", 30443): Detour("192.0.2.7", 31000, ())}
    )
    step = PublicCheckStep((ENDPOINT,), http, AsyncCluster(FakeCluster()), needs=())
    detail = asyncio.run(step.apply(RecordedWaiting())).detail
    assert detail.endswith("; checked at 192.0.2.7:31000 with --resolve, which clients do not use")


@pytest.fixture
def place() -> Place:
    made = Place()
    made.cluster.put(samples.tls_secret())
    return made


def warnings(place: Place, **changes: Any) -> list[str]:
    return asyncio.run(diff_mirror(place.connected(configured(**changes)))).warnings


def test_a_service_replaces_the_ingress_and_back_with_a_warning(place: Place) -> None:
    place.deploy()
    assert REPLACES.format(old="an Ingress", new="a Service") in warnings(place, **EXPOSED)
    with pytest.raises(HostChangeError, match=f"serves mirror.example.com, which this file replaces with {ENDPOINT}"):
        place.deploy(configured(**EXPOSED))
    place.deploy(configured(**EXPOSED), change_host=True, skip_verify=True)
    assert place.cluster.select(INGRESS) == []
    assert place.cluster.get(DEPLOYMENT, names.INGRESS)
    assert not [text for text in warnings(place, **EXPOSED) if "replaces" in text]
    assert REPLACES.format(old="a Service", new="an Ingress") in warnings(place)


def test_a_rollback_checks_the_endpoints_that_were_served(place: Place) -> None:
    place.deploy(configured(**EXPOSED), skip_verify=True)
    secrets = place.cluster.select(SECRET, names.MANAGED_SELECTOR)
    releases = [
        one.name for one in build_stack(configured(**EXPOSED), samples.mirror_secrets(), {}, samples.NOW).releases
    ]
    snapshot = asyncio.run(take_snapshot(releases, place.connected(configured(**EXPOSED)), secrets))
    assert snapshot.hosts == (ENDPOINT,)
