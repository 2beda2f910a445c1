"""The document of ``regmirror client-config RUNTIME --check``."""

from typing import Annotated, Literal

from pydantic import Field

from regmirror.client_config.check.finding import Finding, Severity
from regmirror.client_config.check.inspection import Inspection
from regmirror.client_config.report import RegistryReport
from regmirror.config.documents import Document, DocumentPart


class FindingReport(DocumentPart):
    """One thing that is not as it should be."""

    id: Annotated[str, Field(description="Stable name of the problem.")]
    severity: Annotated[Severity, Field(description="error: the mirror is not used; warning: it is used all the same.")]
    path: Annotated[str, Field(description="The file, directory, program or host.")]
    message: Annotated[str, Field(description="What is wrong.")]
    fix: Annotated[str, Field(description="What to do.")]


class ClientCheck(Document):
    """The result of ``regmirror client-config RUNTIME --check -o json``."""

    kind: Annotated[Literal["ClientCheck"], Field(description="Kind of the document.")] = "ClientCheck"
    runtime: Annotated[str, Field(description="Container runtime.")]
    registries: Annotated[list[RegistryReport], Field(description="Every registry that the mirror mirrors.")]
    healthy: Annotated[bool, Field(description="Whether no error was found.")]
    findings: Annotated[list[FindingReport], Field(description="Errors, then warnings.")]
    files_read: Annotated[list[str], Field(description="Every file that was read.")]


def client_check(inspection: Inspection, findings: list[Finding]) -> ClientCheck:
    """The report on what was found."""
    return ClientCheck(
        runtime=inspection.runtime,
        registries=[RegistryReport(name=one.name, mirror=one.mirror) for one in inspection.options.registries],
        healthy=not any(finding.severity is Severity.ERROR for finding in findings),
        findings=[
            FindingReport(
                id=finding.id,
                severity=finding.severity,
                path=finding.path,
                message=finding.message,
                fix=finding.fix,
            )
            for finding in findings
        ],
        files_read=inspection.files_read,
    )
