"""The real Helm adapter over a program that stands in for Helm: cancellation, and what each of Helm's words becomes."""

from __future__ import annotations

import asyncio
import gc
import os
from collections.abc import Callable
from pathlib import Path

import pytest

from regmirror.adapters.helm import Pyhelm3Helm
from regmirror.config.find_references import secret_variables
from regmirror.desired.assets import chart_directory
from regmirror.desired.flavors import ChartSource
from regmirror.desired.releases import Release
from regmirror.errors import ChartError, HelmError, HelmMissingError
from regmirror.ports.helm import DeployedRelease
from tests import samples

RELEASE = Release("regmirror-redis", "redis", ChartSource(chart_directory("redis")), {"note": "canary-value"})
Program = Callable[[str], Pyhelm3Helm]


@pytest.fixture
def program(tmp_path: Path) -> Program:
    """Gives a Helm that runs these lines of shell."""

    def write(lines: str) -> Pyhelm3Helm:
        path = tmp_path / "helm"
        path.write_text(f"#!/bin/sh\n{lines}\n")
        path.chmod(0o755)
        return Pyhelm3Helm(str(path), Path("some.kubeconfig"), "prod", "mirrors")

    return write


def failing(program: Program, words: str) -> Pyhelm3Helm:
    return program(f'[ "$1" = version ] && echo v3.17.0 && exit\ncat <<EOF >&2\n{words}\nEOF\nexit 1')


@pytest.mark.parametrize(("text", "version"), [("v3.17.3", (3, 17)), ("v4.0.1+g1", (4, 0)), ("3.20.0", (3, 20))])
def test_a_version_is_read(program: Program, text: str, version: tuple[int, int]) -> None:
    assert asyncio.run(program(f"echo {text}").version()) == version


@pytest.mark.parametrize("text", ["v3.16.9", "v2.17.0", "", "something else"])
def test_a_version_that_is_too_old_or_none_is_refused(program: Program, text: str) -> None:
    with pytest.raises(HelmMissingError, match=r"3\.17 or newer is required"):
        asyncio.run(program(f"echo '{text}'").version())


@pytest.mark.parametrize(
    ("words", "kind", "message"),
    [
        ("Error: context deadline exceeded", HelmError, "helm upgrade failed: context deadline exceeded"),
        (
            "WARNING: kubeconfig is group-readable\nlevel=warn msg=x\nError: first\nsecond\n",
            HelmError,
            "helm upgrade failed: first\n  second",
        ),
        ("", HelmError, "helm upgrade failed: no reason given"),
        (
            "Error: UPGRADE FAILED: another operation (install/upgrade/rollback) is in progress",
            HelmError,
            "helm upgrade failed: UPGRADE FAILED: another operation (install/upgrade/rollback) is in progress",
        ),
        (
            "Error: values don't meet the specifications of the schema(s) in the following chart(s):",
            ChartError,
            "cannot render a chart: values don't meet the specifications",
        ),
        ("Error: Chart.yaml file is missing", ChartError, "cannot render a chart: Chart.yaml file is missing"),
    ],
)
def test_a_failure_is_told_in_helms_words(program: Program, words: str, kind: type[HelmError], message: str) -> None:
    with pytest.raises(HelmError) as caught:
        asyncio.run(failing(program, words).upgrade(RELEASE))
    assert type(caught.value) is kind
    assert caught.value.message.startswith(message)


def test_anything_that_stops_a_rendering_is_the_charts_fault(program: Program) -> None:
    with pytest.raises(ChartError, match="cannot render a chart: something"):
        asyncio.run(failing(program, "Error: something").render(RELEASE))


def test_a_rendering_that_is_no_yaml_is_the_charts_fault(program: Program) -> None:
    with pytest.raises(ChartError, match="cannot parse the manifest from Helm"):
        asyncio.run(program("echo 'note: !!merge <<'").render(RELEASE))


def test_a_rendering_that_is_no_object_is_no_helm(program: Program) -> None:
    with pytest.raises(ChartError, match="something other than Kubernetes objects"):
        asyncio.run(program("echo v3.17.3").render(RELEASE))


