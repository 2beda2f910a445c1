"""Reads the options of ``verify``: which checks are selected, and which options exclude each other."""

from collections.abc import Sequence

from regmirror.cli.options import ReportFormat
from regmirror.errors import ConfigurationError
from regmirror.verify.check import Category, Check
from regmirror.verify.checks import CHECKS
from regmirror.verify.select import select_checks


def read_selection(
    ids: Sequence[str], categories: Sequence[str], *, pre_install: bool, publish: bool, nodes: bool
) -> list[Check]:
    """The checks to run; raises ConfigurationError, naming the option."""
    checks = select_checks(CHECKS, ids, [_category(name) for name in categories], pre_install=pre_install)
    if publish and (ids or categories or pre_install or nodes):
        raise ConfigurationError(
            "--publish publishes the results of all checks, and --check, --category, --pre and --nodes select others",
            hint="omit --publish, or the options that select checks",
        )
    return checks


def refuse_options_for_checks(output: ReportFormat, **given: object) -> None:
    """Raises ConfigurationError for an option that selects checks: with nodes, none of them runs."""
    for option, value in given.items():
        if value:
            raise ConfigurationError(f"--nodes and --{option} exclude each other", hint="run them one after the other")
    if output in {ReportFormat.JUNIT, ReportFormat.METRICS}:
        raise ConfigurationError(f"--nodes has no output format {output}", hint="use -o json or -o yaml")


def refuse_options_for_nodes(**given: object) -> None:
    """Raises ConfigurationError for an option that only the check of nodes has."""
    for option, value in given.items():
        if value:
            raise ConfigurationError(f"--{option} is for --nodes", hint=f"add --nodes, or leave out --{option}")


def _category(name: str) -> Category:
    known = {category.value: category for category in Category}
    if name not in known:
        raise ConfigurationError(f'--category: unknown category "{name}"', hint=f"available: {', '.join(known)}")
    return known[name]
