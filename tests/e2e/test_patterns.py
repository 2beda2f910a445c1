"""Clients pull what ``**`` allows at every depth, and nothing that ``deny`` refuses."""

from __future__ import annotations

import subprocess
from collections.abc import Callable
from pathlib import Path

import pytest
import yaml

from lab import addresses
from tests.e2e.deployed_mirror import DeployedMirror, Outcome, run

pytestmark = pytest.mark.lab

ALLOWED = ("acme/tool:1", "acme/team/tool:1", "acme/a/b/c/tool:1")
REFUSED = (
    "acme/internal/tool:1",
    "acme/internal/a/tool:1",
    "acme/team/tool-dev:1",
    "acme-2/tool:1",
    "outside/forbidden:1",
)


@pytest.fixture
def nested(new_mirror: Callable[[], DeployedMirror]) -> DeployedMirror:
    """A mirror of an upstream whose names have up to five parts."""
    mirror = new_mirror()
    if not mirror.target.is_lab:
        pytest.skip("only the lab has an upstream with such names")
    for name in (*ALLOWED, *REFUSED):
        copy = [
            "crane",
            "copy",
            "--insecure",
            f"{addresses.HUB_STORAGE}/acme/tool:1",
            f"{addresses.HUB_STORAGE}/{name}",
        ]
        if name not in ("acme/tool:1", "outside/forbidden:1"):
            subprocess.run(copy, check=True, capture_output=True)
    return mirror


def pull(mirror: DeployedMirror, image: str, directory: Path) -> Outcome:
    words = ["crane", "pull", f"{mirror.host}/{image}", str(directory / "image.tar")]
    return run(words, directory, {"SSL_CERT_FILE": str(mirror.target.authority)})


def test_two_stars_and_deny(nested: DeployedMirror, tmp_path: Path) -> None:
    (upstream,) = yaml.safe_load(nested.file.read_text())["upstreams"]
    patterns = {"anonymousPull": ["library/*", "acme/**"], "deny": ["acme/internal/**", "**/*-dev"]}
    nested.change_file(upstreams=[upstream | patterns])
    outcome = nested.deploy()
    assert outcome.code == 0, outcome.stderr
    for image in ALLOWED:
        pulled = pull(nested, image, tmp_path)
        assert pulled.code == 0, pulled.stderr
    for image in REFUSED:
        refused = pull(nested, image, tmp_path)
        assert refused.code != 0
        assert "DENIED: no rule allows" in refused.stderr
    verified = nested.verify("--image", "acme/a/b/c/tool:1")
    assert verified.code == 0, verified.stdout
    denied = nested.verify("--image", "acme/internal/tool:1", "--category", "clients")
    assert denied.code == 1
    assert "deny[0] refuses acme/internal/tool (acme/internal/**)" in denied.stdout
