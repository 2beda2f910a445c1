"""Whether a Gateway accepts a route, from the conditions of its controller, and how a deployment waits for it."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest

from regmirror.deploy import route as route_module
from regmirror.deploy.route import RouteStep, routes_of
from regmirror.errors import RouteRefusedError
from regmirror.ports.async_cluster import AsyncCluster
from regmirror.ports.cluster import Object
from regmirror.workloads.routes import hosts_of, pending, refusals
from tests.fakes.cluster import FakeCluster
from tests.fakes.progress import RecordedWaiting

API = "gateway.networking.k8s.io/v1"
PARENT = {"name": "public", "namespace": "gateways"}


def condition(name: str, status: str = "True", generation: int = 1, **more: str) -> dict[str, Any]:
    return {"type": name, "status": status, "observedGeneration": generation, **more}


def http_route(*conditions: dict[str, Any], parent: dict[str, str] = PARENT) -> Object:
    found: Object = {
        "apiVersion": API,
        "kind": "HTTPRoute",
        "metadata": {"name": "route", "namespace": "regmirror", "generation": 1},
        "spec": {"hostnames": ["mirror.example.com"], "parentRefs": [PARENT]},
    }
    return found | (
        {"status": {"parents": [{"parentRef": parent, "conditions": list(conditions)}]}} if conditions else {}
    )


def listener_set(*conditions: dict[str, Any], listeners: tuple[dict[str, Any], ...] = ()) -> Object:
    return {
        "apiVersion": API,
        "kind": "ListenerSet",
        "metadata": {"name": "listeners", "namespace": "regmirror", "generation": 1},
        "spec": {"parentRef": PARENT},
        "status": {"conditions": list(conditions), "listeners": [{"conditions": list(listeners)}]},
    }


ACCEPTED = http_route(condition("Accepted"), condition("ResolvedRefs"))


def test_an_accepted_route_is_neither_refused_nor_pending() -> None:
    assert (refusals(ACCEPTED), pending(ACCEPTED)) == ([], [])
    assert hosts_of(ACCEPTED) == ["mirror.example.com"]


@pytest.mark.parametrize("route", [http_route(), http_route(condition("Accepted"))])
def test_a_route_without_all_conditions_is_pending(route: Object) -> None:
    assert pending(route) == ["Gateway gateways/public: its controller has not answered"]


def test_conditions_of_an_earlier_version_do_not_count() -> None:
    old = http_route(condition("Accepted"), condition("ResolvedRefs"))
    old["metadata"]["generation"] = 2
    assert pending(old)


def test_a_controller_need_not_say_which_version_it_has_seen() -> None:
    unversioned = [{"type": name, "status": "True"} for name in ("Accepted", "ResolvedRefs")]
    assert pending(http_route(*unversioned)) == []


def test_an_answer_of_another_gateway_does_not_count() -> None:
    assert pending(http_route(condition("Accepted"), condition("ResolvedRefs"), parent={"name": "other"}))


def test_a_refusal_is_shown_with_its_reason_and_message() -> None:
    refused = http_route(condition("Accepted", "False", reason="NotAllowedByListeners", message="no listener"))
    assert refusals(refused) == ["Gateway gateways/public: NotAllowedByListeners: no listener"]


def test_a_listener_set_that_waits_for_its_certificate_names_it() -> None:
    bad = condition("ResolvedRefs", "False", reason="InvalidCertificateRef", message="no Secret regmirror-tls")
    found = listener_set(condition("Accepted"), condition("Programmed", "False", reason="Invalid"), listeners=(bad,))
    assert refusals(found) == [
        "Gateway gateways/public: Invalid: no message",
        "Gateway gateways/public: InvalidCertificateRef: no Secret regmirror-tls",
    ]
    defaults = [{"type": name, "status": "Unknown", "reason": "Pending"} for name in ("Accepted", "Programmed")]
    assert pending(listener_set(*defaults))


def step(*wanted: Object, live: tuple[Object, ...]) -> RouteStep:
    return RouteStep(routes_of(list(wanted)), AsyncCluster(FakeCluster(live)), needs=())


def test_a_deployment_waits_until_the_gateway_accepts_the_route(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(route_module, "_POLL", 0.0)
    waiting = RecordedWaiting()
    cluster = FakeCluster([http_route()])

    async def run() -> str:
        task = asyncio.create_task(RouteStep((http_route(),), AsyncCluster(cluster), needs=()).apply(waiting))
        while not waiting.reasons:
            await asyncio.sleep(0)
        cluster.put(ACCEPTED)
        return (await task).detail

    assert asyncio.run(run()) == "accepted: route"
    assert "its controller has not answered" in waiting.reasons[0]


def test_a_route_that_stays_refused_fails_with_the_message_of_the_gateway(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(route_module, "_GRACE", 0.0)
    refused = http_route(condition("Accepted", "False", reason="UnsupportedValue", message="no timeouts"))
    with pytest.raises(RouteRefusedError, match="Gateway gateways/public: UnsupportedValue: no timeouts") as caught:
        asyncio.run(step(refused, live=(refused,)).apply(RecordedWaiting()))
    assert "kubectl -n regmirror describe httproute" in str(caught.value.hint)


def test_a_listener_set_may_wait_for_its_certificate_until_the_deadline(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(route_module, "_GRACE", 0.0)
    unready = listener_set(condition("Accepted"), condition("Programmed", "False", reason="Invalid"))

    async def run() -> None:
        async with asyncio.timeout(0.1):
            await step(ACCEPTED, unready, live=(ACCEPTED, unready)).apply(RecordedWaiting())

    with pytest.raises(TimeoutError):
        asyncio.run(run())


def test_listeners_come_before_their_routes_and_an_ingress_is_no_route() -> None:
    ingress = {"apiVersion": "networking.k8s.io/v1", "kind": "Ingress", "metadata": {}}
    found = routes_of([ACCEPTED, ingress, listener_set()])
    assert [one["kind"] for one in found] == ["ListenerSet", "HTTPRoute"]
