"""A deployment does not replace the public host of a mirror that serves, unless that is requested."""

from __future__ import annotations

import asyncio
from types import SimpleNamespace
from typing import Any

import pytest
from typer.testing import CliRunner

from regmirror.cli.app import app
from regmirror.config.model import Mirror
from regmirror.deploy.diff import diff_mirror, plan_deployment
from regmirror.deploy.host_change import HostChange, find_host_change
from regmirror.deploy.steps import DeployOptions
from regmirror.errors import HostChangeError
from regmirror.ports.cluster import HTTP_ROUTE, INGRESS, SECRET, Object
from tests import samples
from tests.fakes.http import FakeHttp
from tests.fakes.registry_host import RegistryHost
from tests.golden import check_golden
from tests.unit.deploying import Place, configured
from tests.unit.transcript import connect, sort_parallel_steps, transcript

NEW = "new.example.com"
OLD_INGRESS = f"regmirror-ingress-{samples.HOST}"
HTTP = FakeHttp({f"https://{host}": RegistryHost(host) for host in (NEW, samples.HOST, "quay.example.com")})


def named(name: str, host: str | None = None) -> dict[str, Any]:
    """An upstream like that of the sample, with another name or host."""
    return {**samples.MINIMAL["upstreams"][0], "name": name, **({"host": host} if host else {})}


@pytest.fixture
def place() -> Place:
    """A mirror that serves mirror.example.com."""
    place = Place()
    place.deploy()
    return place


@pytest.fixture
def two() -> Place:
    """A mirror that serves mirror.example.com and quay.example.com."""
    place = Place()
    place.deploy(configured(upstreams=samples.TWO_UPSTREAMS))
    return place


def test_a_new_namespace_has_no_host_to_change() -> None:
    assert find_host_change(configured(), Place().cluster) is None


def test_the_same_host_is_no_change(place: Place) -> None:
    assert find_host_change(configured(), place.cluster) is None


def test_the_host_of_a_route_counts_as_that_of_an_ingress(place: Place) -> None:
    (ingress,) = place.cluster.select(INGRESS)
    place.cluster.delete(INGRESS, ingress["metadata"]["name"])
    assert find_host_change(configured(host=NEW), place.cluster) is None
    spec = {"hostnames": [samples.HOST], "parentRefs": [{"name": "public"}]}
    kind = {"apiVersion": HTTP_ROUTE.api_version, "kind": HTTP_ROUTE.kind}
    place.cluster.put({**kind, "metadata": {"name": ingress["metadata"]["name"]}, "spec": spec})
    assert find_host_change(configured(host=NEW), place.cluster) == HostChange((samples.HOST,), (NEW,))


@pytest.mark.parametrize("mirror", [configured(host=NEW), configured(host=NEW, upstreams=[named("other")])])
def test_another_host_is_refused_before_anything_is_changed(place: Place, mirror: Mirror) -> None:
    before = place.cluster.select(SECRET)
    with pytest.raises(HostChangeError) as caught:
        place.deploy(mirror)
    assert caught.value.message == (
        "host: namespace regmirror serves mirror.example.com, which this file replaces with new.example.com: "
        "clients of the old host would get 404"
    )
    assert caught.value.hint
    assert caught.value.hint.endswith("to change the host of this mirror, run regmirror deploy --change-host")
    with pytest.raises(HostChangeError):
        asyncio.run(plan_deployment(place.connected(mirror), place.progress, DeployOptions()))
    assert place.cluster.select(SECRET) == before


def test_diff_lists_the_change_of_the_host_as_an_unmet_prerequisite(place: Place) -> None:
    report = asyncio.run(diff_mirror(place.connected(configured(host=NEW))))
    (unmet,) = report.prerequisites
    assert (unmet.name, unmet.message[:48]) == ("host", "host: namespace regmirror serves mirror.example.")
    assert OLD_INGRESS in [found.name for found in report.objects if found.action == "remove"]


