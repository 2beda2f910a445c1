"""Every certificate that clients would not trust is reported before anything is changed."""

from __future__ import annotations

from typing import Any

import pytest

from regmirror.config.model import Mirror
from regmirror.deploy.preflight_certificates import check_certificates
from regmirror.desired import names
from regmirror.errors import ConfigurationError
from regmirror.ports.cluster import CLUSTER_ISSUER, CUSTOM_RESOURCE_DEFINITION, SECRET, Object
from regmirror.steps.step import Done
from tests import samples
from tests.fakes.cluster import FakeCluster

CREATE = "kubectl -n regmirror create secret tls"
WILDCARD = samples.tls_secret("*.example.com", "wildcard-tls")


def definition(kind: str, group: str = "cert-manager.io", version: str = "v1") -> Object:
    return {
        "apiVersion": "apiextensions.k8s.io/v1",
        "kind": "CustomResourceDefinition",
        "metadata": {"name": f"{kind.lower()}s.{group}"},
        "spec": {
            "group": group,
            "names": {"kind": kind},
            "versions": [{"name": "v1alpha1", "served": False}, {"name": version, "served": True}],
        },
    }


def issuer(kind: str, name: str, api_version: str = "cert-manager.io/v1") -> Object:
    return {"apiVersion": api_version, "kind": kind, "metadata": {"name": name}}


CERT_MANAGER = (definition("Certificate"), definition("Issuer"), definition("ClusterIssuer"))


def check(cluster: FakeCluster, mirror: Mirror | None = None) -> Done:
    return check_certificates(mirror or samples.mirror(), cluster, samples.NOW)


def error_of(cluster: FakeCluster, mirror: Mirror | None = None) -> ConfigurationError:
    with pytest.raises(ConfigurationError) as caught:
        check(cluster, mirror)
    return caught.value


def two_hosts(**ingress: Any) -> Mirror:
    return samples.mirror(upstreams=samples.TWO_UPSTREAMS, ingress=ingress)


def sharing(secret: str) -> Mirror:
    """A mirror whose second host names the Secret of the first."""
    first, second = samples.TWO_UPSTREAMS
    return samples.mirror(upstreams=[first, {**second, "tlsSecret": secret}], ingress={"tlsSecret": secret})


def test_a_missing_secret_is_reported() -> None:
    cluster = FakeCluster()
    error = error_of(cluster)
    assert error.message == (
        "ingress.tlsSecret: namespace regmirror has no Secret regmirror-tls with a certificate for mirror.example.com"
    )
    assert error.hint == (
        f"{CREATE} regmirror-tls --cert=tls.crt --key=tls.key; or set ingress.issuer or ingress.selfSigned"
    )
    cluster.put(samples.tls_secret())
    assert check(cluster) == Done("Secret regmirror-tls")


def test_only_a_missing_namespace_is_created_by_the_hint() -> None:
    hint = error_of(FakeCluster(exists=False)).hint or ""
    assert hint.startswith(f"kubectl create namespace regmirror; {CREATE}")


def test_a_certificate_of_the_ingress_controller_needs_no_secret() -> None:
    assert check(FakeCluster(), samples.mirror(ingress={"tlsSecret": None})) == Done("from the Ingress controller")


def test_the_certificate_of_a_gateway_is_not_the_mirrors() -> None:
    gateway = {"gateway": {"parentRefs": [{"name": "public"}]}}
    assert check(FakeCluster(), samples.mirror(ingress=gateway)) == Done("from the Gateway")
    error = error_of(FakeCluster(), samples.mirror(ingress={"gateway": {**gateway["gateway"], "listenerSet": {}}}))
    assert "has no Secret regmirror-tls" in error.message


