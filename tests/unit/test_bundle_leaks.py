"""No secret survives in a support bundle, however a program or a person spells it."""

from __future__ import annotations

import base64
import html
import json
import re
from pathlib import Path
from typing import Any
from urllib.parse import quote, quote_plus, unquote_plus

import pytest
import yaml
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from regmirror.desired import names
from regmirror.ports.cluster import Object
from regmirror.support.bundle import Bundle
from regmirror.support.collect import Sources, collect
from regmirror.support.redact import Redactor
from tests import samples
from tests.unit.deployed import Deployed, deployed

# Not the replacement itself; and no characters that YAML cannot hold.
CHARACTERS = st.characters(
    exclude_categories=["Cs", "Cn", "Co"], exclude_characters="*\ufeff\ufffe\uffff", codec="utf-8"
)
WORDS = st.lists(st.text(st.sampled_from("abcXYZ019'\"\\ä€😀:#-@%&+{}[]|>!`~,"), min_size=1, max_size=12), max_size=20)
SECRET = st.one_of(
    st.text(CHARACTERS, min_size=8, max_size=120),
    WORDS.map(" ".join),
    WORDS.map("\n".join),
    WORDS.map("  \n\n ".join),
    st.text("a'\"\\ ä", min_size=60, max_size=200),
).map(lambda text: text.strip())
STYLES: list[dict[str, Any]] = [
    {"default_style": style, "allow_unicode": unicode, "width": width}
    for style in (None, "'", '"', "|", ">")
    for unicode in (True, False)
    for width in (20, 80, 2**31)
]
PART = 8
"""As many characters of a secret in a row are never left, not even encoded."""
SETTINGS = settings(max_examples=150, deadline=None, suppress_health_check=[HealthCheck.filter_too_much])


def is_secret(text: str) -> bool:
    return len(text) >= 8 and not set(text) <= set("*")


def spellings(secret: str) -> list[str]:
    """A document with the secret as different programs write it, in a line of a log."""
    return [
        secret,
        json.dumps(secret),
        json.dumps(secret, ensure_ascii=False),
        json.dumps(json.dumps({"inner": secret})),
        repr(secret),
        ascii(secret),
        repr(secret.encode()),
        quote(secret),
        quote(secret, safe=""),
        quote_plus(secret),
        html.escape(secret),
        base64.b64encode(f"user:{secret}".encode()).decode(),
        secret.replace("\n", "\n    "),
        *(yaml.safe_dump({"a": {"b": [secret]}}, **style) for style in STYLES),
    ]


def strings(part: Any) -> list[str]:
    if isinstance(part, dict):
        return [text for pair in part.items() for item in pair for text in strings(item)]
    if isinstance(part, list):
        return [text for item in part for text in strings(item)]
    return [str(part)]


