"""``access.signIn``: what the file may say, and what docker_auth, the Secrets and the releases get."""

from __future__ import annotations

import base64
import json
from datetime import timedelta
from typing import Any

import pytest
import yaml
from pydantic import SecretStr

from regmirror.config.client_secret import check_client_secret
from regmirror.config.problem import InvalidFileError
from regmirror.config.sign_in import SignIn
from regmirror.config.sign_in_warnings import sign_in_warnings
from regmirror.deploy.diff_changes import Cause
from regmirror.deploy.diff_secrets import diff_secret
from regmirror.desired import names
from regmirror.desired.access_rules import access_rules
from regmirror.desired.mirror_secrets import SIGN_IN_CA
from regmirror.desired.releases import Release, Stack, build_stack
from regmirror.desired.sign_in_config import sign_in_config
from regmirror.errors import ClientSecretError
from tests import samples

CLIENT: dict[str, Any] = {"clientId": "abc", "clientSecret": {"env": "CLIENT_SECRET"}}
PROVIDERS: dict[str, dict[str, Any]] = {
    "github": {**CLIENT, "organization": "acme"},
    "google": {**CLIENT, "domain": "example.com"},
    "gitlab": {**CLIENT, "url": "https://gitlab.example.com"},
    "oidc": {**CLIENT, "issuer": "https://login.example.com/realms/acme"},
}

PERSONAL_ACCOUNTS = "9188040d-6c67-4c5b-b112-36a304b66dad"
"""The tenant of everybody with an account at Microsoft."""


def mirror(kind: str = "github", changes: dict[str, Any] | None = None, **more: Any) -> Any:
    """A mirror whose file has this provider."""
    return samples.mirror(access={"signIn": {kind: PROVIDERS[kind] | (changes or {})}}, **more)


def stack(found: Any, **secrets: Any) -> Stack:
    return build_stack(found, samples.mirror_secrets(**secrets), {}, samples.NOW)


def release(found: Any, name: str) -> Release:
    return next(each for each in stack(found).releases if each.name == name)


def files(found: Any, name: str, **secrets: Any) -> dict[str, str]:
    data = next(each for each in stack(found, **secrets).secrets if each["metadata"]["name"] == name)["data"]
    return {key: base64.b64decode(content).decode() for key, content in data.items()}


@pytest.mark.parametrize(
    ("kind", "changes", "message"),
    [
        ("github", {"organization": None}, "organization"),
        ("github", {"organization": "acme/tools"}, "is not the login of an organization"),
        ("github", {"url": "http://github.example.com"}, "must begin with https://"),
        ("github", {"url": "https://user:canary@github.example.com"}, "credentials are not allowed"),
        ("github", {"revalidateAfter": "59s"}, "must be from 1m to 24h"),
        ("github", {"revalidateAfter": "25h"}, "must be from 1m to 24h"),
        ("github", {"clientId": "a&b"}, "is not a client ID"),
        ("github", {"clientSecret": "canary"}, "secrets are not allowed in this file"),
        ("google", {"domain": None}, "domain"),
        ("gitlab", {"url": None}, "url"),
        ("oidc", {"issuer": "http://login.example.com"}, "must begin with https://"),
        ("oidc", {"issuer": "https://login.example.com?a=b"}, "without a query"),
        ("oidc", {"userClaim": "name"}, "people choose name themselves"),
        ("oidc", {"userClaim": "preferred_username"}, "people choose preferred_username themselves"),
        ("oidc", {"userClaim": "website"}, "people choose website themselves"),
        ("oidc", {"userClaim": "email_verified"}, "email_verified is not a text, so nobody could sign in"),
        ("oidc", {"userClaim": "updated_at"}, "updated_at is not a text, so nobody could sign in"),
        ("oidc", {"groupsClaim": "user"}, "is taken by the accounts of regmirror user"),
        ("oidc", {"scopes": ["email"]}, "add openid"),
    ],
)
def test_what_is_dangerous_or_missing_is_refused(kind: str, changes: dict[str, Any], message: str) -> None:
    with pytest.raises(InvalidFileError, match=message) as refused:
        section = {key: value for key, value in (PROVIDERS[kind] | changes).items() if value is not None}
        samples.mirror(access={"signIn": {kind: section}})
    assert "canary" not in str(refused.value)


def test_a_mirror_has_one_provider() -> None:
    with pytest.raises(InvalidFileError, match=r"access\.signIn\.google: set only one provider"):
        samples.mirror(access={"signIn": {name: PROVIDERS[name] for name in ("github", "google")}})
    with pytest.raises(InvalidFileError, match="set one of github, google, gitlab, oidc"):
        samples.mirror(access={"signIn": {}})


