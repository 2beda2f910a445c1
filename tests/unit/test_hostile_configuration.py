"""Any content of the file is either reported as an error or loaded, and every value is deployed unchanged."""

from __future__ import annotations

import asyncio
import base64
import copy
import json
import os
import re
import runpy
from pathlib import Path
from typing import Any

import pytest
import yaml
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from regmirror.adapters.helm import Pyhelm3Helm
from regmirror.config.load import parse_mirror
from regmirror.config.model import Mirror
from regmirror.desired.auth_config import auth_config
from regmirror.desired.registry_config import registry_config
from regmirror.desired.releases import Stack, build_stack
from regmirror.desired.secret_templates import secret_templates
from regmirror.desired.sign_in_config import sign_in_config
from regmirror.errors import ConfigurationError
from regmirror.render.files import to_yaml
from regmirror.render.fill_script import fill_script
from tests import samples
from tests.charts.helm import find_helm
from tests.unit.free_text import TEXTS

EXAMPLES = 2000 if os.environ.get("REGMIRROR_LONG") else 40
EVERY_KEY: dict[str, Any] = runpy.run_path(str(Path(__file__).parents[2] / "docs/generate_configuration.py"))[
    "example"
]()
EVERY_KEY["upstreams"].append({"name": "quay", "host": "quay.example.com", "anonymousPull": []})
TEXT = yaml.safe_dump(EVERY_KEY, sort_keys=False)
PYDANTIC = re.compile(r"Input should|String should|List should|Keys should|Value error|validation error")
PIECES = [
    "&a ", "*a", "<<: *a\n", "!!binary x", "!!set {a}", "!!omap [a: 1]", "!!python/none x", "!!int 'a'", "!!int ''",
    "!!bool maybe", "!!timestamp x", "!!map []", "!!merge x", "? [1]\n: 2\n", "- ", "\n", "  ", "{", "}", "[", "]", ":",
    ": ", "#", "|\n", "'", '"', '"\\ud800"', "\x00", "%YAML 1.1\n", "---\n", "...\n", "\t", "~", "1e400", "0x", ".nan",
    "2026-13-45", "12:30:45", "\u2028", "\ufeff", "=", "<<", "@", "`", "9" * 5000, "null", "[]", "{}", "true",
]  # fmt: skip
SCALARS = st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=9) | st.dates()
ANYTHING = st.recursive(
    SCALARS,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=9) | st.integers(), inner, max_size=3),
)


def read(text: str) -> Mirror | None:
    """The mirror of a text, None where it is refused; any other exception fails the test."""
    try:
        mirror = parse_mirror(text, "regmirror.yaml")
    except ConfigurationError as error:
        assert error.message.startswith("regmirror.yaml ")
        assert error.code == "RM100"
        assert not PYDANTIC.search(error.message)
        return None
    assert arrives(mirror)
    return mirror


def built(mirror: Mirror) -> Stack:
    return build_stack(mirror, samples.mirror_secrets(), {}, samples.NOW)


def arrives(mirror: Mirror) -> bool:
    """What is deployed and what is rendered holds the values of the mirror."""
    stack = built(mirror)
    files = {
        (manifest["metadata"]["name"], key): base64.b64decode(content)
        for manifest in stack.secrets
        for key, content in manifest["data"].items()
    }
    for upstream in mirror.upstreams:
        wanted = registry_config(mirror, upstream, samples.mirror_secrets())
        assert yaml.safe_load(files[f"regmirror-{upstream.name}-config", "config.yml"]) == wanted
    wanted = auth_config(mirror) | sign_in_config(mirror, "canary-sign-in-password")
    assert yaml.safe_load(files["regmirror-auth-config", "auth_config.yml"]) == wanted
    for release in stack.releases:
        assert yaml.safe_load(to_yaml(release.values)) == json.loads(json.dumps(release.values)) == release.values
    assert fill_script(mirror, secret_templates(mirror)).encode()
    return True


@given(st.text())
@example("{")
@example("a: &a [*a]")
def test_any_text_is_refused_or_read(text: str) -> None:
    read(text)


