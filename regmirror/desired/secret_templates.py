"""The Secrets of a mirror as templates: with a placeholder for each secret value.

A template is made from the manifest that ``deploy`` applies: markers replace the values, and placeholders the markers.
"""

import base64
import hashlib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from types import MappingProxyType

from pydantic import SecretStr

from regmirror.config.model import Mirror
from regmirror.config.secret_references import SecretReference
from regmirror.desired import names
from regmirror.desired.account_rules import has_account_rules
from regmirror.desired.mirror_secrets import AUTH_CERTIFICATE, Account, MirrorSecrets, SignInSecrets
from regmirror.desired.secrets import AUTH_CONFIG_KEY, Manifest, configuration_secrets
from regmirror.signing.key_pair import KeyPair

REDIS_PASSWORD = "redis-password"  # noqa: S105 - the name of a value
SENTINEL_PASSWORD = "sentinel-password"  # noqa: S105 - the name of a value
PROXY_URL = "proxy-url"
CLIENT_SECRET = "sign-in-client-secret"  # noqa: S105 - the name of a value
SIGN_IN_PASSWORD = "sign-in-password"  # noqa: S105 - the name of a value
USERS = "users"
"""The accounts; their place is in docker_auth's configuration, whose lines of ``users`` they become."""
SIGNING_KEY = "signing-key"
SIGNING_CERTIFICATE = "signing-certificate"
SIGNING_BUNDLE = "signing-bundle"


_ANONYMOUS_USER = '"users":\n  ? ""\n  : {}\n'


@dataclass(frozen=True, slots=True)
class SecretValue:
    """A secret value: its name, the configuration key that refers to it, and the reference.

    Without a reference the value is generated: a random password, the signing key.
    """

    name: str
    key_path: str
    reference: SecretReference | None = None


@dataclass(frozen=True, slots=True)
class Placeholder:
    """The place of a value, in double quotes (of YAML, JSON and redis.conf) or without quotes."""

    value: str
    quoted: bool


Template = tuple[str | Placeholder, ...]
"""A text with placeholders."""


@dataclass(frozen=True, slots=True)
class SecretTemplate:
    """One Secret; ``files`` has the template of each of its keys."""

    name: str
    type: str
    labels: dict[str, str]
    files: dict[str, Template]

    @property
    def placeholders(self) -> tuple[str, ...]:
        """The names of the secret values in it; none if it has no secret values."""
        values = (part.value for parts in self.files.values() for part in parts if isinstance(part, Placeholder))
        return tuple(dict.fromkeys(values))

    @property
    def version(self) -> str:
        """A digest of the template, which contains no secret value."""
        content = repr([self.name, sorted(self.files.items())])
        return hashlib.sha256(content.encode()).hexdigest()[:16]


def secret_values(mirror: Mirror) -> list[SecretValue]:
    """Every secret value of the mirror."""
    signing = (SIGNING_KEY, SIGNING_CERTIFICATE, SIGNING_BUNDLE)
    values = [SecretValue(name, "auth") for name in signing if not mirror.auth.external]
    values += _redis_values(mirror)
    key = mirror.storage.access_key
    if key:
        values.append(SecretValue("s3-access-key-id", "storage.accessKey.id", key.id))
        values.append(SecretValue("s3-access-key-secret", "storage.accessKey.secret", key.secret))
    for index, upstream in enumerate(mirror.upstreams):
        if upstream.credentials and not upstream.credentials.follows_secrets:
            path = f"upstreams[{index}].credentials"
            values.append(SecretValue(f"{upstream.name}-username", f"{path}.username", upstream.credentials.username))
            values.append(SecretValue(f"{upstream.name}-password", f"{path}.password", upstream.credentials.password))
    if (proxy := mirror.egress.https_proxy) and not isinstance(proxy, str):
        values.append(SecretValue(PROXY_URL, "egress.httpsProxy", proxy))
    if sign_in := mirror.access.sign_in:
        path = f"access.signIn.{sign_in.name}.clientSecret"
        values.append(SecretValue(CLIENT_SECRET, path, sign_in.provider.client_secret))
        values.append(SecretValue(SIGN_IN_PASSWORD, "access.signIn"))
    if has_account_rules(mirror):
        values.append(SecretValue(USERS, "upstreams[].rules"))
    return values


def _redis_values(mirror: Mirror) -> list[SecretValue]:
    external = mirror.redis.external
    if external is None:
        return [SecretValue(REDIS_PASSWORD, "redis.password", mirror.redis.password)]
    values = []
    if external.password:
        values.append(SecretValue(REDIS_PASSWORD, "redis.external.password", external.password))
    if external.sentinel and external.sentinel.password:
        path = "redis.external.sentinel.password"
        values.append(SecretValue(SENTINEL_PASSWORD, path, external.sentinel.password))
    return values


