"""The last step of deploy asks every host as a client would, until it serves or the time is over."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable

import pytest

from regmirror.deploy import public_check
from regmirror.deploy.public_check import ProofStep, prove_host
from regmirror.errors import DeadlineError, RegistryError
from regmirror.ports.http import Answer
from regmirror.steps.runner import run_steps
from tests import samples
from tests.fakes.http import FakeHttp, Request
from tests.fakes.progress import RecordedProgress
from tests.fakes.registry_host import RegistryHost


@pytest.fixture(autouse=True)
def _without_pauses(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(public_check, "_POLL", 0)


def break_realm(host: RegistryHost) -> None:
    host.realm = "https://elsewhere.example.com/auth"


def break_trust(host: RegistryHost) -> None:
    host.bundle = samples.key_pair(2).certificate_pem


def break_issuer(host: RegistryHost) -> None:
    host.expects_issuer = "other"


def break_token_server(host: RegistryHost) -> None:
    host.answers["/auth"] = Answer(502, {}, b"Bad Gateway")


def break_ingress(host: RegistryHost) -> None:
    host.answers["/v2/"] = Answer(404, {}, b"404 page not found")


def test_a_host_that_serves_is_proven() -> None:
    prove_host(FakeHttp({"https://mirror.example.com": RegistryHost()}), "mirror.example.com")


@pytest.mark.parametrize(
    ("harm", "words"),
    [
        (
            break_realm,
            "/v2/ answered 401 with the realm https://elsewhere.example.com/auth instead of 401 with the realm https://mirror",
        ),
        (break_ingress, "/v2/ answered 404 instead of 401 with the realm https://mirror.example.com/auth"),
        (break_token_server, "the token endpoint https://mirror.example.com/auth answered 502: Bad Gateway"),
        (break_trust, "/v2/ answered 401 to a token from https://mirror.example.com/auth"),
        (break_issuer, "/v2/ answered 401 to a token from https://mirror.example.com/auth"),
    ],
)
def test_a_host_that_does_not_serve_says_which_answer_was_wrong(
    harm: Callable[[RegistryHost], None], words: str
) -> None:
    host = RegistryHost()
    harm(host)
    with pytest.raises(RegistryError) as caught:
        prove_host(FakeHttp({"https://mirror.example.com": host}), "mirror.example.com")
    assert words in caught.value.message


def step(http: FakeHttp) -> ProofStep:
    return ProofStep(("mirror.example.com", "quay.example.com"), http, needs=())


def test_every_host_is_tried_until_it_serves() -> None:
    quay = RegistryHost(host="quay.example.com")
    starting = [Answer(503, {}, b""), Answer(503, {}, b"")]

    def slow(request: Request) -> Answer:
        return starting.pop() if starting else quay(request)

    http = FakeHttp({"https://mirror.example.com": RegistryHost(), "https://quay.example.com": slow})
    progress = RecordedProgress()
    done = asyncio.run(step(http).apply(progress))
    assert done.detail == "https://mirror.example.com, quay.example.com issues tokens and accepts them"
    assert not done.changed
    assert len(progress.events) == 2
    assert progress.events[0].startswith(
        "waiting Proof: a right answer; RM500: https://quay.example.com/v2/ answered 503"
    )


def test_the_last_reason_is_told_when_the_time_is_over() -> None:
    with pytest.raises(DeadlineError) as caught:
        asyncio.run(run_steps([step(FakeHttp())], RecordedProgress(), time.monotonic() + 0.2))
    assert caught.value.message.startswith("Proof: not done in time; waited for a right answer; RM500: ")
    assert "mirror.example.com does not resolve" in caught.value.message
