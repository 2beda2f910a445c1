"""The results of verify as metrics, in the text format of Prometheus.

Source: https://github.com/prometheus/docs/blob/main/docs/instrumenting/exposition_formats.md, version 0.0.4.
"""

from collections.abc import Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from datetime import datetime

from cryptography import x509

from regmirror.errors import RegmirrorError
from regmirror.verify.check import Result
from regmirror.verify.live_mirror import LiveMirror
from regmirror.verify.report import check_report


@dataclass(frozen=True, slots=True)
class Sample:
    """One value of a metric."""

    value: float
    labels: Mapping[str, str]


@dataclass(frozen=True, slots=True)
class Metric:
    """A metric, which docs/guides/verify-continuously.md describes."""

    name: str
    meaning: str
    samples: Sequence[Sample]


def verification_metrics(live: LiveMirror, results: Sequence[Result], ended: datetime, seconds: float) -> str:
    """The metrics of one verification, which ended at ``ended`` after ``seconds``."""
    metrics = [
        Metric(
            "regmirror_check_result",
            "Always 1; the label result has the result of a check in the last verification.",
            [Sample(1, _labels(result)) for result in results],
        ),
        Metric(
            "regmirror_verification_timestamp_seconds",
            "When the last verification ended, in Unix time.",
            [Sample(ended.timestamp(), {})],
        ),
        Metric(
            "regmirror_verification_duration_seconds", "How long the last verification took.", [Sample(seconds, {})]
        ),
        Metric(
            "regmirror_certificate_not_after_timestamp_seconds",
            "End of validity of a certificate, in Unix time.",
            list(_public_certificates(live)),
        ),
        Metric(
            "regmirror_certificate_not_before_timestamp_seconds",
            "Start of validity of a certificate, in Unix time: of the signing key, its last rotation.",
            list(_signing_certificate(live)),
        ),
    ]
    return "".join(map(_text, metrics))


def _labels(result: Result) -> dict[str, str]:
    check = check_report(result)
    return {"check": check.id, "category": check.category, "upstream": check.upstream or "", "result": check.result}


def _public_certificates(live: LiveMirror) -> Iterator[Sample]:
    """What each public host presents; none of a host that does not answer, which a check reports."""
    for host in dict.fromkeys(live.mirror.endpoint_of(upstream) for upstream in live.mirror.upstreams):
        with suppress(RegmirrorError, ValueError):
            ends = x509.load_der_x509_certificate(live.http.certificate(host)).not_valid_after_utc
            yield Sample(ends.timestamp(), {"certificate": "public", "host": host})


def _signing_certificate(live: LiveMirror) -> Iterator[Sample]:
    with suppress(RegmirrorError):
        if not live.mirror.auth.external:
            begins = live.signing_certificate().not_valid_before_utc
            yield Sample(begins.timestamp(), {"certificate": "signing"})


def _text(metric: Metric) -> str:
    if not metric.samples:
        return ""
    lines = [f"# HELP {metric.name} {metric.meaning}", f"# TYPE {metric.name} gauge"]
    lines += [f"{metric.name}{_written(sample.labels)} {_number(sample.value)}" for sample in metric.samples]
    return "\n".join(lines) + "\n"


def _written(labels: Mapping[str, str]) -> str:
    pairs = ",".join(f'{name}="{_escaped(value)}"' for name, value in labels.items())
    return f"{{{pairs}}}" if pairs else ""


def _escaped(value: str) -> str:
    return value.replace("\\", r"\\").replace('"', r"\"").replace("\n", r"\n")


def _number(value: float) -> str:
    return f"{value:.3f}".rstrip("0").rstrip(".")
