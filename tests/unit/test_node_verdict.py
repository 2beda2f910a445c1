"""From the runtime's errors and the mirror's log to a reason: one line for each way in which a node fails."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from regmirror.verify.nodes.fixes import fix
from regmirror.verify.nodes.probe import Target
from regmirror.verify.nodes.sightings import Sighting, parse_sightings
from regmirror.verify.nodes.targets import Node
from regmirror.verify.nodes.verdict import Attempt, Evidence, Reason, judge
from tests.fakes.nodes import line

TARGET = Target("docker-hub", "docker.io", "mirror.example.com", "library/demo")
ID = "0123456789abcdef"
HEAD = 'failed to do request: Head "https://mirror.example.com/v2/library/demo/manifests/x?ns=docker.io": '
X509 = "tls: failed to verify certificate: x509: certificate signed by unknown authority"
AUTH = (
    "failed to authorize: failed to fetch anonymous token: unexpected status from GET request to "
    "https://mirror.example.com/auth?scope=repository%3Alibrary%2Fdemo%3Apull&service=mirror.example.com: "
)
NOT_FOUND = 'failed to resolve reference "docker.io/library/demo:x": docker.io/library/demo:x: not found'
ABSENT = (
    'failed to resolve reference "docker.io/library/regmirror-probe-x:x": pull access denied, repository does not '
    "exist or may require authorization: server message: insufficient_scope: authorization failed"
)
SKOPEO = (
    "(Mirrors also failed: [mirror.example.com/library/demo:x: pinging container registry mirror.example.com: "
    f'Get "https://mirror.example.com/v2/": {X509}]): docker.io/library/demo:x: manifest unknown'
)


def seen(*requests: tuple[int, str]) -> tuple[Sighting, ...]:
    return tuple(Sighting(ID, status, credentials, "containerd/2.4.2") for status, credentials in requests)


ASKED, PULLED = seen((401, "none")), seen((401, "none"), (404, "token"))
REFUSED, WITH_LOGIN = seen((401, "none"), (401, "token")), seen((401, "login"))
CASES = {
    "healthy": (Evidence(TARGET, Attempt("", PULLED)), Reason.USED),
    "healthy, with a login in hosts.toml": (
        Evidence(TARGET, Attempt("", seen((401, "login"), (404, "token")))),
        Reason.USED,
    ),
    "a new token after an expired one": (
        Evidence(TARGET, Attempt("", seen((401, "token"), (404, "token")))),
        Reason.USED,
    ),
    "refused by the rules": (Evidence(TARGET, Attempt(NOT_FOUND, REFUSED)), Reason.REFUSED),
    "pull secret": (
        Evidence(TARGET, Attempt(NOT_FOUND, ASKED), Attempt(ABSENT, ASKED), pull_secrets=("hub",)),
        Reason.LOGIN_REJECTED,
    ),
    "credentials of the node, and the mirror's own name works": (
        Evidence(TARGET, Attempt(NOT_FOUND, ASKED), Attempt(ABSENT, ASKED), Attempt("x", PULLED)),
        Reason.LOGIN_REJECTED,
    ),
    "the mirror's answer to the login": (
        Evidence(TARGET, Attempt(NOT_FOUND, ASKED), Attempt(f"{AUTH}401 Unauthorized", ASKED)),
        Reason.LOGIN_REJECTED,
    ),
    "no token, because /auth is not trusted": (
        Evidence(TARGET, Attempt(NOT_FOUND, ASKED), Attempt(f'Get "https://mirror.example.com/auth?x": {X509}', ASKED)),
        Reason.CA,
    ),
    "a pull secret of another registry, and /auth is not trusted": (
        Evidence(
            TARGET,
            Attempt(NOT_FOUND, ASKED),
            Attempt(f'Get "https://mirror.example.com/auth?x": {X509}', ASKED),
            pull_secrets=("quay",),
        ),
        Reason.CA,
    ),
    "no token": (Evidence(TARGET, Attempt(NOT_FOUND, ASKED), Attempt(ABSENT, ASKED)), Reason.NO_TOKEN),
    "wrong CA, and the registry refuses the repository": (
        Evidence(TARGET, Attempt(NOT_FOUND), Attempt(HEAD + X509), Attempt(HEAD + X509)),
        Reason.CA,
    ),
    "wrong CA, and the registry cannot be reached": (Evidence(TARGET, Attempt(HEAD + X509)), Reason.CA),
    "wrong CA of CRI-O": (Evidence(TARGET, Attempt(SKOPEO)), Reason.CA),
    "no DNS": (
        Evidence(TARGET, Attempt(HEAD + "dial tcp: lookup mirror.example.com: no such host")),
        Reason.UNREACHABLE,
    ),
    "no route": (Evidence(TARGET, Attempt(HEAD + "dial tcp 10.0.0.1:443: i/o timeout")), Reason.UNREACHABLE),
    "a proxy in between": (
        Evidence(TARGET, Attempt("unexpected status from HEAD request to https://mirror.example.com/v2/: 502")),
        Reason.MIRROR_ERROR,
    ),
    "no file at all, or in the wrong directory": (
        Evidence(TARGET, Attempt(NOT_FOUND), Attempt(ABSENT), Attempt(HEAD + X509)),
        Reason.FILES_NOT_READ,
    ),
    "a file for another registry": (
        Evidence(TARGET, Attempt(NOT_FOUND), Attempt(ABSENT), Attempt("x", PULLED)),
        Reason.NOT_LISTED,
    ),
    "the registry is down, too": (
        Evidence(
            TARGET,
            Attempt('Head "https://registry-1.docker.io/v2/x": dial tcp 1.2.3.4:443: i/o timeout'),
            Attempt('Head "https://registry-1.docker.io/v2/x": dial tcp 1.2.3.4:443: i/o timeout'),
            Attempt("x", PULLED),
        ),
        Reason.NOT_LISTED,
    ),
    "another mirror whose name ends like that of this one": (
        Evidence(TARGET, Attempt(f'Head "https://old-mirror.example.com/v2/x": {X509}'), own_name=Attempt("x", PULLED)),
        Reason.NOT_LISTED,
    ),
}


@pytest.mark.parametrize("case", CASES)
def test_the_evidence_shows_the_reason(case: str) -> None:
    evidence, reason = CASES[case]
    verdict = judge(evidence)
    assert verdict.reason is reason
    assert verdict.bypasses == (reason is not Reason.USED)
    assert verdict.message


@pytest.mark.parametrize("reason", [one for one in Reason if one is not Reason.USED])
def test_every_reason_has_a_fix(reason: Reason) -> None:
    for runtime in ("containerd", "talos"):
        assert fix(Node("worker-1", runtime=runtime), Evidence(TARGET), reason)


def test_a_registry_that_answers_404_hides_a_wrong_ca() -> None:
    evidence = Evidence(TARGET, Attempt(NOT_FOUND), Attempt(NOT_FOUND), Attempt(HEAD + X509))
    assert judge(evidence).message.endswith("or have another CA")


def test_an_upstream_error_is_shown_although_the_node_uses_the_mirror() -> None:
    verdict = judge(Evidence(TARGET, Attempt("", seen((401, "none"), (502, "token")))))
    assert (verdict.reason, verdict.message) == (Reason.USED, "uses the mirror (containerd/2.4.2), which answered 502")


def test_the_cause_is_quoted_and_not_the_name_of_the_image() -> None:
    message = judge(Evidence(TARGET, Attempt(HEAD + X509))).message
    assert message.startswith('the runtime does not trust the mirror: Head "https://mirror.example.com')
    assert len(judge(Evidence(TARGET, Attempt(HEAD + X509 + "x" * 5000))).message) < 400


def test_lines_of_other_programs_are_skipped() -> None:
    log = "\n".join(["2026/11/23 12:00:00 [warn] a", "{", '{"probe":1}', line(ID), '{"probe":"x","status":1}', ""])
    assert [one.id for one in parse_sightings(log)] == [ID]


@given(st.text())
def test_no_log_is_an_error(text: str) -> None:
    list(parse_sightings(text))
    list(parse_sightings('{"probe":' + text))


@given(st.text(), st.text(), st.text(), st.lists(st.sampled_from([(401, "none"), (404, "token"), (401, "token")])))
def test_every_evidence_has_a_verdict(tag: str, repository: str, own: str, asked: list[tuple[int, str]]) -> None:
    found = Evidence(TARGET, Attempt(tag, seen(*asked)), Attempt(repository), Attempt(own))
    assert judge(found).reason in Reason
