"""Configuration of all tests."""

import pytest
from hypothesis import settings

# The duration of an example depends on the machine, not only on the code.
settings.register_profile("regmirror", deadline=None)
settings.load_profile("regmirror")


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption("--update-golden", action="store_true", help="overwrite tests/golden with the current output")
