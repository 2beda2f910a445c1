"""One Certificate of cert-manager for each TLS Secret."""

from __future__ import annotations

from .cases import FULL
from .helm import Helm


def test_a_certificate_for_each_secret_with_all_its_hosts(helm: Helm) -> None:
    hub, quay = helm.render("certificates", FULL["certificates"])
    assert (hub["metadata"]["name"], quay["metadata"]["name"]) == ("hub-tls", "quay-tls")
    assert hub["spec"] == {
        "secretName": "hub-tls",
        "dnsNames": ["hub.example.com", "other.example.com"],
        "issuerRef": {"name": "pca", "kind": "AWSPCAIssuer", "group": "awspca.cert-manager.io"},
    }
    assert quay["spec"]["dnsNames"] == ["quay.example.com"]
