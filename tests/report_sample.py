"""Reports about mirrors that do not exist, for the tests of the page."""

from __future__ import annotations

from datetime import timedelta
from typing import Any, Literal

from regmirror.config.documents import Unknown
from regmirror.report.document import (
    ChartReport,
    ContentsReport,
    HistoryReport,
    MirrorReport,
    PointReport,
    RankedRepository,
    RankingReport,
    RepositoryReport,
    SeriesReport,
    UpstreamUse,
    health_of,
)
from regmirror.status.findings import State
from regmirror.status.report import (
    CacheReport,
    CertificateReport,
    ComponentReport,
    PublicEndpointReport,
    PullLimitReport,
    StatusReport,
    StoreReport,
    UpstreamReport,
)
from regmirror.verify.report import CheckReport
from tests import samples

HOSTILE = '</style><script>document.title="broken"</script><img src=x onerror=alert(1)>"\'&\u202e'
"""What no part of the page may run, or take as anything but text."""
SIZES = {
    "library/python": 5_300_000_000,
    "library/node": 4_800_000_000,
    "library/golang": 1_600_000_000,
    "grafana/grafana": 505_000_000,
    "grafana/loki": 488_000_000,
    "library/alpine": 80_000_000,
    "prom/prometheus": 350_000_000,
    **{f"team/service-{number:02}": 30_000_000 - number * 1_000_000 for number in range(14)},
}
BEGUN = samples.NOW - timedelta(days=8)


def healthy(**changes: Any) -> MirrorReport:
    """A mirror of Docker Hub without a fault."""
    status = _status(["docker-hub"])
    return report(status, [check("token-grant"), check("cache-hit", message="1.2 MB in 3 ms")], **changes)


def broken(text: str = "AccessDenied", **changes: Any) -> MirrorReport:
    """A mirror of two upstreams with a failing check, a warning, and parts that are not known; ``text`` is in all."""
    status = _status(["docker-hub", "quay"], text)
    unknown = UpstreamUse(name="quay", contents=Unknown(unknown=text), ranking=Unknown(unknown=text))
    checks = [
        check("token-grant"),
        check("storage-bucket", "error", f"cannot write: {text}\n  to the bucket", "regmirror verify"),
        check("upstream-quota", "warning", text, "set credentials"),
        check("cache-hit", "skipped", text),
    ]
    changes = {"history": Unknown(unknown=text), "upstreams": [use("docker-hub", text), unknown]} | changes
    return report(status, checks, **changes)


def report(status: StatusReport, checks: list[CheckReport], **changes: Any) -> MirrorReport:
    """A report with a history."""
    values = {
        "host": status.host,
        "namespace": status.namespace,
        "context": status.context,
        "time": samples.NOW,
        "version": "1.2.3",
        "health": health_of(status, checks),
        "status": status,
        "checks": checks,
        "signing_key_issued": samples.NOW - timedelta(days=2),
        "upstreams": [use("docker-hub")],
        "history": history(),
    }
    return MirrorReport.model_validate(values | changes)


def check(
    check_id: str,
    result: Literal["success", "warning", "error", "skipped"] = "success",
    message: str = "",
    hint: str | None = None,
) -> CheckReport:
    """The result of a check, which may be one that does not exist."""
    return CheckReport(
        id=check_id,
        category=check_id.partition("-")[0],
        severity="error",
        title=f"{check_id} is as it should be",
        upstream="docker-hub",
        result=result,
        message=message,
        hint=hint,
        documentation=f"https://docs.example.com/{check_id}",
        seconds=0.1,
    )


def use(name: str, text: str = "evil/miner") -> UpstreamUse:
    """What is cached and requested of an upstream."""
    pulled = [
        RankedRepository(name=repository, count=4210 // rank, uncertain=rank - 1)
        for rank, repository in enumerate(SIZES, 1)
    ]
    refused = [RankedRepository(name=text, count=12, uncertain=0)]
    return UpstreamUse(
        name=name, contents=contents(), ranking=RankingReport(since=BEGUN, pulled=pulled, refused=refused)
    )


def contents(**sizes: int) -> ContentsReport:
    """What is cached: as much of each repository."""
    repositories = [
        RepositoryReport(name=name, tags=number + 1, manifests=3, bytes=size, share=size, updated=BEGUN)
        for number, (name, size) in enumerate((sizes or SIZES).items())
    ]
    return ContentsReport(
        bytes=sum(one.share for one in repositories) + 90_000_000,
        unused=90_000_000,
        complete=True,
        repositories=sorted(repositories, key=lambda one: -one.share),
        other_repositories=0,
        other_bytes=0,
    )


def history() -> HistoryReport:
    """Two days, with a gap in the first figure."""

    def series(name: str, *values: float | None) -> SeriesReport:
        start = samples.NOW - timedelta(hours=6 * (len(values) - 1))
        points = [PointReport(time=start + timedelta(hours=6 * n), value=value) for n, value in enumerate(values)]
        return SeriesReport(name=name, points=points)

    return HistoryReport(
        since=samples.NOW - timedelta(days=2),
        step_seconds=21600,
        charts=[
            ChartReport(
                title="Cache hits",
                unit="ratio",
                series=[series("served without the upstream", 0.9, 0.8, 0.85, None, 0.9, 0.95, 0.9, 0.85, 0.9)],
            ),
            ChartReport(
                title="Traffic",
                unit="bytes",
                series=[
                    series("sent to clients", 1e6, 4.2e7, 3e6, 4e7, 1e6, 4.1e7, 2e6, 4e7, 1e6),
                    series("from the upstream", 1e5, 6e6, 2e5, 5e6, 1e5, 4e6, 1e5, 3e6, 1e5),
                ],
            ),
            ChartReport(title="Refused and failed", unit="requests", series=[series("refused", 0, 0.001, 0.2, 0)]),
        ],
    )


def _status(upstreams: list[str], problem: str = "") -> StatusReport:
    certificate = CertificateReport(not_after=samples.NOW + timedelta(days=62), days_left=62)
    component = ComponentReport(
        name="regmirror-auth", version="1.14.0", image="x", ready=1, wanted=1, problem=problem or None
    )
    return StatusReport(
        host=samples.HOST,
        namespace="regmirror",
        context="production",
        time=samples.NOW,
        state=State.SERVING,
        serving=True,
        faults=[],
        warnings=[f"regmirror-auth: {problem}"] if problem else [],
        components=[component],
        signing_certificate=certificate,
        upstreams=[_upstream(name, certificate) for name in upstreams],
    )


def _upstream(name: str, certificate: CertificateReport) -> UpstreamReport:
    return UpstreamReport(
        name=name,
        url="https://registry-1.docker.io",
        host=samples.HOST,
        public_endpoint=PublicEndpointReport(url=f"https://{samples.HOST}", status=401, serves=True, reached_at=None),
        public_certificate=certificate,
        cache=CacheReport(
            since=BEGUN,
            pods_responding=1,
            pods_running=1,
            hits=9058,
            misses=1354,
            hit_ratio=0.87,
            bytes_fetched=26_400_000_000,
            bytes_served=241_300_000_000,
            bytes_saved=214_900_000_000,
        ),
        store=StoreReport(objects=9120, bytes=38_200_000_000, complete=True),
        pull_limit=PullLimitReport(counted="account", limited=True, limit=200, remaining=176, window_seconds=21600),
    )
