"""The secrets of a mirror: every value that must be known before the stack is built."""

from dataclasses import dataclass, field
from typing import TypeGuard

from pydantic import SecretStr

from regmirror.config.model import Mirror, Upstream
from regmirror.config.secret_references import SecretResolver
from regmirror.desired.self_signed import SelfSigned
from regmirror.desired.user_accounts import UserAccount
from regmirror.signing.key_pair import KeyPair

REDIS_CA = "redis.external.tls.caBundle"
"""The key of the file with the CA bundle of an external Redis."""
SIGN_IN_CA = "access.signIn.caBundle"
"""The key of the file with the CA bundle of the sign-in provider."""
AUTH_CERTIFICATE = "auth.external.certificate"
"""The key of the file with the certificates of an existing docker_auth."""


@dataclass(frozen=True, slots=True)
class Account:
    """A user name and its password (or an access key and its secret)."""

    name: SecretStr
    password: SecretStr


@dataclass(frozen=True, slots=True)
class SignInSecrets:
    """The secrets of ``access.signIn``."""

    client_secret: SecretStr
    database_password: SecretStr
    """Password of the database with the logins; generated."""


@dataclass(frozen=True, slots=True)
class MirrorSecrets:
    """The resolved secrets of one mirror."""

    signing: KeyPair | None
    """None if an existing docker_auth signs the tokens."""
    bundle: bytes
    redis_password: SecretStr
    """Empty if an external Redis needs none."""
    s3: Account | None = None
    upstreams: dict[str, Account] = field(default_factory=dict)
    """By name of the upstream; those without an account are absent."""
    ca_bundles: dict[str, bytes] = field(default_factory=dict)
    """By name of the upstream: the certificates that its registry trusts, for the store too; absent without any.

    By key of the file (REDIS_CA, SIGN_IN_CA, AUTH_CERTIFICATE): those that have another purpose.
    """
    proxy: SecretStr | None = None
    """The URL of the proxy that leads out of the cluster."""
    sentinel_password: SecretStr | None = None
    self_signed: SelfSigned | None = None
    """The CA and the certificates of ``ingress.selfSigned``."""
    users: tuple[UserAccount, ...] = ()
    """The accounts of ``regmirror user``."""
    sign_in: SignInSecrets | None = None

    @property
    def passwords(self) -> list[str]:
        """Every secret value except the signing key; none is empty."""
        accounts = [account for account in (self.s3, *self.upstreams.values()) if account]
        secrets = [self.redis_password, *(account.password for account in accounts)]
        secrets += [self.proxy] if has_password(self.proxy) else []
        secrets += [self.sentinel_password] if self.sentinel_password else []
        secrets += [self.sign_in.client_secret, self.sign_in.database_password] if self.sign_in else []
        secrets += [user.password_hash for user in self.users]
        return [value for secret in secrets if (value := secret.get_secret_value())]

    def redact(self, text: str) -> str:
        """The text without the secrets of the mirror, for messages of pods and Helm."""
        for value in sorted(self.passwords, key=len, reverse=True):
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
