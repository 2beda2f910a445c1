"""The CA of ``ingress.selfSigned`` and its certificates: those in the cluster, and new ones where they are missing."""

import secrets
from datetime import datetime

from cryptography.hazmat.primitives.asymmetric import ec

from regmirror.config.model import Mirror
from regmirror.desired import names
from regmirror.desired.secret_contents import secret_data
from regmirror.desired.self_signed import CA_KEY, SelfSigned
from regmirror.errors import CertificateAuthorityError
from regmirror.ports.cluster import SECRET, Cluster
from regmirror.signing.host_authority import (
    CertificatePair,
    authority_problem,
    is_due,
    new_authority,
    new_host_certificate,
)


def find_self_signed(cluster: Cluster, mirror: Mirror, now: datetime) -> SelfSigned:
    """The CA and certificates that the mirror has, or new ones where needed; nothing is written.

    ``now`` is in UTC. Raises CertificateAuthorityError if the CA exists and cannot be used: a new one would lock out
    every client, so only its owner may decide that.
    """
    authority = _read(cluster, names.CA_SECRET)
    if authority is None:
        authority = new_authority(_new_key(), f"regmirror {mirror.host}"[:64], now, secrets.randbits(159))
    elif problem := authority_problem(authority, now):
        raise CertificateAuthorityError(
            f"the CA in Secret {names.CA_SECRET} cannot be used: {problem}",
            hint=f"restore the Secret; or create a new CA, which every client then needs: "
            f"kubectl -n {cluster.namespace} delete secret {names.CA_SECRET}; regmirror deploy",
        )
    return SelfSigned(
        authority,
        {name: _issued(cluster, name, hosts, authority, now) for name, hosts in mirror.tls_hosts.items()},
    )


def live_authority(cluster: Cluster, mirror: Mirror) -> bytes:
    """The CA certificate (PEM) of ``ingress.selfSigned`` as deployed; empty if there is none. Raises ClusterError."""
    if not mirror.ingress.self_signed:
        return b""
    secrets_found = filter(None, (cluster.get(SECRET, name) for name in mirror.tls_secrets))
    return next((ca for found in secrets_found if (ca := secret_data(found).get(CA_KEY))), b"")


def _issued(
    cluster: Cluster, name: str, hosts: list[str], authority: CertificatePair, now: datetime
) -> CertificatePair:
    live = _read(cluster, name)
    if live and not is_due(live, authority, hosts, now):
        return live
    return new_host_certificate(authority, _new_key(), hosts, now, secrets.randbits(159))


def _read(cluster: Cluster, name: str) -> CertificatePair | None:
    """The pair in a Secret; None if there is no such Secret."""
    found = cluster.get(SECRET, name)
    if found is None:
        return None
    data = secret_data(found)
    return CertificatePair(data.get("tls.crt", b""), data.get("tls.key", b""))


def _new_key() -> ec.EllipticCurvePrivateKey:
    return ec.generate_private_key(ec.SECP256R1())
