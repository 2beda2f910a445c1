"""A mirror behind the real Gateway of the lab: deployed, verified, pulled from and removed, without any Ingress."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from tests.e2e.deployed_mirror import DeployedMirror, run

if TYPE_CHECKING:
    from collections.abc import Callable

pytestmark = pytest.mark.lab


def gateway(mirror: DeployedMirror, **more: Any) -> dict[str, Any]:
    """The key ``ingress.gateway`` for the Gateway of the lab."""
    if mirror.target.lab is None:
        pytest.skip("only the lab is known to have a Gateway")
    return {"parentRefs": [mirror.target.lab["gateway"]], **more}


def pull(mirror: DeployedMirror, target: Path) -> None:
    """Pull an image with crane, as a client without credentials."""
    words = ["crane", "pull", f"{mirror.host}/{mirror.target.allowed_image}", str(target)]
    outcome = run(words, mirror.directory, {"SSL_CERT_FILE": str(mirror.target.authority)})
    assert outcome.code == 0, outcome.stderr


def test_a_mirror_moves_from_an_ingress_to_a_gateway_and_works(
    new_mirror: Callable[[], DeployedMirror], tmp_path: Path
) -> None:
    mirror = new_mirror()
    assert mirror.deploy().code == 0
    mirror.change_file(ingress={"gateway": gateway(mirror)})
    outcome = mirror.deploy("-o", "json")
    assert outcome.code == 0, outcome.stderr
    moved = f"{mirror.host} moves from an Ingress to a Gateway: pulls fail until DNS points to the new address"
    assert moved in outcome.document["warnings"]
    assert mirror.objects("ingress") == []
    assert [route["spec"]["hostnames"] for route in mirror.objects("httproute")] == [[mirror.host]]
    verified = mirror.verify()
    assert verified.code == 0, verified.stdout
    pull(mirror, tmp_path / "image.tar")
    again = mirror.deploy("-o", "json")
    assert again.code == 0, again.stderr
    assert again.document["changed"] is False
    assert mirror.regmirror("diff").code == 0
    assert mirror.regmirror("destroy", "--yes").code == 0
    assert mirror.objects("httproute") == []


def test_a_route_that_nobody_accepts_is_waited_for_and_named(new_mirror: Callable[[], DeployedMirror]) -> None:
    """Traefik 3.7 knows no ListenerSets; the API server validates the object all the same."""
    mirror = new_mirror()
    mirror.change_file(ingress={"gateway": gateway(mirror, listenerSet={})})
    outcome = mirror.deploy("--timeout", "20s")
    assert outcome.code == 124, outcome.stderr
    assert f"Gateway {mirror.target.lab['gateway']['namespace']}/" in outcome.stderr  # type: ignore[index]
    assert "its controller has not answered" in outcome.stderr
    (listeners,) = mirror.objects("listenersets")
    (listener,) = listeners["spec"]["listeners"]
    assert (listener["hostname"], listener["tls"]["mode"]) == (mirror.host, "Terminate")
    assert [reference["name"] for reference in listener["tls"]["certificateRefs"]] == ["regmirror-tls"]
    assert mirror.failures()["config-gateway"].startswith("Gateway ")
    assert mirror.regmirror("destroy", "--yes").code == 0
    assert mirror.objects("listenersets") == []
