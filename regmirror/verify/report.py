"""The results of verify as a document; ``regmirror config schema --kind VerifyReport`` prints its schema."""

from collections.abc import Callable, Sequence
from typing import Annotated, Any, Literal

from pydantic import Field

from regmirror.config.documents import DocumentPart
from regmirror.config.model import API_VERSION, Mirror
from regmirror.errors.documentation import check_url
from regmirror.verify.check import Failed, Outcome, Passed, Result, Skipped, Warned
from regmirror.verify.run import overall_result


class CheckReport(DocumentPart):
    """The result of one check, for one upstream if the check applies to upstreams."""

    id: Annotated[str, Field(description="Stable id of the check.")]
    category: Annotated[str, Field(description="The group that the check belongs to.")]
    severity: Annotated[
        Literal["error", "warning"], Field(description="How the check is reported if it does not pass.")
    ]
    title: Annotated[str, Field(description="The good state that the check looks for.")]
    upstream: Annotated[
        str | None, Field(description="Name of the upstream; null if the check applies to the whole mirror.")
    ]
    result: Annotated[Literal["success", "warning", "error", "skipped"], Field(description="Result of the check.")]
    message: Annotated[str, Field(description="What was found, or why the check was skipped; may be empty.")]
    hint: Annotated[str | None, Field(description="How to fix it; only with a warning or an error.")] = None
    documentation: Annotated[str, Field(description="URL of the check's documentation.")]
    seconds: Annotated[float, Field(ge=0, description="How long the check ran, without waiting for other checks.")]


class VerifyReport(DocumentPart):
    """The result of ``regmirror verify -o json``."""

    api_version: Annotated[Literal["regmirror.dev/v1alpha1"], Field(description="Version of the document's format.")]
    kind: Annotated[Literal["VerifyReport"], Field(description="Kind of the document.")]
    host: Annotated[str, Field(description="Public host of the mirror, with the port unless it is 443.")]
    namespace: Annotated[str, Field(description="Namespace of the mirror.")]
    context: Annotated[str, Field(description="Kubeconfig context that was used.")]
    result: Annotated[
        Literal["success", "warning", "error"],
        Field(description="The worst result of any check; only an error gives exit code 1."),
    ]
    checks: Annotated[list[CheckReport], Field(description="All checks that were selected, in a stable order.")]


def verify_report(mirror: Mirror, context: str, results: Sequence[Result]) -> dict[str, Any]:
    """The document of a VerifyReport; ``hint`` is present only with warnings and errors."""
    report = VerifyReport(
        api_version=mirror.api_version,
        kind="VerifyReport",
        host=mirror.endpoint,
        namespace=mirror.namespace,
        context=context,
        result=overall_result(results),
        checks=[check_report(result) for result in results],
    )
    return report.model_dump(by_alias=True, exclude_unset=True)


def report_schema() -> dict[str, Any]:
    """JSON Schema (2020-12) of a VerifyReport."""
    schema = VerifyReport.model_json_schema(by_alias=True)
    return {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "$id": f"https://{API_VERSION}/verify-report.schema.json",
        **schema,
    }


def check_report(result: Result, complete: Callable[[str], str] = str) -> CheckReport:
    """What all output formats say about a result; ``complete`` adds to a hint what only the command knows."""
    check = result.check
    return CheckReport.model_validate(
        {
            "id": check.id,
            "category": check.category.value,
            "severity": check.severity.value,
            "title": check.title,
            "upstream": result.upstream or None,
            "documentation": check_url(check.id, check.category.value),
            "seconds": round(result.seconds, 3),
            **_fields(result.outcome, complete),
        }
    )


def _fields(outcome: Outcome, complete: Callable[[str], str]) -> dict[str, str]:
    match outcome:
        case Passed(detail):
            return {"result": "success", "message": detail}
        case Warned(message, hint):
            return {"result": "warning", "message": message, "hint": complete(hint)}
        case Failed(message, hint):
            return {"result": "error", "message": message, "hint": complete(hint)}
        case Skipped(reason):
            return {"result": "skipped", "message": reason}
