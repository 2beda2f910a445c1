"""The results of verify as JUnit XML, which CI systems display as tests."""

from collections.abc import Sequence
from xml.etree import ElementTree

from regmirror.config.model import Mirror
from regmirror.verify.check import Category
from regmirror.verify.report import CheckReport


def junit_report(mirror: Mirror, checks: Sequence[CheckReport]) -> str:
    """One suite for each category and one test for each check; a warning is a passed test with output.

    Source: the schema of the Jenkins xUnit plugin, which other CI systems read as well.
    """
    root = ElementTree.Element("testsuites", {"name": f"regmirror verify {mirror.endpoint}", **_counts(checks)})
    for category in Category:
        within = [check for check in checks if check.category == category.value]
        if within:
            suite = ElementTree.SubElement(root, "testsuite", {"name": category.value, **_counts(within)})
            for check in within:
                _add_case(suite, check)
    ElementTree.indent(root)
    return ElementTree.tostring(root, encoding="unicode", xml_declaration=False)


def _counts(checks: Sequence[CheckReport]) -> dict[str, str]:
    return {
        "tests": str(len(checks)),
        "failures": str(sum(check.result == "error" for check in checks)),
        "skipped": str(sum(check.result == "skipped" for check in checks)),
        "time": f"{sum(check.seconds for check in checks):.3f}",
    }


def _add_case(suite: ElementTree.Element, check: CheckReport) -> None:
    name = check.title + (f" ({check.upstream})" if check.upstream else "")
    case = ElementTree.SubElement(suite, "testcase", classname=check.id, name=name, time=f"{check.seconds:.3f}")
    advice = f"Try: {check.hint}\nSee: {check.documentation}" if check.hint else f"See: {check.documentation}"
    match check.result:
        case "error":
            failure = ElementTree.SubElement(case, "failure", message=_printable(check.message))
            failure.text = _printable(advice)
        case "skipped":
            ElementTree.SubElement(case, "skipped", message=_printable(check.message))
        case "warning":
            output = ElementTree.SubElement(case, "system-out")
            output.text = _printable(f"warning: {check.message}\n{advice}")


def _printable(text: str) -> str:
    """The text without control characters, which XML 1.0 does not allow and a pod's log may contain."""
    return "".join(character for character in text if character.isprintable() or character in "\n\t")
