"""The kinds of value that the configuration knows: each checks itself and says how to write it right."""

import re
from datetime import timedelta
from typing import Annotated
from urllib.parse import urlsplit

from pydantic import BeforeValidator, PlainSerializer, WithJsonSchema

from regmirror.config.durations import format_duration, parse_duration

_LABEL = r"[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?"
_HOST = re.compile(rf"{_LABEL}(\.{_LABEL})+")
_NAME = re.compile(_LABEL)
# Repository names as distribution's reference grammar has them, with docker_auth's * and ? (Go's path.Match) allowed.
_PATTERN = re.compile(r"[a-z0-9*?]([a-z0-9._*?-]*[a-z0-9*?])?(/[a-z0-9*?]([a-z0-9._*?-]*[a-z0-9*?])?)*")

_IMAGE = re.compile(r"(?P<repository>[^@\s]+?)(:(?P<tag>\w[\w.-]{0,127}))?(@(?P<digest>sha256:[0-9a-f]{64}))?")


def _host(value: object) -> str:
    text = _string(value)
    if "://" in text:
        raise ValueError(f'write the bare host name, without a scheme: "{urlsplit(text).hostname}"')
    if ":" in text:
        raise ValueError(f'write the bare host name, without a port: "{text.split(":")[0]}"')
    if "/" in text:
        raise ValueError(f'write the bare host name, without a path: "{text.split("/")[0]}"')
    if not _HOST.fullmatch(text.lower()):
        raise ValueError(f'"{text}" is not a full host name such as mirror.example.com')
    return text.lower()


def _url(value: object) -> str:
    text = _string(value).rstrip("/")
    parts = urlsplit(text)
    if parts.scheme not in {"http", "https"} or not parts.hostname:
        raise ValueError(f'"{text}" is not a URL such as https://registry-1.docker.io')
    if parts.username or parts.password:
        raise ValueError("credentials do not belong in a URL: use the credentials keys")
    if parts.path or parts.query or parts.fragment:
        raise ValueError(f'write only scheme and host: "{parts.scheme}://{parts.netloc}"')
    return text


def _label(value: object) -> str:
    text = _string(value)
    if not _NAME.fullmatch(text):
        raise ValueError(f'"{text}" is not a name of lower-case letters, digits and "-" (63 at most)')
    return text


def _repository_pattern(value: object) -> str:
    text = _string(value)
    if "/" not in text:
        raise ValueError(
            f'"{text}" matches no repository, because every name on Docker Hub has a "/": write "{text}/*" for a '
            f'user or organisation, "library/{text}" for an official image'
        )
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
Image = Annotated[str, BeforeValidator(_image), _text_schema("An image with a tag, a digest, or both.")]
RepositoryPattern = Annotated[
    str, BeforeValidator(_repository_pattern), _text_schema("A repository name; * and ? do not cross a /.")
]
Duration = Annotated[
    timedelta,
    BeforeValidator(_duration),
    PlainSerializer(format_duration),
    _text_schema("A duration with units: 90s, 5m, 1h30m."),
]
