"""The way of the registries to upstreams and store: as configured, complete, and known to every command."""

from __future__ import annotations

import base64
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
import yaml

from regmirror.config.ca_bundle import CaBundleResolver
from regmirror.config.model import Mirror
from regmirror.config.problem import InvalidFileError
from regmirror.config.secret_references import SecretResolver
from regmirror.desired.releases import build_stack
from regmirror.desired.secret_templates import Placeholder, secret_templates
from regmirror.desired.way_out import WayOut, no_proxy
from regmirror.desired.ways_out import WaysOut, resolve_ca_bundles, resolve_proxy
from regmirror.errors import CaBundleError, MissingSecretError
from regmirror.ports.cluster import SECRET
from regmirror.signing.ca_certificates import only_certificates
from tests import samples
from tests.unit.deploying import Place, changed, configured

STORE, HUB, QUAY = (samples.key_pair(number).certificate_pem for number in (1, 2, 3))
BUNDLES = {"store": STORE, "hub": HUB, "quay": QUAY}
PROXY = "http://user:canary@proxy.example.com:3128"
SECRET_PROXY = {"httpsProxy": {"env": "PROXY_URL"}}


def ca_bundles() -> CaBundleResolver:
    return CaBundleResolver(Path(), lambda name, _: BUNDLES.get(name), lambda _name, _key: None, only_certificates)


def resolver(**environ: str) -> SecretResolver:
    return SecretResolver(environ, Path(), lambda _name, _key: None)


def in_config_map(name: str) -> dict[str, Any]:
    return {"caBundle": {"configMap": {"name": name}}}


def storage(**more: Any) -> dict[str, Any]:
    return {**samples.MINIMAL["storage"], **more}


def with_bundles() -> Mirror:
    hub, quay = samples.TWO_UPSTREAMS
    return samples.mirror(storage=storage(**in_config_map("store")), upstreams=[{**hub, **in_config_map("hub")}, quay])


def test_a_registry_trusts_the_cas_of_its_upstream_and_of_the_store() -> None:
    assert resolve_ca_bundles(with_bundles(), ca_bundles()) == {"docker-hub": HUB + STORE, "quay": STORE}


def test_a_missing_bundle_names_its_key() -> None:
    mirror = samples.mirror(upstreams=[{**samples.TWO_UPSTREAMS[0], **in_config_map("absent")}])
    with pytest.raises(CaBundleError, match=r"upstreams\[0\]\.caBundle: the key ca\.crt of ConfigMap absent"):
        resolve_ca_bundles(mirror, ca_bundles())


@pytest.mark.parametrize(
    ("changes", "key"),
    [
        ({"storage": storage(endpoint="http://s3.internal", **in_config_map("store"))}, "storage.caBundle"),
        (
            {"upstreams": [{**samples.TWO_UPSTREAMS[0], "url": "http://registry.internal", **in_config_map("hub")}]},
            "upstreams[0].caBundle",
        ),
    ],
)
def test_a_bundle_without_tls_is_refused(changes: dict[str, Any], key: str) -> None:
    with pytest.raises(InvalidFileError, match="has no effect with an http://") as refused:
        samples.mirror(**changes)
    assert refused.value.problems[0].key_path == key


def test_no_proxy_is_complete_without_any_entry() -> None:
    egress = {"httpsProxy": "http://proxy.example.com:3128"}
    mirror = samples.mirror(storage=storage(endpoint="https://s3.example.com:9000"), egress=egress)
    way = WayOut(proxy=resolve_proxy(mirror, resolver()), no_proxy=no_proxy(mirror))
    for direct in (
        "https://s3.example.com:9000",
        "https://layers.s3.example.com:9000",
        "http://regmirror-redis",
        "http://minio.storage.svc:9000",
        "https://kubernetes.default.svc",
        "https://auth.other.svc.cluster.local",
        "http://localhost:5000",
        "http://127.0.0.1:5001",
        "http://169.254.169.254/latest",
        "http://169.254.170.23/v1/credentials",
        "http://[fd00:ec2::23]/v1/credentials",
    ):
        assert way.proxy_for(direct) is None, direct
    for outside in ("https://registry-1.docker.io", "https://auth.docker.io", "http://registry.example.com"):
        assert way.proxy_for(outside) == "http://proxy.example.com:3128"