@pytest.mark.parametrize(
    ("kind", "changes", "is_public"),
    [
        ("gitlab", {"url": "https://gitlab.com"}, True),
        ("gitlab", {}, False),
        ("oidc", {"issuer": "https://accounts.google.com"}, True),
        ("oidc", {"issuer": "https://accounts.google.com."}, True),
        ("gitlab", {"url": "https://gitlab.com./"}, True),
        ("oidc", {"issuer": "https://api.login.yahoo.com"}, True),
        ("oidc", {"issuer": f"https://login.microsoftonline.com/{PERSONAL_ACCOUNTS}/v2.0"}, True),
        ("oidc", {"issuer": f"https://login.microsoftonline.com/{PERSONAL_ACCOUNTS.upper()}/v2.0"}, True),
        ("oidc", {"issuer": f"https://sts.windows.net/{PERSONAL_ACCOUNTS}/"}, True),
        ("oidc", {"issuer": "https://login.microsoftonline.com/common/v2.0"}, True),
        ("oidc", {"issuer": "https://login.microsoftonline.com//consumers/v2.0"}, True),
        ("oidc", {"issuer": "https://login.microsoftonline.com/organizations"}, True),
        ("oidc", {"issuer": "https://login.microsoftonline.com/72f988bf-86f1-41af-91ab-2d7cd011db47/v2.0"}, False),
        ("oidc", {"issuer": "https://login.example.com/realms/common"}, False),
        ("github", {}, False),
    ],
)
def test_everyone_who_logs_in_is_not_everybody_in_the_world(
    kind: str, changes: dict[str, Any], *, is_public: bool
) -> None:
    hub = {"name": "hub", "anonymousPull": [], "rules": [{"allow": ["acme/**"], "users": ["*"]}]}
    if not is_public:
        assert mirror(kind, changes, upstreams=[hub])
        return
    with pytest.raises(InvalidFileError, match=r"rules\[0\]\.users: everybody in the world"):
        mirror(kind, changes, upstreams=[hub])


@pytest.mark.parametrize(
    ("auth", "message"),
    [
        (
            {"external": {"realm": "https://a.example.com/auth", "issuer": "a", "certificate": {"file": "a.pem"}}},
            "has no effect with auth.external",
        ),
        ({"chart": {"path": "somewhere", "flavor": "cesanta"}}, "requires regmirror's own chart"),
    ],
)
def test_it_needs_the_docker_auth_of_the_mirror(auth: dict[str, Any], message: str) -> None:
    with pytest.raises(InvalidFileError, match=message):
        mirror(auth=auth)


def test_github_gets_the_urls_of_its_edition() -> None:
    urls = {
        "https://github.com": "https://api.github.com",
        "https://acme.ghe.com/": "https://api.acme.ghe.com",
        "https://github.example.com": "https://github.example.com/api/v3",
    }
    for url, api in urls.items():
        section = sign_in_config(mirror(changes={"url": url}), "")["github_auth"]
        assert (section["github_web_uri"], section["github_api_uri"]) == (url.rstrip("/"), api)


def test_docker_auth_gets_what_its_providers_read() -> None:
    sections = {kind: sign_in_config(mirror(kind), "pw")[f"{kind}_auth"] for kind in PROVIDERS}
    for section in sections.values():
        assert section["client_secret_file"] == "/config/client-secret"
        assert section["redis_token_db"]["redis_options"] == {"addr": "regmirror-sign-in:6379", "password": "pw"}
    assert sections["github"]["revalidate_after"] == "1h"
    assert sections["google"]["domain"] == "example.com"
    assert sections["gitlab"]["gitlab_web_uri"] == "https://gitlab.example.com"
    assert sections["gitlab"]["gitlab_api_uri"] == "https://gitlab.example.com/api/v4"
    assert sections["gitlab"]["redirect_uri"] == "https://mirror.example.com/gitlab_auth"
    assert sections["oidc"]["redirect_url"] == "https://mirror.example.com/oidc_auth"
    assert sections["oidc"]["labels_claims"] == ["groups"]
    assert all(sections[kind]["registry_url"] == samples.HOST for kind in ("github", "gitlab", "oidc"))


