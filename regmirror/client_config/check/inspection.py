"""What a check of a machine knows, and how it reads files."""

import json
import re
import tomllib
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

import yaml

from regmirror.client_config.check.finding import Finding, FindingError, Severity, error
from regmirror.client_config.setup import ClientOptions
from regmirror.errors import RegistryError, UntrustedCertificateError
from regmirror.ports.machine import Machine, UnreadableFileError

_LINE = re.compile(r"\bline (\d+)")
_PARSERS: dict[str, Callable[[str], Any]] = {
    "toml": tomllib.loads,
    "conf": tomllib.loads,
    "yaml": yaml.safe_load,
}

_TAG_ERRORS = (LookupError, AttributeError, TypeError)
"""What PyYAML raises, in addition to its own errors, for a value that does not fit its tag, such as ``!!bool x``."""


@dataclass(slots=True)
class Inspection:
    """What a check knows, and the files that it has read."""

    runtime: str
    options: ClientOptions
    machine: Machine
    now: datetime
    private_ca: bool
    """Whether the mirror's certificate certainly comes from a private CA."""
    files_read: list[str] = field(default_factory=list)
    unreachable: dict[str, str] = field(default_factory=dict)
    """The hosts that did not answer, with the reason."""

    @property
    def setup_command(self) -> str:
        """The command that prints the files of this runtime."""
        return f"regmirror client-config {self.runtime}"

    def text(self, path: str) -> str | None:
        """The text of a file; None if there is none. Raises FindingError if it cannot be read."""
        try:
            content = self.machine.read(path)
        except UnreadableFileError as problem:
            raise _unreadable(path, problem) from None
        if content is not None and path not in self.files_read:
            self.files_read.append(path)
        return content

    def document(self, path: str) -> dict[str, Any] | None:
        """The mapping in a file, JSON unless its name says otherwise; None if there is no file. Raises FindingError.

        No message has a part of the file, which may contain passwords.
        """
        content = self.text(path)
        if content is None:
            return None
        try:
            value = _PARSERS.get(_ending(path), json.loads)(content) if content.strip() else {}
        except (*_TAG_ERRORS, ValueError, RecursionError, yaml.YAMLError) as problem:
            raise FindingError(_invalid(path, _reason(problem))) from None
        if not isinstance(value, dict):
            raise FindingError(_invalid(path, "the outermost value is not a mapping"))
        return value

    def connect(self, host: str, ca_pem: str) -> None:
        """Ask a host of the mirror, but only once if it does not answer. Raises as the machine does."""
        if host in self.unreachable:
            raise RegistryError(self.unreachable[host])
        try:
            self.machine.connect(host, ca_pem)
        except UntrustedCertificateError:
            raise
        except RegistryError as problem:
            if self.machine.is_this_machine:
                self.unreachable[host] = problem.message
            raise

    def names(self, directory: str) -> list[str] | None:
        """The names in a directory; None if there is none. Raises FindingError if it cannot be read."""
        try:
            return self.machine.names(directory)
        except UnreadableFileError as problem:
            raise _unreadable(directory, problem) from None


Checker = Callable[[Inspection], Iterator[Finding]]
"""Checks one runtime; a FindingError ends it with one more finding."""


def run_check(checker: Checker, inspection: Inspection) -> list[Finding]:
    """All findings of a check, errors first."""
    findings = []
    try:
        for finding in checker(inspection):
            findings.append(finding)  # noqa: PERF402 - those before a FindingError are kept
    except FindingError as last:
        findings.append(last.finding)
    findings += [_unreachable(host, reason) for host, reason in inspection.unreachable.items()]
    return sorted(findings, key=lambda finding: finding.severity is Severity.WARNING)


def _unreachable(host: str, reason: str) -> Finding:
    fix = "check the DNS, the routes and the firewall of this machine"
    return error("mirror-unreachable", host, f"no answer from the mirror: {reason}", fix)


def _unreadable(path: str, problem: UnreadableFileError) -> FindingError:
    as_root = "run the check as root, or as the user of the runtime"
    fix = as_root if problem.is_denied else "put a text file there, or correct the path that leads to it"
    return FindingError(error("file-unreadable", path.replace("\0", "\\0"), f"cannot be read: {problem}", fix))


def _ending(path: str) -> str:
    return path.rpartition(".")[2]


def _invalid(path: str, reason: str) -> Finding:
    language = {"toml": "TOML", "conf": "TOML", "yaml": "YAML"}.get(_ending(path), "JSON")
    return error("file-invalid", path, f"is not valid {language}: {reason}", "correct the file")


def _reason(problem: Exception) -> str:
    """Where a file is not valid, or why; a parser's message may quote the file."""
    mark = getattr(problem, "problem_mark", None)
    line = _LINE.search(str(problem))
    number = mark.line + 1 if mark else line[1] if line else None
    if number:
        return f"see line {number}"
    if isinstance(problem, RecursionError):
        return "it is nested too deeply"
    if isinstance(problem, yaml.reader.ReaderError):
        return "it has a control character"
    is_toml = isinstance(problem, tomllib.TOMLDecodeError)
    return "it ends too early" if is_toml else "a value cannot be read"
