"""Image names are parsed as people write them, with distribution's grammar."""

from __future__ import annotations

import pytest

from regmirror.distribution.reference import ImageReference
from regmirror.errors import ConfigurationError
from regmirror.verify.sample_pull import parse_image

DIGEST = "sha256:" + "0123456789abcdef" * 4


@pytest.mark.parametrize(
    ("text", "repository", "reference"),
    [
        ("alpine", "library/alpine", "latest"),
        ("alpine:3", "library/alpine", "3"),
        ("library/alpine:3", "library/alpine", "3"),
        ("docker.io/acme/tool:1.0-rc_1", "acme/tool", "1.0-rc_1"),
        ("index.docker.io/alpine", "library/alpine", "latest"),
        (f"acme/tool:1@{DIGEST}", "acme/tool", DIGEST),
        (f"acme/tool@{DIGEST}", "acme/tool", DIGEST),
        ("a.b-c__d/e/f", "a.b-c__d/e/f", "latest"),
    ],
)
def test_a_name_is_parsed(text: str, repository: str, reference: str) -> None:
    assert parse_image(text) == ImageReference(repository, reference)


@pytest.mark.parametrize(
    "text", ["", "Alpine", "alpine:", "alpine:-x", "a//b", "/a", "a/", "a b", "a@sha256:12", "https://a/b", "a._b"]
)
def test_an_invalid_name_is_refused(text: str) -> None:
    with pytest.raises(ConfigurationError, match="is not an image name such as library/alpine:3"):
        parse_image(text)


@pytest.mark.parametrize("text", ["acme/tool:1", f"acme/tool@{DIGEST}"])
def test_a_reference_is_shown_as_it_is_written(text: str) -> None:
    assert str(parse_image(text)) == text
