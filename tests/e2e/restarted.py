"""A mirror before and after its node is restarted: ``python -m tests.e2e.restarted before|after DIRECTORY`` in a lab.

``before`` deploys it and pulls an image; ``after`` waits until everything is served again, and prints the measurement.
"""

import json
import sys
import time
from dataclasses import asdict
from pathlib import Path

from lab import target_cluster
from regmirror.errors import RegistryError
from tests.e2e.deployed_mirror import DeployedMirror, environment_of
from tests.e2e.docker_hub import fetched, published
from tests.e2e.outage import Measured, Outage, failed_checks
from tests.e2e.pulls import NEW, SERVED, TOKEN, CachedImage, Puller, measure, seconds_until_served

NAMESPACE = "restarted"
NODE = Outage("The node is restarted (requests from then on)", lambda _: lambda: None, frozenset({"cluster-restarts"}))
SECONDS = 600.0


def before(mirror: DeployedMirror) -> None:
    """Deploy, and pull an image."""
    mirror.create_tls_secret()
    for outcome in (mirror.init(), mirror.deploy()):
        assert outcome.code == 0, outcome.stderr
    image = Puller(mirror).remember(published("library/kept", mirror.directory))
    (mirror.directory / "image.json").write_text(json.dumps(asdict(image)))


def after(mirror: DeployedMirror) -> Measured:
    """Wait until everything is served; the restarted stand-in for Docker Hub counts downloads from zero."""
    image = CachedImage(**json.loads((mirror.directory / "image.json").read_text()))
    puller, new = Puller(mirror), published("library/new", mirror.directory)
    began = time.monotonic()
    seconds_until_served({TOKEN: puller.asks(image)[TOKEN]}, SECONDS)
    seconds_until_served({"registry": lambda: _renewed(puller, image.repository, "library/new")}, SECONDS)
    asks = puller.asks(image)
    seconds_until_served(asks | {NEW: lambda: puller.pull(new)}, SECONDS)
    recovery = time.monotonic() - began
    figures = measure(asks, {NEW: lambda: puller.pull(new)})
    checked = time.monotonic()
    failed = failed_checks(mirror)
    seconds = time.monotonic() - checked
    return Measured(NODE, figures, failed, seconds, recovery, fetched(mirror.target, image.repository))


def _renewed(puller: Puller, *repositories: str) -> str:
    try:
        for repository in repositories:
            puller.renew(repository)
    except RegistryError as error:
        return error.message
    return SERVED


def main() -> None:
    """Run ``before`` or ``after`` in the lab of this process."""
    target = target_cluster.find()
    directory = Path(sys.argv[2])
    mirror = DeployedMirror(target, NAMESPACE, directory, environment_of(target, NAMESPACE))
    if sys.argv[1] == "before":
        before(mirror)
    else:
        print(json.dumps(after(mirror).document()))  # noqa: T201


if __name__ == "__main__":
    main()
