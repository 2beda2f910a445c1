"""The secrets of a mirror: every value that must be known before the stack is built."""

from dataclasses import dataclass, field

from pydantic import SecretStr

from regmirror.config.model import Mirror
from regmirror.config.secret_references import SecretResolver
from regmirror.desired.self_signed import SelfSigned
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
    self_signed: SelfSigned | None = None
    """The CA and the certificates of ``ingress.selfSigned``."""

    def redact(self, text: str) -> str:
        """The text without the secrets of the mirror, for messages of pods and Helm."""
        accounts = [account for account in (self.s3, *self.upstreams.values()) if account]
        secrets = [self.redis_password, *(account.password for account in accounts)]
        for value in sorted((secret.get_secret_value() for secret in secrets), key=len, reverse=True):
            text = text.replace(value, "***")
        return text


def find_s3_account(mirror: Mirror, resolver: SecretResolver) -> Account | None:
    """The S3 key; None if the configuration has none. Raises MissingSecretError."""
    key = mirror.storage.access_key
    if key is None:
        return None
    return Account(
        resolver.resolve(key.id, "storage.accessKey.id"), resolver.resolve(key.secret, "storage.accessKey.secret")
    )
