"""Resolves the secrets of a mirror: by reference, kept in the cluster since an earlier deployment, or new."""

import base64
import secrets
from datetime import datetime, timedelta

from pydantic import SecretStr

from regmirror.config.model import AuthComponent, Mirror
from regmirror.config.secret_references import SecretResolver
from regmirror.deploy.self_signed import find_self_signed
from regmirror.desired import names
from regmirror.desired.mirror_secrets import Account, MirrorSecrets, find_s3_account
from regmirror.ports.cluster import SECRET, Cluster, Object
from regmirror.signing.key_pair import KeyPair, generate_private_key, load_key_pair, self_signed


def read_secret(cluster: Cluster, name: str, key: str) -> bytes | None:
    """One value of a Secret in the mirror's namespace; None if the Secret or the key is missing."""
    return secret_value(cluster.get(SECRET, name), key)


def secret_value(secret: Object | None, key: str) -> bytes | None:
    """One value of a Secret; None if the Secret or the key is missing."""
    value = ((secret or {}).get("data") or {}).get(key)
    return None if value is None else base64.b64decode(value)


def resolve_secrets(cluster: Cluster, mirror: Mirror, resolver: SecretResolver, now: datetime) -> MirrorSecrets:
    """Every secret of the mirror; nothing is written.

    The signing key and a generated Redis password are kept as they are in the cluster: a new key would invalidate all
    tokens, so only rotation replaces it. Raises MissingSecretError, SigningError or CertificateAuthorityError.
    """
    upstreams = {}
    for index, upstream in enumerate(mirror.upstreams):
        if upstream.credentials:
            path = f"upstreams[{index}].credentials"
            upstreams[upstream.name] = Account(
                resolver.resolve(upstream.credentials.username, f"{path}.username"),
                resolver.resolve(upstream.credentials.password, f"{path}.password"),
            )
    redis_password = _redis_password(mirror, cluster, resolver)
    s3 = find_s3_account(mirror, resolver)
    signing = read_key_pair(cluster, names.SIGNING_SECRET) or new_signing_pair(mirror.auth, now)
    bundle = read_secret(cluster, names.BUNDLE_SECRET, "bundle.crt") or b""
    if signing.certificate_pem.strip() not in bundle:
        bundle = signing.certificate_pem + bundle
    self_signed = find_self_signed(cluster, mirror, now) if mirror.ingress.self_signed else None
    return MirrorSecrets(signing, bundle, redis_password, s3, upstreams, self_signed)


def _redis_password(mirror: Mirror, cluster: Cluster, resolver: SecretResolver) -> SecretStr:
    if mirror.redis.password:
        return resolver.resolve(mirror.redis.password, "redis.password")
    kept = read_secret(cluster, names.REDIS_SECRET, "password")
    return SecretStr(kept.decode() if kept else secrets.token_hex(24))


def read_key_pair(cluster: Cluster, secret: str) -> KeyPair | None:
    """The key pair of a Secret; None if it is missing. Raises SigningError if key and certificate do not match."""
    certificate, key = (read_secret(cluster, secret, name) for name in ("tls.crt", "tls.key"))
    return load_key_pair(certificate, key) if certificate and key else None


def new_signing_pair(auth: AuthComponent, now: datetime) -> KeyPair:
    """A new key and its certificate, as configured; ``now`` is in UTC."""
    # An hour back: the clocks of the machines that check it may differ.
    return self_signed(
        generate_private_key(auth.key_size),
        common_name=auth.issuer,
        not_before=now - timedelta(hours=1),
        lifetime=timedelta(days=auth.certificate_days),
        serial=secrets.randbits(159),
    )
