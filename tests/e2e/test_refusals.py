"""Who is refused reads why, in the tools that people use; and ``regmirror why`` gives the same answer."""

from __future__ import annotations

import json
import os
import subprocess
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.e2e.deployed_mirror import PROGRAMS, DeployedMirror, Outcome, run
from tests.e2e.waiting import await_value

pytestmark = pytest.mark.lab

CONTACT = "Ann's $team (team@example.com)"
RESTRICTED = {"allowPrivilegeEscalation": False, "capabilities": {"drop": ["ALL"]}}
UNPRIVILEGED = {"runAsNonRoot": True, "runAsUser": 1000, "seccompProfile": {"type": "RuntimeDefault"}}


@pytest.fixture(scope="module")
def guarded(new_mirror: Callable[[], DeployedMirror]) -> DeployedMirror:
    """A mirror that says whom to ask."""
    made = new_mirror()
    if not made.target.is_lab:
        pytest.skip("containerd of the node and crane are only available in the lab")
    made.change_file(access={"contact": CONTACT})
    outcome = made.deploy()
    assert outcome.code == 0, outcome.stderr
    return made


@pytest.fixture
def node(guarded: DeployedMirror) -> Iterator[Path]:
    """The lab's containerd trusts the mirror, for images with its own name."""
    assert guarded.target.lab is not None
    target = Path(guarded.target.lab["containerd_certs"]) / guarded.host / "hosts.toml"
    target.parent.mkdir(parents=True)
    target.write_text(f'server = "https://{guarded.host}"\nca = "{guarded.target.authority}"\n')
    yield target
    target.unlink()
    target.parent.rmdir()


@pytest.mark.usefixtures("node")
def test_describe_pod_says_why_an_image_is_refused(guarded: DeployedMirror) -> None:
    image = f"{guarded.host}/{guarded.target.refused_image}"
    container = {"name": "refused", "image": image, "imagePullPolicy": "Always", "securityContext": RESTRICTED}
    overrides = {"spec": {"securityContext": UNPRIVILEGED, "containers": [container]}}
    guarded.kubectl("run", "refused", f"--image={image}", "--restart=Never", f"--overrides={json.dumps(overrides)}")
    reason = f"no rule allows {guarded.target.refused_image.partition(':')[0]}; ask {CONTACT}"
    try:
        described = await_value(lambda: guarded.kubectl("describe", "pod", "refused"), lambda text: "Failed" in text)
    finally:
        guarded.kubectl("delete", "pod", "refused", "--now", "--wait=false")
    assert reason in described


def test_crane_shows_the_reason_and_the_contact(guarded: DeployedMirror, tmp_path: Path) -> None:
    words = ["crane", "manifest", f"{guarded.host}/{guarded.target.refused_image}"]
    pulled = run(words, tmp_path, {"SSL_CERT_FILE": str(guarded.target.authority)})
    assert pulled.code != 0
    assert f"; ask {CONTACT}" in pulled.stderr


def why(mirror: DeployedMirror, image: str, *options: str) -> Outcome:
    return mirror.regmirror("why", image, "-o", "json", *mirror.target.resolve(mirror.host), *options)


def of(outcome: Outcome) -> Any:
    assert outcome.code in {0, 1}, outcome.stderr
    return outcome.document


def test_why_agrees_with_the_mirror_and_knows_its_cache(guarded: DeployedMirror) -> None:
    image = guarded.target.allowed_image
    before = of(why(guarded, image))
    assert (before["allowed"], before["difference"], before["atUpstream"]["state"]) == (True, None, "public")
    assert guarded.verify("--check", "registry-manifest").code == 0
    after = of(why(guarded, image))
    assert (after["cache"]["stale"], after["cache"]["served"], after["pulls"]) == (False, True, 0)
    assert after["cache"]["digest"] == after["atUpstream"]["digest"]
    refused = why(guarded, guarded.target.refused_image)
    assert (refused.code, refused.document["mirror"]["allowed"]) == (1, False)


def test_why_counts_no_pull(guarded: DeployedMirror) -> None:
    """What is not cached is not fetched."""
    repository = guarded.target.allowed_image.partition(":")[0]
    digest = "sha256:" + "0" * 64
    missing = of(why(guarded, f"{repository}@{digest}"))
    assert (missing["cache"], missing["atUpstream"]["state"]) == (None, "missing")


def test_a_rule_that_is_not_deployed_is_found_out(guarded: DeployedMirror) -> None:
    repository = guarded.target.refused_image.partition(":")[0]
    text = guarded.file.read_text()
    guarded.change_upstream(anonymousPull=["library/*", "acme/*", repository])
    try:
        found = why(guarded, guarded.target.refused_image)
    finally:
        guarded.file.write_text(text)
    assert (found.code, found.document["rule"]["allowed"]) == (1, True)
    assert "runs with other rules" in found.document["difference"]["message"]
    assert "regmirror deploy" in found.document["difference"]["hint"]


def test_an_account_is_asked_for_with_its_password(guarded: DeployedMirror) -> None:
    image = guarded.target.refused_image
    text = guarded.file.read_text()
    guarded.change_upstream(rules=[{"allow": [image.partition(":")[0]], "groups": ["platform"]}])
    try:
        assert guarded.deploy().code == 0
        added = guarded.regmirror("user", "add", "ci", "--group", "platform", "--generate", "-o", "json")
        assert added.code == 0, added.stderr
        found = why_as("ci", added.document["generatedPassword"], guarded, image)
        assert found.code == 0, found.stderr
        report = found.document
        assert (report["mirror"]["allowed"], report["difference"], report["client"]["groups"]) == (
            True,
            None,
            ["platform"],
        )
        assert why(guarded, image).document["otherRules"][0]["clients"] == "group platform"
        wrong = why_as("ci", "wrong", guarded, image)
        assert (wrong.code, wrong.document["error"]["code"]) == (3, "RM137")
    finally:
        guarded.file.write_text(text)


def why_as(user: str, password: str, mirror: DeployedMirror, image: str) -> Outcome:
    """Ask with a password on standard input."""
    words = [image, "--user", user, "--password-stdin", "-o", "json", *mirror.target.resolve(mirror.host)]
    done = subprocess.run(
        [str(PROGRAMS / "regmirror"), "why", *words],
        cwd=mirror.directory,
        env=os.environ | mirror.environment,
        input=f"{password}\n",
        capture_output=True,
        text=True,
        check=False,
    )
    return Outcome(done.returncode, done.stdout, done.stderr)
