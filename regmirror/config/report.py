"""The documents of ``regmirror config validate`` and ``regmirror config show``."""

from typing import Annotated, Any, Literal

from pydantic import Field

from regmirror.config.documents import DocumentPart
from regmirror.config.effective_config import ReferencedSecret, ValueSources, effective, leaves
from regmirror.config.key_paths import format_path
from regmirror.config.model import API_VERSION, Mirror
from regmirror.config.problem import Problem
from regmirror.errors.documentation import key_url


class ProblemReport(DocumentPart):
    """One problem of the file."""

    line: Annotated[int, Field(ge=1, description="Line of the file, from 1.")]
    key: Annotated[str, Field(description="Path of the key; empty if the file is not valid YAML.")]
    message: Annotated[str, Field(description="What is wrong.")]
    url: Annotated[str | None, Field(description="Documentation of the key; null if no key is known.")]


class ValidationReport(DocumentPart):
    """The result of ``regmirror config validate -o json``."""

    api_version: Annotated[Literal["regmirror.dev/v1alpha1"], Field(description="Version of this document's format.")]
    kind: Annotated[Literal["ValidationReport"], Field(description="Kind of the document.")]
    file: Annotated[str, Field(description="Path of the configuration file; - for standard input.")]
    valid: Annotated[bool, Field(description="Whether the file is valid; if not, the exit code is 2.")]
    problems: Annotated[list[ProblemReport], Field(description="Every problem, in the order of the file.")]
    warnings: Annotated[list[str], Field(description="What is valid but has no effect or is a risk, with its line.")]


class SecretReport(DocumentPart):
    """A secret or CA bundle that the configuration refers to."""

    key: Annotated[str, Field(description="Path of the key that refers to it.")]
    location: Annotated[str, Field(description="Where it is stored: a variable, a file, a Secret or a ConfigMap.")]
    found: Annotated[bool | None, Field(description="Whether it is available; null if it is in the cluster.")]


class EffectiveConfiguration(DocumentPart):
    """The result of ``regmirror config show -o json``."""

    api_version: Annotated[Literal["regmirror.dev/v1alpha1"], Field(description="Version of this document's format.")]
    kind: Annotated[Literal["EffectiveConfiguration"], Field(description="Kind of the document.")]
    configuration: Annotated[
        dict[str, Any], Field(description="The configuration with all defaults; its schema is that of kind Mirror.")
    ]
    sources: Annotated[
        dict[str, str],
        Field(description="By path of the key: where its value comes from, such as line 3, default or --namespace."),
    ]
    secrets: Annotated[
        list[SecretReport], Field(description="Every secret and CA bundle that the configuration refers to.")
    ]


def validation_report(file: str, problems: list[Problem], warnings: list[Problem]) -> ValidationReport:
    """The report on a file; it is valid if there are no problems."""
    return ValidationReport(
        api_version=API_VERSION,
        kind="ValidationReport",
        file=file,
        valid=not problems,
        problems=[_problem_report(problem) for problem in problems],
        warnings=[str(warning) for warning in warnings],
    )


def effective_configuration(
    mirror: Mirror, sources: ValueSources, secrets: list[ReferencedSecret]
) -> EffectiveConfiguration:
    """The report on a configuration, with the source of every value."""
    configuration = effective(mirror)
    return EffectiveConfiguration(
        api_version=API_VERSION,
        kind="EffectiveConfiguration",
        configuration=configuration,
        sources={format_path(path): sources.of(path) for path, _ in leaves(configuration)},
        secrets=[SecretReport(key=secret.key_path, location=secret.location, found=secret.found) for secret in secrets],
    )


def _problem_report(problem: Problem) -> ProblemReport:
    url = key_url(problem.documented_key) if problem.documented_key else None
    return ProblemReport(line=problem.line, key=problem.key_path, message=problem.message, url=url)