def test_a_certificate_of_another_host_is_refused() -> None:
    cluster = FakeCluster([samples.tls_secret("wrong.example.com")])
    error = error_of(cluster)
    assert error.message == ("ingress.tlsSecret: the certificate in Secret regmirror-tls is not for mirror.example.com")
    assert (error.hint or "").endswith("--dry-run=client -o yaml | kubectl -n regmirror apply -f -")
    cluster.put(samples.tls_secret("*.example.com"))
    assert check(cluster) == Done("Secret regmirror-tls")


@pytest.mark.parametrize(
    ("data", "problem"),
    [
        ({"tls.crt": "bm9uZQ=="}, "tls.crt in Secret regmirror-tls is not a certificate"),
        ({"tls.key": "bm9uZQ=="}, "tls.key in Secret regmirror-tls is not the key of its certificate"),
        (samples.tls_secret(days=-1)["data"], "the certificate in Secret regmirror-tls expired on 2026-11-22"),
    ],
)
def test_a_secret_that_cannot_serve_is_refused(data: dict[str, str], problem: str) -> None:
    secret = samples.tls_secret()
    cluster = FakeCluster([{**secret, "data": {**secret["data"], **data}}])
    assert error_of(cluster).message == f"ingress.tlsSecret: {problem}"


def test_one_wildcard_certificate_serves_several_hosts() -> None:
    assert check(FakeCluster([WILDCARD]), sharing("wildcard-tls")) == Done("Secret wildcard-tls")


def test_a_wildcard_does_not_cover_a_host_two_levels_below() -> None:
    first, second = samples.TWO_UPSTREAMS
    upstreams = [first, {**second, "host": "a.b.example.com", "tlsSecret": "wildcard-tls"}]
    mirror = samples.mirror(upstreams=upstreams, ingress={"tlsSecret": "wildcard-tls"})
    assert error_of(FakeCluster([WILDCARD]), mirror).message == (
        "upstreams[1].tlsSecret: the certificate in Secret wildcard-tls is not for a.b.example.com"
    )


def test_an_upstream_has_a_secret_of_its_own() -> None:
    first, second = samples.TWO_UPSTREAMS
    mirror = samples.mirror(upstreams=[first, {**second, "tlsSecret": "quay-cert"}])
    cluster = FakeCluster([samples.tls_secret(), samples.tls_secret("other.example.com", "quay-cert")])
    assert error_of(cluster, mirror).message == (
        "upstreams[1].tlsSecret: the certificate in Secret quay-cert is not for quay.example.com"
    )
    cluster.put(samples.tls_secret("quay.example.com", "quay-cert"))
    assert check(cluster, mirror) == Done("Secret regmirror-tls, quay-cert")


def test_a_wildcard_that_no_key_names_is_found_and_the_key_is_named() -> None:
    error = error_of(FakeCluster([WILDCARD]), two_hosts(tlsSecret="wildcard-tls"))
    assert error.message == (
        "ingress.tlsSecret: namespace regmirror has no Secret wildcard-tls-quay with a certificate for quay.example.com"
    )
    assert (error.hint or "").startswith(
        "the certificate in Secret wildcard-tls is for this host too: set upstreams[1].tlsSecret: wildcard-tls; or "
    )


def test_every_wrong_secret_is_named_in_one_error() -> None:
    cluster = FakeCluster([samples.tls_secret("wrong.example.com")])
    error = error_of(cluster, two_hosts())
    assert error.message.splitlines() == [
        "TLS Secrets of the public hosts cannot be used:",
        "  ingress.tlsSecret: the certificate in Secret regmirror-tls is not for mirror.example.com",
        "  ingress.tlsSecret: namespace regmirror has no Secret regmirror-tls-quay with a certificate for "
        "quay.example.com",
    ]
    assert (error.hint or "").startswith(f"for each of them: {CREATE} NAME")


