"""A secret is looked up where its reference says; errors name the place and never the value."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from pydantic import TypeAdapter, ValidationError

from regmirror.config.secret_references import SecretReference, SecretResolver
from regmirror.errors import ExitCode, MissingSecretError

CLUSTER = {("hub", "token"): b"from-cluster", ("hub", "empty"): b"", ("hub", "binary"): b"hunter2\xff"}


def reference(value: dict[str, Any]) -> Any:
    return TypeAdapter(SecretReference).validate_python(value)


@pytest.fixture
def resolver(tmp_path: Path) -> SecretResolver:
    (tmp_path / "token").write_text("from-file\n")
    (tmp_path / "lines").write_text("a\nb\n\n")
    (tmp_path / "blank").write_text("\n")
    (tmp_path / "binary").write_bytes(b"hunter2\xff")
    (tmp_path / "folder").mkdir()
    environ = {"TOKEN": "from-environment", "BLANK": "", "BINARY": "hunter2\udcff"}
    return SecretResolver(environ, tmp_path, lambda name, key: CLUSTER.get((name, key)), "mirrors")


@pytest.mark.parametrize(
    ("where", "expected"),
    [
        ({"env": "TOKEN"}, "from-environment"),
        ({"file": "token"}, "from-file"),
        ({"file": "lines"}, "a\nb\n"),
        ({"secret": {"name": "hub", "key": "token"}}, "from-cluster"),
    ],
)
def test_a_secret_is_found(resolver: SecretResolver, where: dict[str, Any], expected: str) -> None:
    found = resolver.resolve(reference(where), "redis.password")
    assert found.get_secret_value() == expected
    assert expected not in repr(found)


def test_a_file_may_be_named_by_its_whole_path(resolver: SecretResolver, tmp_path: Path) -> None:
    where = reference({"file": str(tmp_path / "token")})
    assert resolver.resolve(where, "redis.password").get_secret_value() == "from-file"


@pytest.mark.parametrize(
    ("where", "message", "hint"),
    [
        ({"env": "ABSENT"}, "the environment variable ABSENT is not set", "export ABSENT=..."),
        ({"file": "absent"}, "the file absent does not exist", "create the file, or change redis.password"),
        (
            {"secret": {"name": "hub", "key": "absent"}},
            "the namespace has no Secret hub with a key absent",
            "kubectl create secret generic hub -n mirrors --from-file=absent=FILE",
        ),
        ({"env": "BLANK"}, "the secret is empty", "set a value, or change redis.password"),
        ({"file": "blank"}, "the secret is empty", "set a value, or change redis.password"),
        ({"secret": {"name": "hub", "key": "empty"}}, "the secret is empty", "set a value, or change redis.password"),
        ({"env": "BINARY"}, "the secret is not UTF-8 text", "store it as UTF-8 text"),
        ({"file": "binary"}, "the secret is not UTF-8 text", "store it as UTF-8 text"),
        ({"secret": {"name": "hub", "key": "binary"}}, "the secret is not UTF-8 text", "store it as UTF-8 text"),
    ],
)
def test_an_error_names_the_place(resolver: SecretResolver, where: dict[str, Any], message: str, hint: str) -> None:
    with pytest.raises(MissingSecretError) as caught:
        resolver.resolve(reference(where), "redis.password")
    assert caught.value.message == f"redis.password: {message}"
    assert str(caught.value.hint).startswith(hint)
    assert caught.value.exit_code is ExitCode.USAGE
    assert "hunter2" not in f"{caught.value!r}{caught.value.__cause__!r}"


def test_a_file_that_cannot_be_read_is_an_error(resolver: SecretResolver) -> None:
    with pytest.raises(MissingSecretError, match=r"redis\.password: cannot read the file folder: Is a directory"):
        resolver.resolve(reference({"file": "folder"}), "redis.password")


@pytest.mark.parametrize(
    "name",
    ["--kubeconfig=./evil", "../../kube-system/secrets/x", "-o", "..", "", "Upper", "a b", "a/b", "x" * 254, 5, None],
)
def test_what_no_secret_can_be_named_is_refused(name: Any) -> None:
    with pytest.raises(ValidationError) as caught:
        reference({"secret": {"name": name, "key": "password"}})
    assert caught.value.errors()[0]["msg"].endswith("expected the name of a Kubernetes Secret, such as cache")


@pytest.mark.parametrize("key", ['a" }}', "a b", "", ".", "..", "..a", "a/b", "x" * 254, 5, None])
def test_what_no_key_of_a_secret_can_be_named_is_refused(key: Any) -> None:
    with pytest.raises(ValidationError) as caught:
        reference({"secret": {"name": "cache", "key": key}})
    assert caught.value.errors()[0]["msg"].endswith("expected a key of a Kubernetes Secret, such as password")


@pytest.mark.parametrize("key", ["password", ".dockerconfigjson", "tls.key", "A-b_c.1"])
def test_every_key_that_kubernetes_accepts_is_accepted(key: str) -> None:
    assert reference({"secret": {"name": "a.b-c", "key": key}})


@pytest.mark.parametrize(
    "value", ["hunter2", {}, {"env": "A", "file": "b"}, {"vault": "hunter2"}, ["hunter2"], None, 5]
)
def test_the_error_of_an_invalid_reference_says_how_to_write_one(value: Any) -> None:
    with pytest.raises(ValidationError) as caught:
        reference(value)
    (detail,) = caught.value.errors()
    assert "{env: NAME}, {file: PATH} or {secret: {name: NAME, key: KEY}}" in detail["msg"]
    assert "hunter2" not in detail["msg"]
