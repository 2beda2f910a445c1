"""What each Ingress controller needs, which annotations win, and what unknown controllers are checked for."""

from __future__ import annotations

from typing import Any

import pytest

from regmirror.desired.ingress_controllers import CONTROLLERS, controller_annotations, find_controller
from regmirror.desired.releases import build_stack
from regmirror.errors import PermissionDeniedError
from regmirror.ports.cluster import INGRESS_CLASS, Object
from regmirror.workloads.ingress_class import controller_warnings
from tests import samples
from tests.fakes.cluster import FakeCluster

NEW, OLD = "external-dns.kubernetes.io/", "external-dns.alpha.kubernetes.io/"
DEFAULT = {"ingressclass.kubernetes.io/is-default-class": "true"}


def values(**changes: Any) -> dict[str, Any]:
    return build_stack(samples.mirror(**changes), samples.mirror_secrets(), {}, samples.NOW).releases[-1].values


def annotations_of(**ingress: Any) -> dict[str, str]:
    found: dict[str, str] = values(ingress=ingress)["annotations"]
    return found


def ingress_class(name: str, controller: str, marks: dict[str, str] | None = None) -> Object:
    return {
        "apiVersion": INGRESS_CLASS.api_version,
        "kind": INGRESS_CLASS.kind,
        "metadata": {"name": name, "annotations": marks},
        "spec": {"controller": controller},
    }


def warnings(cluster: FakeCluster, **ingress: Any) -> list[str]:
    return controller_warnings(samples.mirror(ingress=ingress), cluster)


@pytest.mark.parametrize(
    ("class_name", "expected"),
    [
        ("nginx", {"nginx.ingress.kubernetes.io/proxy-read-timeout": "600", "nginx.org/proxy-read-timeout": "600s"}),
        ("traefik", {"traefik.ingress.kubernetes.io/router.tls": "true"}),
        ("haproxy", {"haproxy.org/timeout-server": "600s", "haproxy-ingress.github.io/timeout-server": "600s"}),
        ("contour", {"projectcontour.io/response-timeout": "infinity"}),
        ("alb", {"alb.ingress.kubernetes.io/target-type": "ip"}),
    ],
)
def test_a_well_known_class_gets_what_its_controllers_need_and_nothing_else(
    class_name: str, expected: dict[str, str]
) -> None:
    found = annotations_of(className=class_name)
    assert expected.items() <= found.items()
    domains = {key.partition("/")[0] for key in expected}
    assert {key.partition("/")[0] for key in found} == domains


@pytest.mark.parametrize("ingress", [{}, {"className": "internal"}])
def test_a_class_whose_name_says_nothing_gets_what_every_controller_needs(ingress: dict[str, Any]) -> None:
    assert annotations_of(**ingress) == controller_annotations(None)
    assert all(known.annotations.items() <= annotations_of(**ingress).items() for known in CONTROLLERS)


def test_annotations_of_the_file_win_and_those_of_an_upstream_win_over_all() -> None:
    key = "nginx.ingress.kubernetes.io/proxy-read-timeout"
    upstream = {**samples.MINIMAL["upstreams"][0], "annotations": {key: "3600"}}
    found = values(ingress={"className": "nginx", "annotations": {key: "1800"}}, upstreams=[upstream])
    assert found["annotations"][key] == "1800"
    assert found["hosts"][0]["annotations"] == {key: "3600"}


@pytest.mark.parametrize("prefix", [NEW, OLD])
def test_every_external_dns_reads_the_annotations_with_either_prefix_in_the_file(prefix: str) -> None:
    both = {f"{NEW}ttl": "60", f"{OLD}ttl": "60"}
    assert both.items() <= annotations_of(className="traefik", annotations={f"{prefix}ttl": "60"}).items()
    upstream = {**samples.MINIMAL["upstreams"][0], "annotations": {f"{prefix}ttl": "60"}}
    assert values(upstreams=[upstream])["hosts"][0]["annotations"] == both


def test_two_values_for_two_versions_of_external_dns_are_kept() -> None:
    different = {f"{NEW}target": "new.example.com", f"{OLD}target": "old.example.com"}
    assert different.items() <= annotations_of(annotations=different).items()


def test_a_class_of_gke_is_an_annotation() -> None:
    found = values(ingress={"className": "gce-internal", "tlsSecret": None})
    assert found["className"] == ""
    assert found["annotations"] == {"kubernetes.io/ingress.class": "gce-internal"}
    (warning,) = warnings(FakeCluster(), className="gce-internal")
    assert "use ingress.gateway instead" in warning


@pytest.mark.parametrize(
    ("controller", "name"),
    [
        ("k8s.io/ingress-nginx", "ingress-nginx"),
        ("nginx.org/ingress-controller", "F5 NGINX Ingress Controller"),
        ("traefik.io/ingress-controller", "Traefik"),
        ("haproxy.org/ingress-controller/haproxy", "HAProxy Kubernetes Ingress Controller"),
        ("haproxy-ingress.github.io/controller", "HAProxy Ingress"),
        ("projectcontour.io/ingress-controller", "Contour"),
        ("ingress.k8s.aws/alb", "AWS Load Balancer Controller"),
        ("eks.amazonaws.com/alb", "AWS Load Balancer Controller"),
        ("cilium.io/ingress-controller", None),
        ("", None),
    ],
)
def test_the_cluster_names_the_controller(controller: str, name: str | None) -> None:
    found = find_controller(controller)
    assert (found.name if found else None) == name


@pytest.mark.parametrize("class_name", [None, "internal", "nginx"])
def test_a_known_controller_needs_no_warning_by_any_name_of_its_class(class_name: str | None) -> None:
    cluster = FakeCluster([ingress_class(class_name or "x", "k8s.io/ingress-nginx", DEFAULT)])
    assert warnings(cluster, **({"className": class_name} if class_name else {})) == []


def test_an_unknown_controller_is_a_warning_that_says_what_to_check() -> None:
    cluster = FakeCluster([ingress_class("internal", "example.com/proxy")])
    (warning,) = warnings(cluster, className="internal")
    assert warning.startswith(
        "ingress.className: class internal has an unknown Ingress controller, example.com/proxy: "
    )
    assert "responses that take minutes" in warning
    assert "does not buffer them" in warning


def test_a_well_known_name_of_another_controller_is_a_warning_with_what_it_needs() -> None:
    (warning,) = warnings(FakeCluster([ingress_class("traefik", "projectcontour.io/x")]), className="traefik")
    assert "set ingress.annotations: {projectcontour.io/response-timeout: infinity}" in warning


def test_a_certificate_for_the_aws_load_balancer_is_not_in_a_secret() -> None:
    (warning,) = warnings(FakeCluster([ingress_class("alb", "ingress.k8s.aws/alb")]), className="alb")
    assert "tlsSecret: null" in warning


def test_a_gateway_and_a_missing_class_have_no_controller_to_warn_of() -> None:
    assert warnings(FakeCluster(), gateway={"parentRefs": [{"name": "public"}]}) == []
    assert warnings(FakeCluster(), className="internal") == []


def test_what_the_user_may_not_read_is_not_known() -> None:
    cluster = FakeCluster()
    cluster.hidden = {INGRESS_CLASS}
    with pytest.raises(PermissionDeniedError):
        warnings(cluster, className="internal")
