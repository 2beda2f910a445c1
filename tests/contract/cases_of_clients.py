"""Cases about clients and their credentials."""

from collections.abc import Mapping
from typing import Any
from urllib.parse import urlencode

from .case import BY_ALICE, BY_ROBOT, DEMO, DEMO_GRANT, TEAM, TEAM_DENIED, TEXT, Case, auth, basic, denied, refused
from .configurations import ALICE, SERVICE

LOWER_CASE_BASIC = {"Authorization": basic(*ALICE)["Authorization"].replace("Basic", "basic")}
LOGIN = auth(account="alice", client_id="docker", offline_token="true")

CLIENTS = [
    Case("anonymous allowed", "mirror", auth(DEMO), access=DEMO_GRANT),
    Case("anonymous granted nothing", "mirror", auth(TEAM), access=[TEAM_DENIED]),
    Case("anonymous without scope", "mirror", auth(), access=[]),
    Case("no service", "mirror", f"/auth?scope={DEMO}", access=DEMO_GRANT, audience=""),
    Case("any service", "mirror", f"/auth?service=x&scope={DEMO}", access=DEMO_GRANT, audience="x"),
    Case("user", "mirror", auth(DEMO), access=DEMO_GRANT, **BY_ALICE),
    Case("user and account", "mirror", auth(DEMO, account="alice"), access=DEMO_GRANT, **BY_ALICE),
    Case("login", "mirror", LOGIN, access=[], **BY_ALICE),
    Case("colon in the password", "mirror", auth(), access=[], **BY_ROBOT),
    Case("basic in lower case", "mirror", auth(), access=[], subject="alice", headers=LOWER_CASE_BASIC),
    Case("empty Basic user is anonymous", "mirror", auth(DEMO), access=DEMO_GRANT, headers=basic("", "any")),
    Case("user without password", "mirror", auth(), access=[], subject="open", headers=basic("open", "any")),
    Case("account of a user without password", "mirror", auth(account="open"), access=[], subject="open"),
    Case("Bearer is no login", "mirror", auth(DEMO), access=DEMO_GRANT, headers={"Authorization": "Bearer x"}),
    Case("unreadable Basic is no login", "mirror", auth(DEMO), access=DEMO_GRANT, headers={"Authorization": "Basic !"}),
    Case("empty access list", "closed", auth(TEAM), access=[TEAM_DENIED], **BY_ALICE),
    denied("wrong password", "mirror", auth(DEMO), headers=basic("alice", "wrong")),
    denied("empty password", "mirror", auth(DEMO), headers=basic("alice", "")),
    denied("unknown user", "mirror", auth(DEMO), headers=basic("mallory", "x")),
    denied("user that is null", "mirror", auth(DEMO), headers=basic("nobody", "x")),
    denied("user name in other case", "mirror", auth(DEMO), headers=basic("Alice", ALICE[1])),
    denied("account without login", "mirror", auth(DEMO, account="alice")),
    denied("no anonymous user", "closed", auth(DEMO)),
    denied("no anonymous user, no scope", "closed", auth()),
    refused(
        "account of another",
        "mirror",
        auth(account="bob"),
        'user and account are not the same ("alice" vs "bob")',
        headers=basic(*ALICE),
    ),
    refused(
        "account with an empty Basic user",
        "mirror",
        auth(account="alice"),
        'user and account are not the same ("" vs "alice")',
        headers=basic("", ""),
    ),
]

FORM_HEADERS = {"Content-Type": "application/x-www-form-urlencoded"}
JSON_HEADERS = {"Content-Type": "application/json"}
FORM = {"grant_type": "password", "service": SERVICE, "client_id": "containerd"}
ALICE_FORM = {**FORM, "username": ALICE[0], "password": ALICE[1]}
REFRESH_FORM = {**FORM, "grant_type": "refresh_token", "refresh_token": "x"}


def sent(id: str, form: Mapping[str, str], target: str = "/auth", method: str = "POST", **expected: Any) -> Case:
    headers = {**FORM_HEADERS, **expected.pop("headers", {})}
    return Case(id, "mirror", target, method=method, form=urlencode(form), headers=headers, **expected)


def sent_and_denied(id: str, form: Mapping[str, str]) -> Case:
    return denied(id, "mirror", "/auth", method="POST", form=urlencode(form), headers=FORM_HEADERS)


METHODS = [
    sent("POST password grant", {**ALICE_FORM, "scope": DEMO}, access=DEMO_GRANT, subject="alice"),
    sent("POST to /auth/token", {**ALICE_FORM, "scope": DEMO}, "/auth/token", access=DEMO_GRANT, subject="alice"),
    sent("POST several scopes", {**FORM, "scope": f"{DEMO} {TEAM}"}, access=[*DEMO_GRANT, TEAM_DENIED]),
    sent("POST anonymous", {**FORM, "scope": DEMO}, access=DEMO_GRANT),
    sent("POST with Basic", {**FORM, "scope": DEMO}, access=DEMO_GRANT, **BY_ALICE),
    sent("POST Basic before form", ALICE_FORM, access=[], **BY_ROBOT),
    sent("POST user name alone is anonymous", {**FORM, "username": "alice"}, access=[]),
    sent("POST scope in the query", ALICE_FORM, auth(DEMO), access=DEMO_GRANT, subject="alice"),
    sent("POST form before query", {**FORM, "service": "form"}, auth(), access=[], audience="form"),
    sent("POST refresh token is ignored", REFRESH_FORM, access=[]),
    sent_and_denied("POST wrong password", {**ALICE_FORM, "password": "wrong"}),
    sent_and_denied("POST password of another account", {**ALICE_FORM, "account": "team-robot"}),
    sent("PUT form is no login", ALICE_FORM, method="PUT", access=[]),
    sent("GET does not read a form", ALICE_FORM, method="GET", access=[], audience=""),
    Case("POST broken form", "mirror", auth(), access=[], method="POST", form="a=%zz", headers=FORM_HEADERS),
    Case("POST JSON is no form", "mirror", auth(), access=[], method="POST", form="{}", headers=JSON_HEADERS),
    Case("PUT", "mirror", auth(DEMO), method="PUT", access=DEMO_GRANT),
    Case("DELETE", "mirror", auth(DEMO), method="DELETE", access=DEMO_GRANT),
    Case("OPTIONS", "mirror", auth(DEMO), method="OPTIONS", access=DEMO_GRANT),
    Case("HEAD", "mirror", auth(DEMO), method="HEAD", body="", answer_headers=JSON_HEADERS),
    Case("HEAD denied", "closed", auth(DEMO), 401, method="HEAD", body="", answer_headers=TEXT),
]
