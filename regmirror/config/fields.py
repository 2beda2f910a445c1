"""The types of values in the configuration; each validates itself, and its error says how to write it."""

import re
from datetime import timedelta
from ipaddress import ip_network
from typing import Annotated, Final
from urllib.parse import SplitResult, urlsplit

from pydantic import BeforeValidator, PlainSerializer, WithJsonSchema

from regmirror.config.durations import format_duration, parse_duration
from regmirror.config.images import pulled_image
from regmirror.config.registry_hosts import canonical_url

HTTPS_PORT: Final = 443
"""The port of a registry whose name has none."""
_LABEL = r"[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?"
_HOST = re.compile(rf"{_LABEL}(\.{_LABEL})+")
_HOST_IN_URL = re.compile(r"(?=.*[:/])(?P<scheme>[a-z]+://)?(?P<host>[^:/@[\]\s]*)(:(?P<port>[0-9]*))?(/.*)?")
_LONGEST_HOST = 190
"""The ingress chart uses the host in the name of an object, after the name of the release."""
_LONGEST_UPSTREAM_NAME = 43
"""The Helm release is named regmirror-NAME, and Helm allows 53 characters."""
_AUTHORITY = re.compile(r"([a-z0-9._-]+|\[[0-9a-f:.]+\])(:[0-9]+)?")
_NAME = re.compile(_LABEL)
# Repository names by the grammar of distribution's reference package, plus * and ? of docker_auth, and ** as a part.
_PATTERN = re.compile(r"[a-z0-9*?]([a-z0-9._*?-]*[a-z0-9*?])?(/[a-z0-9*?]([a-z0-9._*?-]*[a-z0-9*?])?)*")
_TAGGED_PATTERN = re.compile(r"([^:@]+)[:@][^/]+")
_IMAGE = re.compile(r"(?P<repository>[^@\s]+?)(:(?P<tag>\w[\w.-]{0,127}))?(@(?P<digest>sha256:[0-9a-f]{64}))?")
# What a chart's values.schema.json accepts, and distribution's grammar of a repository.
_REPOSITORY = re.compile(
    r"([a-z0-9]([a-z0-9.-]*[a-z0-9])?(:[0-9]+)?/)?[a-z0-9]+((\.|_|__|-+)[a-z0-9]+)*(/[a-z0-9]+((\.|_|__|-+)[a-z0-9]+)*)*"
)
# https://docs.aws.amazon.com/AmazonS3/latest/userguide/bucketnamingrules.html
_BUCKET = re.compile(r"[a-z0-9][a-z0-9.-]{1,61}[a-z0-9]")
_IP_ADDRESS = re.compile(r"[0-9]+(\.[0-9]+){3}")
_PREFIX = re.compile(r"(?!(.*/)?\.\.?(/|$))/?([\w.-]+(/[\w.-]+)*/?)?")
_MEMORY_SIZE = re.compile(r"[0-9]+(kb|mb|gb)")
_NOT_A_MEMORY_SIZE = "is not a memory size such as 128mb; the units are kb, mb and gb"


def _host(value: object) -> str:
    text = _string(value)
    if match := _HOST_IN_URL.fullmatch(text):
        raise ValueError(_not_bare(match["scheme"], match["host"], match["port"]))
    if not _HOST.fullmatch(text.lower()) or text.replace(".", "").isdigit():
        raise ValueError(f'"{text}" is not a fully qualified host name such as mirror.example.com')
    if len(text) > _LONGEST_HOST:
        raise ValueError(f"the host name is longer than {_LONGEST_HOST} characters")
    return text.lower()


def _not_bare(scheme: str | None, host: str, port: str | None) -> str:
    """What to write instead of a host name with something around it."""
    if port is not None:
        return f'write the bare host name "{host}", and set the key port to {port or "the port"}'
    return f'write the bare host name, without a {"scheme" if scheme else "path"}: "{host}"'


