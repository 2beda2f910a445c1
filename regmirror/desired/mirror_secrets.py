"""The secrets of a mirror: every value that must be known before the stack is built."""

from dataclasses import dataclass, field
from typing import TypeGuard

from pydantic import SecretStr

from regmirror.config.model import Mirror, Upstream
from regmirror.config.secret_references import SecretResolver
from regmirror.signing.key_pair import KeyPair


@dataclass(frozen=True, slots=True)
class Account:
    """A user name and its password (or an access key and its secret)."""

    name: SecretStr
    password: SecretStr


@dataclass(frozen=True, slots=True)
class MirrorSecrets:
    """The resolved secrets of one mirror."""

    signing: KeyPair
    bundle: bytes
    redis_password: SecretStr
    s3: Account | None = None
    upstreams: dict[str, Account] = field(default_factory=dict)
    """By name of the upstream; those without an account are absent."""
    ca_bundles: dict[str, bytes] = field(default_factory=dict)
    """By name of the upstream: the certificates that its registry trusts, for the store too; absent without any."""
    proxy: SecretStr | None = None
    """The URL of the proxy that leads out of the cluster."""

    def redact(self, text: str) -> str:
        """The text without the secrets of the mirror, for messages of pods and Helm."""
        accounts = [account for account in (self.s3, *self.upstreams.values()) if account]
        secrets = [self.redis_password, *(account.password for account in accounts)]
        secrets += [self.proxy] if has_password(self.proxy) else []
        for value in sorted((secret.get_secret_value() for secret in secrets), key=len, reverse=True):
            text = text.replace(value, "***")
        return text


def find_upstream_account(mirror: Mirror, upstream: Upstream, resolver: SecretResolver) -> Account | None:
    """The account at an upstream; None if the configuration has none. Raises MissingSecretError."""
    credentials = upstream.credentials
    if credentials is None:
        return None
    path = f"upstreams[{mirror.upstreams.index(upstream)}].credentials"
    return Account(
        resolver.resolve(credentials.username, f"{path}.username"),
        resolver.resolve(credentials.password, f"{path}.password"),
    )


def has_password(proxy: SecretStr | None) -> TypeGuard[SecretStr]:
    """Whether the URL of a proxy is a secret."""
    return proxy is not None and "@" in proxy.get_secret_value()


def find_s3_account(mirror: Mirror, resolver: SecretResolver) -> Account | None:
    """The S3 key; None if the configuration has none. Raises MissingSecretError."""
    key = mirror.storage.access_key
    if key is None:
        return None
    return Account(
        resolver.resolve(key.id, "storage.accessKey.id"), resolver.resolve(key.secret, "storage.accessKey.secret")
    )
