"""Golden files: the exact text that a user sees, kept in tests/golden so that a change of wording shows in review."""

import os
from pathlib import Path

DIRECTORY = Path(__file__).parent / "golden"


def check_golden(name: str, text: str) -> None:
    """Assert that ``text`` is the content of a golden file; ``REGMIRROR_UPDATE_GOLDEN=1`` writes it instead."""
    path = DIRECTORY / name
    if os.environ.get("REGMIRROR_UPDATE_GOLDEN"):
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)
    assert path.is_file(), f"{path} is missing: run the test with REGMIRROR_UPDATE_GOLDEN=1, then read it"
    assert text == path.read_text()