@given(st.binary())
@settings(suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_any_bytes_are_refused_or_read(tmp_path: Path, content: bytes) -> None:
    path = tmp_path / "regmirror.yaml"
    path.write_bytes(content)
    with pytest.raises(ConfigurationError):
        samples.read_mirror(path)


@given(st.lists(st.tuples(st.integers(0, len(TEXT)), st.sampled_from(PIECES), st.integers(0, 20)), max_size=4))
@settings(max_examples=EXAMPLES, deadline=None)
def test_a_file_with_pieces_put_in_and_taken_out_is_refused_or_read(changes: list[tuple[int, str, int]]) -> None:
    text = TEXT
    for place, piece, taken in changes:
        text = text[:place] + piece + text[place + taken :]
    read(text)


def places(value: Any, path: tuple[Any, ...] = ()) -> list[tuple[Any, ...]]:
    """The paths of everything in a document."""
    inside = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    return [path, *(found for key, inner in inside for found in places(inner, (*path, key)))]


def replaced(document: Any, path: tuple[Any, ...], value: Any) -> Any:
    document = copy.deepcopy(document)
    target = document
    for part in path[:-1]:
        target = target[part]
    target[path[-1]] = value
    return document


@given(path=st.sampled_from(places(EVERY_KEY)[1:]), value=ANYTHING)
@settings(max_examples=2 * EXAMPLES, deadline=None)
def test_any_value_at_any_key_is_refused_or_arrives(path: tuple[Any, ...], value: Any) -> None:
    read(yaml.safe_dump(replaced(EVERY_KEY, path, value)))


NO_TEXT = ["\x85", "\u2028", "\u2029", "\ufeff", "\uffff", "\x7f", "\x00", "\x1b[31m"]
HOSTILE = [
    'a"b', "a'b", "a\nb: c\n", "{{ .Values }}", "{% x %}", "${HOME}", "$(id)", "#", "- a", "*a", "&a", "!a", "%", "@",
    "`id`", "|", ">", "~", "null", "yes", "1e5", "0o17", "0x1f", "1_000", "2026-11-24", "12:30", " a ", "a\\b", "\\n",
    "\t", "\r\n", "\xa0", "\u200b", "\U0001f600", "=", "<<", "{{", "}}", "a: b # c", "---\na", "...", "[a", "{a", "a,b",
    ":",
]  # fmt: skip
FREE_TEXT = TEXTS | st.sampled_from(HOSTILE)


def with_texts(text: str) -> dict[str, Any]:
    """The file with one text wherever any text is allowed; what else is a string is a name of some grammar."""
    document = copy.deepcopy(EVERY_KEY)
    document["auth"]["issuer"] = document["storage"]["region"] = text
    document["ingress"]["annotations"] = {"example.com/note": text}
    return document


@given(FREE_TEXT)
@settings(max_examples=EXAMPLES, deadline=None)
def test_any_text_arrives_unchanged_wherever_it_is_allowed(text: str) -> None:
    mirror = read(yaml.safe_dump(with_texts(text), allow_unicode=False))
    assert mirror is not None
    values = {release.component: release.values for release in built(mirror).releases}
    assert mirror.auth.issuer == text
    assert values["ingress"]["annotations"]["example.com/note"] == text


@pytest.mark.parametrize("character", NO_TEXT)
def test_a_character_that_helm_would_change_is_refused_by_its_number(character: str) -> None:
    document = EVERY_KEY | {"auth": EVERY_KEY["auth"] | {"issuer": f"a{character}"}}
    with pytest.raises(ConfigurationError, match=rf"auth\.issuer: .* U\+{ord(character[0]):04X}"):
        parse_mirror(yaml.safe_dump(document, allow_unicode=False), "regmirror.yaml")


@pytest.mark.helm
@pytest.mark.parametrize("major", [3, 4])
def test_helm_renders_any_text_as_it_is(major: int) -> None:
    program = find_helm(major)
    if program is None:
        pytest.skip(f"no Helm {major} here: set LAB_HELM{major} to its path, or put it on PATH as helm")
    helm = Pyhelm3Helm(program.program, Path(os.devnull), "", "mirrors")
    annotations = {f"example.com/note-{number}": text for number, text in enumerate(HOSTILE)}
    ingress = built(samples.mirror(ingress={"annotations": annotations})).releases[-1]
    for found in asyncio.run(helm.render(ingress)):
        assert found["metadata"]["annotations"].items() >= annotations.items()