def test_the_host_is_changed_on_request_with_a_warning(place: Place) -> None:
    plan = asyncio.run(
        plan_deployment(place.connected(configured(host=NEW)), place.progress, DeployOptions(change_host=True))
    )
    report = place.deploy(configured(host=NEW), http=HTTP, change_host=True)
    assert report.warnings == plan.warnings
    assert report.warnings == [
        "https://mirror.example.com is no longer served: its pulls fail until the clients are set up again with "
        "another host"
    ]
    assert place.cluster.get(INGRESS, OLD_INGRESS) is None
    assert find_host_change(configured(host=NEW), place.cluster) is None


def test_one_of_several_hosts_counts(two: Place) -> None:
    moved = [samples.MINIMAL["upstreams"][0], {**samples.TWO_UPSTREAMS[1], "host": "q.example.com"}]
    change = find_host_change(configured(upstreams=moved), two.cluster)
    assert change == HostChange(("quay.example.com",), ("q.example.com",))


@pytest.mark.parametrize("upstreams", [[named("renamed")], samples.MINIMAL["upstreams"]])
def test_to_remove_or_rename_an_upstream_is_no_change_of_the_host(two: Place, upstreams: Any) -> None:
    assert find_host_change(configured(upstreams=upstreams), two.cluster) is None


def test_an_upstream_that_is_gone_has_no_host(two: Place) -> None:
    two.deploy()
    moved = [samples.MINIMAL["upstreams"][0], {**samples.TWO_UPSTREAMS[1], "host": "q.example.com"}]
    assert find_host_change(configured(upstreams=moved), two.cluster) is None


def test_a_host_that_someone_changed_in_the_ingress_is_repaired(place: Place) -> None:
    found = place.cluster.get(INGRESS, OLD_INGRESS)
    assert found
    found["spec"]["rules"][0]["host"] = "wrong.example.com"
    place.cluster.put(found)
    assert find_host_change(configured(), place.cluster) is None


def test_a_change_that_was_interrupted_is_continued(place: Place) -> None:
    place.deploy(configured(host=NEW), http=HTTP, change_host=True)
    place.cluster.delete(INGRESS, f"regmirror-ingress-{NEW}")
    assert find_host_change(configured(host=NEW), place.cluster) is None


def damage(secret: Object) -> None:
    secret["data"]["config.yml"] = ""


def test_a_damaged_or_unreadable_secret_is_no_host(place: Place) -> None:
    place.cluster.hidden = {SECRET}
    assert find_host_change(configured(host=NEW), place.cluster) is None
    place.cluster.hidden = set()
    secret = place.cluster.get(SECRET, "regmirror-docker-hub-config")
    assert secret
    damage(secret)
    place.cluster.put(secret)
    assert find_host_change(configured(host=NEW), place.cluster) is None


@pytest.fixture
def connected(place: Place, monkeypatch: pytest.MonkeyPatch) -> Place:
    """The commands have a file with another host."""
    connect(monkeypatch, place.connected(configured(host=NEW), http=HTTP))
    return place


@pytest.mark.usefixtures("connected")
def test_without_a_terminal_the_host_is_changed_only_with_the_flag() -> None:
    check_golden("transcripts/deploy-host-refused.txt", transcript("deploy"))
    check_golden("transcripts/deploy-host-changed.txt", sort_parallel_steps(transcript("deploy", "--change-host")))


@pytest.mark.parametrize(("answer", "code"), [("y", 0), ("n", 2), ("", 2)])
def test_on_a_terminal_the_change_is_asked_for(
    connected: Place, monkeypatch: pytest.MonkeyPatch, answer: str, code: int
) -> None:
    monkeypatch.setattr("regmirror.cli.deploy.sys", SimpleNamespace(stdin=SimpleNamespace(isatty=lambda: True)))
    result = CliRunner().invoke(app, ["deploy"], input=f"{answer}\n")
    assert result.exit_code == code, result.output
    assert "Change the host? [y/N]" in result.output
    assert (connected.cluster.get(INGRESS, OLD_INGRESS) is None) == (code == 0)
