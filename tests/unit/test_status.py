"""The state of a mirror: what is read, and what is reported if something cannot be read."""

from __future__ import annotations

import base64
import threading
import time
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
import yaml
from cryptography.hazmat.primitives import serialization
from typer.testing import CliRunner

from regmirror.cli.app import app
from regmirror.cli.status_table import screen as lines_of
from regmirror.cli.status_table import wrap
from regmirror.config.monitoring import Monitoring
from regmirror.desired import names
from regmirror.distribution.metrics import CacheFigures
from regmirror.distribution.pull_limit import PullLimit
from regmirror.errors import ClusterError, ClusterUnreachableError, ExitCode, StorageUnreachableError
from regmirror.ports.cluster import DEPLOYMENT, POD, SECRET
from regmirror.ports.http import Answer
from regmirror.status.background import Lookup, Unavailable
from regmirror.status.collect import collect_status
from regmirror.status.findings import Cache, Component, PublicEndpoint, PullQuota, State, Status, UpstreamStatus
from regmirror.status.report import StatusReport, status_report
from regmirror.status.sizes import size
from tests import samples
from tests.fakes.http import Request
from tests.fakes.metrics_server import MetricsServer
from tests.golden import check_golden
from tests.unit.deployed import REGISTRY, Deployed, deployed
from tests.unit.transcript import connect

IMAGES = {
    names.REDIS: "docker.io/valkey/valkey:9.1.1-alpine",
    names.AUTH: "docker.io/cesanta/docker_auth:1.14.0",
    names.registry("docker-hub"): f"registry.example.com/registry@sha256:{'0123456789abcdef' * 4}",
}
BEGUN = "2026-11-20T08:00:00Z"
CACHE_BEGUN = "2026-06-01T00:00:00Z"
ACCOUNTS: dict[str, Any] = {
    "storage": {**samples.MINIMAL["storage"], "accessKey": {"id": {"env": "S3_ID"}, "secret": {"env": "S3_SECRET"}}},
    "upstreams": [
        {**samples.MINIMAL["upstreams"][0], "credentials": {"username": {"env": "HUB"}, "password": {"env": "TOKEN"}}}
    ],
}
LIMITS = {"RateLimit-Limit": "200;w=21600", "RateLimit-Remaining": "150;w=21600"}


@pytest.fixture
def mirror() -> Deployed:
    """A healthy mirror of which everything can be read."""
    found = deployed(**ACCOUNTS)
    for name, image in IMAGES.items():
        found.change(POD, f"{name}-0", lambda pod, image=image: pod["spec"]["containers"][0].update(image=image))  # type: ignore[misc]
    found.cluster.delete(POD, f"{REGISTRY}-0")
    add_pod(found, "hub-0", MetricsServer(hits=9, misses=3, fetched=1_000_000, served=3_000_000))
    certificate = samples.key_pair().certificate.public_bytes(serialization.Encoding.DER)
    found.http.certificates[samples.HOST] = certificate
    found.store.sizes = {
        "docker-hub/docker/registry/v2/a": 1_200_000_000,
        "docker-hub/docker/registry/v2/b": 1000,
        "docker-hubris/c": 10**12,
    }
    found.upstream.allowed.add("ratelimitpreview/test")
    limit_pulls(found, 200, **LIMITS)
    return found


def add_pod(mirror: Deployed, name: str, server: MetricsServer | None, begun: str = BEGUN) -> None:
    labels = {"app.kubernetes.io/instance": names.registry("docker-hub")}
    # In the order of their names, as Kubernetes has them.
    states = {"metrics": begun, "registry": CACHE_BEGUN}
    running = [{"name": one, "state": {"running": {"startedAt": at}}} for one, at in states.items()]
    mirror.cluster.put(
        {
            "apiVersion": "v1",
            "kind": "Pod",
            "metadata": {"name": name, "labels": labels},
            "spec": {"containers": [{"name": "registry", "image": IMAGES[REGISTRY]}, {"name": "front"}]},
            "status": {
                "phase": "Running",
                "startTime": "2026-01-01T00:00:00Z",
                "containerStatuses": running,
                "conditions": [{"type": "Ready", "status": "True"}],
            },
        }
    )
    if server:
        mirror.cluster.listeners[name, names.METRICS_PORT] = server


