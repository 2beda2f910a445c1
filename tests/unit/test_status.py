"""How a mirror is doing: what is found, and what is told of things that cannot be seen."""

from __future__ import annotations

import base64
import json
import threading
import time
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest
from cryptography.hazmat.primitives import serialization

from regmirror.cli.status_table import screen, size
from regmirror.desired import names
from regmirror.distribution.metrics import CacheFigures
from regmirror.distribution.pull_limit import PullLimit
from regmirror.errors import ClusterError, StorageUnreachableError
from regmirror.ports.cluster import DEPLOYMENT, POD, SECRET
from regmirror.ports.http import Answer
from regmirror.status.background import Lookup, Unavailable
from regmirror.status.collect import look
from regmirror.status.findings import Cache, Component, PublicEndpoint, Pulls, Status, UpstreamStatus
from regmirror.status.report import status_report
from tests import samples
from tests.fakes.http import Request
from tests.fakes.metrics_server import MetricsServer
from tests.unit.deployed import REGISTRY, Deployed, deployed

IMAGES = {
    names.REDIS: "docker.io/valkey/valkey:9.1.1-alpine",
    names.AUTH: "docker.io/cesanta/docker_auth:1.14.0",
    names.registry("docker-hub"): f"registry.example.com/registry@sha256:{'0123456789abcdef' * 4}",
}
BEGUN = "2026-11-20T08:00:00Z"
CACHE_BEGUN = "2026-06-01T00:00:00Z"
LIMITS = {"RateLimit-Limit": "200;w=21600", "RateLimit-Remaining": "150;w=21600"}
SCREEN = """\
√ https://mirror.example.com serves
namespace regmirror, context fake, 2026-11-23 12:00:00 UTC

  regmirror-redis        1/1 ready, version 9.1.1-alpine
  regmirror-auth         1/1 ready, version 1.14.0
  regmirror-docker-hub   1/1 ready, version sha256:0123456789ab
  signing certificate    1824 days left, until 2031-11-22

docker-hub (https://registry-1.docker.io)
  public host            https://mirror.example.com
  public certificate     1824 days left, until 2031-11-22
  answered from cache    75% of 12 manifests and layers since 2026-11-20 08:00 UTC
  traffic saved          2.0 MB of 3.0 MB that clients got
  stored                 1.2 GB in 2 objects
  pulls left             150 of 200 in 6 h (of the mirror's account)"""


@pytest.fixture
def place() -> Deployed:
    """A healthy mirror in which everything can be seen."""
    found = deployed()
    for name, image in IMAGES.items():
        deployment = found.cluster.get(DEPLOYMENT, name)
        assert deployment is not None
        deployment["spec"]["template"] = {"spec": {"containers": [{"image": image}]}}
        found.cluster.put(deployment)
    found.cluster.delete(POD, f"{REGISTRY}-0")
    add_pod(found, "hub-0", MetricsServer(hits=9, misses=3, fetched=1_000_000, served=3_000_000))
    certificate = samples.key_pair().certificate.public_bytes(serialization.Encoding.DER)
    found.http.certificates[samples.HOST] = certificate
    found.store.sizes = {"docker-hub/docker/a": 1_200_000_000, "docker-hub/docker/b": 1000, "docker-hubris/c": 10**12}
    found.upstream.allowed.add("ratelimitpreview/test")
    limit_pulls(found, 200, **LIMITS)
    return found


def add_pod(place: Deployed, name: str, server: MetricsServer | None, begun: str = BEGUN) -> None:
    labels = {"app.kubernetes.io/instance": names.registry("docker-hub")}
    # In the order of their names, as Kubernetes has them.
    states = {"manifest-cache": CACHE_BEGUN, "registry": begun}
    running = [{"name": one, "state": {"running": {"startedAt": at}}} for one, at in states.items()]
    place.cluster.put(
        {
            "apiVersion": "v1",
            "kind": "Pod",
            "metadata": {"name": name, "labels": labels},
            "spec": {"containers": [{"name": "registry"}, {"name": "manifest-cache"}]},
            "status": {"phase": "Running", "startTime": "2026-01-01T00:00:00Z", "containerStatuses": running},
        }
    )
    if server:
        place.cluster.listeners[name, names.REGISTRY_DEBUG_PORT] = server


