"""Runs the Go tests of the Docker Hub stand-in."""

import shutil
import subprocess

import pytest

from .conftest import STAND_INS


def test_its_own_tests_pass() -> None:
    if shutil.which("go") is None:
        pytest.skip("there is no go on PATH")
    done = subprocess.run(["go", "test", "./..."], cwd=STAND_INS, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