def decoded(text: str) -> list[str]:
    """The text, and what a reader makes of what is left of a URL or of Base64."""
    runs = re.findall(r"[A-Za-z0-9+/_-]{8,}", text)
    shifted = [run[shift:] for run in runs for shift in range(4)]
    found = [base64.b64decode(run[: len(run) // 4 * 4], "-_" if {*"-_"} & {*run} else None) for run in shifted]
    return [text, unquote_plus(text), *(content.decode(errors="replace") for content in found)]


def collapsed(text: str) -> str:
    return " ".join(text.split())


def documents(path: str, text: str) -> list[Any]:
    if path.endswith(".json"):
        return [json.loads(text)]
    return list(yaml.safe_load_all(text)) if path.endswith(".yaml") else []


def assert_free_of(secret: str, files: dict[str, str]) -> None:
    for path, text in files.items():
        found = [text, *strings(documents(path, text))]
        assert not any(secret in one for one in found), path
        assert not any(collapsed(secret) in collapsed(one) for one in found), path


@SETTINGS
@given(SECRET.filter(is_secret))
@example("000000\x850")
def test_no_spelling_survives_in_a_text(secret: str) -> None:
    redactor = Redactor([secret])
    for text in spellings(secret):
        redacted = redactor.redact(f"before {text} after")
        assert secret not in redacted
        assert "***" in redacted, text
        parts = [secret[start : start + PART] for start in range(len(secret) - PART + 1)]
        assert not any(part in left for left in decoded(redacted) for part in parts), text


@SETTINGS
@given(SECRET.filter(is_secret))
def test_no_spelling_survives_in_a_document(secret: str) -> None:
    bundle = Bundle(Redactor([secret]))
    document = {"plain": secret, "in a list": [f"with {secret}", {secret: 1}], "encoded": json.dumps({"a": secret})}
    bundle.add_yaml("objects.yaml", [document, document])
    bundle.add_json("report.json", document)
    assert_free_of(secret, bundle.files)


@SETTINGS
@given(SECRET.filter(is_secret), st.sampled_from(STYLES))
def test_no_spelling_survives_in_a_file_that_a_person_wrote(secret: str, style: dict[str, Any]) -> None:
    bundle = Bundle(Redactor([secret]))
    written = yaml.safe_dump({"host": "mirror", "annotations": {"a": secret, "b": [secret, "end"]}}, **style)
    bundle.add_yaml_source("regmirror.yaml", f"# a comment\n{written}# the end\n")
    assert_free_of(secret, bundle.files)
    assert bundle.files["regmirror.yaml"].startswith("# a comment\n")
    assert yaml.safe_load(bundle.files["regmirror.yaml"])["host"] == "mirror"


@pytest.mark.parametrize("path", sorted(Path("examples").glob("**/*.yaml")), ids=str)
def test_a_file_without_secrets_stays_as_it_is(path: Path) -> None:
    bundle = Bundle(Redactor(["canary-secret"]))
    bundle.add_yaml_source("regmirror.yaml", path.read_text())
    assert bundle.files["regmirror.yaml"] == path.read_text()
    assert bundle.redactor.count == 0


def opaque(secret: str) -> Object:
    data = {"value": base64.b64encode(secret.encode()).decode()}
    return {"apiVersion": "v1", "kind": "Secret", "metadata": {"name": "of-others"}, "type": "Opaque", "data": data}


def mirror_with(secret: str) -> Deployed:
    """A mirror that repeats the secret wherever a bundle looks."""
    mirror = deployed()
    mirror.cluster.put(opaque(secret))
    labels = {"app.kubernetes.io/part-of": "regmirror", "app.kubernetes.io/instance": names.registry("docker-hub")}
    for kind in ("Pod", "ConfigMap"):
        metadata = {"name": "regmirror-leaky", "labels": labels, "annotations": {"note": f"see {secret}"}}
        container = {"name": "main", "args": [f"--flag={secret}"], "env": [{"name": "URL", "value": secret}]}
        spec = {"spec": {"containers": [container]}, "status": {}} if kind == "Pod" else {"data": {"a": secret}}
        mirror.cluster.put({"apiVersion": "v1", "kind": kind, "metadata": metadata, **spec})
    mirror.cluster.logs["regmirror-leaky", False] = "\n".join(spellings(secret))
    return mirror


@pytest.mark.parametrize(
    "secret",
    [
        "it's-a-secret-9",
        "pässwörtlich9",
        "correct horse battery staple " * 5 + "end",
        "two lines\n  of 'a' \"secret\"",
        'back\\slash "quoted" \\n',
        "12345678",
        "key: value # no",
    ],
)
def test_no_spelling_survives_in_a_whole_bundle(secret: str) -> None:
    mirror = mirror_with(secret)
    source = yaml.safe_dump({**samples.document(), "ingress": {"annotations": {"a.b/c": secret}}})
    nothing: Any = dict
    bundle = collect(Sources(mirror.live(), "regmirror.yaml", source, nothing, list, nothing, set))
    assert {"logs/regmirror-leaky/main.log", "objects/Pod.yaml", "objects/ConfigMap.yaml"} <= bundle.files.keys()
    assert_free_of(secret, {**bundle.files, "OMITTED.txt": "\n".join(bundle.omitted)})
