"""Every example is a complete configuration that loads, builds, and that the charts accept."""

from __future__ import annotations

from pathlib import Path

import pytest
import yaml

from regmirror.config.file_warnings import file_warnings
from regmirror.desired.access import is_allowed
from regmirror.desired.releases import Stack, build_stack
from regmirror.verify.sample_pull import parse_image
from tests import samples
from tests.charts.helm import find_helm

EXAMPLES = sorted((Path(__file__).parents[2] / "examples").glob("*.yaml"))
SECTIONS = (
    *("apiVersion", "kind", "host", "port", "namespace", "podSecurity", "imageRegistry"),
    *("storage", "egress", "upstreams", "access", "registry", "auth", "redis"),
    *("ingress", "networkPolicies", "monitoring"),
)


def built(path: Path) -> Stack:
    return build_stack(samples.read_mirror(path), samples.mirror_secrets(), {}, samples.NOW)


def named(name: str) -> Path:
    return next(path for path in EXAMPLES if path.stem == name)


@pytest.fixture(params=EXAMPLES, ids=lambda path: path.stem)
def example(request: pytest.FixtureRequest) -> Path:
    """Each example in its turn."""
    path: Path = request.param
    return path


def test_there_is_an_example_of_each_kind() -> None:
    assert [path.stem for path in EXAMPLES] == [
        "air-gap",
        "cert-manager",
        "eks-pod-identity-alb",
        "gke-gateway",
        "in-cluster-s3",
        "k3s-traefik",
        "laptop",
        "minimal",
        "on-premises-proxy-private-ca",
        "openshift-ceph",
        "prometheus-operator",
        "r2-cert-manager-external-dns",
        "replicas",
        "several-upstreams",
        "two-tenants",
    ]


def test_an_example_says_what_it_is_an_example_of(example: Path) -> None:
    assert example.read_text().startswith("# ")


def test_examples_have_their_sections_in_the_same_order(example: Path) -> None:
    keys = list(yaml.safe_load(example.read_text()))
    assert keys == [key for key in SECTIONS if key in keys]


def test_no_example_has_a_warning_except_about_an_account_and_a_wildcard(example: Path) -> None:
    """What an account can read is public: the warning is right, and these examples say so in a comment."""
    root = yaml.compose(example.read_text())
    assert root is not None
    warnings = file_warnings(samples.read_mirror(example), root)
    assert [one for one in warnings if "together with credentials" not in one.message] == []
    assert bool(warnings) is ("Everyone who reaches the mirror" in example.read_text())


def test_an_example_builds(example: Path) -> None:
    stack = built(example)
    mirror = samples.read_mirror(example)
    extra = (mirror.ingress.issuer is not None, mirror.access.sign_in is not None, mirror.monitoring.has_objects)
    assert len(stack.releases) == 3 + len(mirror.upstreams) + sum(extra)
    assert yaml.safe_dump([release.values for release in stack.releases])


def test_the_image_that_verify_would_pull_may_be_pulled(example: Path) -> None:
    for upstream in samples.read_mirror(example).upstreams:
        if upstream.probe_image:
            assert is_allowed(upstream, parse_image(upstream.probe_image).repository)


@pytest.mark.helm
@pytest.mark.parametrize("major", [3, 4])
def test_the_charts_accept_it(example: Path, major: int) -> None:
    helm = find_helm(major)
    if helm is None:
        pytest.skip(f"no Helm {major} here: set LAB_HELM{major} to its path, or put it on PATH as helm")
    for release in built(example).releases:
        assert helm.render(release.source.directory.name, release.values, release.name)


def test_three_upstreams_share_nothing_but_the_bucket() -> None:
    mirror = samples.read_mirror(named("several-upstreams"))
    assert [mirror.host_of(upstream) for upstream in mirror.upstreams] == [
        "hub.example.com",
        "ghcr.example.com",
        "quay.example.com",
        "dhi.example.com",
    ]


def test_the_air_gap_names_no_image_of_the_internet() -> None:
    mirror = samples.read_mirror(named("air-gap"))
    for component in (mirror.registry, mirror.fetcher, mirror.auth, mirror.redis, mirror.front):
        assert component.image.startswith("harbor.internal.example.com/")
    for component in (mirror.registry, mirror.auth, mirror.redis):
        assert component.image_pull_secrets


def test_replicas_keep_what_they_have() -> None:
    mirror = samples.read_mirror(named("replicas"))
    assert mirror.registry.replicas > 1
    assert not mirror.registry.ttl