def test_people_sign_in_at_a_host_that_the_mirror_serves() -> None:
    assert mirror(port=8443).sign_in_url == "https://mirror.example.com:8443/github_auth"
    quay = {"name": "quay", "host": "quay.example.com", "anonymousPull": ["a/*"]}
    assert mirror(upstreams=[quay]).sign_in_url == "https://quay.example.com/github_auth"
    assert samples.mirror().sign_in_url is None


def test_what_to_register_at_google_is_an_origin() -> None:
    assert mirror(port=8443).sign_in_registration == "callback URL https://mirror.example.com:8443/github_auth"
    assert mirror("google").sign_in_registration == "authorized JavaScript origin https://mirror.example.com"
    assert samples.mirror().sign_in_registration is None


def test_a_group_is_found_in_the_claim_of_the_provider() -> None:
    hub = {"name": "hub", "anonymousPull": [], "rules": [{"allow": ["a/*"], "groups": ["platform"]}]}
    rules = access_rules(mirror("oidc", {"groupsClaim": "roles"}, upstreams=[hub]))
    assert [rule["match"]["labels"] for rule in rules] == [{label: "platform"} for label in ("groups", "roles")]


def test_secrets_are_in_secrets_only() -> None:
    found = stack(mirror())
    values = json.dumps([each.values for each in found.releases])
    assert not [canary for canary in samples.CANARIES if canary in values]
    auth = files(mirror(), names.AUTH_SECRET)
    assert auth["client-secret"] == "canary-client-secret"
    assert "canary-client-secret" not in auth["auth_config.yml"]
    assert "canary-sign-in-password" in auth["auth_config.yml"]


def test_without_it_nothing_is_added() -> None:
    found = stack(samples.mirror())
    assert names.SIGN_IN not in [each.name for each in found.releases]
    assert names.SIGN_IN_SECRET not in [each["metadata"]["name"] for each in found.secrets]
    assert list(files(samples.mirror(), names.AUTH_SECRET)) == ["auth_config.yml"]
    values = {each.name: each.values for each in found.releases}
    assert "signIn" not in values[names.AUTH] | values[names.INGRESS]


def test_logins_are_kept_on_a_volume_and_never_evicted() -> None:
    values = release(mirror(), names.SIGN_IN).values
    assert values["data"] == {"enabled": True, "storageClassName": "", "size": "1Gi"}
    assert values["client"] == "auth"
    lines = files(mirror(), names.SIGN_IN_SECRET)["valkey.conf"].splitlines()
    assert {"maxmemory-policy noeviction", "appendonly yes", "appendfsync always"} <= set(lines)


@pytest.mark.parametrize(("volume", "expected"), [("fast", (True, "fast")), ("emptyDir", (False, ""))])
def test_the_volume_is_as_the_file_says(volume: str, expected: tuple[bool, str]) -> None:
    found = samples.mirror(access={"signIn": {"github": PROVIDERS["github"], "volume": volume}})
    data = release(found, names.SIGN_IN).values["data"]
    assert (data["enabled"], data["storageClassName"]) == expected


def test_an_external_redis_is_not_used_for_logins() -> None:
    redis = {"external": {"addresses": ["redis.example.com:6379"]}}
    found = mirror(redis=redis)
    assert names.SIGN_IN in [each.name for each in stack(found).releases]
    assert sign_in_config(found, "")["github_auth"]["redis_token_db"]["redis_options"]["addr"].startswith(names.SIGN_IN)


@pytest.mark.parametrize("kind", PROVIDERS)
def test_the_endpoint_publishes_the_page_of_the_provider(kind: str) -> None:
    page = {"host": samples.HOST, "path": f"/{kind}_auth"}
    assert release(mirror(kind), names.INGRESS).values["signIn"] == page
    service = mirror(kind, ingress={"service": {"type": "NodePort", "nodePort": 30443}})
    assert release(service, names.INGRESS).values["signIn"] == page
    assert release(mirror(kind), names.AUTH).values["signIn"] == {"provider": kind}


def test_docker_auth_reaches_the_provider_as_registries_reach_their_upstreams() -> None:
    section = {"github": PROVIDERS["github"], "caBundle": {"file": "ca.pem"}}
    found = samples.mirror(access={"signIn": section}, egress={"httpsProxy": {"env": "PROXY"}})
    values = release(found, names.AUTH).values
    assert values["caBundle"] == {"secretName": names.AUTH_SECRET}
    assert values["proxy"]["secretName"] == names.AUTH_SECRET
    assert ".svc" in values["proxy"]["noProxy"].split(",")
    secrets = {"ca_bundles": {SIGN_IN_CA: b"pem"}, "proxy": SecretStr("http://user:pw@proxy:3128")}
    kept = files(found, names.AUTH_SECRET, **secrets)
    assert (kept["ca.crt"], kept["proxy-url"]) == ("pem", "http://user:pw@proxy:3128")


