"""The report on a running mirror: what was pulled and refused is on it, with what the bucket holds."""

from pathlib import Path
from typing import Any

import pytest

from regmirror.verify.sample_pull import parse_image
from tests.e2e.crane_user import CraneUser
from tests.e2e.deployed_mirror import DeployedMirror
from tests.e2e.layer import offered
from tests.e2e.waiting import DEPENDS_ON_MACHINE, await_value

pytestmark = pytest.mark.lab
DENIED = "somebody-else/private"
LAYER_BYTES = 300_000


def report(mirror: DeployedMirror, *options: str) -> Any:
    outcome = mirror.regmirror("report", "-o", "json", *mirror.target.resolve(mirror.host), *options)
    assert outcome.code == 0, outcome.stdout + outcome.stderr
    return outcome.document


def test_what_is_pulled_and_refused_is_counted(mirror: DeployedMirror, tmp_path: Path) -> None:
    repository = parse_image(mirror.target.allowed_image).repository
    user = CraneUser(mirror, tmp_path)
    assert user.pull(mirror.target.allowed_image).code == 0
    before = rank(report(mirror, "--no-verify"), "pulled").get(repository, 0)
    assert user.pull(mirror.target.allowed_image).code == 0
    assert user.pull(f"{DENIED}:1").code != 0
    found = await_value(lambda: report(mirror, "--no-verify"), lambda document: DENIED in rank(document, "refused"))
    assert rank(found, "pulled")[repository] > before
    assert DENIED not in rank(found, "pulled")


def test_what_is_cached_has_its_size(mirror: DeployedMirror, tmp_path: Path) -> None:
    layer = offered(mirror, tmp_path, LAYER_BYTES)
    assert layer.is_intact(layer.pull())
    # The registry writes a layer to the bucket when all of it has arrived.
    contents = await_value(
        lambda: report(mirror, "--no-verify")["upstreams"][0]["contents"],
        lambda contents: cached(contents).get(layer.repository, {"bytes": 0})["bytes"] >= layer.size,
    )
    assert contents["complete"] is True
    assert cached(contents)[layer.repository]["tags"] == 1
    assert DENIED not in cached(contents)


def cached(contents: Any) -> dict[str, Any]:
    return {one["name"]: one for one in contents["repositories"]}


def rank(document: Any, name: str) -> dict[str, int]:
    return {one["name"]: one["count"] for one in document["upstreams"][0]["ranking"].get(name, [])}


def test_the_page_of_a_healthy_mirror_names_no_failing_check(mirror: DeployedMirror, tmp_path: Path) -> None:
    page = tmp_path / "page.html"
    document = report(mirror, "--output-file", str(page))
    found = {check["id"] for check in document["checks"] if check["result"] in {"error", "warning"}}
    assert found <= DEPENDS_ON_MACHINE, document["checks"]
    assert document["health"] in {"healthy", "attention"}
    verdict = {"healthy": "Healthy", "attention": "Serving, but needs attention"}[document["health"]]
    assert f'<p class="verdict {document["health"]}" id="verdict">{verdict}</p>' in page.read_text()
