"""The results of verify as a document, for programs; its schema is ``regmirror config schema --kind VerifyReport``."""

from typing import Annotated, Any, Literal

from pydantic import BaseModel, ConfigDict, Field
from pydantic.alias_generators import to_camel

from regmirror.config.model import API_VERSION, Mirror
from regmirror.verify.check import Failed, Outcome, Passed, Result, Skipped, Warned
from regmirror.verify.run import worst


class _Part(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True, alias_generator=to_camel, populate_by_name=True)


class CheckReport(_Part):
    """How one check ended, of one upstream where it is about one."""

    id: Annotated[str, Field(description="Stable id; a heading in docs/checks.md.")]
    category: Annotated[str, Field(description="The heading under which the check stands.")]
    severity: Annotated[Literal["error", "warning"], Field(description="The worst result that the check can have.")]
    title: Annotated[str, Field(description="The good state.")]
    upstream: Annotated[str | None, Field(description="Name of the upstream; null where it is about the mirror.")]
    result: Annotated[Literal["success", "warning", "error", "skipped"], Field(description="How the check ended.")]
    message: Annotated[str, Field(description="What was seen, or why the check was skipped; may be empty.")]
    hint: Annotated[str | None, Field(description="What to do; with a warning or an error alone.")] = None
    seconds: Annotated[float, Field(ge=0, description="How long it took, without waiting for other checks.")]


class VerifyReport(_Part):
    """The result of ``regmirror verify -o json``."""

    api_version: Annotated[Literal["regmirror.dev/v1alpha1"], Field(description="Version of this document's format.")]
    kind: Annotated[Literal["VerifyReport"], Field(description="What the document is.")]
    host: Annotated[str, Field(description="Public host of the mirror.")]
    result: Annotated[
        Literal["success", "warning", "error"], Field(description="The worst result; error alone means exit code 1.")
    ]
    checks: Annotated[list[CheckReport], Field(description="Every check, in the order of docs/checks.md.")]


def verify_report(mirror: Mirror, results: list[Result]) -> dict[str, Any]:
    """The document of a VerifyReport; ``hint`` stands with warnings and errors alone."""
    report = VerifyReport.model_validate(
        {
            "api_version": API_VERSION,
            "kind": "VerifyReport",
            "host": mirror.host,
            "result": worst(results),
            "checks": [_check_report(result) for result in results],
        }
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


def _check_report(result: Result) -> dict[str, Any]:
    return {
        "id": result.check.id,
        "category": result.check.category.value,
        "severity": result.check.severity.value,
        "title": result.check.title,
        "upstream": result.upstream or None,
        "seconds": round(result.seconds, 3),
        **_fields(result.outcome),
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