@pytest.mark.parametrize(
    ("endpoint", "through", "expected"),
    [
        (None, None, True),
        (None, False, False),
        ("https://s3.example.com", None, False),
        ("https://[2001:db8::7]:9000", None, False),
        ("https://r2.com", True, True),
    ],
)
def test_aws_is_reached_through_the_proxy_and_a_store_of_ones_own_is_not(
    endpoint: str | None, through: bool | None, expected: bool
) -> None:
    egress = {"httpsProxy": "http://proxy:3128"} | ({} if through is None else {"storage": through})
    mirror = samples.mirror(storage=storage(**({"endpoint": endpoint} if endpoint else {})), egress=egress)
    way = WayOut(proxy=resolve_proxy(mirror, resolver()), no_proxy=no_proxy(mirror))
    url = endpoint or "https://layers.s3.eu-central-1.amazonaws.com"
    assert (way.proxy_for(url) is not None) is expected


def test_own_entries_are_added() -> None:
    mirror = samples.mirror(
        egress={"httpsProxy": "http://proxy:3128", "noProxy": ["Registry.Example.com", "10.0.0.0/8"]}
    )
    assert {"registry.example.com", "10.0.0.0/8", ".svc"} <= set(no_proxy(mirror))
    assert no_proxy(samples.mirror()) == ()


@pytest.mark.parametrize(
    ("egress", "message"),
    [
        ({"httpsProxy": "http://user:canary@proxy:3128"}, "credentials are not allowed in this file"),
        ({"httpsProxy": "proxy:3128"}, "is not the URL of a proxy"),
        ({"httpsProxy": "socks5://proxy:1080"}, "is not the URL of a proxy"),
        ({"httpsProxy": "http://proxy:0"}, "is not the URL of a proxy"),
        ({"httpsProxy": "http://proxy:3128/path"}, "is not the URL of a proxy"),
        ({"httpsProxy": {"url": "x"}}, "expected the URL of a proxy"),
        ({"httpsProxy": 3128}, "expected the URL of a proxy"),
        ({"noProxy": ["example.com"]}, "has no effect without httpsProxy"),
        ({"storage": False}, "has no effect without httpsProxy"),
        ({"httpsProxy": "http://proxy:3128", "noProxy": ["*"]}, '"*" is not a host name'),
        ({"httpsProxy": "http://proxy:3128", "noProxy": "a.com,b.com"}, "expected a list"),
        ({"httpsProxy": "http://proxy:3128", "noProxy": ["10.*"]}, '"10.*" is not a host name'),
        ({"httpsProxy": "http://proxy:3128", "noProxy": ["https://a:canary@s3.com"]}, "is not a host name"),
    ],
)
def test_an_invalid_proxy_is_refused(egress: dict[str, Any], message: str) -> None:
    with pytest.raises(InvalidFileError) as refused:
        samples.mirror(egress=egress)
    assert message in str(refused.value)
    assert "canary" not in str(refused.value)
    assert refused.value.problems[0].key_path.startswith("egress.")


@pytest.mark.parametrize("value", ["proxy", "http://", "http://user:canary@", "ftp://user:canary@proxy"])
def test_a_secret_that_is_no_proxy_is_refused_without_showing_it(value: str) -> None:
    with pytest.raises(
        MissingSecretError, match=r"egress\.httpsProxy: the secret is not the URL of a proxy"
    ) as refused:
        resolve_proxy(samples.mirror(egress=SECRET_PROXY), resolver(PROXY_URL=value))
    assert "canary" not in f"{refused.value.message} {refused.value.hint}"


def test_what_only_the_last_deployment_knew_is_taken_from_the_cluster() -> None:
    """A CronJob that runs verify has neither the files nor the variables."""
    deployed = {("regmirror-docker-hub-config", "proxy-url"): PROXY.encode()}
    deployed["regmirror-docker-hub-config", "ca.crt"] = HUB
    mirror = samples.mirror(storage=storage(caBundle={"file": "/absent.pem"}), egress=SECRET_PROXY)
    ways = WaysOut(mirror, ca_bundles(), resolver(), lambda name, key: deployed.get((name, key)))
    for way in (ways.to_store(), ways.to_upstream(mirror.upstreams[0])):
        assert (way.ca, way.proxy_for("https://registry-1.docker.io")) == (HUB, PROXY)
    with pytest.raises(CaBundleError):
        replace(ways, read_secret=lambda _name, _key: None).to_store()


