"""``regmirror images`` lists what the pods run, and ``imageRegistry`` is where all of it comes from."""

from __future__ import annotations

import json
import re
import shlex
from pathlib import Path
from typing import Any

import pytest
import yaml
from typer.testing import CliRunner, Result

from regmirror.cli.app import app
from regmirror.cli.connections import CommandConnections
from regmirror.config.image_registry import ImageRegistry, relocate
from regmirror.config.validation_messages import value_problem
from regmirror.desired.releases import Release
from regmirror.desired.secret_templates import secret_templates
from regmirror.render.bill_of_materials import bill_of_materials
from regmirror.render.images import _within, deployed_images
from regmirror.render.objects import releases_of
from tests import samples
from tests.golden import check_golden

DIGEST = f"sha256:{'1' * 64}"
INTERNAL = "registry.example.com/mirror"


@pytest.fixture(autouse=True)
def _file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    write()


def write(**changes: Any) -> None:
    Path("regmirror.yaml").write_text(yaml.safe_dump(samples.document(**changes)))


def run(*words: str) -> Result:
    return CliRunner().invoke(app, list(words))


def in_values(releases: list[Release]) -> set[str]:
    """Every image in the values, found as text."""
    text = json.dumps([release.values for release in releases])
    return set(re.findall(r'"repository": "([^"]+)"', text))


@pytest.mark.parametrize(
    ("image", "expected"),
    [
        ("docker.io/library/registry:3", f"{INTERNAL}/library/registry:3"),
        (f"docker.io/valkey/valkey:9@{DIGEST}", f"{INTERNAL}/valkey/valkey:9@{DIGEST}"),
        (f"quay.io/a/b/c@{DIGEST}", f"{INTERNAL}/a/b/c@{DIGEST}"),
        ("registry:3", f"{INTERNAL}/library/registry:3"),
        ("acme/tool:1", f"{INTERNAL}/acme/tool:1"),
        ("localhost:5000/tool:1", f"{INTERNAL}/tool:1"),
        (f"{INTERNAL}/library/registry:3", f"{INTERNAL}/library/registry:3"),
        ("registry.example.com/other/tool:1", f"{INTERNAL}/other/tool:1"),
    ],
)
def test_the_host_is_replaced_and_everything_else_is_kept(image: str, expected: str) -> None:
    assert relocate(image, INTERNAL) == expected
    assert relocate(expected, INTERNAL) == expected


@pytest.mark.parametrize(
    "registry", ["r.example.com", "r.example.com:5000/a/b", "localhost", "localhost:5000", "registry:5000"]
)
def test_registries(registry: str) -> None:
    assert value_problem(ImageRegistry, registry) is None


@pytest.mark.parametrize(
    ("registry", "problem"),
    [
        ("mirror", '"mirror" is not a registry such as registry.example.com'),
        ("acme/mirror", "is not a registry"),
        ("https://r.example.com/a", 'write the registry without a scheme: "r.example.com/a"'),
        ("r.example.com/a:1", "is not a registry"),
        ("r.example.com/A", "is not a registry"),
        ("r.example.com//a", "is not a registry"),
        ("-r.example.com", "is not a registry"),
    ],
)
def test_what_is_not_a_registry_is_refused(registry: str, problem: str) -> None:
    assert problem in str(value_problem(ImageRegistry, registry))


def test_every_image_of_the_releases_is_listed() -> None:
    mirror = samples.mirror(upstreams=samples.TWO_UPSTREAMS)
    images = deployed_images(mirror)
    assert {image.repository for image in images} == in_values(releases_of(mirror, secret_templates(mirror), ""))
    assert sorted(key for image in images for key in image.uses) == [
        "auth.image",
        "fetcher.image",
        "front.image",
        "redis.image",
        "registry.image",
    ]
    assert all(image.source == image.reference for image in images)


@pytest.mark.parametrize(
    ("image", "found"),
    [
        ({"repository": "a/b", "tag": 1}, {"repository": "a/b", "tag": "1", "digest": ""}),
        ({"registry": "r.io", "repository": "a/b"}, {"repository": "r.io/a/b", "tag": "", "digest": ""}),
        ("r.io/a:1", {"repository": "r.io/a", "tag": "1", "digest": ""}),
    ],
)
def test_the_images_of_other_charts_are_found(image: object, found: dict[str, str]) -> None:
    assert list(_within({"main": {"image": image}, "image": None})) == [(("main", "image"), found)]


def test_the_connections_of_a_command_have_the_images_of_the_option() -> None:
    write(imageRegistry="other.example.com")
    mirror = CommandConnections(Path("regmirror.yaml"), image_registry=INTERNAL).mirror
    assert mirror.auth.image == f"{INTERNAL}/cesanta/docker_auth:1.14.0"
    assert CommandConnections(Path("regmirror.yaml")).mirror.auth.image.startswith("other.example.com/cesanta/")


