"""The results of verify as JUnit XML, which CI systems show as tests."""

from xml.etree import ElementTree

from regmirror.config.model import Mirror
from regmirror.verify.check import Category, Failed, Result, Skipped, Warned


def junit_report(mirror: Mirror, results: list[Result]) -> str:
    """One suite for each category, one test for each check; a warning is a test that passed and said something.

    Source: the schema of the Jenkins xUnit plugin, which others read too.
    """
    root = ElementTree.Element("testsuites", {"name": f"regmirror verify {mirror.host}", **_counts(results)})
    for category in Category:
        within = [result for result in results if result.check.category is category]
        if within:
            suite = ElementTree.SubElement(root, "testsuite", {"name": category.value, **_counts(within)})
            for result in within:
                _add_case(suite, result)
    ElementTree.indent(root)
    return ElementTree.tostring(root, encoding="unicode", xml_declaration=False)


def _counts(results: list[Result]) -> dict[str, str]:
    return {
        "tests": str(len(results)),
        "failures": str(sum(isinstance(result.outcome, Failed) for result in results)),
        "skipped": str(sum(isinstance(result.outcome, Skipped) for result in results)),
        "time": f"{sum(result.seconds for result in results):.3f}",
    }


def _add_case(suite: ElementTree.Element, result: Result) -> None:
    about = f" ({result.upstream})" if result.upstream else ""
    case = ElementTree.SubElement(
        suite,
        "testcase",
        classname=result.check.id,
        name=f"{result.check.title}{about}",
        time=f"{result.seconds:.3f}",
    )
    match result.outcome:
        case Failed(message, hint):
            ElementTree.SubElement(case, "failure", message=_printable(message)).text = _printable(f"Try: {hint}")
        case Skipped(reason):
            ElementTree.SubElement(case, "skipped", message=_printable(reason))
        case Warned(message, hint):
            ElementTree.SubElement(case, "system-out").text = _printable(f"warning: {message}\nTry: {hint}")


def _printable(text: str) -> str:
    """The text without the control characters that XML 1.0 cannot hold, such as a pod's log may bring."""
    return "".join(character for character in text if character.isprintable() or character in "\n\t")
