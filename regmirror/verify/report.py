"""The results of verify as a document, for programs."""

from typing import Any

from regmirror.config.model import API_VERSION, Mirror
from regmirror.verify.check import Failed, Outcome, Passed, Result, Skipped, Warned
from regmirror.verify.run import worst


def verify_report(mirror: Mirror, results: list[Result]) -> dict[str, Any]:
    """A VerifyReport; ``result`` is success, warning, error or skipped."""
    return {
        "apiVersion": API_VERSION,
        "kind": "VerifyReport",
        "host": mirror.host,
        "result": worst(results),
        "checks": [
            {
                "id": result.check.id,
                "category": result.check.category.value,
                "title": result.check.title,
                "upstream": result.upstream or None,
                **_fields(result.outcome),
            }
            for result in results
        ],
    }


def _fields(outcome: Outcome) -> dict[str, str]:
    match outcome:
        case Passed(detail):
            return {"result": "success", "message": detail}
        case Warned(message, hint):
            return {"result": "warning", "message": message, "hint": hint}
        case Failed(message, hint):
            return {"result": "error", "message": message, "hint": hint}
        case Skipped(reason):
            return {"result": "skipped", "message": reason}