def limit_pulls(place: Deployed, status: int, **headers: str) -> None:
    place.upstream.answers["/v2/ratelimitpreview/test/manifests/latest"] = Answer(status, headers, b"")


def status_of(place: Deployed, patience: float = 8.0) -> Status:
    return look(place.live(), patience)


def hub(status: Status) -> UpstreamStatus:
    (one,) = status.upstreams
    return one


def test_a_healthy_mirror_fills_one_screen(place: Deployed) -> None:
    assert "\n".join(text for text, _ in screen(status_of(place))) == SCREEN


def test_a_healthy_mirror_as_a_document(place: Deployed) -> None:
    report = status_report(status_of(place))
    assert json.loads(json.dumps(report)) == report
    assert (report["kind"], report["serving"], report["faults"]) == ("StatusReport", True, [])
    assert report["components"][1] == {
        "name": names.AUTH,
        "version": "1.14.0",
        "image": IMAGES[names.AUTH],
        "ready": 1,
        "wanted": 1,
    }
    assert report["signingCertificate"] == {"notAfter": "2031-11-22T11:00:00Z", "daysLeft": 1824}
    (upstream,) = report["upstreams"]
    assert upstream["cache"] == {
        "since": BEGUN,
        "podsAsked": 1,
        "podsRunning": 1,
        "hits": 9,
        "misses": 3,
        "hitRatio": 0.75,
        "bytesFetched": 1_000_000,
        "bytesServed": 3_000_000,
        "bytesSaved": 2_000_000,
    }
    assert upstream["store"] == {"objects": 2, "bytes": 1_200_001_000, "complete": True}
    assert upstream["pullLimit"] == {
        "counted": "account",
        "limited": True,
        "limit": 200,
        "remaining": 150,
        "windowSeconds": 21600,
    }


def test_the_limit_is_asked_by_a_head_with_the_mirrors_own_account(place: Deployed) -> None:
    status_of(place)
    asked = [request for request in place.http.requests if "ratelimitpreview" in request.url]
    assert [request.method for request in asked if "/manifests/" in request.path] == ["HEAD"]
    account = base64.b64encode(b"canary-hub-name:canary-hub-token").decode()
    tokens = [request for request in asked if request.query.get("scope")]
    assert [request.headers["Authorization"] for request in tokens] == [f"Basic {account}"]


def test_an_upstream_that_is_not_docker_hub_is_asked_about_the_probe_image() -> None:
    def registry(request: Request) -> Answer:
        return Answer(200, LIMITS if request.path == "/v2/prometheus/busybox/manifests/1" else {}, b"")

    quay = {"name": "quay", "url": "https://quay.io", "anonymousPull": ["prometheus/*"]}
    found = deployed(upstreams=[quay | {"probeImage": "prometheus/busybox:1"}])
    found.http.hosts["https://quay.io"] = registry
    assert hub(status_of(found)).pulls == Pulls(PullLimit(200, 150, 21600), has_account=False)
    without = deployed(upstreams=[quay])
    assert hub(status_of(without)).pulls == Unavailable(
        "no image to ask about is known: set probeImage of the upstream"
    )


def test_no_pull_left_is_told_as_a_limit(place: Deployed) -> None:
    limit_pulls(place, 429, **LIMITS | {"RateLimit-Remaining": "0;w=21600"})
    assert hub(status_of(place)).pulls == Pulls(PullLimit(200, 0, 21600), has_account=True)


def test_an_upstream_without_limits_and_one_that_fails(place: Deployed) -> None:
    limit_pulls(place, 200)
    assert hub(status_of(place)).pulls == Pulls(None, has_account=True)
    limit_pulls(place, 503)
    assert hub(status_of(place)).pulls == Unavailable(
        "https://registry-1.docker.io/v2/ratelimitpreview/test/manifests/latest answered 503"
    )


