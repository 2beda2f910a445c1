"""``regmirror verify``: runs the checks, prints their results, and publishes them on request."""

import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from regmirror.cli.options import ReportFormat
from regmirror.cli.terminal import Terminal
from regmirror.cli.verify_table import print_results
from regmirror.distribution.reference import ImageReference
from regmirror.ports.connections import Connections
from regmirror.verify.check import Check, Result
from regmirror.verify.junit import junit_report
from regmirror.verify.live_mirror import KubectlOptions, LiveMirror
from regmirror.verify.metrics import verification_metrics
from regmirror.verify.publish import publish
from regmirror.verify.report import check_report, verify_report
from regmirror.verify.run import is_healthy, run_checks, run_until_healthy


@dataclass(frozen=True, slots=True)
class CheckOptions:
    """The options of the command that are about checks."""

    checks: Sequence[Check]
    image: ImageReference | None
    kubectl: KubectlOptions
    wait: timedelta | None
    """How long to repeat the checks until none fails; None to run them once."""
    publish: bool


def verify_checks(streams: Terminal, output: ReportFormat, connections: Connections, options: CheckOptions) -> bool:
    """Run the checks, print their results, and publish them if that is wanted; returns whether none failed.

    Raises ConfigurationError or ClusterError if the results cannot be published.
    """

    def new_mirror() -> LiveMirror:
        return LiveMirror(connections, lambda: datetime.now(UTC), options.image, options.kubectl)

    started = time.monotonic()
    if options.wait:
        results = run_until_healthy(options.checks, new_mirror, options.wait, streams.info)
        _print(streams, output, connections, iter(results))
    else:
        results = _print(streams, output, connections, run_checks(options.checks, new_mirror()))
    if options.publish or output is ReportFormat.METRICS:
        seconds = time.monotonic() - started
        metrics = verification_metrics(new_mirror(), results, datetime.now(UTC), seconds)
        if output is ReportFormat.METRICS:
            streams.result(metrics.removesuffix("\n"))
        if options.publish:
            publish(connections.cluster.blocking, metrics)
    return is_healthy(results)


def _print(streams: Terminal, output: ReportFormat, connections: Connections, stream: Iterator[Result]) -> list[Result]:
    """Print the results, except as metrics, and in a table as soon as each is known; return them all."""
    mirror = connections.mirror
    if output in {ReportFormat.TABLE, ReportFormat.SHORT}:
        short = output is ReportFormat.SHORT
        return print_results(streams, stream, several=len(mirror.upstreams) > 1, short=short)
    results = list(stream)
    if output is ReportFormat.METRICS:
        return results
    if output is ReportFormat.JUNIT:
        streams.result(junit_report(mirror, [check_report(result, streams.hint) for result in results]))
    else:
        streams.document(verify_report(mirror, connections.cluster.context, results))
    return results
