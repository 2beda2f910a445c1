"""Both major versions of Helm accept the charts and render the same."""

from __future__ import annotations

import pytest

from .cases import CHARTS, RENDERED
from .helm import DIRECTORY, Helm


@pytest.mark.parametrize("case", RENDERED)
def test_lint_reports_nothing(helm: Helm, case: str) -> None:
    done = helm.lint(*RENDERED[case])
    assert done.returncode == 0, done.stdout
    assert "[WARNING]" not in done.stdout


@pytest.mark.parametrize("case", RENDERED)
def test_both_majors_render_the_same(helm3: Helm, helm4: Helm, case: str) -> None:
    rendered = helm3.render(*RENDERED[case])
    assert rendered
    assert rendered == helm4.render(*RENDERED[case])


@pytest.mark.parametrize("case", RENDERED)
def test_rendering_twice_gives_the_same_text(helm: Helm, case: str) -> None:
    first, second = (helm.template(*RENDERED[case]) for _ in range(2))
    assert first.returncode == 0
    assert first.stdout == second.stdout


@pytest.mark.parametrize("chart", CHARTS)
def test_notes_name_the_next_command(helm4: Helm, chart: str) -> None:
    # Helm 3 requests the version of a cluster even in a client-side dry run.
    done = helm4.run("install", "mirror", str(DIRECTORY / chart), "--dry-run=client", "--namespace", "images")
    assert done.returncode == 0, done.stderr
    notes = done.stdout.split("NOTES:\n")[1]
    assert "kubectl --namespace images " in notes
