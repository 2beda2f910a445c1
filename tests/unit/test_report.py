"""The results of verify as a document that programs can rely on."""

from __future__ import annotations

import json

from regmirror.errors.documentation import check_url
from regmirror.verify.check import Category, Check, Failed, Outcome, Passed, Result, Skipped, Warned
from regmirror.verify.report import verify_report
from tests import samples

RESULTS: dict[str, Outcome] = {
    "a": Passed("seen"),
    "b": Warned("expires soon", "renew it"),
    "c": Failed("broken", "fix it"),
    "d": Skipped("c did not pass"),
}


def result(id_: str, outcome: Outcome, upstream: str = "") -> Result:
    return Result(Check(id_, f"title of {id_}", Category.TOKEN, lambda _: outcome), upstream, outcome)


def test_every_outcome_has_its_result() -> None:
    report = verify_report(samples.mirror(), "prod", [result(id_, outcome) for id_, outcome in RESULTS.items()])
    assert {key: report[key] for key in ("apiVersion", "kind", "host", "namespace", "context", "result")} == {
        "apiVersion": "regmirror.dev/v1alpha1",
        "kind": "VerifyReport",
        "host": "mirror.example.com",
        "namespace": "regmirror",
        "context": "prod",
        "result": "error",
    }
    assert [
        {key: value for key, value in entry.items() if key in {"id", "upstream", "result", "message", "hint"}}
        for entry in report["checks"]
    ] == [
        {"id": "a", "upstream": None, "result": "success", "message": "seen"},
        {"id": "b", "upstream": None, "result": "warning", "message": "expires soon", "hint": "renew it"},
        {"id": "c", "upstream": None, "result": "error", "message": "broken", "hint": "fix it"},
        {"id": "d", "upstream": None, "result": "skipped", "message": "c did not pass"},
    ]
    assert json.loads(json.dumps(report)) == report


def test_a_check_of_one_upstream_names_it() -> None:
    (entry,) = verify_report(samples.mirror(), "prod", [result("a", Passed(), "quay")])["checks"]
    assert (entry["upstream"], entry["category"], entry["title"]) == ("quay", "token", "title of a")
    assert entry["documentation"] == check_url("a", "token")
