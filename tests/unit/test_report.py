"""The results of verify as a document: stable words that a program can rely on."""

from __future__ import annotations

import json

from regmirror.verify.check import Category, Check, Failed, Outcome, Passed, Result, Skipped, Warned
from regmirror.verify.report import verify_report
from tests import samples

RESULTS: dict[str, Outcome] = {
    "a": Passed("seen"),
    "b": Warned("soon over", "renew it"),
    "c": Failed("broken", "mend it"),
    "d": Skipped("needs c"),
}


def result(id_: str, outcome: Outcome, upstream: str = "") -> Result:
    return Result(Check(id_, f"title of {id_}", Category.TOKEN, lambda _: outcome), upstream, outcome)


def test_every_outcome_has_its_word() -> None:
    report = verify_report(samples.mirror(), [result(id_, outcome) for id_, outcome in RESULTS.items()])
    assert {key: report[key] for key in ("apiVersion", "kind", "host", "result")} == {
        "apiVersion": "regmirror.dev/v1alpha1",
        "kind": "VerifyReport",
        "host": "mirror.example.com",
        "result": "error",
    }
    assert [
        {key: value for key, value in entry.items() if key not in {"category", "severity", "seconds", "title"}}
        for entry in report["checks"]
    ] == [
        {"id": "a", "upstream": None, "result": "success", "message": "seen"},
        {"id": "b", "upstream": None, "result": "warning", "message": "soon over", "hint": "renew it"},
        {"id": "c", "upstream": None, "result": "error", "message": "broken", "hint": "mend it"},
        {"id": "d", "upstream": None, "result": "skipped", "message": "needs c"},
    ]
    assert json.loads(json.dumps(report)) == report


def test_a_check_of_one_upstream_names_it() -> None:
    (entry,) = verify_report(samples.mirror(), [result("a", Passed(), "quay")])["checks"]
    assert (entry["upstream"], entry["category"], entry["title"]) == ("quay", "token", "title of a")
