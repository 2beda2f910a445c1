"""The private CA of a mirror: created once, kept, and issuing only what is missing or due."""

from __future__ import annotations

import base64
import json
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from cryptography import x509
from cryptography.x509.verification import PolicyBuilder, Store

from regmirror.cli.client_files import find_authority
from regmirror.config.model import Mirror
from regmirror.deploy.prune import find_orphans
from regmirror.deploy.self_signed import find_self_signed, live_authority
from regmirror.desired import names
from regmirror.desired.releases import build_stack
from regmirror.desired.self_signed import SelfSigned
from regmirror.errors import CertificateAuthorityError, ConfigurationError
from regmirror.ports.cluster import SECRET
from tests import samples
from tests.fakes.cluster import FakeCluster
from tests.fakes.connections import FakeConnections

MIRROR = samples.mirror(ingress={"selfSigned": True})
LATER = samples.NOW + timedelta(days=500)


def applied(self_signed: SelfSigned, mirror: Mirror = MIRROR) -> FakeCluster:
    """A cluster with the Secrets of a mirror as deploy applies them."""
    secrets = samples.mirror_secrets(self_signed=self_signed)
    return FakeCluster(build_stack(mirror, secrets, {}, samples.NOW).secrets)


def deployed(mirror: Mirror = MIRROR) -> FakeCluster:
    return applied(find_self_signed(FakeCluster(), mirror, samples.NOW), mirror)


def edit(cluster: FakeCluster, name: str, **data: bytes) -> None:
    found = cluster.get(SECRET, name)
    assert found is not None
    encoded = {key: base64.b64encode(value).decode() for key, value in data.items()}
    cluster.put({**found, "data": {**found["data"], **encoded}})


def verify(self_signed: SelfSigned, host: str, at: datetime = samples.NOW) -> None:
    """Verify the certificate as a client does that knows the CA."""
    store = Store([self_signed.authority.certificate])
    verifier = PolicyBuilder().store(store).time(at).build_server_verifier(x509.DNSName(host))
    verifier.verify(self_signed.hosts["regmirror-tls"].certificate, [])


def test_a_client_that_knows_the_ca_trusts_every_host_of_a_secret() -> None:
    first, second = samples.TWO_UPSTREAMS
    shared = [first, {**second, "tlsSecret": "regmirror-tls"}]
    self_signed = find_self_signed(
        FakeCluster(), samples.mirror(upstreams=shared, ingress={"selfSigned": True}), samples.NOW
    )
    for host in ("mirror.example.com", "quay.example.com"):
        verify(self_signed, host, samples.NOW)
        verify(self_signed, host, samples.NOW + timedelta(days=820))
    with pytest.raises(x509.verification.VerificationError):
        verify(self_signed, "other.example.com")


def test_the_ca_and_its_certificates_are_kept_until_they_are_due() -> None:
    cluster = deployed()
    kept = find_self_signed(cluster, MIRROR, LATER)
    renewed = find_self_signed(cluster, MIRROR, samples.NOW + timedelta(days=600))
    assert kept.data() == find_self_signed(cluster, MIRROR, samples.NOW).data()
    assert renewed.authority == kept.authority
    assert renewed.hosts != kept.hosts
    verify(renewed, samples.HOST, samples.NOW + timedelta(days=1000))


@pytest.mark.parametrize(
    "data",
    [
        {"tls.crt": b"none"},
        {"tls.key": samples.key_pair().key_pem},
        {"tls.crt": samples.key_pair().certificate_pem, "tls.key": samples.key_pair().key_pem},
    ],
)
def test_a_certificate_that_somebody_replaced_is_issued_again(data: dict[str, bytes]) -> None:
    cluster = deployed()
    edit(cluster, "regmirror-tls", **data)
    verify(find_self_signed(cluster, MIRROR, samples.NOW), samples.HOST)


def test_another_host_gets_another_certificate_of_the_same_ca() -> None:
    cluster = deployed()
    moved = find_self_signed(cluster, samples.mirror(host="new.example.com", ingress={"selfSigned": True}), LATER)
    assert moved.authority.certificate_pem == live_authority(cluster, MIRROR)
    verify(moved, "new.example.com", LATER)


def test_near_its_end_the_ca_issues_nothing_new_over_and_over() -> None:
    cluster = deployed()
    at = samples.NOW + timedelta(days=20 * 365 - 100)
    last = find_self_signed(cluster, MIRROR, at)
    assert last.hosts["regmirror-tls"].certificate.not_valid_after_utc == samples.NOW + timedelta(days=20 * 365)
    assert find_self_signed(applied(last), MIRROR, at + timedelta(days=50)).hosts == last.hosts


@pytest.mark.parametrize(
    ("data", "problem"),
    [
        ({"tls.crt": b"none"}, "tls.crt is not a certificate"),
        ({"tls.key": b"none"}, "tls.key is not an elliptic-curve private key"),
    ],
)
def test_a_ca_that_cannot_be_used_is_not_replaced(data: dict[str, bytes], problem: str) -> None:
    """A new one would lock out every client."""
    cluster = deployed()
    edit(cluster, names.CA_SECRET, **data)
    with pytest.raises(CertificateAuthorityError) as caught:
        find_self_signed(cluster, MIRROR, samples.NOW)
    assert caught.value.message == f"the CA in Secret regmirror-ca cannot be used: {problem}"
    assert "delete secret regmirror-ca" in (caught.value.hint or "")


def test_an_expired_ca_is_not_replaced() -> None:
    with pytest.raises(CertificateAuthorityError, match="expired on 2046-11-18"):
        find_self_signed(deployed(), MIRROR, samples.NOW + timedelta(days=8000))


def test_a_secret_that_the_file_names_is_never_pruned() -> None:
    """Its owner may have put a certificate of another CA into the Secret that deploy created."""
    own = samples.mirror()
    stack = build_stack(own, samples.mirror_secrets(), {}, samples.NOW)
    secrets = {found["metadata"]["name"] for found in deployed().select(SECRET)} - set(own.tls_secrets)
    assert find_orphans(stack, [], secrets).secrets == ("regmirror-ca",)


def test_client_config_reads_the_ca_from_the_cluster() -> None:
    cluster = deployed()
    authority = find_authority(FakeConnections(MIRROR, cluster), None)
    assert authority.pem.encode() == live_authority(cluster, MIRROR)
    assert authority.source == "Secret regmirror-tls (key ca.crt)"
    with pytest.raises(ConfigurationError, match="namespace regmirror has no CA yet"):
        find_authority(FakeConnections(MIRROR, FakeCluster()), None)
    assert find_authority(FakeConnections(samples.mirror(), cluster), None).pem == ""


def test_a_ca_file_needs_no_cluster(tmp_path: Path) -> None:
    file = tmp_path / "ca.crt"
    file.write_bytes(samples.key_pair().certificate_pem)
    connections: Any = FakeConnections(MIRROR, blocking=None)
    assert find_authority(connections, file).source == str(file)


def test_no_key_is_shown() -> None:
    self_signed = find_self_signed(FakeCluster(), MIRROR, samples.NOW)
    assert "PRIVATE KEY" not in repr(self_signed)
    assert "PRIVATE KEY" not in json.dumps([release.values for release in _releases(self_signed)])


def _releases(self_signed: SelfSigned) -> list[Any]:
    secrets = samples.mirror_secrets(self_signed=self_signed)
    return build_stack(MIRROR, secrets, {}, samples.NOW).releases
