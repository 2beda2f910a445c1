"""A store that only pods can reach, on a machine whose DNS does not know it: proven from pods, whatever its name is."""

from collections.abc import Callable
from pathlib import Path

import pytest

from tests.e2e.deployed_mirror import PROGRAMS, DeployedMirror, Outcome, run
from tests.e2e.waiting import wait_until

pytestmark = pytest.mark.lab

# The files that resolve host names are replaced for one process and its children.
WITH_NAMES = 'mount -n --bind "$1" /etc/hosts && mount -n --bind "$2" /etc/resolv.conf && shift 2 && exec "$@"'
POD = "regmirror-store-proxy"


class Laptop:
    """Runs commands on a machine that knows the upstream and the API server, but not the store."""

    def __init__(self, mirror: DeployedMirror, directory: Path) -> None:
        self.mirror = mirror
        self.hosts, self.resolver = directory / "hosts", directory / "resolv.conf"
        assert mirror.target.lab is not None
        address, hub = mirror.target.lab["address"], mirror.target.lab["hosts"]["hub"]
        self.hosts.write_text(f"127.0.0.1 localhost\n{address} {hub}\n")
        self.resolver.write_text("")

    def regmirror(self, *words: str) -> Outcome:
        """Run a command for the mirror."""
        private = ["unshare", "--mount", "--propagation=private", "sh", "-c", WITH_NAMES, "laptop"]
        names = [str(self.hosts), str(self.resolver)]
        command = [str(PROGRAMS / "regmirror"), *words, *self.mirror.target.resolve(self.mirror.host)]
        return run([*private, *names, *command], self.mirror.directory, self.mirror.environment)


@pytest.fixture(scope="module")
def laptop(new_mirror: Callable[[], DeployedMirror], tmp_path_factory: pytest.TempPathFactory) -> Laptop:
    """A mirror that was deployed from a machine which cannot reach its store; deploy creates the bucket."""
    mirror = new_mirror()
    if mirror.target.lab is None:
        pytest.skip("on another cluster, this machine reaches the store")
    made = Laptop(mirror, tmp_path_factory.mktemp("laptop"))
    outcome = made.regmirror("deploy", "-o", "json")
    assert outcome.code == 0, outcome.stderr
    (bucket,) = (step for step in outcome.document["steps"] if step["name"] == "bucket")
    assert bucket["detail"].endswith("created, checked from a pod")
    return made


def test_a_second_deployment_changes_nothing_and_leaves_no_pod(laptop: Laptop) -> None:
    outcome = laptop.regmirror("deploy", "-o", "json")
    assert outcome.code == 0, outcome.stderr
    assert outcome.document["changed"] is False
    wait_until(lambda: POD not in [pod["metadata"]["name"] for pod in laptop.mirror.objects("pods")])


def test_verify_proves_the_store_from_the_pods(laptop: Laptop) -> None:
    outcome = laptop.regmirror("verify", "-o", "json")
    checks = {check["id"]: check for check in outcome.document["checks"]}
    assert outcome.code == 0, outcome.stdout
    assert checks["storage-bucket"]["result"] == "skipped"
    assert "1 pod can: see storage-pods" in checks["storage-bucket"]["message"]
    assert {checks[id_]["result"] for id_ in ("storage-pods", "cache-hit")} == {"success"}


def test_a_store_that_nobody_reaches_is_not_called_healthy(laptop: Laptop) -> None:
    before = laptop.mirror.file.read_text()
    laptop.mirror.change_file(storage={"endpoint": "http://nowhere.lab.invalid:9000"})
    try:
        outcome = laptop.regmirror("deploy")
        assert outcome.code != 0
        assert "neither this machine nor a pod can reach the store" in " ".join(outcome.stderr.split())
    finally:
        laptop.mirror.file.write_text(before)
    assert laptop.regmirror("verify", "--category", "storage", "-o", "json").code == 0