def test_the_figures_of_all_pods_are_summed_since_the_oldest_began(place: Deployed) -> None:
    add_pod(place, "hub-1", MetricsServer(hits=1, misses=1, fetched=10, served=30), "2026-11-19T08:00:00Z")
    cache = hub(status_of(place)).cache
    total = CacheFigures(10, 4, 1_000_010, 3_000_030)
    assert cache == Cache(total, datetime(2026, 11, 19, 8, tzinfo=UTC), asked=2, running=2)


def test_a_pod_that_cannot_be_asked_is_told_beside_the_others(place: Deployed) -> None:
    add_pod(place, "hub-1", None, "2026-11-19T08:00:00Z")
    found = status_of(place)
    assert hub(found).cache == Cache(
        CacheFigures(9, 3, 1_000_000, 3_000_000), datetime(2026, 11, 20, 8, tzinfo=UTC), asked=1, running=2
    )
    assert "(1 of 2 pods could be asked)" in "\n".join(text for text, _ in screen(found))


@pytest.mark.parametrize(
    ("server", "why"),
    [
        (MetricsServer(status=404), "the metrics endpoint of pod hub-0 answered 404"),
        (MetricsServer(body="<html>"), 'the metrics have an invalid line: "<html>"'),
        (None, "cannot forward port 5001 of hub-0"),
    ],
)
def test_metrics_that_cannot_be_read_are_unknown(place: Deployed, server: MetricsServer | None, why: str) -> None:
    place.cluster.listeners.pop(("hub-0", names.REGISTRY_DEBUG_PORT))
    add_pod(place, "hub-0", server)
    assert hub(status_of(place)).cache == Unavailable(why)


def test_a_component_without_a_ready_pod_is_a_fault(place: Deployed) -> None:
    place.cluster.rollouts[names.REDIS] = [{"replicas": 1, "availableReplicas": 0}]
    found = status_of(place)
    assert found.faults == [f"{names.REDIS}: 0/1 ready"]
    assert next(screen(found)) == (
        "× https://mirror.example.com does not serve: regmirror-redis: 0/1 ready",
        "bold red",
    )


def test_a_component_with_some_pods_ready_serves(place: Deployed) -> None:
    place.cluster.rollouts[names.AUTH] = [{"replicas": 3, "availableReplicas": 2}]
    assert status_of(place).faults == []


def test_a_missing_deployment_is_a_fault(place: Deployed) -> None:
    place.cluster.delete(DEPLOYMENT, names.AUTH)
    assert status_of(place).faults == [f"{names.AUTH}: namespace regmirror has no Deployment {names.AUTH}"]


def test_a_host_that_another_program_answers_is_a_fault(place: Deployed) -> None:
    place.host.answers["/v2/"] = Answer(404, {}, b"")
    found = status_of(place)
    assert hub(found).public_endpoint == PublicEndpoint("https://mirror.example.com", 404)
    assert found.faults == ["https://mirror.example.com answered 404"]


def test_a_host_that_cannot_be_reached_from_here_is_no_fault(place: Deployed) -> None:
    place.http.hosts.pop("https://mirror.example.com")
    place.http.certificates.clear()
    found = status_of(place)
    assert found.faults == []
    assert hub(found).public_endpoint == hub(found).certificate_ends
    assert hub(found).public_endpoint == Unavailable("the host name mirror.example.com does not resolve")


def test_nothing_that_is_hidden_makes_it_fail(place: Deployed) -> None:
    place.cluster.hidden |= {SECRET}
    found = status_of(place)
    why = Unavailable("cannot read Secret: the user of context fake may not")
    assert (found.signing_ends, hub(found).store, hub(found).pulls) == (why, why, why)
    assert found.faults == []
    lines = [text for text, _ in screen(found)]
    assert f"  signing certificate    unknown: {why.why}" in lines
    assert status_report(found)["signingCertificate"] == {"unknown": why.why}


