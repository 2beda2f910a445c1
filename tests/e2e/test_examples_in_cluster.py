"""A real API server accepts every object of every example, custom resources included; nothing is created."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import pytest
import yaml

from tests.e2e.deployed_mirror import DeployedMirror

if TYPE_CHECKING:
    from collections.abc import Callable

pytestmark = pytest.mark.lab

EXAMPLES = sorted((Path(__file__).parents[2] / "examples").glob("*.yaml"))


@pytest.fixture(scope="module")
def namespace(new_mirror: Callable[[], DeployedMirror]) -> DeployedMirror:
    """A namespace without a mirror, in the lab: only there the kinds of the Gateway API and cert-manager are known."""
    mirror = new_mirror()
    if mirror.target.lab is None:
        pytest.skip("only the lab is known to have the definitions of the Gateway API and cert-manager")
    return mirror


@pytest.mark.parametrize("example", EXAMPLES, ids=lambda path: path.stem)
def test_the_api_server_accepts_every_object(namespace: DeployedMirror, example: Path) -> None:
    rendered = namespace.regmirror("render", "--file", str(example), REGMIRROR_NAMESPACE=namespace.namespace)
    assert rendered.code == 0, rendered.stderr
    objects = [one for one in yaml.safe_load_all(rendered.stdout) if one["kind"] != "Namespace"]
    text = yaml.safe_dump_all(objects)
    reported = namespace.kubectl("apply", "--dry-run=server", "--validate=strict", "--filename=-", stdin=text)
    assert reported.count("(server dry run)") == len(objects)
