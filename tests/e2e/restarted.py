"""A mirror before and after its node is restarted: ``python -m tests.e2e.restarted before|after DIRECTORY`` in a lab.

``before`` deploys it and pulls an image; ``after`` waits until all is served again, and prints what was measured.
"""

import json
import sys
import time
from dataclasses import asdict
from pathlib import Path

from lab import setting as settings
from regmirror.errors import RegistryError
from tests.e2e.deployed_mirror import Deployment, environment_of
from tests.e2e.docker_hub import fetched, published
from tests.e2e.outage import Measured, Outage, failed_checks
from tests.e2e.pulls import NEW, SERVED, TOKEN, CachedImage, Puller, measure, seconds_until_served

NAMESPACE = "restarted"
NODE = Outage("The node is restarted (requests from then on)", lambda _: lambda: None, frozenset({"cluster-restarts"}))
PATIENCE = 60.0


def before(mirror: Deployment) -> None:
    """Deploy, and pull an image."""
    mirror.bring_certificate()
    for outcome in (mirror.init(), mirror.deploy()):
        assert outcome.code == 0, outcome.words
    image = Puller(mirror).remember(published("library/kept", mirror.directory))
    (mirror.directory / "image.json").write_text(json.dumps(asdict(image)))


def after(mirror: Deployment) -> Measured:
    """Wait until everything is served; a new stand-in for Docker Hub counts from nothing what is fetched again."""
    image = CachedImage(**json.loads((mirror.directory / "image.json").read_text()))
    puller, new = Puller(mirror), published("library/new", mirror.directory)
    began = time.monotonic()
    seconds_until_served({TOKEN: puller.asks(image)[TOKEN]}, PATIENCE)
    seconds_until_served({"registry": lambda: _renewed(puller, image.repository, "library/new")}, PATIENCE)
    asks = puller.asks(image)
    seconds_until_served(asks | {NEW: lambda: puller.pull(new)}, PATIENCE)
    recovery = time.monotonic() - began
    figures = measure(asks, {NEW: lambda: puller.pull(new)})
    checked = time.monotonic()
    failed = failed_checks(mirror)
    seconds = time.monotonic() - checked
    return Measured(NODE, figures, failed, seconds, recovery, fetched(mirror.setting, image.repository))


def _renewed(puller: Puller, *repositories: str) -> str:
    try:
        for repository in repositories:
            puller.renew(repository)
    except RegistryError as error:
        return error.message
    return SERVED


def main() -> None:
    """Do one half, in the lab that this process is in."""
    setting = settings.find()
    directory = Path(sys.argv[2])
    mirror = Deployment(setting, NAMESPACE, directory, environment_of(setting, NAMESPACE))
    if sys.argv[1] == "before":
        before(mirror)
    else:
        print(json.dumps(after(mirror).document()))  # noqa: T201


if __name__ == "__main__":
    main()