def test_a_release_that_helm_does_not_know_is_none(program: Program) -> None:
    assert asyncio.run(failing(program, "Error: release: not found").find("absent")) is None


def test_the_newest_revision_is_read(program: Program) -> None:
    helm = program("""echo '[{"revision": 4, "status": "pending-upgrade"}]'""")
    assert asyncio.run(helm.find("regmirror-redis")) == DeployedRelease(4, "pending-upgrade")


def test_values_travel_on_standard_input(program: Program, tmp_path: Path) -> None:
    """Every user of the machine may read the words of a command line."""
    helm = program(
        f'[ "$1" = version ] && echo v3.17.0 && exit\n'
        f'echo "$@" > {tmp_path}/words\ncat > {tmp_path}/input\necho \'{{"version": 7}}\''
    )
    assert asyncio.run(helm.upgrade(RELEASE)) == 7
    words = (tmp_path / "words").read_text()
    assert "canary-value" in (tmp_path / "input").read_text()
    assert "canary-value" not in words
    assert "--kubeconfig some.kubeconfig --kube-context prod" in words
    assert "--namespace mirrors" in words


def test_helm_does_not_get_the_secrets_that_the_file_names(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("HUB_TOKEN", "REDIS_PASSWORD", "AWS_SECRET_ACCESS_KEY", "HTTPS_PROXY"):
        monkeypatch.setenv(name, "canary")
    path = tmp_path / "helm"
    path.write_text(f"#!/bin/sh\nenv > {tmp_path}/environment\necho v3.17.0\n")
    path.chmod(0o755)
    key = {"id": {"env": "AWS_ACCESS_KEY_ID"}, "secret": {"env": "AWS_SECRET_ACCESS_KEY"}}
    account = {"username": {"env": "HUB_USER"}, "password": {"env": "HUB_TOKEN"}}
    mirror = samples.mirror(
        storage={**samples.MINIMAL["storage"], "accessKey": key},
        upstreams=[{**samples.MINIMAL["upstreams"][0], "credentials": account}],
        redis={"password": {"env": "REDIS_PASSWORD"}},
    )
    helm = Pyhelm3Helm(str(path), None, "prod", "mirrors", secret_variables(mirror))
    assert asyncio.run(helm.version()) == (3, 17)
    passed = {line.partition("=")[0] for line in (tmp_path / "environment").read_text().splitlines()}
    assert {"PATH", "HTTPS_PROXY"} <= passed
    # A credential plugin of the kubeconfig may need it.
    assert "AWS_SECRET_ACCESS_KEY" in passed
    assert not {"HUB_TOKEN", "REDIS_PASSWORD"} & passed


def test_a_cancelled_command_ends_at_once_and_leaves_no_process(program: Program, tmp_path: Path) -> None:
    started = tmp_path / "started"
    os.mkfifo(started)
    helm = program(f"echo $$ > {started}\nexec sleep 60")

    async def cancel_when_started() -> int:
        task = asyncio.create_task(helm.version())
        process = int(await asyncio.to_thread(started.read_text))
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await asyncio.wait_for(task, 5)
        return process

    process = asyncio.run(cancel_when_started())
    with pytest.raises(ProcessLookupError):
        os.kill(process, 0)


def test_a_command_that_is_cancelled_after_its_end_leaves_no_open_pipe(
    program: Program, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    started = tmp_path / "started"
    os.mkfifo(started)
    # A plugin of Helm may keep the pipes for longer than Helm runs.
    helm = program(f"sleep 1 &\necho $$ > {started}")
    unclosed: list[object] = []
    monkeypatch.setattr("sys.unraisablehook", lambda problem: unclosed.append(problem.exc_value))

    async def cancel_when_ended() -> None:
        task = asyncio.create_task(helm.version())
        process = Path("/proc") / (await asyncio.to_thread(started.read_text)).strip()
        while process.exists():
            await asyncio.sleep(0.01)
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task

    asyncio.run(cancel_when_ended())
    gc.collect()
    assert unclosed == []
