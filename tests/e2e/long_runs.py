"""What only ``make test-long`` runs: cases that are rare, or that other tests cover in part."""

import os

import pytest

LONG = bool(os.environ.get("REGMIRROR_LONG"))
only_in_long_runs = pytest.mark.skipif(not LONG, reason="make test-long runs it")
