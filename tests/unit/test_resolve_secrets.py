"""Secrets are found by reference, kept as the cluster has them, or made once."""

from __future__ import annotations

import base64
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from regmirror.config.secret_references import SecretResolver
from regmirror.deploy.resolve_secrets import read_secret, resolve_secrets
from regmirror.desired.mirror_secrets import MirrorSecrets
from regmirror.desired.secrets import secret_manifests
from regmirror.errors import CaBundleError, MissingSecretError, SigningError
from regmirror.signing.bundle import parse_bundle
from regmirror.signing.key_pair import KeyPair
from tests import samples
from tests.fakes.cluster import FakeCluster
from tests.fakes.connections import no_bundles

QUICK = {"keySize": 2048, "issuer": "acme", "certificateDays": 30}
PAIR, OTHER = samples.key_pair(1), samples.key_pair(2)


def find(cluster: FakeCluster, environ: dict[str, str] | None = None, **changes: Any) -> MirrorSecrets:
    mirror = samples.mirror(**{"auth": QUICK, **changes})
    resolver = SecretResolver(environ or {}, Path(), lambda name, key: read_secret(cluster, name, key))
    return resolve_secrets(cluster, mirror, resolver, no_bundles(), samples.NOW)


def signing_of(found: MirrorSecrets) -> KeyPair:
    assert found.signing
    return found.signing


def holding(name: str, **data: bytes) -> FakeCluster:
    encoded = {key.replace("_", "."): base64.b64encode(value).decode() for key, value in data.items()}
    return FakeCluster([{"apiVersion": "v1", "kind": "Secret", "metadata": {"name": name}, "data": encoded}])


def test_a_bundle_that_only_the_jobs_read_must_exist() -> None:
    with pytest.raises(
        CaBundleError, match=r"verification\.caBundle: the key ca\.crt of ConfigMap company-ca does not"
    ):
        find(FakeCluster(), verification={"caBundle": {"configMap": {"name": "company-ca"}}})


def test_a_first_deployment_makes_a_key_a_certificate_and_a_password() -> None:
    found = find(FakeCluster())
    certificate = signing_of(found).certificate
    assert signing_of(found).private_key.key_size == 2048
    assert certificate.subject.rfc4514_string() == "CN=acme"
    assert certificate.not_valid_before_utc == samples.NOW - timedelta(hours=1)
    assert certificate.not_valid_after_utc == samples.NOW + timedelta(days=30) - timedelta(hours=1)
    assert found.bundle == signing_of(found).certificate_pem
    assert len(found.redis_password.get_secret_value()) == 48
    assert (found.s3, found.upstreams) == (None, {})


def test_what_is_made_is_made_anew_for_each_mirror() -> None:
    first, second = find(FakeCluster()), find(FakeCluster())
    assert first.redis_password != second.redis_password
    assert signing_of(first).key_pem != signing_of(second).key_pem
    assert signing_of(first).certificate.serial_number != signing_of(second).certificate.serial_number


def test_a_second_deployment_keeps_what_the_first_has_made() -> None:
    first = find(FakeCluster())
    cluster = FakeCluster(secret_manifests(samples.mirror(), first))
    assert find(cluster) == first


def test_the_bundle_keeps_the_certificates_of_a_rotation_under_way() -> None:
    cluster = holding("regmirror-bundle", bundle_crt=OTHER.certificate_pem + PAIR.certificate_pem)
    signing = {
        "tls.crt": base64.b64encode(PAIR.certificate_pem).decode(),
        "tls.key": base64.b64encode(PAIR.key_pem).decode(),
    }
    cluster.put({"apiVersion": "v1", "kind": "Secret", "metadata": {"name": "regmirror-signing"}, "data": signing})
    assert find(cluster).bundle == OTHER.certificate_pem + PAIR.certificate_pem


def test_a_bundle_that_lacks_the_signing_certificate_gets_it() -> None:
    found = find(holding("regmirror-bundle", bundle_crt=OTHER.certificate_pem))
    assert parse_bundle(found.bundle) == [signing_of(found).certificate, OTHER.certificate]


def test_halves_of_two_pairs_in_the_cluster_are_refused() -> None:
    with pytest.raises(SigningError, match="does not match its certificate"):
        find(holding("regmirror-signing", tls_crt=PAIR.certificate_pem, tls_key=OTHER.key_pem))


def test_every_reference_is_followed() -> None:
    environ = {"ID": "s3-id", "SECRET": "s3-secret", "NAME": "hub", "TOKEN": "hub-token", "REDIS": "redis"}
    account = {"username": {"env": "NAME"}, "password": {"env": "TOKEN"}}
    found = find(
        FakeCluster(),
        environ,
        storage={**samples.MINIMAL["storage"], "accessKey": {"id": {"env": "ID"}, "secret": {"env": "SECRET"}}},
        upstreams=[{**samples.MINIMAL["upstreams"][0], "credentials": account}],
        redis={"password": {"env": "REDIS"}},
    )
    assert found.s3 is not None
    assert (found.s3.name.get_secret_value(), found.s3.password.get_secret_value()) == ("s3-id", "s3-secret")
    assert found.upstreams["docker-hub"].name.get_secret_value() == "hub"
    assert found.upstreams["docker-hub"].password.get_secret_value() == "hub-token"
    assert found.redis_password.get_secret_value() == "redis"


@pytest.mark.parametrize(
    ("changes", "where"),
    [
        (
            {"storage": {**samples.MINIMAL["storage"], "accessKey": {"id": {"env": "A"}, "secret": {"env": "B"}}}},
            "storage.accessKey.id",
        ),
        (
            {
                "upstreams": [
                    {**samples.TWO_UPSTREAMS[0]},
                    {**samples.TWO_UPSTREAMS[1], "credentials": {"username": {"env": "A"}, "password": {"env": "B"}}},
                ]
            },
            "upstreams[1].credentials.username",
        ),
        ({"redis": {"password": {"env": "A"}}}, "redis.password"),
    ],
)
def test_a_missing_secret_is_told_by_its_key_path(changes: dict[str, Any], where: str) -> None:
    with pytest.raises(MissingSecretError) as caught:
        find(FakeCluster(), **changes)
    assert caught.value.message == f"{where}: the environment variable A is not set"


def test_a_key_that_a_secret_lacks_is_missing() -> None:
    cluster = holding("hub", token=b"x")
    cluster.put({"apiVersion": "v1", "kind": "Secret", "metadata": {"name": "blank"}})
    assert read_secret(cluster, "hub", "token") == b"x"
    assert read_secret(cluster, "hub", "absent") is None
    assert read_secret(cluster, "blank", "token") is None
    assert read_secret(cluster, "absent", "token") is None
