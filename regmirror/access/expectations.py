"""The file of ``regmirror access test``: which client may pull which image, and which may not."""

import difflib
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated

import yaml
from pydantic import AfterValidator, Field, TypeAdapter, ValidationError, model_validator
from pydantic_core import ErrorDetails

from regmirror.access.question import Question, client_of, find_image, require_possible
from regmirror.access.report import AccessTestReport, ExpectationResult
from regmirror.access.rules import RuleBook
from regmirror.access.why import client_report
from regmirror.config.access_decision import Client
from regmirror.config.images import named_image
from regmirror.config.key_paths import KeyPath, format_path, line_of
from regmirror.config.load import parse_yaml, read_text
from regmirror.config.model import Mirror
from regmirror.config.problem import InvalidFileError, Problem
from regmirror.config.section import Section
from regmirror.config.validation_messages import path_of, validation_message
from regmirror.errors import ConfigurationError, InvalidExpectationsError


def _image(text: str) -> str:
    named_image(text)
    return text


class Expectation(Section):
    """One entry of the table. Without user and signedIn, the client has not logged in."""

    image: Annotated[str, AfterValidator(_image), Field(description="Image that the client pulls.")]
    allow: Annotated[bool, Field(description="Whether the configuration is expected to allow it.")]
    upstream: Annotated[str, Field(description="Upstream of the image. Default: by its registry.")] = ""
    user: Annotated[str | None, Field(description="Account of regmirror user.")] = None
    signed_in: Annotated[str | None, Field(description="Name at the sign-in provider.")] = None
    groups: Annotated[list[str], Field(description="Groups of the client.")] = []  # noqa: RUF012 - Pydantic copies it
    from_: Annotated[str | None, Field(alias="from", description="IP address of the client.")] = None

    @property
    def client(self) -> Client:
        """The client; raises ValueError."""
        return client_of(self.user, self.signed_in, self.groups, self.from_)

    @model_validator(mode="after")
    def _check_client(self) -> "Expectation":
        _ = self.client
        return self


@dataclass(frozen=True, slots=True)
class ExpectationFile:
    """The expectations with their lines."""

    source: str
    root: yaml.Node
    expectations: Sequence[Expectation]


def read_expectations(path: Path) -> ExpectationFile:
    """The expectations in a file; raises InvalidExpectationsError with every problem and its line."""
    try:
        return parse_expectations(read_text(path), str(path))
    except InvalidExpectationsError:
        raise
    except ConfigurationError as error:
        raise InvalidExpectationsError(error.message) from None


def parse_expectations(text: str, source: str) -> ExpectationFile:
    """The expectations in a text; raises InvalidExpectationsError with every problem and its line."""
    try:
        value, root = parse_yaml(text, source)
    except InvalidFileError as error:
        raise InvalidExpectationsError(error.message) from None
    if not isinstance(value, list) or not value:
        raise InvalidExpectationsError(f"{source} is not a list of expectations such as {{image: alpine, allow: true}}")
    try:
        found = TypeAdapter(list[Expectation]).validate_python(value, by_alias=True, by_name=False)
    except ValidationError as error:
        raise _invalid(source, [_problem(detail, root) for detail in error.errors()]) from None
    return ExpectationFile(source, root, found)


def check_expectations(mirror: Mirror, rules: RuleBook, file: ExpectationFile) -> AccessTestReport:
    """Compare every expectation with the configuration; raises InvalidExpectationsError.

    That is for a registry that no upstream serves, and for a client that cannot exist.
    """
    results, problems = [], []
    for index, expectation in enumerate(file.expectations):
        try:
            upstream, image = find_image(mirror, expectation.image, expectation.upstream)
        except ConfigurationError as error:
            problems.append(_refused(error, (index, "image"), file.root))
            continue
        try:
            require_possible(mirror, expectation.client)
        except ConfigurationError as error:
            key = "groups" if mirror.access.sign_in else "signedIn"
            problems.append(_refused(error, (index, key), file.root))
            continue
        question = Question(upstream, image, expectation.client)
        results.append(
            ExpectationResult(
                line=line_of(file.root, (index, "image")),
                image=expectation.image,
                upstream=upstream.name,
                client=client_report(question.client),
                expected=expectation.allow,
                rule=rules.decision(question),
            )
        )
    if problems:
        raise _invalid(file.source, problems)
    return AccessTestReport(file=file.source, failed=sum(not one.is_met for one in results), results=results)


def _refused(error: ConfigurationError, path: KeyPath, root: yaml.Node) -> Problem:
    hint = f"\n    Try: {error.hint}" if error.hint else ""
    return Problem(line_of(root, path), format_path(path), f"{error.message}{hint}")


def _problem(detail: ErrorDetails, root: yaml.Node) -> Problem:
    path = path_of(detail)
    message = validation_message(detail)
    if detail["type"] == "extra_forbidden":
        message = f"unknown key{_suggestion(path)}"
    return Problem(line_of(root, path), format_path(path), message)


def _suggestion(path: KeyPath) -> str:
    known = [str(field.alias) for field in Expectation.model_fields.values()]
    nearest = difflib.get_close_matches(str(path[-1]), known, n=1)
    return f'; did you mean "{nearest[0]}"?' if nearest else f"; known keys: {', '.join(known)}"


def _invalid(source: str, problems: list[Problem]) -> InvalidExpectationsError:
    ordered = sorted(problems, key=lambda problem: problem.line)
    heading = f"{source} has {len(ordered)} problem{'s' * (len(ordered) > 1)}:"
    return InvalidExpectationsError("\n  ".join([heading, *map(str, ordered)]))