def limit_pulls(mirror: Deployed, status: int, **headers: str) -> None:
    mirror.upstream.answers["/v2/ratelimitpreview/test/manifests/latest"] = Answer(status, headers, b"")


def status_of(mirror: Deployed, time_limit: float = 8.0) -> Status:
    return collect_status(mirror.live(), time_limit)


def screen(status: Status) -> list[str]:
    """The lines of the table, wrapped as they are printed."""
    return [line for text, _ in lines_of(status_report(status)) for line in wrap(text)]


def hub(status: Status) -> UpstreamStatus:
    (upstream,) = status.upstreams
    return upstream


def test_a_healthy_mirror_fills_one_screen(mirror: Deployed) -> None:
    lines = screen(status_of(mirror))
    check_golden("transcripts/status-healthy.txt", "\n".join([*lines, ""]))
    assert [line for line in lines if len(line) > 80] == []


def test_the_document_of_a_healthy_mirror(mirror: Deployed) -> None:
    report = status_report(status_of(mirror)).document()
    check_golden("documents/StatusReport.yaml", yaml.safe_dump(report, sort_keys=False))
    StatusReport.model_validate(report)
    assert (report["kind"], report["serving"], report["faults"]) == ("StatusReport", True, [])
    assert (report["state"], report["warnings"]) == ("serving", [])
    assert report["components"][1] == {
        "name": names.AUTH,
        "version": "1.14.0",
        "image": IMAGES[names.AUTH],
        "ready": 1,
        "wanted": 1,
        "problem": None,
    }
    assert report["signingCertificate"] == {"notAfter": "2031-11-22T11:00:00Z", "daysLeft": 1824}
    (upstream,) = report["upstreams"]
    assert upstream["cache"] == {
        "since": BEGUN,
        "podsResponding": 1,
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


def test_the_limit_is_read_with_head_and_the_mirrors_own_account(mirror: Deployed) -> None:
    status_of(mirror)
    asked = [request for request in mirror.http.requests if "ratelimitpreview" in request.url]
    assert [request.method for request in asked if "/manifests/" in request.path] == ["HEAD"]
    account = base64.b64encode(b"canary-hub-name:canary-hub-token").decode()
    tokens = [request for request in asked if request.query.get("scope")]
    assert [request.headers["Authorization"] for request in tokens] == [f"Basic {account}"]


def test_the_limit_of_another_upstream_is_read_with_its_probe_image() -> None:
    def registry(request: Request) -> Answer:
        return Answer(200, LIMITS if request.path == "/v2/prometheus/busybox/manifests/1" else {}, b"")

    quay = {"name": "quay", "url": "https://quay.io", "anonymousPull": ["prometheus/*"]}
    found = deployed(upstreams=[quay | {"probeImage": "prometheus/busybox:1"}])
    found.http.hosts["https://quay.io"] = registry
    assert hub(status_of(found)).pull_quota == PullQuota(PullLimit(200, 150, 21600), has_account=False)
    without = deployed(upstreams=[quay])
    assert hub(status_of(without)).pull_quota == Unavailable(
        "no image is known to read the limit with: set probeImage of the upstream"
    )


def test_no_pull_left_is_reported_as_a_limit(mirror: Deployed) -> None:
    limit_pulls(mirror, 429, **LIMITS | {"RateLimit-Remaining": "0;w=21600"})
    assert hub(status_of(mirror)).pull_quota == PullQuota(PullLimit(200, 0, 21600), has_account=True)


def test_an_upstream_without_limits_and_one_that_fails(mirror: Deployed) -> None:
    limit_pulls(mirror, 200)
    assert hub(status_of(mirror)).pull_quota == PullQuota(None, has_account=True)
    limit_pulls(mirror, 503)
    assert hub(status_of(mirror)).pull_quota == Unavailable(
        "https://registry-1.docker.io/v2/ratelimitpreview/test/manifests/latest answered 503"
    )


def test_the_counters_of_all_pods_are_summed_since_the_oldest_started(mirror: Deployed) -> None:
    add_pod(mirror, "hub-1", MetricsServer(hits=1, misses=1, fetched=10, served=30), "2026-11-19T08:00:00Z")
    cache = hub(status_of(mirror)).cache
    total = CacheFigures(10, 4, 1_000_010, 3_000_030)
    assert cache == Cache(total, datetime(2026, 11, 19, 8, tzinfo=UTC), responding=2, running=2)


def test_a_pod_that_does_not_respond_is_reported_along_with_the_others(mirror: Deployed) -> None:
    add_pod(mirror, "hub-1", None, "2026-11-19T08:00:00Z")
    found = status_of(mirror)
    assert hub(found).cache == Cache(
        CacheFigures(9, 3, 1_000_000, 3_000_000), datetime(2026, 11, 20, 8, tzinfo=UTC), responding=1, running=2
    )
    assert "(1 of 2 pods responded)" in "\n".join(screen(found))


@pytest.mark.parametrize(
    ("server", "reason"),
    [
        (MetricsServer(status=404), "the metrics endpoint of pod hub-0 answered 404"),
        (MetricsServer(body="<html>"), 'the metrics have an invalid line: "<html>"'),
        (None, "cannot forward port 9113 of hub-0"),
    ],
)
def test_metrics_that_cannot_be_read_are_unknown(mirror: Deployed, server: MetricsServer | None, reason: str) -> None:
    mirror.cluster.listeners.pop(("hub-0", names.METRICS_PORT))
    add_pod(mirror, "hub-0", server)
    assert hub(status_of(mirror)).cache == Unavailable(reason)


def test_without_metrics_the_counters_are_unknown(mirror: Deployed) -> None:
    live = mirror.live()
    live.mirror = live.mirror.model_copy(update={"monitoring": Monitoring(metrics=False)})
    assert hub(collect_status(live)).cache == Unavailable("the pods count nothing: monitoring.metrics is false")


def test_a_component_without_a_ready_pod_is_a_fault(mirror: Deployed) -> None:
    mirror.cluster.rollouts[names.REDIS] = [{"replicas": 1, "availableReplicas": 0}]
    found = status_of(mirror)
    assert found.faults == [f"{names.REDIS}: 0/1 ready"]
    assert screen(found)[0] == "× https://mirror.example.com does not serve: regmirror-redis: 0/1 ready"


def test_a_component_that_was_scaled_to_0_is_a_fault_that_says_so(mirror: Deployed) -> None:
    mirror.change(DEPLOYMENT, names.REDIS, lambda found: found["spec"].update(replicas=0))
    mirror.cluster.rollouts[names.REDIS] = [{}]
    found = status_of(mirror)
    assert found.faults == [f"{names.REDIS}: scaled to 0"]
    assert "  regmirror-redis        scaled to 0" in screen(found)


def test_a_component_with_some_pods_ready_serves(mirror: Deployed) -> None:
    mirror.cluster.rollouts[names.AUTH] = [{"replicas": 3, "availableReplicas": 2}]
    assert status_of(mirror).faults == []


def test_a_missing_deployment_is_a_fault(mirror: Deployed) -> None:
    mirror.cluster.delete(DEPLOYMENT, names.AUTH)
    assert status_of(mirror).faults == [f"{names.AUTH}: missing"]


def test_a_host_that_is_not_a_registry_is_a_fault(mirror: Deployed) -> None:
    mirror.host.answers["/v2/"] = Answer(404, {}, b"")
    found = status_of(mirror)
    assert hub(found).public_endpoint == PublicEndpoint("https://mirror.example.com", 404)
    assert found.faults == ["https://mirror.example.com answered 404"]


def test_a_host_that_cannot_be_reached_from_here_is_not_a_fault(mirror: Deployed) -> None:
    mirror.http.hosts.pop("https://mirror.example.com")
    mirror.http.certificates.clear()
    found = status_of(mirror)
    assert found.faults == []
    assert hub(found).public_endpoint == hub(found).certificate_ends
    assert hub(found).public_endpoint == Unavailable("the host name mirror.example.com does not resolve")


def test_unreadable_objects_do_not_make_it_fail(mirror: Deployed) -> None:
    mirror.cluster.hidden |= {SECRET}
    found = status_of(mirror)
    why = Unavailable("cannot read Secret: the user of context fake may not")
    assert (found.signing_ends, hub(found).store, hub(found).pull_quota) == (why, why, why)
    assert found.faults == []
    lines = screen(found)
    assert "  signing certificate    unknown: cannot read Secret: the user of context fake" in lines
    assert status_report(found).document()["signingCertificate"] == {"unknown": why.reason}


def test_an_expired_certificate_is_reported(mirror: Deployed) -> None:
    found = replace(status_of(mirror), signing_ends=samples.NOW - timedelta(hours=1))
    assert "  signing certificate    expired on 2026-11-23; regmirror rotate-cert --force" in screen(found)
    assert status_report(found).document()["signingCertificate"]["daysLeft"] == -1


def test_a_broken_certificate_of_a_host_is_reported(mirror: Deployed) -> None:
    mirror.http.certificates[samples.HOST] = b"nothing"
    assert hub(status_of(mirror)).certificate_ends == Unavailable("cannot read the certificate of mirror.example.com")


@pytest.mark.parametrize("endpoint", ["http://minio.storage.svc:9000", "https://s3.example.com"])
def test_a_bucket_that_this_machine_cannot_reach_is_reported_as_such(endpoint: str) -> None:
    found = deployed(storage={"bucket": "layers", "region": "here", "endpoint": endpoint})
    found.store.failure = StorageUnreachableError("no answer")
    reason = f"this machine cannot reach {endpoint}; regmirror verify asks the pods"
    assert hub(status_of(found)).store == Unavailable(reason)


def test_data_on_a_volume_is_reported_as_such() -> None:
    reason = "the data is on PersistentVolumeClaim regmirror-docker-hub, which only Kubernetes can measure"
    assert hub(status_of(deployed(storage={"filesystem": {"size": "1Gi"}}))).store == Unavailable(reason)


def test_a_count_that_was_cut_off_says_at_least(mirror: Deployed) -> None:
    mirror.store.sizes = {f"docker-hub/docker/registry/v2/{number}": 1 for number in range(1500)}
    # So short that no second page is requested.
    lines = screen(status_of(mirror, time_limit=1.0))
    assert "  stored                 at least 1.0 kB in 1,000 objects" in lines


def test_a_hanging_service_is_unknown_and_delays_nothing(mirror: Deployed) -> None:
    freed = threading.Event()

    def hanging(_: Request) -> Answer:
        freed.wait()
        return Answer(200, {}, b"")

    mirror.http.hosts["https://registry-1.docker.io"] = hanging
    began = time.monotonic()
    found = status_of(mirror, time_limit=0.5)
    took = time.monotonic() - began
    freed.set()
    assert took < 5
    assert hub(found).pull_quota == Unavailable("no answer in time")
    assert isinstance(found.components[names.REDIS], Component)


def test_an_unexpected_error_is_not_hidden() -> None:
    def broken(number: int) -> float:
        return 1 / number

    with pytest.raises(ZeroDivisionError):
        Lookup(broken, 0).result(time.monotonic() + 5)


def test_an_expected_error_becomes_the_reason() -> None:
    def refused() -> int:
        raise ClusterError("refused")

    assert Lookup(refused).result(time.monotonic() + 5) == Unavailable("refused")


@pytest.mark.parametrize(
    ("image", "version"),
    [
        ("docker.io/library/registry:3.1.2", "3.1.2"),
        (f"registry:3.1.2@sha256:{'0' * 64}", "3.1.2"),
        (f"registry@sha256:{'0' * 64}", "sha256:000000000000"),
        ("registry", "registry"),
    ],
)
def test_a_version_is_read_from_the_image(image: str, version: str) -> None:
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
def test_a_size_has_a_fitting_unit(count: int, text: str) -> None:
    assert size(count) == text


def test_values_that_are_nearly_used_up_are_yellow(mirror: Deployed) -> None:
    limit_pulls(mirror, 200, **LIMITS | {"RateLimit-Remaining": "20;w=21600"})
    found = replace(status_of(mirror), signing_ends=samples.NOW + timedelta(days=59, hours=1))
    yellow = [text for text, style in lines_of(status_report(found)) if style == "yellow"]
    assert yellow == [
        "  signing certificate    expires in 59 days, on 2027-01-21; regmirror rotate-cert --force",
        "  pulls left             20 of 200 in 6 h (for the mirror's account)",
    ]


IMAGE_ERROR = {
    "name": "main",
    "state": {"waiting": {"reason": "ErrImagePull", "message": 'failed to pull "registry:9.9.9": not found'}},
}


def add_failing_pod(mirror: Deployed, release: str, status: dict[str, Any], **metadata: str) -> None:
    """A pod of a new revision that does not start."""
    labels = {"app.kubernetes.io/instance": release}
    containers = [{"name": "main", "image": "docker.io/library/registry:9.9.9"}]
    pod = {"metadata": {"name": f"{release}-new", "labels": labels, **metadata}, "spec": {"containers": containers}}
    mirror.cluster.put({"apiVersion": "v1", "kind": "Pod", **pod, "status": {"phase": "Pending", **status}})


def test_the_version_is_that_of_the_running_pods_and_a_stuck_rollout_is_reported(mirror: Deployed) -> None:
    add_failing_pod(mirror, names.AUTH, {"containerStatuses": [IMAGE_ERROR]})
    mirror.change(
        DEPLOYMENT,
        names.AUTH,
        lambda found: found["spec"]["template"]["spec"]["containers"][0].update(image="docker_auth:9.9.9"),
    )
    found = status_of(mirror)
    component = found.components[names.AUTH]
    assert isinstance(component, Component)
    assert component.version == "1.14.0"
    assert component.problem.startswith("a new pod does not start: ErrImagePull")
    assert (found.state, found.faults) == (State.SERVING, [])
    lines = screen(found)
    check_golden("transcripts/status-degraded.txt", "\n".join([*lines, ""]))
    assert lines[0] == "‼ https://mirror.example.com serves, but a pod does not start"
    assert status_report(found).warnings == [f"{names.AUTH}: {component.problem}"]


def test_a_pod_that_is_refused_by_a_quota_is_reported(mirror: Deployed) -> None:
    message = 'pods "x" is forbidden: exceeded quota: small'
    condition = {"type": "ReplicaFailure", "status": "True", "reason": "FailedCreate", "message": message}
    mirror.cluster.rollouts[names.AUTH] = [{"replicas": 1, "availableReplicas": 1, "conditions": [condition]}]
    component = status_of(mirror).components[names.AUTH]
    assert isinstance(component, Component)
    assert component.problem == f"no pod can be created: {message}"


def test_a_pod_that_is_being_deleted_is_not_a_problem(mirror: Deployed) -> None:
    terminated = {"name": "main", "state": {"terminated": {"reason": "Error", "exitCode": 137}}}
    add_failing_pod(mirror, names.AUTH, {"containerStatuses": [terminated]}, deletionTimestamp="2026-11-23T12:00:00Z")
    assert status_of(mirror).warnings == []


def test_during_a_rollout_the_version_is_that_of_the_newest_ready_pod(mirror: Deployed) -> None:
    ready = {"conditions": [{"type": "Ready", "status": "True"}]}
    add_failing_pod(mirror, names.AUTH, ready, creationTimestamp="2026-11-23T11:00:00Z")
    component = status_of(mirror).components[names.AUTH]
    assert isinstance(component, Component)
    assert (component.version, component.problem) == ("9.9.9", "")


def test_a_version_that_was_not_seen_is_not_claimed(mirror: Deployed) -> None:
    mirror.cluster.hidden |= {POD}
    lines = screen(status_of(mirror))
    assert "  regmirror-auth         1/1 ready, version unknown" in lines
    mirror.cluster.hidden.clear()
    mirror.cluster.rollouts[names.AUTH] = [{"replicas": 1, "availableReplicas": 0}]
    mirror.cluster.delete(POD, f"{names.AUTH}-0")
    assert "  regmirror-auth         0/1 ready" in screen(status_of(mirror))


def test_a_public_host_that_was_not_checked_is_not_said_to_serve(mirror: Deployed) -> None:
    mirror.http.hosts.pop("https://mirror.example.com")
    found = status_of(mirror)
    assert screen(found)[0] == "? https://mirror.example.com is running; the public host was not checked"
    report = status_report(found)
    assert (report.state, report.serving, report.faults) == (State.RUNNING, False, [])
    assert report.warnings == ["the public host mirror.example.com was not checked"]


class UnreachableCluster:
    """A cluster whose API server does not answer."""

    namespace, context = "regmirror", "fake"

    def __getattr__(self, name: str) -> Any:
        def fail(*_: Any, **__: Any) -> Any:
            raise ClusterUnreachableError("no answer from the Kubernetes API https://192.0.2.1 (context fake): timeout")

        return fail


def test_an_unreachable_cluster_is_reported_once_and_the_public_host_is_still_shown(mirror: Deployed) -> None:
    mirror.cluster = UnreachableCluster()  # type: ignore[assignment]
    found = status_of(mirror)
    lines = screen(found)
    assert (found.state, found.faults) == (State.UNKNOWN, [])
    assert lines[0] == "? https://mirror.example.com: cannot read the cluster; the public host answers"
    assert " ".join(lines).count("no answer from the Kubernetes API") == 1
    assert "  public host            https://mirror.example.com" in lines
    assert not any("does not serve" in line for line in lines)


def test_a_namespace_without_a_mirror_is_one_line() -> None:
    found = deployed()
    for name in IMAGES:
        found.cluster.delete(DEPLOYMENT, name)
    status = status_of(found)
    assert status.state is State.NOT_DEPLOYED
    assert screen(status)[0] == "× https://mirror.example.com is not deployed"
    assert len(screen(status)) == 2


def test_the_command_exits_with_0_while_no_fault_is_seen(mirror: Deployed, monkeypatch: pytest.MonkeyPatch) -> None:
    connect(monkeypatch, mirror.connections())
    assert CliRunner().invoke(app, ["status"]).exit_code == ExitCode.OK
    mirror.http.hosts.pop("https://mirror.example.com")
    assert CliRunner().invoke(app, ["status"]).exit_code == ExitCode.OK
    for name in IMAGES:
        mirror.cluster.delete(DEPLOYMENT, name)
    result = CliRunner().invoke(app, ["status", "-n", "regmirror"])
    assert result.exit_code == ExitCode.FAILED
    assert result.stderr == "Next: regmirror deploy -n regmirror\n"


def test_an_interval_below_a_second_is_refused(mirror: Deployed, monkeypatch: pytest.MonkeyPatch) -> None:
    connect(monkeypatch, mirror.connections())
    result = CliRunner().invoke(app, ["status", "--watch", "--interval", "0s"])
    assert result.exit_code == ExitCode.USAGE
    assert "--interval: 0s is shorter than 1s" in result.stderr


def test_ctrl_c_before_the_first_screen_is_silent(mirror: Deployed, monkeypatch: pytest.MonkeyPatch) -> None:
    def interrupt(_: object) -> Status:
        raise KeyboardInterrupt

    connect(monkeypatch, mirror.connections())
    monkeypatch.setattr("regmirror.status.collect.collect_status", interrupt)
    result = CliRunner().invoke(app, ["status", "--watch"])
    assert (result.exit_code, result.output) == (ExitCode.INTERRUPTED, "")