def test_a_certificate_that_is_over_is_told_so(place: Deployed) -> None:
    found = replace(status_of(place), signing_ends=samples.NOW - timedelta(hours=1))
    assert "  signing certificate    ended on 2026-11-23: regmirror rotate-cert --force" in [
        text for text, _ in screen(found)
    ]
    assert status_report(found)["signingCertificate"]["daysLeft"] == -1


def test_a_host_with_a_broken_certificate_is_told(place: Deployed) -> None:
    place.http.certificates[samples.HOST] = b"nothing"
    assert hub(status_of(place)).certificate_ends == Unavailable("the certificate of mirror.example.com cannot be read")


def test_a_bucket_that_is_reached_in_the_cluster_only_is_told_so() -> None:
    storage = {"bucket": "layers", "region": "here", "endpoint": "http://minio.storage.svc:9000"}
    found = deployed(storage=storage)
    found.store.failure = StorageUnreachableError("no answer")
    assert hub(status_of(found)).store == Unavailable(
        "http://minio.storage.svc:9000 can be reached from inside the cluster only"
    )


def test_a_count_that_was_cut_off_says_at_least(place: Deployed) -> None:
    place.store.sizes = {f"docker-hub/{number}": 1 for number in range(1500)}
    # Less patience than what ends by itself keeps from it: no second page is asked for.
    lines = [text for text, _ in screen(status_of(place, patience=1.0))]
    assert "  stored                 at least 1.0 kB in 1,000 objects" in lines


def test_what_hangs_is_unknown_and_holds_nothing_up(place: Deployed) -> None:
    freed = threading.Event()

    def hanging(_: Request) -> Answer:
        freed.wait()
        return Answer(200, {}, b"")

    place.http.hosts["https://registry-1.docker.io"] = hanging
    began = time.monotonic()
    found = status_of(place, patience=0.5)
    took = time.monotonic() - began
    freed.set()
    assert took < 5
    assert hub(found).pulls == Unavailable("no answer in time")
    assert isinstance(found.components[names.REDIS], Component)


def test_an_error_that_nobody_expects_is_not_hidden() -> None:
    def broken(number: int) -> float:
        return 1 / number

    with pytest.raises(ZeroDivisionError):
        Lookup(broken, 0).found(time.monotonic() + 5)


def test_an_error_that_is_known_becomes_its_reason() -> None:
    def refused() -> int:
        raise ClusterError("refused")

    assert Lookup(refused).found(time.monotonic() + 5) == Unavailable("refused")


@pytest.mark.parametrize(
    ("image", "version"),
    [
        ("docker.io/library/registry:3.1.2", "3.1.2"),
        (f"registry:3.1.2@sha256:{'0' * 64}", "3.1.2"),
        (f"registry@sha256:{'0' * 64}", "sha256:000000000000"),
        ("registry", "registry"),
    ],
)
def test_a_version_is_what_the_image_tells(image: str, version: str) -> None:
    assert Component("one", image, 1, 1).version == version


@pytest.mark.parametrize(
    ("count", "text"),
    [
        (0, "0 B"),
        (999, "999 B"),
        (1000, "1.0 kB"),
        (1_093_624, "1.1 MB"),
        (5 * 10**12, "5.0 TB"),
        (10**19, "10000.0 PB"),
    ],
)
def test_a_size_is_told_in_units_that_fit(count: int, text: str) -> None:
    assert size(count) == text


def test_little_that_is_left_is_shown_in_yellow(place: Deployed) -> None:
    limit_pulls(place, 200, **LIMITS | {"RateLimit-Remaining": "20;w=21600"})
    found = replace(status_of(place), signing_ends=samples.NOW + timedelta(days=59, hours=1))
    yellow = [text for text, style in screen(found) if style == "yellow"]
    assert yellow == [
        "  signing certificate    59 days left, until 2027-01-21: regmirror rotate-cert --force",
        "  pulls left             20 of 200 in 6 h (of the mirror's account)",
    ]