@pytest.mark.parametrize(
    ("kind", "secret", "is_usable"),
    [
        ("oidc", "a~b.c-d_e", True),
        ("oidc", "a&b", False),
        ("oidc", "a+b", False),
        ("oidc", "a%b", False),
        ("github", "a&b+c", True),
        ("github", "a b", False),
        ("github", "ä", False),
        ("github", "a\nb", False),
    ],
)
def test_a_client_secret_that_would_be_changed_is_refused(kind: str, secret: str, *, is_usable: bool) -> None:
    sign_in: SignIn = mirror(kind).access.sign_in
    if is_usable:
        check_client_secret(sign_in, secret, "access.signIn")
        return
    with pytest.raises(ClientSecretError) as refused:
        check_client_secret(sign_in, secret, "access.signIn")
    assert secret not in f"{refused.value}{refused.value.hint}"


def test_the_file_shows_the_time_in_which_access_is_lost() -> None:
    assert mirror(changes={"revalidateAfter": "30m"}).access.sign_in.github.revalidate_after == timedelta(minutes=30)
    assert (
        yaml.safe_load(files(mirror(), names.AUTH_SECRET)["auth_config.yml"])["github_auth"]["organization"] == "acme"
    )


@pytest.mark.parametrize(
    ("kind", "changes", "warning"),
    [
        ("google", {}, "a library that Google has retired"),
        ("oidc", {"scopes": ["openid"]}, "without offline_access"),
        ("oidc", {}, ""),
        ("oidc", {"issuer": "https://accounts.google.com"}, "does not know offline_access"),
        ("oidc", {"issuer": "https://accounts.google.com", "scopes": ["openid", "email"]}, ""),
        ("github", {}, ""),
    ],
)
def test_what_ends_sooner_than_people_expect_is_a_warning(kind: str, changes: dict[str, Any], warning: str) -> None:
    found = [message for _, message in sign_in_warnings(mirror(kind, changes, auth={"replicas": 2}))]
    assert [warning in message for message in found] == [True] * bool(warning)


def test_a_provider_that_docker_auth_needs_at_its_start_asks_for_two_pods() -> None:
    ((path, message),) = sign_in_warnings(mirror("oidc"))
    assert path == ("auth", "replicas")
    assert "does not start while the issuer" in message
    assert list(sign_in_warnings(mirror("github"))) == []


def test_a_rule_for_people_needs_a_provider() -> None:
    hub = {"name": "hub", "anonymousPull": [], "rules": [{"allow": ["a/*"], "signedIn": ["alice"]}]}
    ((path, message),) = sign_in_warnings(samples.mirror(upstreams=[hub]))
    assert path == ("upstreams", 0, "rules", 0, "signedIn")
    assert "no effect without access.signIn" in message
    assert list(sign_in_warnings(mirror(upstreams=[hub]))) == []


@pytest.mark.parametrize(
    ("kind", "has_groups"), [("gitlab", False), ("google", False), ("github", True), ("oidc", True)]
)
def test_a_rule_about_groups_needs_a_provider_with_groups(kind: str, has_groups: bool) -> None:
    rules = [
        {"allow": ["a/*"], "users": ["ci"]},
        {"allow": ["a/*"], "groups": ["x"]},
        {"deny": ["a/b"], "groups": ["y"]},
    ]
    hub = {"name": "hub", "anonymousPull": [], "rules": rules}
    found = dict(sign_in_warnings(mirror(kind, upstreams=[hub])))
    path = ("upstreams", 0, "rules", 1, "groups")
    assert [key for key in found if "groups" in key] == ([] if has_groups else [path])
    if not has_groups:
        assert f"access.signIn.{kind} does not provide groups" in found[path]


def test_a_provider_that_is_added_or_removed_is_a_change_of_the_file_without_secrets() -> None:
    with_it, without = (
        next(each for each in stack(found).secrets if each["metadata"]["name"] == names.AUTH_SECRET)
        for found in (mirror(), samples.mirror())
    )
    for wanted, live in ((with_it, without), (without, with_it)):
        change = diff_secret(wanted, live)
        assert change is not None
        assert change.cause is Cause.FILE
        assert "data.client-secret" in [field.path for field in change.fields]
        assert not [canary for canary in samples.CANARIES if canary in repr(change)]
