"""The result of ``regmirror access test`` as JUnit XML."""

from regmirror.access.report import AccessTestReport, ExpectationResult
from regmirror.access.words import outcome_of, subject_of
from regmirror.verify.junit import Case, junit_document


def access_junit(report: AccessTestReport) -> str:
    """One test for each expectation."""
    return junit_document("regmirror access test", {report.file: [_case(report, one) for one in report.results]})


def _case(report: AccessTestReport, one: ExpectationResult) -> Case:
    result = "success" if one.is_met else "error"
    return Case(f"{report.file}:{one.line}", subject_of(one), result, outcome_of(one), f"line {one.line}")
