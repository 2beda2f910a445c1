"""A mirror that each release has deployed is upgraded to this version, and back, while clients pull."""

import io
import subprocess
import sys
import tarfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import yaml

from regmirror import __version__
from tests.e2e.deployed_mirror import DeployedMirror, Outcome, run
from tests.e2e.load import Load
from tests.e2e.long_runs import LONG
from tests.e2e.waiting import await_value

pytestmark = pytest.mark.lab

ROOT = Path(__file__).parents[2]
RELEASES = {"0.1.0": "6b004f5"}
"""By version: the commit of each release."""


class EarlierVersion:
    """The command of an earlier version, and the file that its ``init`` wrote for the same mirror."""

    def __init__(self, mirror: DeployedMirror, code: Path) -> None:
        self.mirror, self.code = mirror, code
        self.file = mirror.directory / "earlier.yaml"

    def run(self, *words: str) -> Outcome:
        """Run a command of the earlier version."""
        environment = self.mirror.environment | {"PYTHONPATH": str(self.code)}
        command = [sys.executable, "-m", "regmirror", *words, f"--file={self.file}"]
        return run(command, self.mirror.directory, environment)

    def init(self) -> Outcome:
        """Write the file with the options that the earlier version has."""
        known = self.run("init", "--help").stdout
        options = [option for option in self.mirror.target.init_options if option.partition("=")[0] in known]
        chosen = [f"--host={self.mirror.host}", f"--probe-image={self.mirror.target.allowed_image}"]
        return self.run("init", "--yes", "--create-bucket", *chosen, *options)

    def deploy(self) -> Outcome:
        """Deploy the file of the earlier version."""
        return self.run("deploy", *self.mirror.target.resolve(self.mirror.host))


def code_of(version: str, directory: Path) -> Path:
    """The code of a release, from the history of this repository."""
    archive = subprocess.run(
        ["git", "-C", str(ROOT), "archive", RELEASES[version]], capture_output=True, timeout=60, check=False
    )
    if archive.returncode != 0:
        pytest.skip(f"this clone does not have the commit of {version}: git fetch --unshallow")
    with tarfile.open(fileobj=io.BytesIO(archive.stdout)) as files:
        files.extractall(directory, filter="data")
    return directory


def adopt_file(earlier: EarlierVersion) -> None:
    """Use the file of the earlier version, with what the lab needs because it has no official images."""
    mirror = earlier.mirror
    current = yaml.safe_load(mirror.file.read_text())
    content = yaml.safe_load(earlier.file.read_text())
    content |= {name: current[name] for name in ("front", "fetcher") if name in current}
    mirror.file.write_text(yaml.safe_dump(content))


@pytest.mark.parametrize("version", RELEASES)
def test_an_upgrade_and_the_way_back_fail_no_pull(
    version: str, new_mirror: Callable[[], DeployedMirror], tmp_path: Path
) -> None:
    mirror = new_mirror()
    earlier = EarlierVersion(mirror, code_of(version, tmp_path))
    for outcome in (earlier.init(), earlier.deploy()):
        assert outcome.code == 0, outcome.stderr
    adopt_file(earlier)
    notes = mirror.regmirror("upgrade-notes", "-o", "json").document
    assert (notes["from"], notes["to"]) == (version, __version__)
    assert notes["versions"]
    # A pod of 0.1.0 that stops cuts off the last bytes of slow downloads, which the kernel has not sent yet.
    with Load(mirror, with_slow_downloads=False).running() as load:
        upgraded = mirror.deploy()
        failing = mirror.failures()
        await_value(lambda: mirror.objects("pods"), lambda pods: not any(map(is_stopping, pods)))
    assert upgraded.code == 0, upgraded.stderr
    assert failing == {}
    assert_served(load)
    with Load(mirror).running() as load:
        downgraded = earlier.deploy()
    assert downgraded.code == 0, downgraded.stderr
    assert_served(load)
    if LONG:
        again = mirror.deploy()
        assert again.code == 0, again.stderr
        mirror.await_healthy()


def is_stopping(pod: dict[str, Any]) -> bool:
    return "deletionTimestamp" in pod["metadata"]


def assert_served(load: Load) -> None:
    assert load.failures == [], load.report()
    assert sum(load.counts.values()) > 0
