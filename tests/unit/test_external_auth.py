"""``auth.external``: clients get their tokens from an existing docker_auth, whose certificates the registries trust."""

from __future__ import annotations

import asyncio
import base64
from pathlib import Path
from typing import Any

import pytest

from regmirror.config.problem import InvalidFileError
from regmirror.deploy.interruptions import interruptions
from regmirror.deploy.public_check import check_public_host
from regmirror.deploy.resolve_secrets import read_secret, resolve_secrets
from regmirror.deploy.steps import DesiredState
from regmirror.desired.mirror_secrets import AUTH_CERTIFICATE
from regmirror.desired.registry_config import registry_config
from regmirror.desired.releases import Stack, build_stack
from regmirror.desired.secret_templates import secret_templates, secret_values
from regmirror.errors import CaBundleError, RegistryError, RotationError, SigningError
from regmirror.ports.async_cluster import AsyncCluster
from regmirror.ports.cluster import SECRET
from regmirror.ports.http import Answer
from regmirror.render.fill_script import fill_script
from regmirror.rotate.run import Rotation
from regmirror.verify.check import Failed, NotApplicable, Passed, Warned
from regmirror.verify.store_from_pods import NO_KEY
from tests import samples
from tests.fakes.cluster import FakeCluster
from tests.fakes.connections import no_secrets
from tests.fakes.http import FakeHttp
from tests.fakes.registry_host import RegistryHost
from tests.unit.deployed import Deployed, deployed
from tests.unit.deploying import Place, configured
from tests.unit.rotating import RotationHarness

REALM = "https://auth.example.com/auth"
EXTERNAL = {"realm": REALM, "issuer": "acme", "certificate": {"file": "token-server.pem"}}
AUTH: dict[str, Any] = {"external": EXTERNAL}
CERTIFICATES = samples.key_pair(7).certificate_pem


def secrets() -> Any:
    return samples.mirror_secrets(signing=None, bundle=CERTIFICATES, ca_bundles={AUTH_CERTIFICATE: CERTIFICATES})


def stack(**changes: Any) -> Stack:
    return build_stack(samples.mirror(auth=AUTH, **changes), secrets(), {}, samples.NOW)


def test_no_docker_auth_is_deployed_and_no_key_is_made() -> None:
    found = stack()
    assert [release.name for release in found.releases] == [
        "regmirror-redis",
        "regmirror-docker-hub",
        "regmirror-ingress",
    ]
    contents = {secret["metadata"]["name"]: secret["data"] for secret in found.secrets}
    assert not {"regmirror-auth-config", "regmirror-signing"} & contents.keys()
    assert base64.b64decode(contents["regmirror-bundle"]["bundle.crt"]) == CERTIFICATES


def test_the_ingress_has_no_token_server() -> None:
    (ingress,) = [release for release in stack().releases if release.component == "ingress"]
    assert (ingress.values["authService"], ingress.needs) == ("", ("regmirror-docker-hub",))


def test_the_registry_sends_clients_to_it_and_trusts_its_tokens() -> None:
    mirror = samples.mirror(auth=AUTH, upstreams=samples.TWO_UPSTREAMS)
    tokens = [registry_config(mirror, upstream, secrets())["auth"]["token"] for upstream in mirror.upstreams]
    assert [(token["realm"], token["issuer"]) for token in tokens] == [(REALM, "acme")] * 2
    assert [token["service"] for token in tokens] == ["mirror.example.com", "quay.example.com"]


def test_a_single_upstream_may_have_the_service_that_it_knows() -> None:
    auth = {"external": EXTERNAL | {"service": "mirror"}}
    mirror = samples.mirror(auth=auth)
    assert registry_config(mirror, mirror.upstreams[0], secrets())["auth"]["token"]["service"] == "mirror"
    with pytest.raises(InvalidFileError, match="a token for one upstream would grant rights on another"):
        samples.mirror(auth=auth, upstreams=samples.TWO_UPSTREAMS)