def _url(value: object) -> str:
    text = _string(value).rstrip("/")
    # Checked first, so that no other message repeats the password.
    if "@" in text:
        raise ValueError("credentials are not allowed in a URL: use the credentials or accessKey key")
    parts = _split(text)
    if parts is None:
        raise ValueError(f'"{text}" is not a URL: write the scheme too, such as https://host.example.com')
    origin = f"{parts.scheme}://{_without_default_port(parts)}"
    if parts.path or parts.query or parts.fragment:
        raise ValueError(f'write only scheme and host: "{origin}"')
    if not _has_valid_port(parts):
        raise ValueError("the port must be from 1 to 65535")
    return origin


def _upstream_url(value: object) -> str:
    return canonical_url(_url(value))


def _split(text: str) -> SplitResult | None:
    try:
        parts = urlsplit(text)
    except ValueError:
        return None
    is_http = parts.scheme in {"http", "https"} and _AUTHORITY.fullmatch(parts.netloc.lower())
    return parts if is_http and not any(map(str.isspace, text)) else None


def _without_default_port(parts: SplitResult) -> str:
    authority = parts.netloc.lower()
    return authority.removesuffix(":443" if parts.scheme == "https" else ":80")


def _has_valid_port(parts: SplitResult) -> bool:
    try:
        return parts.port != 0
    except ValueError:
        return False


def _label(value: object) -> str:
    text = _string(value)
    if not _NAME.fullmatch(text):
        raise ValueError(f'"{text}" is not a valid name: use lowercase letters, digits and "-", at most 63 characters')
    return text


def _upstream_name(value: object) -> str:
    text = _label(value)
    if text in {"redis", "auth", "sign-in", "ingress", "certificates", "verification", "rotation"}:
        raise ValueError(f'"{text}" is reserved for a release of the mirror itself: choose another name')
    if len(text) > _LONGEST_UPSTREAM_NAME:
        raise ValueError(f"the name is longer than {_LONGEST_UPSTREAM_NAME} characters")
    return text


def _repository_pattern(value: object) -> str:
    text = _string(value)
    if _PATTERN.fullmatch(text.lower()) and text != text.lower():
        raise ValueError(f'"{text}" is not a repository pattern: names are lowercase: write "{text.lower()}"')
    if (match := _TAGGED_PATTERN.fullmatch(text)) and _PATTERN.fullmatch(match[1]):
        raise ValueError(f'"{text}" is not a repository pattern: tags cannot be limited: write "{match[1]}"')
    if not _PATTERN.fullmatch(text):
        raise ValueError(f'"{text}" is not a repository pattern such as "library/*", "acme/**" or "acme/tool"')
    mixed = next((part for part in text.split("/") if "**" in part and part != "**"), None)
    if mixed:
        raise ValueError(f'"{text}": ** must be a whole part, such as acme/**; write * instead of ** in "{mixed}"')
    return text


def image_parts(image: str) -> dict[str, str]:
    """Split an image reference into repository, tag and digest; a part that is absent is an empty string.

    Raises ValueError if there is neither a tag nor a digest: which image runs must not depend on the day.
    """
    match = _IMAGE.fullmatch(image)
    if match is None:
        raise ValueError(_not_an_image(image))
    if not (match["tag"] or match["digest"]):
        raise ValueError(f'"{image}" has no tag or digest: write for example docker.io/library/registry:3.1.2')
    return {key: value or "" for key, value in match.groupdict().items()}


def _image(value: object) -> str:
    text = _string(value)
    if not text.isascii() or not _REPOSITORY.fullmatch(image_parts(text)["repository"]):
        raise ValueError(_not_an_image(text))
    return text


def _not_an_image(text: str) -> str:
    return f'"{text}" is not a valid image name such as docker.io/library/registry:3.1.2'


def _probe_image(value: object) -> str:
    text = _string(value)
    pulled_image(text)
    return text


