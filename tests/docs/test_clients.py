"""What docs/reference/clients.md says of clients is what the tests expect of them."""

import json
from collections import Counter

from tests.docs.markdown import DOCS
from tests.e2e.client_cases import CASES

RECORD = json.loads((DOCS / "clients.json").read_text())


def test_what_is_recorded_is_what_the_tests_expect() -> None:
    recorded = Counter(tuple(row[key] for key in ("client", "case", "trusted", "result", "leaked")) for row in RECORD)
    expected = Counter((case.client, case.action, case.trusted, str(case.result), case.leaked) for case in CASES)
    assert recorded == expected, "run: make clients"


def test_docker_io_was_asked_for_nothing_while_the_mirror_was_used() -> None:
    used = [row for row in RECORD if row["result"] == "from the mirror"]
    assert used
    assert [row for row in used if row["dockerIo"]] == []