@pytest.mark.parametrize("kind", ["ClusterIssuer", "Issuer"])
def test_the_issuer_must_be_there(kind: str) -> None:
    cluster = FakeCluster()
    mirror = samples.mirror(ingress={"issuer": {"name": "le", "kind": kind}})
    error = error_of(cluster, mirror)
    assert error.message == f"ingress.issuer: {kind} le needs cert-manager, which is not installed"
    assert "install cert-manager" in (error.hint or "")
    for found in CERT_MANAGER:
        cluster.put(found)
    assert error_of(cluster, mirror).message == f"ingress.issuer: the cluster has no {kind} le"
    cluster.put(issuer(kind, "le"))
    assert check(cluster, mirror) == Done(f"from {kind} le")


def test_an_issuer_of_any_group_is_found_in_the_version_that_is_served() -> None:
    group, kind = "awspca.cert-manager.io", "AWSPCAClusterIssuer"
    mirror = samples.mirror(ingress={"issuer": {"name": "pca", "kind": kind, "group": group}})
    cluster = FakeCluster(CERT_MANAGER)
    error = error_of(cluster, mirror)
    assert error.message == f"ingress.issuer: the cluster has no kind {kind} of the API group {group}"
    cluster.put(definition(kind, group, "v1beta1"))
    assert error_of(cluster, mirror).message == f"ingress.issuer: the cluster has no {kind}.{group} pca"
    cluster.put(issuer(kind, "pca", f"{group}/v1beta1"))
    assert check(cluster, mirror) == Done(f"from {kind}.{group} pca")


@pytest.mark.parametrize(
    ("annotations", "detail"),
    [
        ({"cert-manager.io/cluster-issuer": "le"}, "from ClusterIssuer le"),
        ({"cert-manager.io/issuer": "le"}, "from Issuer le"),
        ({"cert-manager.io/issuer": "le", "cert-manager.io/issuer-kind": "ClusterIssuer"}, "from ClusterIssuer le"),
        ({"kubernetes.io/tls-acme": "true"}, "from the default issuer of cert-manager"),
    ],
)
def test_an_issuer_that_annotations_name_counts_as_one(annotations: dict[str, str], detail: str) -> None:
    cluster = FakeCluster([*CERT_MANAGER, issuer("ClusterIssuer", "le"), issuer("Issuer", "le")])
    mirror = samples.mirror(ingress={"annotations": annotations})
    assert check(cluster, mirror) == Done(detail)
    assert cluster.get(SECRET, "regmirror-tls") is None


def test_an_issuer_of_annotations_that_is_missing_is_reported_with_their_key() -> None:
    mirror = samples.mirror(ingress={"annotations": {"cert-manager.io/cluster-issuer": "le"}})
    error = error_of(FakeCluster(CERT_MANAGER), mirror)
    assert error.message == "cert-manager.io/cluster-issuer: the cluster has no ClusterIssuer le"


@pytest.mark.parametrize("hidden", [CLUSTER_ISSUER, CUSTOM_RESOURCE_DEFINITION])
def test_an_issuer_that_cannot_be_read_is_skipped_not_ticked(hidden: Any) -> None:
    """The owner of a single namespace can deploy into it."""
    cluster = FakeCluster()
    cluster.hidden = {hidden}
    done = check(cluster, samples.mirror(ingress={"issuer": {"name": "letsencrypt"}}))
    assert done == Done("ClusterIssuer letsencrypt not checked: no permission", skipped=True)


def test_a_secret_of_somebody_else_is_not_replaced_by_a_self_signed_certificate() -> None:
    mirror = samples.mirror(ingress={"selfSigned": True})
    assert check(FakeCluster(), mirror) == Done("self-signed, Secret regmirror-tls")
    secret = samples.tls_secret()
    error = error_of(FakeCluster([secret]), mirror)
    assert error.message.startswith("ingress.selfSigned: the Secret regmirror-tls is not one that deploy created")
    secret["metadata"]["labels"] = names.labels("certificates")
    assert check(FakeCluster([secret]), mirror) == Done("self-signed, Secret regmirror-tls")