def test_an_image_with_two_uses_is_listed_once() -> None:
    mirror = samples.mirror(front={"image": "docker.io/acme/all:1"}, fetcher={"image": "docker.io/acme/all:1"})
    (shared,) = [image for image in deployed_images(mirror) if image.repository == "docker.io/acme/all"]
    assert list(shared.uses) == ["front.image", "fetcher.image"]


def test_all_images_come_from_the_image_registry_with_their_digests() -> None:
    plain, moved = (samples.mirror(**changes) for changes in ({}, {"imageRegistry": INTERNAL}))
    assert all(
        name.startswith(f"{INTERNAL}/")
        for name in in_values(releases_of(moved.relocated(), secret_templates(moved), ""))
    )
    before = {next(iter(image.uses)): image for image in deployed_images(plain)}
    for image in deployed_images(moved):
        original = before[next(iter(image.uses))]
        assert (image.tag, image.digest) == (original.tag, original.digest)
        assert image.source == original.reference


def test_the_option_replaces_the_key_and_is_the_same_in_every_command() -> None:
    write(imageRegistry="other.example.com")
    assert "other.example.com/library/registry:3.1.2" in run("images").stdout
    listed = run("images", "--image-registry", INTERNAL).stdout
    assert f"{INTERNAL}/library/registry:3.1.2" in listed
    assert "other.example.com" not in listed
    refused = run("images", "--image-registry", "mirror")
    assert refused.exit_code == 2
    assert '--image-registry: "mirror" is not a registry' in refused.stderr


def test_the_file_shows_what_it_says_and_not_what_becomes_of_it() -> None:
    write(imageRegistry=INTERNAL)
    shown = yaml.safe_load(run("config", "show", "-o", "yaml").stdout)
    assert shown["configuration"]["imageRegistry"] == INTERNAL
    assert shown["configuration"]["auth"]["image"] == "docker.io/cesanta/docker_auth:1.14.0"


@pytest.mark.parametrize("output", ["table", "yaml", "cyclonedx"])
def test_the_output_is_as_reviewed_and_always_the_same(output: str) -> None:
    write(imageRegistry=INTERNAL)
    result = run("images", "-o", output)
    assert result.exit_code == 0
    assert run("images", "-o", output).stdout == result.stdout
    suffix = {"yaml": "documents/ImageList.yaml", "cyclonedx": "images/images.cdx.json", "table": "images/images.txt"}
    check_golden(suffix[output], result.stdout)


def test_images_that_are_not_pinned_are_named() -> None:
    result = run("images")
    assert "Not pinned by digest: auth.image, fetcher.image." in result.stderr
    write(auth={"image": f"a:1@{DIGEST}"}, fetcher={"image": f"b@{DIGEST}"})
    assert run("images").stderr == ""


def test_a_bill_of_materials_has_every_image() -> None:
    mirror = samples.mirror(fetcher={"image": f"docker.io/library/python@{DIGEST}"})
    images = deployed_images(mirror)
    document = bill_of_materials(mirror.host, images)
    by_name = {component["name"]: component for component in document["components"]}
    assert document["dependencies"] == [{"ref": mirror.host, "dependsOn": [image.reference for image in images]}]
    python = by_name["docker.io/library/python"]
    assert python["purl"] == f"pkg:oci/python@sha256%3A{'1' * 64}?repository_url=docker.io/library/python"
    assert python["hashes"] == [{"alg": "SHA-256", "content": "1" * 64}]
    assert by_name["docker.io/cesanta/docker_auth"]["purl"] == (
        "pkg:oci/docker_auth?repository_url=docker.io/cesanta/docker_auth&tag=1.14.0"
    )
    other = bill_of_materials(mirror.host, images[1:])
    assert other["serialNumber"] != document["serialNumber"]


def test_the_copy_commands_name_source_and_target() -> None:
    write(imageRegistry=INTERNAL, fetcher={"image": f"docker.io/library/python@{DIGEST}"})
    crane = [shlex.split(line) for line in run("images", "--copy-with", "crane").stdout.splitlines()]
    assert ["crane", "copy", "docker.io/cesanta/docker_auth:1.14.0", f"{INTERNAL}/cesanta/docker_auth:1.14.0"] in crane
    pinned = [f"docker.io/library/python@{DIGEST}", f"{INTERNAL}/library/python@{DIGEST}"]
    assert ["crane", "copy", *pinned] in crane
    assert len(crane) == 5
    skopeo = run("images", "--copy-with", "skopeo").stdout.splitlines()
    (registry,) = [line for line in skopeo if "library/registry" in line]
    assert re.fullmatch(
        r"skopeo copy --all --preserve-digests docker://docker.io/library/registry@sha256:\w{64} "
        rf"docker://{INTERNAL}/library/registry:3.1.2",
        registry,
    )


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (["--copy-with", "crane"], "--copy-with needs a registry to copy to"),
        (["--copy-with", "crane", "-o", "json"], "--copy-with cannot be combined with -o json"),
    ],
)
def test_copying_needs_a_target_and_prints_commands(words: list[str], message: str) -> None:
    result = run("images", *words)
    assert result.exit_code == 2
    assert message in result.stderr + result.stdout
