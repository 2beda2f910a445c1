"""Each case's request gets its expected answer, and the same one from both programs."""

import http.client
import json
from typing import Any

import jwt
import pytest

from .case import Case
from .cases_of_clients import CLIENTS, METHODS
from .cases_of_paths import PATHS
from .cases_of_rules import ADDRESSES, PATTERNS
from .cases_of_scopes import SCOPES
from .configurations import ISSUER
from .conftest import Servers
from .programs import STAND_IN, Answer, Program, Server

CASES = [*CLIENTS, *METHODS, *SCOPES, *PATTERNS, *ADDRESSES, *PATHS]
EVERY_CASE = pytest.mark.parametrize("case", CASES, ids=lambda case: case.id)
CLOSED = Answer(0, http.client.HTTPMessage(), b"")
# Times and random IDs differ between two tokens of the same program as well.
OF_THE_MOMENT = {"exp", "iat", "nbf", "jti"}


def answer_to(case: Case, server: Server) -> Answer:
    try:
        return server.ask(case.target, case.method, case.headers, case.form)
    except http.client.RemoteDisconnected:
        return CLOSED


def claims_of(answer: Answer) -> dict[str, Any]:
    token = json.loads(answer.body)["token"]
    claims: dict[str, Any] = jwt.decode(token, options={"verify_signature": False})
    return claims


@EVERY_CASE
def test_a_request_gets_its_answer(case: Case, program: Program, servers: Servers) -> None:
    answer = answer_to(case, servers(program, case.configuration))
    assert answer.status == case.status, answer.body
    if case.access is not None:
        claims = claims_of(answer)
        expected = {"iss": ISSUER, "sub": case.subject, "aud": case.audience, "access": case.access}
        assert {name: claims[name] for name in expected} == expected
    elif case.body is not None:
        assert answer.body.decode() == case.body
    assert {name: answer.headers[name] for name in case.answer_headers} == case.answer_headers


def comparable(answer: Answer) -> dict[str, Any]:
    """The parts of an answer that must be equal: everything except times, IDs and the stand-in's header."""
    ignored = {"date", "content-length", "x-regmirror-lab"}
    result: dict[str, Any] = {
        "status": answer.status,
        "headers": sorted(
            (name.lower(), value) for name, value in answer.headers.items() if name.lower() not in ignored
        ),
        "body": answer.body,
    }
    if answer.body.startswith(b"{"):
        tokens = json.loads(answer.body)
        assert tokens["token"] == tokens["access_token"]
        result |= {
            "body": sorted(tokens),
            "token header": jwt.get_unverified_header(tokens["token"]),
            "claims": {name: value for name, value in claims_of(answer).items() if name not in OF_THE_MOMENT},
            "types of all claims": {name: type(value) for name, value in claims_of(answer).items()},
        }
    return result


@EVERY_CASE
def test_both_programs_answer_alike(case: Case, stand_in: Program, docker_auth: Program, servers: Servers) -> None:
    answers = [answer_to(case, servers(program, case.configuration)) for program in (stand_in, docker_auth)]
    assert comparable(answers[0]) == comparable(answers[1])


@EVERY_CASE
def test_the_stand_in_labels_every_answer(case: Case, stand_in: Program, servers: Servers) -> None:
    answer = answer_to(case, servers(stand_in, case.configuration))
    if answer is not CLOSED:
        assert answer.headers["X-Regmirror-Lab"] == f"docker_auth {STAND_IN}"
