"""The kinds of value that the configuration knows: each checks itself and says how to write it right."""

import re
from datetime import timedelta
from typing import Annotated
from urllib.parse import urlsplit

from pydantic import BeforeValidator, PlainSerializer, WithJsonSchema

from regmirror.config.durations import format_duration, parse_duration

_LABEL = r"[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?"
_HOST = re.compile(rf"{_LABEL}(\.{_LABEL})+")
_LONGEST_HOST = 190
"""The ingress chart puts the host into the name of an object, after the release's name."""
_LONGEST_UPSTREAM_NAME = 43
"""The Helm release has it after the prefix regmirror-, and Helm takes 53 characters."""
_AUTHORITY = re.compile(r"([a-z0-9._-]+|\[[0-9a-f:.]+\])(:[0-9]+)?")
_NAME = re.compile(_LABEL)
# Repository names as distribution's reference grammar has them, with docker_auth's * and ? (Go's path.Match) allowed.
_PATTERN = re.compile(r"[a-z0-9*?]([a-z0-9._*?-]*[a-z0-9*?])?(/[a-z0-9*?]([a-z0-9._*?-]*[a-z0-9*?])?)*")
_IMAGE = re.compile(r"(?P<repository>[^@\s]+?)(:(?P<tag>\w[\w.-]{0,127}))?(@(?P<digest>sha256:[0-9a-f]{64}))?")


def _host(value: object) -> str:
    text = _string(value)
    if "://" in text:
        raise ValueError(f'write the bare host name, without a scheme: "{urlsplit(text).hostname or ""}"')
    if ":" in text:
        raise ValueError(f'write the bare host name, without a port: "{text.split(":")[0]}"')
    if "/" in text:
        raise ValueError(f'write the bare host name, without a path: "{text.split("/")[0]}"')
    if not _HOST.fullmatch(text.lower()) or text.replace(".", "").isdigit():
        raise ValueError(f'"{text}" is not a full host name such as mirror.example.com')
    if len(text) > _LONGEST_HOST:
        raise ValueError(f"the host name is longer than {_LONGEST_HOST} characters")
    return text.lower()


def _url(value: object) -> str:
    text = _string(value).rstrip("/")
    # First of all, so that no other message repeats the password.
    if "@" in text:
        raise ValueError("credentials do not belong in a URL: they have keys of their own")
    parts = urlsplit(text)
    authority = parts.netloc.lower()
    if parts.scheme not in {"http", "https"} or not _AUTHORITY.fullmatch(authority) or any(map(str.isspace, text)):
        raise ValueError(f'"{text}" is not a URL such as https://registry-1.docker.io')
    if parts.path or parts.query or parts.fragment:
        raise ValueError(f'write only scheme and host: "{parts.scheme}://{authority}"')
    if parts.port == 0:
        raise ValueError("the port is 0")
    return f"{parts.scheme}://{authority}"


def _label(value: object) -> str:
    text = _string(value)
    if not _NAME.fullmatch(text):
        raise ValueError(f'"{text}" is not a name of lower-case letters, digits and "-" (63 at most)')
    return text


def _upstream_name(value: object) -> str:
    text = _label(value)
    if text in {"redis", "auth", "ingress"}:
        raise ValueError(f"an upstream cannot be named {text}: that is one of the mirror's own releases")
    if len(text) > _LONGEST_UPSTREAM_NAME:
        raise ValueError(f"the name is longer than {_LONGEST_UPSTREAM_NAME} characters")
    return text


def _repository_pattern(value: object) -> str:
    text = _string(value)
    if not _PATTERN.fullmatch(text):
        raise ValueError(f'"{text}" is not a repository name, with * and ? for what varies, such as "library/*"')
    return text


def image_parts(image: str) -> dict[str, str]:
    """Split an image reference into repository, tag and digest; a part that is absent is an empty string.

    Raises ValueError where there is neither tag nor digest: what runs must not depend on the day.
    """
    match = _IMAGE.fullmatch(image)
    if match is None or not (match["tag"] or match["digest"]):
        raise ValueError(f'"{image}" is not an image with a tag or digest, such as docker.io/library/registry:3.1.2')
    return {key: value or "" for key, value in match.groupdict().items()}


def _image(value: object) -> str:
    text = _string(value)
    image_parts(text)
    return text


def _duration(value: object) -> timedelta:
    if isinstance(value, timedelta):
        return value
    return parse_duration("0" if value == 0 and not isinstance(value, bool) else _string(value))


def _string(value: object) -> str:
    if not isinstance(value, str):
        raise ValueError(f"a string was expected, not {value!r}: put it in quotes")
    return value


def _text_schema(description: str) -> WithJsonSchema:
    return WithJsonSchema({"type": "string", "description": description})


Host = Annotated[str, BeforeValidator(_host), _text_schema("A full host name, without scheme or port.")]
Url = Annotated[str, BeforeValidator(_url), _text_schema("A scheme and a host, with a port where it is unusual.")]
Label = Annotated[str, BeforeValidator(_label), _text_schema("Lower-case letters, digits and -, 63 at most.")]
UpstreamName = Annotated[str, BeforeValidator(_upstream_name), _text_schema("Lower-case letters, digits and -.")]
Image = Annotated[str, BeforeValidator(_image), _text_schema("An image with a tag, a digest, or both.")]
RepositoryPattern = Annotated[
    str, BeforeValidator(_repository_pattern), _text_schema("A repository name; * and ? do not cross a /.")
]
Duration = Annotated[
    timedelta,
    BeforeValidator(_duration),
    PlainSerializer(format_duration),
    WithJsonSchema(
        {"anyOf": [{"type": "string"}, {"const": 0}], "description": "A duration with units: 90s, 5m, 1h30m."}
    ),
]
