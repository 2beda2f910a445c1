"""Rules for some clients: what the file refuses, and who may pull what."""

from __future__ import annotations

import copy
import itertools
from ipaddress import ip_address
from socket import socket
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from regmirror.access.question import describe_rule
from regmirror.config.access_decision import ANYONE, Client, decide
from regmirror.config.file_warnings import file_warnings
from regmirror.config.load import parse_file
from regmirror.config.pattern_problems import pattern_problems
from regmirror.config.rule_limits import MOST_ENTRIES, entry_count
from regmirror.desired.access import is_refused, refused_samples
from regmirror.desired.access_rules import access_rules, entry_name
from regmirror.desired.auth_config import auth_config
from regmirror.errors import ConfigurationError, RotationError
from regmirror.rotate.pod_checks import issued_token
from tests import samples
from tests.fakes.cluster import FakeCluster

NETWORKS = {"trustedProxies": ["10.42.0.0/16"]}


def mirror_with(rules: list[dict[str, Any]], **changes: Any) -> Any:
    """A mirror whose first upstream has these rules."""
    upstream = {"name": "hub", "anonymousPull": ["library/*"], "rules": rules} | changes.pop("upstream", {})
    return samples.mirror(upstreams=[upstream], **changes)


def problem_of(rules: list[dict[str, Any]], **changes: Any) -> str:
    with pytest.raises(ConfigurationError) as raised:
        mirror_with(rules, **changes)
    return str(raised.value)


FROM = [{"allow": ["acme/*"], "from": ["10.0.0.0/8"]}]


def test_networks_need_the_addresses_of_clients() -> None:
    assert "upstreams[0].rules[0].from: the addresses of clients are not known: set ingress.tr" in problem_of(FROM)
    service = {"service": {"type": "LoadBalancer"}}
    assert "the addresses of clients are not known" in problem_of(FROM, ingress=service)
    mirror_with(FROM, ingress=NETWORKS)
    mirror_with(FROM, ingress={"service": {"type": "LoadBalancer", "externalTrafficPolicy": "Local"}})


def test_networks_and_accounts_need_regmirrors_own_chart() -> None:
    chart = {"chart": {"flavor": "cesanta", "version": "1.14.1", "repository": "https://charts.example.com"}}
    assert "auth.chart runs docker_auth without the front" in problem_of(FROM, ingress=NETWORKS, auth=chart)
    some = [{"allow": ["acme/*"]}, {"allow": ["acme/*"], "groups": ["platform"]}]
    assert "rules[1]: auth.chart keeps docker_auth's users in a ConfigMap" in problem_of(some, auth=chart)
    mirror_with(some[:1], auth=chart)


def test_an_existing_docker_auth_has_rules_of_its_own() -> None:
    realm = "https://auth.example.com/auth"
    auth = {"external": {"realm": realm, "issuer": "acme", "certificate": {"file": "auth.crt"}}}
    rules = [{"allow": ["acme/*"], "users": ["ci"]}]
    assert "rules: has no effect with auth.external: the existing docker_auth decides" in problem_of(rules, auth=auth)


@pytest.mark.parametrize(
    ("network", "message"),
    [
        ("::ffff:10.0.0.0/104", "from[0]: ::ffff:a00:0/104 has IPv4 addresses in IPv6 form: write 10.0.0.0/8"),
        ("10.0.0.1/8", '"10.0.0.1/8" is not a network'),
    ],
)
def test_a_network_that_docker_auth_would_read_otherwise(network: str, message: str) -> None:
    assert message in problem_of([{"allow": ["acme/*"], "from": [network]}], ingress=NETWORKS)


def test_an_upstream_needs_something_to_allow() -> None:
    for upstream in ({"name": "hub"}, {"name": "hub", "rules": []}):
        with pytest.raises(ConfigurationError, match="anonymousPull: required key is missing: list what everyone may"):
            samples.mirror(upstreams=[upstream])
    only_some = samples.mirror(upstreams=[{"name": "hub", "rules": [{"allow": ["acme/*"], "users": ["ci"]}]}])
    assert not decide(only_some.upstreams[0], "acme/tool").allowed
    assert decide(only_some.upstreams[0], "acme/tool", Client(user="ci")).allowed


