"""The questions of init depend on what the cluster has."""

from __future__ import annotations

from dataclasses import replace

import pytest
from rich.console import Console
from rich.text import Text

from regmirror.cli.cluster_offers import ClusterOffers
from regmirror.cli.init_questions import Questions
from regmirror.cli.options import Format
from regmirror.cli.prompts import Prompts
from regmirror.cli.terminal import Terminal
from regmirror.config.init_options import AccountReference, InitOptions

KEY = {"AWS_ACCESS_KEY_ID": "id", "AWS_SECRET_ACCESS_KEY": "secret"}
REFERENCE = {"env": "NAME"}
GIVEN = InitOptions(
    host="mirror.example.com",
    bucket="layers",
    region="here",
    allowed=["library/*"],
    endpoint="http://s3:9000",
    create_bucket=True,
    access_key=AccountReference(REFERENCE, REFERENCE),
    credentials=AccountReference(REFERENCE, REFERENCE),
    probe_image="library/alpine:3",
)
SELF_SIGNED = (
    "Create a self-signed certificate on deploy? Clients then need its CA (no: use your own certificate) [y/N]: "
)


class Conversation:
    """Answers questions in their order, and remembers them."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch, *answers: str) -> None:
        self.asked: list[str] = []
        self._answers = list(answers)
        monkeypatch.setattr(Console, "input", self._input)

    def _input(self, prompt: Text, **_: object) -> str:
        self.asked.append(prompt.plain)
        return self._answers.pop(0)

    def complete(self, given: InitOptions, offers: ClusterOffers, environ: dict[str, str] = KEY) -> InitOptions:
        terminal = Terminal(Format.TABLE, False, Console(), Console(stderr=True))
        return Questions(Prompts(terminal), offers, environ).complete(given)


def test_several_ingress_classes_are_a_choice(monkeypatch: pytest.MonkeyPatch) -> None:
    conversation = Conversation(monkeypatch, "haproxy", "")
    offers = ClusterOffers("c", ("nginx", "traefik"), "traefik")
    options = conversation.complete(replace(GIVEN, tls_secret="wild"), offers)
    assert options.class_name == "traefik"
    assert conversation.asked == ["Ingress class (nginx, traefik) [traefik]: "] * 2


def test_several_gateways_are_a_choice_and_bring_their_certificate(monkeypatch: pytest.MonkeyPatch) -> None:
    conversation = Conversation(monkeypatch, "a/b/https")
    options = conversation.complete(GIVEN, ClusterOffers("c", gateways=("a/b/https", "c/d/https")))
    assert options.gateway == "a/b/https"
    assert conversation.asked == ["Gateway (the cluster has no IngressClass) (a/b/https, c/d/https): "]


def test_without_an_ingress_class_and_a_gateway_a_service_is_offered(monkeypatch: pytest.MonkeyPatch) -> None:
    conversation = Conversation(monkeypatch, "NodePort", "", "y")
    options = conversation.complete(GIVEN, ClusterOffers("c"))
    assert (options.service, options.port, options.self_signed) == ("NodePort", 30443, True)
    assert conversation.asked == [
        "Service to expose the mirror with (leave empty if you install an Ingress controller) "
        "(LoadBalancer, NodePort): ",
        "Port of the nodes [30443]: ",
        SELF_SIGNED,
    ]


def test_an_issuer_of_the_cluster_can_be_chosen(monkeypatch: pytest.MonkeyPatch) -> None:
    conversation = Conversation(monkeypatch, "letsencrypt")
    options = conversation.complete(GIVEN, ClusterOffers("c", ("nginx",), issuers=("letsencrypt", "staging")))
    assert (options.issuer, options.tls_secret) == ("letsencrypt", "")
    question = (
        "cert-manager ClusterIssuer for the TLS certificate, or leave empty to use a Secret (letsencrypt, staging): "
    )
    assert conversation.asked == [question]


def test_without_cert_manager_only_the_secret_is_asked(monkeypatch: pytest.MonkeyPatch) -> None:
    conversation = Conversation(monkeypatch, "", "")
    options = conversation.complete(GIVEN, ClusterOffers("c", ("nginx",)))
    assert (options.issuer, options.tls_secret, options.self_signed) == ("", "regmirror-tls", False)
    assert conversation.asked == [SELF_SIGNED, "Secret with the TLS certificate [regmirror-tls]: "]


def test_a_self_signed_certificate_is_offered(monkeypatch: pytest.MonkeyPatch) -> None:
    conversation = Conversation(monkeypatch, "y")
    options = conversation.complete(GIVEN, ClusterOffers("c", ("nginx",)))
    assert (options.issuer, options.tls_secret, options.self_signed) == ("", "", True)
    assert conversation.asked == [SELF_SIGNED]


def test_with_a_cloud_role_no_key_is_asked(monkeypatch: pytest.MonkeyPatch) -> None:
    conversation = Conversation(monkeypatch)
    assert (
        conversation.complete(replace(GIVEN, access_key=None, tls_secret="wild"), ClusterOffers(), {}).access_key
        is None
    )


def test_the_account_is_asked_of_the_upstream_that_is_mirrored(monkeypatch: pytest.MonkeyPatch) -> None:
    conversation = Conversation(monkeypatch, "")
    given = replace(GIVEN, credentials=None, tls_secret="wild", upstream_url="https://quay.io")
    assert conversation.complete(given, ClusterOffers()).credentials is None
    assert conversation.asked == ["User name at https://quay.io (leave empty to pull anonymously): "]


@pytest.mark.parametrize(
    ("url", "expected"),
    [
        ("http://proxy.example.com:3128", "http://proxy.example.com:3128"),
        # A password stays in the variable, and so does a notation that only some programs accept.
        ("http://user:canary@proxy.example.com:3128", {"env": "HTTPS_PROXY"}),
        ("proxy.example.com:3128", {"env": "HTTPS_PROXY"}),
    ],
)
def test_the_proxy_of_this_machine_is_offered_for_the_pods(
    monkeypatch: pytest.MonkeyPatch, url: str, expected: object
) -> None:
    conversation = Conversation(monkeypatch, "y")
    given = replace(GIVEN, tls_secret="wild")
    options = conversation.complete(given, ClusterOffers("c", ("nginx",)), KEY | {"HTTPS_PROXY": url})
    assert options.https_proxy == expected
    assert conversation.asked == ["Do the pods, too, need the HTTP proxy of HTTPS_PROXY? [y/N]: "]


def test_without_a_proxy_of_this_machine_none_is_asked_for(monkeypatch: pytest.MonkeyPatch) -> None:
    conversation = Conversation(monkeypatch)
    assert conversation.complete(replace(GIVEN, tls_secret="wild"), ClusterOffers("c", ("nginx",))).https_proxy == ""
    assert conversation.asked == []


def test_with_a_service_neither_a_class_nor_a_gateway_is_asked_for(monkeypatch: pytest.MonkeyPatch) -> None:
    conversation = Conversation(monkeypatch, "y")
    offers = ClusterOffers("production", ("nginx", "traefik"), gateways=("gateways/public",))
    completed = conversation.complete(replace(GIVEN, service="LoadBalancer"), offers)
    assert (completed.class_name, completed.gateway, completed.self_signed) == ("", "", True)
    assert conversation.asked == [SELF_SIGNED]
