"""The commands that the demo prints can be pasted into a shell."""

from __future__ import annotations

import shlex
from pathlib import Path
from typing import Any

import pytest

from demo import tour
from lab.target_cluster import TargetCluster


def target(**options: Any) -> TargetCluster:
    given = {
        "context": "production",
        "domain": "example.com",
        "environment": {},
        "init_options": [],
        "allowed_image": "library/busybox:1",
        "refused_image": "grafana/grafana:latest",
    }
    return TargetCluster(**{**given, **options})


def test_the_next_command_is_accepted(capsys: pytest.CaptureFixture[str]) -> None:
    tour._show_next_steps(target(), "mirror.example.com")
    (line,) = [line.strip() for line in capsys.readouterr().out.splitlines() if "regmirror " in line]
    words = shlex.split(line)
    assert words[:3] == ["regmirror", "verify", "-f"]
    assert words[-4:] == ["--context", "production", "-n", tour.NAMESPACE]


def test_the_secret_is_created_in_the_namespace_of_the_mirror(monkeypatch: pytest.MonkeyPatch) -> None:
    shown: list[str] = []
    monkeypatch.setattr(tour, "run", lambda *_, **options: shown.append(options["shown"]))
    tour._create_certificate(target(certificate=Path("tls.crt"), key=Path("tls.key")), {})
    create_namespace, create_secret = shown[0].split("\n$ ")
    assert create_namespace.split()[-3:] == ["create", "namespace", tour.NAMESPACE]
    assert create_secret.startswith(f"kubectl --context production -n {tour.NAMESPACE} create secret tls ")
    assert create_secret.endswith("--cert=tls.crt --key=tls.key")
