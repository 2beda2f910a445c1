"""The section ingress.gateway: what is accepted, what it makes of the certificate, and what is deployed."""

from __future__ import annotations

from typing import Any

import pytest

from regmirror.config.problem import InvalidFileError
from regmirror.desired.releases import build_stack
from tests import samples

PUBLIC = {"name": "public", "namespace": "gateways"}


def values(gateway: dict[str, Any], **ingress: Any) -> dict[str, Any]:
    mirror = samples.mirror(ingress={"gateway": gateway, **ingress})
    return build_stack(mirror, samples.mirror_secrets(), {}, samples.NOW).releases[-1].values


@pytest.mark.parametrize(
    ("gateway", "problem"),
    [
        ({}, "parentRefs: required"),
        ({"parentRefs": []}, "parentRefs"),
        ({"parentRefs": [{}]}, "name is required: the name of a Gateway"),
        ({"parentRefs": ["public"]}, "expected a mapping with the name of a Gateway"),
        ({"parentRefs": [{"name": "Public"}]}, "name: 'Public' is not a valid object name"),
        (
            {"parentRefs": [{"name": "public", "gateway": "x"}]},
            "unknown key gateway; a reference to a Gateway has name",
        ),
        ({"parentRefs": [{"name": "public", "port": 0}]}, "port: 0 is not a port from 1 to 65535"),
        ({"parentRefs": [{"name": "public", "port": True}]}, "port: True is not a port"),
        ({"parentRefs": [PUBLIC], "listenerSet": {"port": 70000}}, "listenerSet.port"),
        ({"parentRefs": [PUBLIC, {"name": "other"}], "listenerSet": {}}, "name one Gateway"),
        ({"parentRefs": [{**PUBLIC, "sectionName": "https"}], "listenerSet": {}}, "sectionName: remove it"),
        ({"parentRefs": [PUBLIC], "requestTimeout": "soon"}, "requestTimeout"),
    ],
)
def test_what_no_gateway_could_use_is_refused(gateway: dict[str, Any], problem: str) -> None:
    with pytest.raises(InvalidFileError) as caught:
        samples.mirror(ingress={"gateway": gateway})
    assert problem in str(caught.value)


def test_an_issuer_has_no_effect_on_the_certificate_of_a_gateway_and_is_refused() -> None:
    with pytest.raises(InvalidFileError, match=r"annotate the Gateway instead, or set gateway.listenerSet"):
        samples.mirror(ingress={"gateway": {"parentRefs": [PUBLIC]}, "issuer": {"name": "le"}})


def test_the_certificate_is_that_of_the_gateway_unless_the_mirror_has_listeners() -> None:
    plain = samples.mirror(ingress={"gateway": {"parentRefs": [PUBLIC]}})
    listening = samples.mirror(ingress={"gateway": {"parentRefs": [PUBLIC], "listenerSet": {}}})
    assert plain.tls_secrets == []
    assert listening.tls_secrets == ["regmirror-tls"]


def test_routes_are_attached_to_the_gateways_of_the_file() -> None:
    found = values({"parentRefs": [{**PUBLIC, "sectionName": "https"}]}, annotations={"a": "b"})
    assert found["kind"] == "HTTPRoute"
    assert found["parentRefs"] == [{**PUBLIC, "sectionName": "https"}]
    assert found["annotations"] == {"a": "b"}
    assert "className" not in found
    assert "listenerSet" not in found


@pytest.mark.parametrize(("timeout", "expected"), [(0, "0s"), ("10m", "10m"), (None, "")])
def test_the_time_limit_of_a_response_is_lifted_unless_the_file_says_otherwise(timeout: Any, expected: str) -> None:
    assert values({"parentRefs": [PUBLIC]})["timeouts"] == {"request": "0s"}
    assert values({"parentRefs": [PUBLIC], "requestTimeout": timeout})["timeouts"] == {"request": expected}


def test_listeners_have_the_certificate_of_their_host() -> None:
    found = values({"parentRefs": [PUBLIC], "listenerSet": {"port": 8443}}, issuer={"name": "le"})
    assert found["listenerSet"] == {"enabled": True, "port": 8443}
    assert found["hosts"][0]["tlsSecretName"] == "regmirror-tls"
    # With an issuer, the Certificate is an object of the mirror; the listener needs no annotation.
    assert found["annotations"] == {}
