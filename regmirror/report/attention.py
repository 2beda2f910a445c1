"""What needs attention, from the status and the checks, each with its fix."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Literal

from regmirror.config.documents import Unknown
from regmirror.report.document import Health, MirrorReport
from regmirror.verify.report import CheckReport


@dataclass(frozen=True, slots=True)
class Item:
    """One thing that needs attention; ``hint`` and ``documentation`` may be empty."""

    level: Literal["error", "warning"]
    title: str
    message: str = ""
    hint: str = ""
    documentation: str = ""


def attention_items(report: MirrorReport) -> list[Item]:
    """Everything that needs attention, errors first."""
    items = [*_of_status(report), *_of_checks(report)]
    return sorted(items, key=lambda item: item.level != "error")


def _of_status(report: MirrorReport) -> Iterator[Item]:
    if report.health is Health.NOT_DEPLOYED:
        title = f"namespace {report.namespace} has none of the mirror's components"
        yield Item("error", title, hint="regmirror deploy")
        return
    yield from (Item("error", fault) for fault in report.status.faults)
    if report.health is Health.UNKNOWN:
        yield Item("error", "the cluster could not be read")
    yield from (Item("warning", warning) for warning in report.status.warnings)
    if isinstance(report.checks, Unknown):
        yield Item("warning", "the checks did not end", report.checks.unknown, "regmirror verify")


def _of_checks(report: MirrorReport) -> Iterator[Item]:
    for check in report.checks if isinstance(report.checks, list) else []:
        if check.result in {"error", "warning"}:
            level: Literal["error", "warning"] = "error" if check.result == "error" else "warning"
            yield Item(level, failed_title(check), check.message, check.hint or "", check.documentation)


def failed_title(check: CheckReport) -> str:
    """The good state that was not found, and where."""
    return f"{check.title} ({check.upstream})" if check.upstream else check.title


def verdict(report: MirrorReport) -> str:
    """The health of the mirror as a sentence for a heading."""
    match report.health:
        case Health.HEALTHY:
            return "Healthy" if report.checks is not None else "Serving; the checks were not run"
        case Health.ATTENTION:
            return "Serving, but needs attention"
        case Health.UNKNOWN:
            return "Unknown: the cluster could not be read"
        case Health.NOT_DEPLOYED:
            return "Not deployed"
        case Health.FAILING:
            return "Not serving" if report.status.faults else _failed_checks(report)


def _failed_checks(report: MirrorReport) -> str:
    checks = report.checks if isinstance(report.checks, list) else []
    failed = sum(check.result == "error" for check in checks)
    return f"{failed} check fails" if failed == 1 else f"{failed} checks fail"
