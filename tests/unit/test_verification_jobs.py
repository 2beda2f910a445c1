"""The jobs of the section ``verification``: what they run, with which permissions and which file."""

from __future__ import annotations

import asyncio
from pathlib import Path
from typing import Any

import pytest
import yaml

from regmirror.cli.rbac import Command, role
from regmirror.config.find_references import find_references
from regmirror.config.load import parse_mirror
from regmirror.config.model import Mirror
from regmirror.deploy.rights import deploy_rights, diff_rights
from regmirror.desired import names
from regmirror.desired.job_rights import job_rights, rights_to_grant
from regmirror.desired.jobs import configuration_file
from regmirror.desired.releases import build_stack
from regmirror.desired.rights import Right
from regmirror.errors import ConfigurationError
from regmirror.render.render import RenderOptions, render
from tests import samples
from tests.fakes.cluster import FakeCluster
from tests.fakes.helm import FakeHelm

BOTH: dict[str, Any] = {"rotation": {}}
EXAMPLES = sorted((Path(__file__).parents[2] / "examples").glob("*.yaml"))


def jobs(mirror: Mirror) -> dict[str, dict[str, Any]]:
    """The values of the releases of jobs, by name."""
    stack = build_stack(mirror, samples.mirror_secrets(), {}, samples.NOW)
    return {release.name: release.values for release in stack.releases if release.component == "job"}


def test_there_are_no_jobs_by_default() -> None:
    assert jobs(samples.mirror()) == {}
    assert rights_to_grant(samples.mirror()) == []


def test_the_key_is_replaced_only_on_request() -> None:
    assert [*jobs(samples.mirror(verification={}))] == [names.VERIFICATION]
    assert [*jobs(samples.mirror(verification=BOTH))] == [names.VERIFICATION, names.ROTATION]


def test_each_job_has_the_role_that_rbac_prints_and_verification_also_publishes() -> None:
    mirror = samples.mirror(verification=BOTH)
    assert jobs(mirror)[names.ROTATION]["rules"] == role(mirror, Command.ROTATE_CERT)["rules"]
    printed, own = role(mirror, Command.VERIFY)["rules"], jobs(mirror)[names.VERIFICATION]["rules"]
    assert [rule for rule in printed if rule not in own] == []
    added = {(verb, *rule["resources"], *rule.get("resourceNames", [])) for rule in own for verb in rule["verbs"]}
    added -= {(verb, *rule["resources"], *rule.get("resourceNames", [])) for rule in printed for verb in rule["verbs"]}
    assert added == {
        ("get", "cronjobs", names.VERIFICATION),
        ("create", "configmaps"),
        ("get", "configmaps", names.VERIFICATION_RESULT),
        ("patch", "configmaps", names.VERIFICATION_RESULT),
    }


def test_verification_changes_nothing_but_its_results() -> None:
    reading = {"get", "list"}
    rights = job_rights(samples.mirror(verification=BOTH))[names.VERIFICATION]
    changes = [right for right in rights if right.verb not in reading]
    assert changes == [
        # To talk to pods.
        Right("create", "", "pods/portforward"),
        Right("create", "", "configmaps"),
        Right("patch", "", "configmaps", names.VERIFICATION_RESULT),
    ]


def test_who_deploys_the_jobs_has_what_they_may_do() -> None:
    mirror = samples.mirror(verification=BOTH)
    for rights in (deploy_rights(mirror), diff_rights(mirror)):
        assert set(rights_to_grant(mirror)) <= set(rights)
        assert {right.resource for right in rights} >= {"cronjobs", "roles", "rolebindings", "serviceaccounts"}


@pytest.mark.parametrize("example", EXAMPLES, ids=lambda path: path.stem)
def test_the_file_of_the_job_is_that_of_the_mirror(example: Path) -> None:
    mirror = samples.read_mirror(example)
    text = configuration_file(mirror)
    assert parse_mirror(text, "regmirror.yaml") == mirror
    assert [*find_references(parse_mirror(text, "regmirror.yaml"))] == [*find_references(mirror)]


def test_a_rotation_has_time_for_old_tokens_to_expire() -> None:
    short = jobs(samples.mirror(verification=BOTH))[names.ROTATION]["deadlineSeconds"]
    long = jobs(samples.mirror(verification=BOTH, auth={"tokenLifetime": "1h"}))[names.ROTATION]["deadlineSeconds"]
    assert long - short == 55 * 60


@pytest.mark.parametrize(
    ("section", "words"),
    [
        ({"schedule": "hourly"}, "verification.schedule: expected five fields"),
        ({"schedule": "0 * * *"}, "verification.schedule: expected five fields"),
        ({"schedule": "0 * * * *\n# x"}, "verification.schedule: expected five fields"),
        ({"caBundle": {"file": "ca.pem"}}, "verification.caBundle: pods cannot read a file of this machine"),
        ({"rotation": {"schedule": 5}}, "verification.rotation.schedule: expected five fields"),
    ],
)
def test_what_a_job_cannot_use_is_refused(section: dict[str, Any], words: str) -> None:
    with pytest.raises(ConfigurationError, match=words):
        samples.mirror(verification=section)


@pytest.mark.parametrize("name", ["verification", "rotation"])
def test_an_upstream_does_not_take_the_name_of_a_job(name: str) -> None:
    upstream = samples.MINIMAL["upstreams"][0] | {"name": name}
    with pytest.raises(ConfigurationError, match="is reserved for a release"):
        parse_mirror(yaml.safe_dump(samples.document(upstreams=[upstream])), "regmirror.yaml")


def test_git_does_not_rotate_a_key() -> None:
    with pytest.raises(ConfigurationError, match=r"verification\.rotation: a mirror that Git manages"):
        asyncio.run(render(samples.mirror(verification=BOTH), FakeHelm(FakeCluster()), RenderOptions()))
