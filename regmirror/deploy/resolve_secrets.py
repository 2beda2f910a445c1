"""Resolves the secrets of a mirror: by reference, kept in the cluster since an earlier deployment, or new."""

import base64
import secrets
from datetime import datetime, timedelta

from pydantic import SecretStr

from regmirror.config.ca_bundle import CaBundleResolver
from regmirror.config.client_secret import check_client_secret
from regmirror.config.model import AuthComponent, Mirror
from regmirror.config.secret_references import SecretResolver
from regmirror.deploy.self_signed import find_self_signed
from regmirror.desired import names
from regmirror.desired.mirror_secrets import (
    AUTH_CERTIFICATE,
    MirrorSecrets,
    SignInSecrets,
    find_s3_account,
    find_upstream_account,
)
from regmirror.desired.secret_contents import secret_data
from regmirror.desired.user_accounts import NO_ACCOUNTS_IN_CHART, UserAccount, parse_accounts
from regmirror.desired.ways_out import resolve_ca_bundles, resolve_proxy
from regmirror.errors import AccountError, SigningError
from regmirror.ports.cluster import CONFIG_MAP, SECRET, Cluster, Object
from regmirror.signing.bundle import parse_bundle, trusted_keys
from regmirror.signing.key_pair import KeyPair, generate_private_key, load_key_pair, self_signed


def read_secret(cluster: Cluster, name: str, key: str) -> bytes | None:
    """One value of a Secret in the mirror's namespace; None if the Secret or the key is missing."""
    return secret_value(cluster.get(SECRET, name), key)


def read_config_map(cluster: Cluster, name: str, key: str) -> bytes | None:
    """One value of a ConfigMap in the mirror's namespace; None if the ConfigMap or the key is missing."""
    found = cluster.get(CONFIG_MAP, name) or {}
    text, binary = ((found.get(field) or {}).get(key) for field in ("data", "binaryData"))
    return base64.b64decode(binary) if binary is not None else None if text is None else str(text).encode()


def secret_value(secret: Object | None, key: str) -> bytes | None:
    """One value of a Secret; None if the Secret or the key is missing."""
    value = ((secret or {}).get("data") or {}).get(key)
    return None if value is None else base64.b64decode(value)


def resolve_secrets(
    cluster: Cluster, mirror: Mirror, resolver: SecretResolver, ca_bundles: CaBundleResolver, now: datetime
) -> MirrorSecrets:
    """Every secret of the mirror; nothing is written.

    The signing key and generated passwords are kept as they are in the cluster: a new key would invalidate all
    tokens, so only rotation replaces it. Raises MissingSecretError, ClientSecretError, CaBundleError, SigningError,
    CertificateAuthorityError, AccountError or DamagedAccountError.
    """
    accounts = {upstream.name: find_upstream_account(mirror, upstream, resolver) for upstream in mirror.upstreams}
    upstreams = {name: account for name, account in accounts.items() if account}
    redis_password = _redis_password(mirror, cluster, resolver)
    s3 = find_s3_account(mirror, resolver)
    ca, proxy = resolve_ca_bundles(mirror, ca_bundles), resolve_proxy(mirror, resolver)
    if mirror.verification and mirror.verification.ca_bundle:
        # Only the pods of the jobs read it, and without it they never start.
        ca_bundles.resolve(mirror.verification.ca_bundle, "verification.caBundle")
    signing, bundle = _foreign_keys(ca) if mirror.auth.external else _own_keys(cluster, mirror, now)
    sentinel = _sentinel_password(mirror, resolver)
    own = find_self_signed(cluster, mirror, now) if mirror.ingress.self_signed else None
    users, sign_in = find_users(cluster, mirror), _sign_in(mirror, cluster, resolver)
    return MirrorSecrets(signing, bundle, redis_password, s3, upstreams, ca, proxy, sentinel, own, users, sign_in)


def find_users(cluster: Cluster, mirror: Mirror) -> tuple[UserAccount, ...]:
    """The accounts of ``regmirror user``; none with an existing docker_auth. Raises AccountError or
    DamagedAccountError.
    """
    users = () if mirror.auth.external else parse_accounts(secret_data(cluster.get(SECRET, names.USERS_SECRET) or {}))
    if users and mirror.auth.chart:
        raise AccountError(
            f"auth.chart: {NO_ACCOUNTS_IN_CHART}, and the mirror has accounts",
            hint="remove auth.chart, or the accounts: "
            f"kubectl -n {cluster.namespace} delete secret {names.USERS_SECRET}",
        )
    return users


def _own_keys(cluster: Cluster, mirror: Mirror, now: datetime) -> tuple[KeyPair, bytes]:
    """The signing key pair and the trust bundle."""
    signing = read_key_pair(cluster, names.SIGNING_SECRET) or new_signing_pair(mirror.auth, now)
    bundle = read_secret(cluster, names.BUNDLE_SECRET, "bundle.crt") or b""
    return signing, bundle if signing.certificate_pem.strip() in bundle else signing.certificate_pem + bundle


def _foreign_keys(ca_bundles: dict[str, bytes]) -> tuple[None, bytes]:
    """The trust bundle of an existing docker_auth, whose keys only it has. Raises SigningError."""
    bundle = ca_bundles[AUTH_CERTIFICATE]
    if len(trusted_keys(bundle)) < len(parse_bundle(bundle)):
        raise SigningError(
            f"{AUTH_CERTIFICATE}: the registry accepts RSA keys only, and a certificate is for another kind of key",
            hint="let docker_auth sign with an RSA key, or remove the other certificates",
        )
    return None, bundle


def _redis_password(mirror: Mirror, cluster: Cluster, resolver: SecretResolver) -> SecretStr:
    if external := mirror.redis.external:
        reference = external.password
        return resolver.resolve(reference, "redis.external.password") if reference else SecretStr("")
    if mirror.redis.password:
        return resolver.resolve(mirror.redis.password, "redis.password")
    kept = read_secret(cluster, names.REDIS_SECRET, "password")
    return SecretStr(kept.decode() if kept else secrets.token_hex(24))


def _sign_in(mirror: Mirror, cluster: Cluster, resolver: SecretResolver) -> SignInSecrets | None:
    sign_in = mirror.access.sign_in
    if sign_in is None:
        return None
    key_path = f"access.signIn.{sign_in.name}.clientSecret"
    client_secret = resolver.resolve(sign_in.provider.client_secret, key_path)
    check_client_secret(sign_in, client_secret.get_secret_value(), key_path)
    kept = read_secret(cluster, names.SIGN_IN_SECRET, "password")
    return SignInSecrets(client_secret, SecretStr(kept.decode() if kept else secrets.token_hex(24)))


def _sentinel_password(mirror: Mirror, resolver: SecretResolver) -> SecretStr | None:
    sentinel = mirror.redis.external.sentinel if mirror.redis.external else None
    reference = sentinel.password if sentinel else None
    return resolver.resolve(reference, "redis.external.sentinel.password") if reference else None


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
