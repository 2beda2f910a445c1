"""The image of the release in a pod: any user, no right, nothing writable."""

from __future__ import annotations

import json
from collections.abc import Callable

import pytest

from regmirror import __version__
from tests.e2e.deployed_mirror import DeployedMirror
from tests.e2e.tool_image import import_tool_image
from tests.e2e.waiting import await_value

pytestmark = pytest.mark.lab
HARDENED = {
    "allowPrivilegeEscalation": False,
    "capabilities": {"drop": ["ALL"]},
    "readOnlyRootFilesystem": True,
}


def test_the_image_runs_for_any_user_where_nothing_is_writable(new_mirror: Callable[[], DeployedMirror]) -> None:
    """A namespace with Pod Security "restricted" takes it as it is: its user is a number other than 0."""
    mirror = new_mirror()
    if not mirror.target.is_lab:
        pytest.skip("only the lab builds images from files")
    image = import_tool_image()
    mirror.kubectl("label", "namespace", mirror.namespace, "pod-security.kubernetes.io/enforce=restricted")
    for name, user in (("own-user", {}), ("another-user", {"runAsUser": 12345})):
        run(mirror, name, image, ["--version"], user)
        assert mirror.kubectl("logs", name) == f"regmirror {__version__}\n"
    run(mirror, "validates", image, ["config", "schema"], {})
    assert json.loads(mirror.kubectl("logs", "validates"))["$schema"]


def run(mirror: DeployedMirror, name: str, image: str, arguments: list[str], user: dict[str, int]) -> None:
    """Run a pod until it ends; a failure has its log."""
    security = {"runAsNonRoot": True, "seccompProfile": {"type": "RuntimeDefault"}, **user}
    container = {"name": "regmirror", "image": image, "args": arguments, "securityContext": HARDENED}
    spec = {
        "restartPolicy": "Never",
        "automountServiceAccountToken": False,
        "securityContext": security,
        "containers": [container],
    }
    pod = {"apiVersion": "v1", "kind": "Pod", "metadata": {"name": name}, "spec": spec}
    mirror.kubectl("apply", "-f", "-", stdin=json.dumps(pod))
    ended = ("get", f"pod/{name}", "-o=jsonpath={.status.phase}")
    phase = await_value(lambda: mirror.kubectl(*ended), lambda found: found in ("Succeeded", "Failed"))
    assert phase == "Succeeded", mirror.kubectl("logs", name)
