"""Results as JUnit XML, which CI systems display as tests."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from xml.etree import ElementTree

from regmirror.config.model import Mirror
from regmirror.verify.check import Category
from regmirror.verify.report import CheckReport


@dataclass(frozen=True, slots=True)
class Case:
    """One test; ``result`` is that of a check: success, warning, error or skipped."""

    class_name: str
    name: str
    result: str
    message: str = ""
    advice: str = ""
    seconds: float = 0.0


def junit_report(mirror: Mirror, checks: Sequence[CheckReport]) -> str:
    """The results of verify: one suite for each category and one test for each check."""
    suites = {
        category.value: [_case_of(check) for check in checks if check.category == category.value]
        for category in Category
    }
    return junit_document(f"regmirror verify {mirror.endpoint}", suites)


def junit_document(name: str, suites: Mapping[str, Sequence[Case]]) -> str:
    """The document with these suites, without empty ones; a warning is a passed test with output.

    Source: the schema of the Jenkins xUnit plugin, which other CI systems read as well.
    """
    every = [case for cases in suites.values() for case in cases]
    root = ElementTree.Element("testsuites", {"name": name, **_counts(every)})
    for title, cases in suites.items():
        if cases:
            suite = ElementTree.SubElement(root, "testsuite", {"name": title, **_counts(cases)})
            for case in cases:
                _add_case(suite, case)
    ElementTree.indent(root)
    return ElementTree.tostring(root, encoding="unicode", xml_declaration=False)


def _case_of(check: CheckReport) -> Case:
    name = check.title + (f" ({check.upstream})" if check.upstream else "")
    advice = f"Try: {check.hint}\nSee: {check.documentation}" if check.hint else f"See: {check.documentation}"
    return Case(check.id, name, check.result, check.message, advice, check.seconds)


def _counts(cases: Sequence[Case]) -> dict[str, str]:
    return {
        "tests": str(len(cases)),
        "failures": str(sum(case.result == "error" for case in cases)),
        "skipped": str(sum(case.result == "skipped" for case in cases)),
        "time": f"{sum(case.seconds for case in cases):.3f}",
    }


def _add_case(suite: ElementTree.Element, case: Case) -> None:
    element = ElementTree.SubElement(
        suite, "testcase", classname=case.class_name, name=case.name, time=f"{case.seconds:.3f}"
    )
    match case.result:
        case "error":
            failure = ElementTree.SubElement(element, "failure", message=_printable(case.message))
            failure.text = _printable(case.advice)
        case "skipped":
            ElementTree.SubElement(element, "skipped", message=_printable(case.message))
        case "warning":
            output = ElementTree.SubElement(element, "system-out")
            output.text = _printable(f"warning: {case.message}\n{case.advice}")


def _printable(text: str) -> str:
    """The text without control characters, which XML 1.0 does not allow and a pod's log may contain."""
    return "".join(character for character in text if character.isprintable() or character in "\n\t")
