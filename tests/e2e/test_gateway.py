"""A mirror behind the real Gateway of the lab, without any Ingress: deployed, verified, pulled from, removed."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from tests.e2e.deployed_mirror import DeployedMirror, run

pytestmark = pytest.mark.lab


def gateway(mirror: DeployedMirror, **more: Any) -> dict[str, Any]:
    """The section ``ingress`` for the Gateway of the lab."""
    if mirror.target.lab is None:
        pytest.skip("only the lab is known to have a Gateway")
    return {"gateway": {"parentRefs": [mirror.target.lab["gateway"]], **more}}


def pull(mirror: DeployedMirror, target: Path) -> None:
    """Pull an image with crane, as a client without credentials."""
    words = ["crane", "pull", f"{mirror.host}/{mirror.target.allowed_image}", str(target)]
    outcome = run(words, mirror.directory, {"SSL_CERT_FILE": str(mirror.target.authority)})
    assert outcome.code == 0, outcome.stderr


def healthy(mirror: DeployedMirror) -> None:
    outcome = mirror.verify()
    assert outcome.code == 0, outcome.stdout


@pytest.fixture(params=[{}, {"listenerSet": {}}], ids=["own certificate of the Gateway", "ListenerSet"])
def routed(request: pytest.FixtureRequest, new_mirror: Callable[[], DeployedMirror]) -> DeployedMirror:
    mirror = new_mirror()
    mirror.change_file(ingress=gateway(mirror, **request.param))
    outcome = mirror.deploy()
    assert outcome.code == 0, outcome.stderr
    return mirror


def test_a_mirror_behind_a_gateway_is_deployed_verified_and_pulled_from(routed: DeployedMirror, tmp_path: Path) -> None:
    assert routed.objects("ingress") == []
    assert [route["spec"]["hostnames"] for route in routed.objects("httproute")] == [[routed.host]]
    healthy(routed)
    pull(routed, tmp_path / "image.tar")
    again = routed.deploy("-o", "json")
    assert again.code == 0, again.stderr
    assert again.document["changed"] is False
    assert routed.regmirror("diff").code == 0
    assert routed.regmirror("destroy", "--yes").code == 0
    assert routed.objects("httproute") == routed.objects("listenersets") == []
