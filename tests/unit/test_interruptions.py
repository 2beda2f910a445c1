"""diff and deploy warn before a change that interrupts pulls, and before no other change."""

from __future__ import annotations

import asyncio
import base64
from typing import Any

import pytest

from regmirror.config.model import Mirror
from regmirror.deploy.diff import diff_mirror, plan_deployment
from regmirror.deploy.steps import DeployOptions
from regmirror.desired.releases import Release, build_stack
from regmirror.ports.cluster import INGRESS, SECRET
from tests import samples
from tests.fakes.progress import RecordedProgress
from tests.unit.deploying import Place, configured
from tests.unit.test_gateway_preflight import ALL, HTTPS, PUBLIC, definition, gateway

UPSTREAM = configured().upstreams[0].model_dump(by_alias=True, exclude_none=True)
HARMLESS: dict[str, dict[str, Any]] = {
    "anonymousPull": {"upstreams": [UPSTREAM | {"anonymousPull": ["acme/*"]}]},
    "auth.replicas": {"auth": {"keySize": 2048, "replicas": 2}},
    "auth.tokenLifetime": {"auth": {"keySize": 2048, "tokenLifetime": "4m"}},
    "redis.maxMemory": {"redis": {"maxMemory": "256mb"}},
    "registry.ttl": {"registry": {"ttl": "24h"}},
    "storage.prefix": {"storage": {**configured().storage.model_dump(by_alias=True, exclude_none=True), "prefix": "a"}},
    "upstreams[].name": {"upstreams": [UPSTREAM | {"name": "hub"}]},
    "a new upstream": {"upstreams": [UPSTREAM, samples.TWO_UPSTREAMS[1]]},
}
ISSUER = (
    "auth.issuer changes from regmirror to another: pulls fail for some seconds while the pods are replaced, longer "
    "with several replicas"
)


def gone(host: str) -> str:
    return f"https://{host} is no longer served: its pulls fail until the clients are set up again with another host"


@pytest.fixture
def place() -> Place:
    made = Place()
    made.deploy(configured(upstreams=[UPSTREAM]))
    return made


def warnings(place: Place, mirror: Mirror) -> list[str]:
    """The warnings of a diff, which are those of ``deploy --dry-run``, too."""
    connections, options = place.connected(mirror), DeployOptions(change_host=True)
    found = asyncio.run(diff_mirror(connections)).warnings
    assert asyncio.run(plan_deployment(connections, RecordedProgress(), options)).warnings == found
    return found


@pytest.mark.parametrize("key", HARMLESS)
def test_a_change_that_interrupts_nothing_has_no_warning(place: Place, key: str) -> None:
    assert warnings(place, configured(**{"upstreams": [UPSTREAM], **HARMLESS[key]})) == []


def test_a_move_from_an_ingress_to_a_gateway_and_back_is_warned_of(place: Place) -> None:
    place.cluster.put(definition("httproutes", "v1"))
    place.cluster.elsewhere = [gateway({**HTTPS, "allowedRoutes": ALL})]
    routed = configured(upstreams=[UPSTREAM], ingress={"gateway": {"parentRefs": [PUBLIC]}})
    moved = "mirror.example.com moves from {}: pulls fail until DNS points to the new address"
    assert warnings(place, routed) == [moved.format("an Ingress to a Gateway")]
    (route,) = asyncio.run(place.helm.render(release_of(routed)))
    place.cluster.delete(INGRESS, route["metadata"]["name"])
    place.cluster.put(route)
    assert warnings(place, configured(upstreams=[UPSTREAM])) == [moved.format("a Gateway to an Ingress")]


def release_of(mirror: Mirror) -> Release:
    """The release of the public endpoint."""
    return build_stack(mirror, samples.mirror_secrets(), {}, samples.NOW).releases[-1]


def test_another_issuer_is_warned_of(place: Place) -> None:
    mirror = configured(auth={"keySize": 2048, "issuer": "another"}, upstreams=[UPSTREAM])
    assert warnings(place, mirror) == [ISSUER]


def test_another_host_is_warned_of(place: Place) -> None:
    assert warnings(place, configured(host="new.example.com", upstreams=[UPSTREAM])) == [gone("mirror.example.com")]


def test_another_host_of_an_upstream_and_a_removed_upstream_are_warned_of(place: Place) -> None:
    second = samples.TWO_UPSTREAMS[1]
    place.deploy(configured(upstreams=[UPSTREAM, second]))
    moved = configured(upstreams=[UPSTREAM, second | {"host": "other.example.com"}])
    assert warnings(place, moved) == [gone("quay.example.com")]
    assert warnings(place, configured(upstreams=[UPSTREAM])) == [gone("quay.example.com")]
    place.deploy(configured(upstreams=[UPSTREAM]))
    # What is left of it, until --prune, serves nobody.
    assert warnings(place, configured(upstreams=[UPSTREAM])) == []


def with_class(place: Place, name: str) -> None:
    """Let the charts of this Helm write the class, as the real one does."""
    render = place.helm.render

    async def rendered(release: Any) -> Any:
        objects = await render(release)
        for found in objects:
            if found["kind"] == INGRESS.kind:
                found["spec"] = found["spec"] | {"ingressClassName": name}
        return objects

    place.helm.render = rendered  # type: ignore[method-assign]


def test_another_ingress_class_is_warned_of() -> None:
    place = Place()
    with_class(place, "traefik")
    place.deploy()
    with_class(place, "nginx")
    assert warnings(place, configured()) == [
        "ingress.className changes from traefik to nginx: pulls fail until DNS points to the Ingress controller of "
        "class nginx"
    ]


def test_a_deployment_warns_before_it_changes_anything(place: Place) -> None:
    place.progress.events.clear()
    place.deploy(configured(auth={"keySize": 2048, "issuer": "another"}, upstreams=[UPSTREAM]))
    events = place.progress.events
    assert events.count(f"warning {ISSUER}") == 1
    assert events.index(f"warning {ISSUER}") < events.index("started Secrets")


def test_the_first_deployment_interrupts_nothing() -> None:
    place = Place()
    assert warnings(place, configured()) == []
    place.deploy()
    assert not [event for event in place.progress.events if event.startswith("warning")]


@pytest.mark.parametrize(
    "content", ["", "e30=", "LSBh", "bm8=", "YWNsOiAx", "YWNsOiBbMSwge21hdGNoOiAyfV0=", "not base64"]
)
def test_a_secret_that_was_edited_beyond_recognition_is_no_obstacle(place: Place, content: str) -> None:
    found = place.cluster.get(SECRET, "regmirror-auth-config")
    assert found is not None
    place.cluster.put(found | {"data": {"auth_config.yml": base64.b64encode(content.encode()).decode()}})
    assert warnings(place, configured(upstreams=[UPSTREAM])) == []