@pytest.mark.parametrize(
    ("auth", "message"),
    [
        ({**AUTH, "replicas": 2}, "auth.replicas: has no effect with auth.external"),
        ({"external": EXTERNAL | {"realm": "http://auth.example.com/auth"}}, "must begin with https://"),
        ({"external": EXTERNAL | {"realm": "auth.example.com"}}, "is not a URL such as"),
        ({"external": EXTERNAL | {"realm": REALM + "?a=b"}}, "must not have a query"),
        ({"external": EXTERNAL | {"realm": "https://u:secret@auth.example.com/"}}, "credentials are not allowed"),
        ({"external": {"realm": REALM, "issuer": "acme"}}, "auth.external.certificate: required key is missing"),
    ],
)
def test_what_cannot_work_is_refused(auth: dict[str, Any], message: str) -> None:
    with pytest.raises(InvalidFileError) as caught:
        samples.mirror(auth=auth)
    assert message in str(caught.value)
    assert "secret" not in str(caught.value)


def resolved(directory: Path) -> Any:
    from regmirror.config.ca_bundle import CaBundleResolver
    from regmirror.signing.ca_certificates import only_certificates

    bundles = CaBundleResolver(directory, lambda _n, _k: None, lambda _n, _k: None, only_certificates)
    return resolve_secrets(FakeCluster(), samples.mirror(auth=AUTH), no_secrets(), bundles, samples.NOW)


def test_its_certificates_are_the_trust_bundle(tmp_path: Path) -> None:
    with pytest.raises(CaBundleError, match=r"auth.external.certificate: the file token-server.pem does not exist"):
        resolved(tmp_path)
    (tmp_path / "token-server.pem").write_bytes(CERTIFICATES + samples.key_pair(2).certificate_pem)
    found = resolved(tmp_path)
    assert found.signing is None
    assert found.bundle.count(b"BEGIN CERTIFICATE") == 2


def test_a_key_that_the_registry_does_not_accept_is_refused(tmp_path: Path) -> None:
    (tmp_path / "token-server.pem").write_bytes(elliptic_certificate())
    with pytest.raises(SigningError, match="the registry accepts RSA keys only"):
        resolved(tmp_path)


def elliptic_certificate() -> bytes:
    from cryptography import x509
    from cryptography.hazmat.primitives import hashes, serialization
    from cryptography.hazmat.primitives.asymmetric import ec

    key, name = ec.generate_private_key(ec.SECP256R1()), x509.Name([])
    builder = x509.CertificateBuilder().subject_name(name).issuer_name(name).public_key(key.public_key())
    builder = builder.serial_number(1).not_valid_before(samples.NOW).not_valid_after(samples.NOW.replace(year=2030))
    return builder.sign(key, hashes.SHA256()).public_bytes(serialization.Encoding.PEM)


def test_a_rendering_needs_no_signing_key() -> None:
    mirror = samples.mirror(auth=AUTH)
    templates = secret_templates(mirror, {AUTH_CERTIFICATE: CERTIFICATES})
    (bundle,) = [template for template in templates if template.name == "regmirror-bundle"]
    assert (bundle.files, bundle.placeholders) == ({"bundle.crt": (CERTIFICATES.decode(),)}, ())
    assert not [value.name for value in secret_values(mirror) if value.name.startswith("signing")]
    assert "openssl req" not in fill_script(mirror, templates)


def existing(**server: Any) -> Deployed:
    """A healthy mirror whose tokens come from another host."""
    mirror = deployed(auth=AUTH)
    mirror.host.realm, mirror.host.expects_issuer = REALM, "acme"
    mirror.http.hosts["https://auth.example.com"] = RegistryHost(
        "auth.example.com", **{"signs_as": "acme", "allowed": {"library/alpine"}, **server}
    )
    return mirror


OURS = {
    *("config-access", "config-users", "config-accounts", "config-auth", "config-log-level"),
    *("token-key-pair", "token-bundle", "token-key-mount", "token-lifetime", "token-sign-in"),
    *("token-audience-refused", "token-repository-refused", "token-signature-refused", "token-expired-refused"),
    *("registry-catalog", "registry-readonly"),
}