def _bucket(value: object) -> str:
    text = _string(value)
    if not _BUCKET.fullmatch(text) or ".." in text or _IP_ADDRESS.fullmatch(text):
        raise ValueError(
            f'"{text}" is not a valid bucket name: use 3 to 63 lowercase letters, digits, "-" and ".", '
            "with a letter or digit at both ends"
        )
    return text


def _prefix(value: object) -> str:
    text = _string(value)
    if not _PREFIX.fullmatch(text):
        raise ValueError(f'"{text}" is not a path such as mirrors/acme')
    if "/docker/registry/" in f"/{text}/":
        raise ValueError(f'"{text}" is within the data of a registry, which is below docker/registry')
    return text


def _memory_size(value: object) -> str:
    if isinstance(value, int) and not isinstance(value, bool):
        raise ValueError(f"{value} {_NOT_A_MEMORY_SIZE}")
    text = _string(value)
    if not _MEMORY_SIZE.fullmatch(text):
        raise ValueError(f'"{text}" {_NOT_A_MEMORY_SIZE}')
    return text


def network(value: object) -> str:
    """A network in CIDR notation, without spaces; raises ValueError for anything else."""
    text = _string(value)
    try:
        found = ip_network(text)
        if "%" in text:
            # Python accepts the zone of an address (fe80::%eth0), Go does not.
            raise ValueError(text)
    except ValueError:
        raise ValueError(f'"{text}" is not a network such as 10.42.0.0/16') from None
    return str(found)


def _duration(value: object) -> timedelta:
    if isinstance(value, timedelta):
        return value
    return parse_duration("0" if value == 0 and not isinstance(value, bool) else _string(value))


def _string(value: object) -> str:
    if isinstance(value, dict | list):
        raise ValueError("expected a string")
    if not isinstance(value, str):
        raise ValueError(f"expected a string, not {value!r}: put it in quotes")
    return value


def _text_schema(description: str, **rules: str | int) -> WithJsonSchema:
    return WithJsonSchema({"type": "string", "description": description, **rules})


Host = Annotated[str, BeforeValidator(_host), _text_schema("A fully qualified host name, without scheme or port.")]
Url = Annotated[str, BeforeValidator(_url), _text_schema("Scheme and host, and the port if it is not the default.")]
UpstreamUrl = Annotated[
    str, BeforeValidator(_upstream_url), _text_schema("Scheme and host of a registry, and the port if it is not 443.")
]
Label = Annotated[str, BeforeValidator(_label), _text_schema("Lowercase letters, digits and -, at most 63 characters.")]
UpstreamName = Annotated[
    str, BeforeValidator(_upstream_name), _text_schema("Lowercase letters, digits and -, at most 43 characters.")
]
Image = Annotated[str, BeforeValidator(_image), _text_schema("An image with a tag, a digest, or both.")]
RepositoryPattern = Annotated[
    str,
    BeforeValidator(_repository_pattern),
    _text_schema("A repository name; * and ? do not match a /, ** matches one or more parts."),
]
ProbeImage = Annotated[str, BeforeValidator(_probe_image), _text_schema("An image, such as library/alpine:3.")]
Bucket = Annotated[
    str,
    BeforeValidator(_bucket),
    _text_schema("Lowercase letters, digits, - and dots.", pattern=f"^{_BUCKET.pattern}$"),
]
Prefix = Annotated[str, BeforeValidator(_prefix), _text_schema("A path.", pattern=f"^{_PREFIX.pattern}$")]
MemorySize = Annotated[
    str, BeforeValidator(_memory_size), _text_schema("A number and kb, mb or gb.", pattern=f"^{_MEMORY_SIZE.pattern}$")
]
Network = Annotated[str, BeforeValidator(network), _text_schema("A network in CIDR notation, such as 10.42.0.0/16.")]
Duration = Annotated[
    timedelta,
    BeforeValidator(_duration),
    PlainSerializer(format_duration),
    WithJsonSchema(
        {"anyOf": [{"type": "string"}, {"const": 0}], "description": "A duration with units, such as 90s, 5m or 1h30m."}
    ),
]
