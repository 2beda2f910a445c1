"""The warnings of deploy and diff: what deploy does not change by itself."""

from collections.abc import Mapping
from contextlib import suppress
from datetime import datetime

from regmirror.config.model import AuthComponent, Mirror
from regmirror.deploy.monitoring_preflight import monitoring_warnings
from regmirror.deploy.prune import Orphans
from regmirror.desired.account_rules import account_warnings
from regmirror.desired.mirror_secrets import AUTH_CERTIFICATE, MirrorSecrets
from regmirror.errors import PermissionDeniedError
from regmirror.ports.cluster import Cluster
from regmirror.signing.ca_certificates import ca_warnings
from regmirror.signing.key_pair import WARN_BEFORE, KeyPair
from regmirror.workloads.ingress_class import controller_warnings


def orphan_warnings(orphans: Orphans) -> list[str]:
    """At most one sentence."""
    if not orphans:
        return []
    names = ", ".join(orphans.names)
    return [f"not in the file, but still in the cluster: {names}; to remove them: regmirror deploy --prune"]


def user_warnings(mirror: Mirror, mirror_secrets: MirrorSecrets) -> list[str]:
    """A sentence for each rule without its account and each account without a rule; none with an existing docker_auth,
    whose accounts are not known.
    """
    return [] if mirror.auth.external else account_warnings(mirror, mirror_secrets.users)


def ca_bundle_warnings(bundles: Mapping[str, bytes], now: datetime) -> list[str]:
    """A sentence for each certificate of the CA bundles that clients may refuse; ``now`` is in UTC."""
    authorities = [bundle for name, bundle in bundles.items() if name != AUTH_CERTIFICATE]
    found = [f"caBundle: {warning}" for bundle in authorities for warning in ca_warnings(bundle, now)]
    return list(dict.fromkeys(found))


def cluster_warnings(cluster: Cluster, mirror: Mirror) -> list[str]:
    """What to check about the Ingress controller and Prometheus, as far as the user may know them.

    Raises ClusterError.
    """
    warnings: list[str] = []
    for find in (controller_warnings, monitoring_warnings):
        with suppress(PermissionDeniedError):
            warnings += find(mirror, cluster)
    return warnings


def signing_key_warnings(auth: AuthComponent, pair: KeyPair | None, now: datetime) -> list[str]:
    """A sentence for each difference that only a rotation resolves; ``now`` is in UTC."""
    if pair is None:
        return []
    certificate, bits = pair.certificate, pair.private_key.key_size
    begins, ends = certificate.not_valid_before_utc, certificate.not_valid_after_utc
    warnings = []
    if ends <= now:
        warnings.append(f"the signing certificate expired on {ends:%Y-%m-%d}: regmirror rotate-cert")
    elif ends - now < WARN_BEFORE:
        warnings.append(f"the signing certificate expires in {(ends - now).days} days: regmirror rotate-cert --force")
    compared = {"keySize": (auth.key_size, bits), "certificateDays": (auth.certificate_days, (ends - begins).days)}
    for key, (configured, actual) in compared.items():
        if configured != actual:
            warnings.append(
                f"auth.{key} is {configured} in the file, but {actual} in the current signing key, which deploy does "
                "not replace: regmirror rotate-cert --force"
            )
    return warnings