def test_verify_proves_what_tokens_of_others_show_and_names_what_it_cannot_check() -> None:
    outcomes = existing().ask_all()
    skipped = {id_: outcome for id_, outcome in outcomes.items() if not isinstance(outcome, Passed)}
    assert skipped.pop("storage-pods") == NotApplicable(NO_KEY)
    assert skipped.keys() == OURS
    assert set(skipped.values()) == {NotApplicable("auth.external is set, so regmirror does not run this part")}
    assert outcomes["token-validity"] == Passed("1824 days left")


@pytest.mark.parametrize(
    ("check", "server", "message"),
    [
        ("token-signature", {"signing": samples.key_pair(2)}, "but the trust bundle contains only"),
        ("token-claims", {"signs_as": "other"}, 'the token\'s issuer is "other" instead of "acme"'),
        ("token-grant", {"allowed": set()}, f"{REALM} does not grant everyone the pull of library/alpine"),
        ("token-issued", {"answers": {"/auth": Answer(401, {}, b"Auth failed.")}}, f"{REALM} answered 401"),
        ("clients-push-denied", {"granted": {"pull", "push"}}, f"{REALM} grants everyone the push"),
    ],
)
def test_verify_names_what_is_wrong_with_it(check: str, server: dict[str, Any], message: str) -> None:
    outcome = existing(**server).ask(check)
    assert isinstance(outcome, Failed)
    assert message in outcome.message
    assert "correct auth.external" in outcome.hint


def test_rules_that_allow_more_than_the_file_says_are_a_warning() -> None:
    outcome = existing(allowed={"library/alpine", "regmirror-probe/not-allowed"}).ask("clients-unlisted-denied")
    assert isinstance(outcome, Warned)
    assert "which anonymousPull does not allow" in outcome.message


def hosts(**server: Any) -> FakeHttp:
    host = RegistryHost(realm=REALM, expects_issuer="acme")
    return FakeHttp(
        {
            f"https://{samples.HOST}": host,
            "https://auth.example.com": RegistryHost("auth.example.com", **{"signs_as": "acme", **server}),
        }
    )


def test_the_last_step_of_a_deployment_follows_the_challenge() -> None:
    check_public_host(hosts(), samples.HOST, REALM)
    # It may serve clients with an account only.
    check_public_host(hosts(answers={"/auth": Answer(401, {}, b"")}), samples.HOST, REALM)
    with pytest.raises(RegistryError, match=r"instead of 401 with the realm https://other\.example\.com/"):
        check_public_host(hosts(), samples.HOST, "https://other.example.com/")
    with pytest.raises(RegistryError, match=f"answered 401 to a token from {REALM}"):
        check_public_host(hosts(signs_as="other"), samples.HOST, REALM)


def test_a_deployment_that_changes_the_token_server_warns() -> None:
    place = Place()
    place.deploy()
    mirror = configured(auth=AUTH)
    desired = DesiredState(mirror, secrets(), build_stack(mirror, secrets(), {}, samples.NOW), {}, {})
    (warning,) = asyncio.run(interruptions(desired, AsyncCluster(place.cluster)))
    assert warning.startswith(f"clients get tokens from {REALM} instead of https://mirror.example.com/auth: pulls fail")
    assert asyncio.run(interruptions(desired, AsyncCluster(FakeCluster()))) == []


def test_its_key_is_not_regmirrors_to_rotate() -> None:
    harness = RotationHarness()
    rotation: Rotation = harness.rotation()
    object.__setattr__(rotation.connections, "mirror", samples.mirror(auth=AUTH))
    before = harness.cluster.select(SECRET)
    for work in (rotation.run, rotation.check, rotation.plan):
        with pytest.raises(RotationError, match=f"the docker_auth at {REALM} signs the tokens") as caught:
            asyncio.run(work())
        assert "auth.external.certificate" in str(caught.value.hint)
    assert harness.cluster.select(SECRET) == before
    assert read_secret(harness.cluster, "regmirror-signing-next", "tls.key") is None