def test_the_access_list_has_a_limit_that_counts_what_docker_auth_gets() -> None:
    rule = {"allow": ["acme/*", "acme/a/**"], "groups": ["a", "b"], "users": ["c"], "from": ["10.0.0.0/8", "fd00::/8"]}
    url = {"url": "https://ghcr.io"}
    mirror = mirror_with([rule], ingress=NETWORKS, upstream=url)
    assert entry_count(mirror.upstreams[0]) == len(access_rules(mirror)) - 1 == 2 * 2 * (2 * 2 + 1)
    many = [{"allow": [f"acme/tool-{number}" for number in range(MOST_ENTRIES // 2 + 1)], "groups": ["a"]}]
    assert "upstreams: all rules together make 502 entries" in problem_of(many)


def test_the_access_list_names_clients_as_why_does() -> None:
    rule = {"allow": ["acme/*"], "users": ["*", "ci"], "groups": ["platform"], "signedIn": ["alice@example.com"]}
    mirror = mirror_with([rule])
    assert describe_rule(mirror.upstreams[0].rules[0]) == (
        "everyone who logs in or user ci or group platform or alice@example.com (signed in)"
    )
    comments = [entry["comment"] for entry in access_rules(mirror)]
    who = ["everyone who logs in", "user ci", "group platform", "group platform", "alice@example.com (signed in)"]
    assert comments[:-1] == [f"{clients} may pull acme/* of hub" for clients in who]


@pytest.mark.parametrize(
    ("client", "allowed"),
    [
        (ANYONE, False),
        (Client(address=ip_address("10.1.2.3")), True),
        (Client(address=ip_address("::ffff:10.1.2.3")), True),
        (Client(address=ip_address("192.0.2.1")), False),
        (Client(address=ip_address("::a01:203")), False),
        (Client(address=ip_address("fd00::7")), True),
        (Client(user="ci", address=ip_address("192.0.2.1")), False),
    ],
)
def test_networks_decide(client: Client, *, allowed: bool) -> None:
    rule = {"allow": ["acme/*"], "from": ["10.0.0.0/8", "fd00::/8"]}
    upstream = mirror_with([rule], ingress=NETWORKS).upstreams[0]
    assert decide(upstream, "acme/tool", client).allowed is allowed


def test_docker_auth_gets_the_address_from_the_front_only_if_a_rule_needs_it() -> None:
    assert auth_config(mirror_with([]))["server"] == {"addr": "127.0.0.1:5001"}
    server = auth_config(mirror_with(FROM, ingress=NETWORKS))["server"]
    assert server == {"addr": "127.0.0.1:5001", "real_ip_header": "X-Real-IP", "real_ip_pos": 0}


def test_a_rotation_asks_docker_auth_without_the_front() -> None:
    """docker_auth refuses a request that has no address if a rule is about networks."""
    asked: list[bytes] = []

    def serve(connection: socket) -> None:
        asked.append(connection.recv(4096))
        connection.sendall(b"HTTP/1.1 500 No\r\nContent-Length: 0\r\n\r\n")

    cluster = FakeCluster()
    cluster.listeners["auth-0", 5001] = serve
    with pytest.raises(RotationError, match="answers 500 instead of issuing a token"):
        issued_token(cluster, "auth-0", "mirror.example.com")
    assert b"\r\nX-Real-IP: 127.0.0.1\r\n" in asked[0]


def test_what_verify_expects_to_be_refused_is_refused_wherever_it_runs() -> None:
    rules = [
        {"allow": ["acme/private-*"], "groups": ["platform"]},
        {"allow": ["acme/office-*"], "from": ["10.0.0.0/8"]},
        {"allow": ["acme/office-ci"], "users": ["ci"]},
        {"deny": ["library/internal"]},
        {"deny": ["library/elsewhere"], "from": ["192.0.2.0/24"]},
        {"allow": ["library/*"], "users": ["ci"]},
    ]
    upstream = mirror_with(rules, ingress=NETWORKS).upstreams[0]
    assert refused_samples(upstream) == {
        "acme/private-x": "rules[0] allows only some clients",
        "library/internal": "rules[3] refuses",
    }
    assert not is_refused(upstream, "acme/office-a")
    assert is_refused(upstream, "acme/other")


def test_a_change_of_a_rule_shows_its_clients() -> None:
    match = {"type": "repository", "name": "acme/*", "service": "mirror.example.com"}
    assert entry_name(match) == "acme/*"
    assert entry_name({**match, "labels": {"groups": "platform"}, "ip": "10.0.0.0/8"}) == (
        "acme/* (groups platform, from 10.0.0.0/8)"
    )
    assert entry_name({"labels": ["?"], "account": "eve"}) == "any repository (account eve)"


FILE = """\
apiVersion: regmirror.dev/v1alpha1
kind: Mirror
host: mirror.example.com
storage: {bucket: layers, region: eu-central-1}
ingress: {trustedProxies: [10.42.0.0/16]}
networkPolicies: {enabled: true, ingressFrom: [{podSelector: {matchLabels: {app: traefik}}}]}
upstreams:
  - name: one
    url: https://ghcr.io
"""


def warnings_of(upstream: str, file: str = FILE) -> list[str]:
    mirror, root = parse_file(file + "".join(f"    {line}\n" for line in upstream.split("; ")), "mirror.yaml")
    return [f"{problem}".partition("upstreams[0].")[2] for problem in file_warnings(mirror, root)]


@pytest.mark.parametrize(
    ("upstream", "warning"),
    [
        (
            "anonymousPull: [a/*]; rules: [{allow: [a/x], users: [ci]}]",
            'rules[0].allow[0]: "a/x" has no effect: anonymousPull allows it to everyone with "a/*"',
        ),
        (
            "deny: [a/**]; rules: [{allow: [a/x], users: [ci]}]",
            'rules[0].allow[0]: "a/x" has no effect: deny refuses all of it with "a/**"',
        ),
        (
            "rules: [{allow: [a/*], users: ['*']}, {allow: [a/x], groups: [g]}]",
            'rules[1].allow[0]: "a/x" has no effect: the earlier pattern "a/*" in rules[0].allow matches the same',
        ),
        (
            "rules: [{deny: [a/**]}, {allow: [a/x], groups: [g]}]",
            'rules[1].allow[0]: "a/x" has no effect: rules[0].deny refuses all of it with "a/**"',
        ),
        (
            "rules: [{allow: [a/*, a/b], users: [ci]}]",
            'rules[0].allow[1]: "a/b" has no effect: the earlier pattern "a/*" matches the same',
        ),
        (
            "rules: [{allow: [a/*], groups: [g], from: [10.0.0.0/8]}, {allow: [a/b], groups: [g], from: [10.1.0.0/16]}]"
            "",
            'rules[1].allow[0]: "a/b" has no effect: the earlier pattern "a/*" in rules[0].allow matches the same',
        ),
        (
            "rules: [{allow: [a/b], groups: [g]}, {allow: [a/*], groups: [g, h]}]",
            'rules[0].allow[0]: "a/b" has no effect: rules[1].allow allows it to the same clients with "a/*"',
        ),
        (
            "anonymousPull: [a/*]; rules: [{deny: [b/*], from: [10.0.0.0/8]}]",
            'rules[0].deny[0]: "b/*" has no effect: anonymousPull allows none of it',
        ),
        (
            "anonymousPull: [a/*]; rules: [{deny: [b/*]}, {allow: [c/*], users: [ci]}]",
            'rules[0].deny[0]: "b/*" has no effect: nothing that follows allows any of it',
        ),
        (
            "anonymousPull: [a/*]; rules: [{deny: [a/b], users: [ci]}]",
            'rules[0].deny[0]: "a/b" protects nothing: everyone may pull a/b without a login',
        ),
        (
            "rules: [{deny: [a/b], users: ['*'], from: [10.1.0.0/16]}, {allow: [a/*], from: [10.0.0.0/8]}]",
            'rules[0].deny[0]: "a/b" protects nothing: everyone may pull a/b without a login',
        ),
        ("rules: [{allow: [a], users: [ci]}]", 'rules[0].allow[0]: "a" never matches: every repository of ghcr.io'),
        ("rules: [{allow: [a/b], users: [ci, ci]}]", 'rules[0].users[1]: "ci" is listed twice'),
        ("rules: [{allow: [a/b], users: ['*'], groups: [g]}]", 'rules[0].groups[0]: "g" has no effect: "*" in users'),
        ("rules: [{allow: [a/b], users: [ci, '*']}]", 'rules[0].users[0]: "ci" has no effect: "*" in users'),
        (
            "rules: [{allow: [a/b], from: [10.1.0.0/16, 10.0.0.0/8, 10.0.0.0/8]}]",
            "rules[0].from[0]: 10.1.0.0/16 has no effect: 10.0.0.0/8 includes it",
        ),
        ("rules: [{deny: [a/b], from: [10.0.0.0/8]}]", "rules: no rule allows anything: no client can pull"),
    ],
)
def test_a_rule_that_has_no_effect_is_a_warning(upstream: str, warning: str) -> None:
    assert any(found.startswith(warning) for found in warnings_of(upstream)), warnings_of(upstream)


@pytest.mark.parametrize(
    "upstream",
    [
        "anonymousPull: [a/*]; rules: [{allow: [a/private/*], groups: [g]}]",
        "anonymousPull: [a/**]; rules: [{allow: [a/p/x], groups: [g]}, {deny: [a/p/*]}]",
        "anonymousPull: [a/**]; rules: [{deny: [a/p/*], from: [10.0.0.0/8]}]",
        "rules: [{deny: [a/p/*], users: [ci]}, {allow: [a/**], users: ['*']}]",
        "rules: [{allow: [a/*], groups: [g]}, {allow: [a/b], users: [ci]}]",
        "rules: [{allow: [a/*], groups: [g], from: [10.0.0.0/8]}, {allow: [a/*], groups: [g], from: [fd00::/8]}]",
        "rules: [{allow: [a/*], users: [ci]}, {allow: [a/*], from: [10.0.0.0/8]}]",
        "rules: [{deny: [a/b], users: [ci], from: [192.0.2.0/24]}, {allow: [a/*], from: [10.0.0.0/8]}, "
        "{allow: [a/*], users: [ci]}]",
    ],
)
def test_rules_that_work_are_no_warning(upstream: str) -> None:
    assert warnings_of(upstream) == []


ACCOUNT = "credentials: {username: {env: A}, password: {env: B}}; "


@pytest.mark.parametrize(
    ("upstream", "published"),
    [
        ("rules: [{allow: [a/**], users: ['*']}]", False),
        ("rules: [{allow: [a/**], from: [10.0.0.0/8]}]", False),
        ("rules: [{allow: [a/**]}]", True),
        ("rules: [{deny: [b/*], users: [ci]}, {allow: [a/**, b/c]}]", True),
    ],
)
def test_only_a_rule_for_everyone_publishes_what_the_account_can_read(upstream: str, *, published: bool) -> None:
    found = [warning for warning in warnings_of(ACCOUNT + upstream) if "becomes public" in warning]
    assert bool(found) is published
    assert all("a/** together with credentials" in warning for warning in found)


def test_pods_can_claim_an_address_unless_a_policy_keeps_them_away() -> None:
    rule = "rules: [{allow: [a/**], from: [10.0.0.0/8]}]"
    open_file = FILE.replace("enabled: true", "enabled: false")
    (warning,) = warnings_of(rule, open_file)
    assert warning.startswith("rules[0].from: every pod of the cluster that reaches docker_auth can claim any address")
    assert warnings_of(rule) == []


PEOPLE = """
access: {signIn: {PROVIDER: {clientId: abc, clientSecret: {env: CLIENT_SECRET}, KEY: VALUE}}}
auth: {replicas: 2}
upstreams:"""
GITHUB, OIDC, GITLAB = (
    FILE.replace("\nupstreams:", PEOPLE.replace("PROVIDER", kind).replace("KEY: VALUE", setting))
    for kind, setting in {
        "github": "organization: acme",
        "oidc": "issuer: 'https://login.example.com'",
        "gitlab": "url: 'https://gitlab.example.com'",
    }.items()
)


@pytest.mark.parametrize(
    ("upstream", "name"),
    [
        ("rules: [{deny: [a/b], groups: [g]}, {allow: [a/*], users: ['*']}]", "a/b"),
        ("rules: [{deny: [a/**], groups: [g]}, {allow: [a/b], signedIn: [alice]}]", "a/b"),
        ("rules: [{deny: [c/d, a/b], groups: [g], users: [ci]}, {allow: [a/b], users: ['*']}]", "a/b"),
        (
            "rules: [{deny: [a/b], groups: [g], from: [10.0.0.0/8]}, "
            "{allow: [a/b], users: ['*'], from: [10.1.0.0/16]}]",
            "a/b",
        ),
        ("rules: [{deny: [a/b], groups: [g]}, {allow: [a/*], groups: [h]}]", None),
        ("rules: [{deny: [a/b], groups: [g]}, {allow: [a/*], users: [ci]}]", None),
        ("rules: [{deny: [a/b], groups: [g]}, {deny: [a/b]}, {allow: [a/*], users: ['*']}]", None),
        ("rules: [{deny: [a/b], groups: [g], signedIn: [alice]}, {allow: [a/b], signedIn: [alice]}]", None),
        ("rules: [{deny: [a/b], users: [ci]}, {allow: [a/b], users: ['*']}]", None),
        ("rules: [{allow: [a/b], groups: [h]}, {deny: [a/b]}, {allow: [a/*], users: ['*']}]", None),
    ],
)
def test_who_signs_in_without_groups_evades_a_rule_that_denies_them(upstream: str, name: str | None) -> None:
    for file, reason in {GITHUB: "can leave their groups out", OIDC: "can leave", GITLAB: "have no groups"}.items():
        found = [warning for warning in warnings_of(upstream, file) if "does not bind people who sign in" in warning]
        assert len(found) == bool(name)
        assert all(reason in warning and f"may then pull {name};" in warning for warning in found)
    # Accounts of the mirror have the groups that the operator gives them.
    assert not any("does not bind" in warning for warning in warnings_of(upstream))


@given(data=st.data())
def test_what_is_reported_to_have_no_effect_has_none(data: st.DataObject) -> None:
    """Without the entry, every client gets the same decision."""
    rules = [data.draw(RULES) for _ in range(data.draw(st.integers(1, 3)))]
    allowed, denied = data.draw(st.lists(FEW_PATTERNS, max_size=2)), data.draw(st.lists(FEW_PATTERNS, max_size=1))
    document = {"url": "https://dhi.io", "anonymousPull": allowed, "deny": denied}
    upstream = mirror_with(rules, ingress=NETWORKS, upstream=document).upstreams[0]
    for path, problem in pattern_problems(upstream):
        if "no effect" in problem and path[0] == "rules" and path[2] in {"allow", "deny"}:
            without = copy.deepcopy(rules)
            without[int(path[1])][str(path[2])].pop(int(path[3]))
            kept = [rule for rule in without if rule.get("allow") or rule.get("deny")]
            other = mirror_with(kept, ingress=NETWORKS, upstream=document).upstreams[0]
            for client, name in itertools.product(CLIENTS, NAMES):
                assert decide(upstream, name, client).allowed is decide(other, name, client).allowed, problem


FEW_PATTERNS = st.sampled_from(["a", "b", "a/*", "a/b", "*/*", "**", "a/**", "?/b"])
FEW_USERS, FEW_GROUPS, FEW_NETWORKS = ["ci", "bot", "*"], ["g", "h"], ["10.0.0.0/8", "10.1.0.0/16", "fd00::/8"]
RULES = st.tuples(
    st.sampled_from(["allow", "deny"]),
    st.lists(FEW_PATTERNS, min_size=1, max_size=2),
    st.dictionaries(st.sampled_from(["users", "groups", "from"]), st.integers(0, 2), max_size=3),
).map(
    lambda drawn: (
        {drawn[0]: drawn[1]}
        | {
            key: [{"users": FEW_USERS, "groups": [*FEW_GROUPS, "g h"], "from": FEW_NETWORKS}[key][index]]
            for key, index in drawn[2].items()
        }
    )
)
NAMES = ["a", "b", "c", "a/b", "a/c", "c/b", "c/d", "a/b/c", "b/c/d"]
CLIENTS = [
    Client(user=user, groups=frozenset(groups), address=ip_address(address))
    for user in (None, "ci", "bot", "other")
    for groups in ([], ["g"], ["g", "h"], ["g h"])
    for address in ("10.1.0.1", "10.2.0.1", "192.0.2.1", "fd00::1")
    if user or not groups
]