def secret_templates(mirror: Mirror, ca_bundles: Mapping[str, bytes] = MappingProxyType({})) -> list[SecretTemplate]:
    """Every Secret of the mirror, in the order in which ``deploy`` applies them; equal input gives equal templates.

    ``ca_bundles`` has the certificates that each registry trusts, by the name of its upstream.
    """
    markers = _markers(mirror)
    manifests = configuration_secrets(mirror, _marked_secrets(mirror, markers, ca_bundles))
    keys = _foreign_keys(ca_bundles) if mirror.auth.external else _own_keys()
    templates = [*keys, *(_template(manifest, markers) for manifest in manifests)]
    return [_with_users(template) for template in templates] if has_account_rules(mirror) else templates


def _with_users(template: SecretTemplate) -> SecretTemplate:
    """The template of docker_auth's configuration with a place for accounts; others as they are."""
    if template.name != names.AUTH_SECRET:
        return template
    parts = [part for whole in template.files[AUTH_CONFIG_KEY] for part in _with_place(whole)]
    return replace(template, files={**template.files, AUTH_CONFIG_KEY: tuple(parts)})


def _with_place(part: str | Placeholder) -> Iterator[str | Placeholder]:
    """The part, with the place of the accounts after the anonymous user if it is in this part."""
    if isinstance(part, Placeholder) or _ANONYMOUS_USER not in part:
        yield part
        return
    before, anonymous, after = part.partition(_ANONYMOUS_USER)
    yield before + anonymous
    yield Placeholder(USERS, False)
    yield after


def _own_keys() -> list[SecretTemplate]:
    return [
        SecretTemplate(
            names.SIGNING_SECRET,
            "kubernetes.io/tls",
            names.labels("auth"),
            {"tls.crt": (Placeholder(SIGNING_CERTIFICATE, False),), "tls.key": (Placeholder(SIGNING_KEY, False),)},
        ),
        _bundle(Placeholder(SIGNING_BUNDLE, False)),
    ]


def _foreign_keys(ca_bundles: Mapping[str, bytes]) -> list[SecretTemplate]:
    """The certificates of an existing docker_auth are public, and known already."""
    return [_bundle(ca_bundles.get(AUTH_CERTIFICATE, b"").decode())]


def _bundle(content: str | Placeholder) -> SecretTemplate:
    return SecretTemplate(names.BUNDLE_SECRET, "Opaque", names.labels("registry"), {"bundle.crt": (content,)})


def _markers(mirror: Mirror) -> dict[str, str]:
    """A text for each value that is not in the configuration: letters and digits, which no format escapes."""
    whole = mirror.model_dump_json()
    seed = hashlib.sha256(whole.encode()).hexdigest()
    while seed in whole:
        seed = hashlib.sha256(seed.encode()).hexdigest()
    return {value.name: f"{seed}x{number}x" for number, value in enumerate(secret_values(mirror))}


def _marked_secrets(mirror: Mirror, markers: dict[str, str], ca_bundles: Mapping[str, bytes]) -> MirrorSecrets:
    def account(name: str, password: str) -> Account:
        return Account(SecretStr(markers[name]), SecretStr(markers[password]))

    s3 = account("s3-access-key-id", "s3-access-key-secret") if mirror.storage.access_key else None
    upstreams = {
        upstream.name: account(f"{upstream.name}-username", f"{upstream.name}-password")
        for upstream in mirror.upstreams
        if upstream.credentials and not upstream.credentials.follows_secrets
    }
    proxy = mirror.egress.https_proxy
    return MirrorSecrets(
        KeyPair(b"", b""),
        b"",
        SecretStr(markers.get(REDIS_PASSWORD, "")),
        s3,
        upstreams,
        dict(ca_bundles),
        SecretStr(proxy if isinstance(proxy, str) else markers[PROXY_URL]) if proxy else None,
        SecretStr(markers[SENTINEL_PASSWORD]) if SENTINEL_PASSWORD in markers else None,
        sign_in=_marked_sign_in(markers) if mirror.access.sign_in else None,
    )


def _marked_sign_in(markers: dict[str, str]) -> SignInSecrets:
    return SignInSecrets(SecretStr(markers[CLIENT_SECRET]), SecretStr(markers[SIGN_IN_PASSWORD]))


def _template(manifest: Manifest, markers: dict[str, str]) -> SecretTemplate:
    metadata = manifest["metadata"]
    files = {
        key: tuple(_parts(base64.b64decode(content).decode(), markers)) for key, content in manifest["data"].items()
    }
    return SecretTemplate(metadata["name"], manifest["type"], metadata["labels"], files)


def _parts(text: str, markers: dict[str, str]) -> Iterator[str | Placeholder]:
    """The text, with a placeholder for each marker and the quotes around it."""
    positions = [(text.index(marker), name, marker) for name, marker in markers.items() if marker in text]
    if not positions:
        if text:
            yield text
        return
    at, name, marker = min(positions)
    before, after = text[:at], text[at + len(marker) :]
    quoted = before.endswith('"') and after.startswith('"')
    if quoted:
        before, after = before[:-1], after[1:]
    if before:
        yield before
    yield Placeholder(name, quoted)
    yield from _parts(after, markers)