def test_the_way_to_the_store_trusts_only_its_ca() -> None:
    ways = WaysOut(with_bundles(), ca_bundles(), resolver(), lambda _name, _key: None)
    assert ways.to_store() == WayOut(STORE)
    assert ways.to_upstream(ways.mirror.upstreams[0]) == WayOut(HUB + STORE)


def test_a_rendering_has_the_certificates_and_a_placeholder_for_the_proxy() -> None:
    mirror = samples.mirror(egress=SECRET_PROXY)
    templates = {template.name: template for template in secret_templates(mirror, {"docker-hub": HUB})}
    files = templates["regmirror-docker-hub-config"].files
    assert files["ca.crt"] == (HUB.decode(),)
    assert files["proxy-url"] == (Placeholder("proxy-url", False),)
    plain = secret_templates(samples.mirror(egress={"httpsProxy": "http://proxy:3128"}))
    assert next(one for one in plain if one.name == "regmirror-docker-hub-config").files["proxy-url"] == (
        "http://proxy:3128",
    )


def test_a_change_of_the_bundle_or_of_the_proxy_rolls_the_registry_only() -> None:
    mirror = samples.mirror(egress=SECRET_PROXY)
    before = build_stack(mirror, samples.mirror_secrets(), {}, samples.NOW)
    live = {secret["metadata"]["name"]: secret for secret in before.secrets}
    later = samples.NOW.replace(year=samples.NOW.year + 1)
    proxy = resolve_proxy(mirror, resolver(PROXY_URL=PROXY))
    for changes in ({"ca_bundles": {"docker-hub": HUB}}, {"proxy": proxy}):
        after = build_stack(mirror, samples.mirror_secrets(**changes), live, later)
        pairs = zip(before.releases, after.releases, strict=True)
        assert [new.name for old, new in pairs if old != new] == ["regmirror-docker-hub"]


def test_deploy_warns_of_a_doubtful_certificate_and_a_second_one_changes_nothing() -> None:
    place = Place()
    place.connections.ca_bundles = ca_bundles()
    mirror = configured(storage=storage(**in_config_map("store")))
    first = place.deploy(mirror)
    assert any("caBundle: the certificate CN=regmirror is not that of a CA" in warning for warning in first.warnings)
    assert changed(place.deploy(mirror)) == []
    secret = place.cluster.get(SECRET, "regmirror-docker-hub-config")
    assert secret is not None
    assert base64.b64decode(secret["data"]["ca.crt"]) == STORE


def test_a_followed_account_is_in_no_secret_of_the_mirror() -> None:
    account = {key: {"secret": {"name": "ecr", "key": key}} for key in ("username", "password")}
    mirror = samples.mirror(upstreams=[{**samples.MINIMAL["upstreams"][0], "credentials": account}])
    stack = build_stack(mirror, samples.mirror_secrets(), {}, samples.NOW)
    text = yaml.safe_dump([base64.b64decode(value) for one in stack.secrets for value in one["data"].values()])
    assert "canary-hub" not in text
    (registry,) = [release for release in stack.releases if release.name == "regmirror-docker-hub"]
    assert registry.values["upstream"]["account"] == {
        key: {"secretName": "ecr", "key": key} for key in ("username", "password")
    }
    placeholders = {name for template in secret_templates(mirror) for name in template.placeholders}
    assert not [name for name in placeholders if name.startswith("docker-hub")]


@pytest.mark.parametrize("entry", ["2001:db8::7", "[2001:DB8::7]", "[2001:db8::7]:9000", "2001:db8::/32"])
def test_an_ipv6_address_is_reached_directly_however_it_is_written(entry: str) -> None:
    mirror = samples.mirror(egress={"httpsProxy": "http://[2001:db8::1]:3128", "noProxy": [entry]})
    way = WayOut(proxy=resolve_proxy(mirror, resolver()), no_proxy=no_proxy(mirror))
    assert way.proxy_for("https://[2001:db8::7]:9000") is None
    assert way.proxy_for("https://[2001:dead::7]:9000") == "http://[2001:db8::1]:3128"
