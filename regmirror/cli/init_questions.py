"""The questions of ``init`` in a terminal; each answer is validated before the next question."""

from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

from regmirror.cli.cluster_offers import ClusterOffers
from regmirror.cli.prompts import Prompts
from regmirror.config.egress import ProxyUrl
from regmirror.config.fields import HTTPS_PORT, Bucket, Host, RepositoryPattern, Url
from regmirror.config.filesystem import VolumeSize
from regmirror.config.images import DOCKER_HUB
from regmirror.config.init_options import (
    DEFAULT_NODE_PORT,
    DEFAULT_TLS_SECRET,
    DEFAULT_VOLUME_SIZE,
    NODE_PORT,
    SERVICE_TYPES,
    AccountReference,
    InitOptions,
    ReferenceDict,
    allowed_patterns,
    default_probe_image,
    endpoint_url,
    probe_problem,
)
from regmirror.config.kubernetes_fields import ObjectName
from regmirror.config.store_profiles import profile_of
from regmirror.config.validation_messages import value_problem
from regmirror.config.variables import S3_KEY_VARIABLES, default_region

PROXY_VARIABLES = ("HTTPS_PROXY", "https_proxy")
SECRETS_DIRECTORY = Path("regmirror.secrets")


class Questions:
    """Asks for the options that are not set; secrets that are typed are collected in ``typed``, by file name."""

    def __init__(self, prompts: Prompts, offers: ClusterOffers, environ: Mapping[str, str]) -> None:
        self._prompts = prompts
        self._offers = offers
        self._environ = environ
        self.typed: dict[str, str] = {}

    def complete(self, given: InitOptions) -> InitOptions:
        """The given options, and the answers for the others."""
        options = self._ask_bucket(self._ask_access(given))
        if options.access_key and not all(self._environ.get(name) for name in S3_KEY_VARIABLES):
            options = replace(options, access_key=self._ask_s3_key() or options.access_key)
        if options.credentials is None:
            options = replace(options, credentials=self._ask_upstream_account(options))
        options = replace(options, https_proxy=options.https_proxy or self._ask_proxy())
        return self._ask_certificate(self._ask_class(options))

    def _ask_access(self, options: InitOptions) -> InitOptions:
        host = options.host or self._text("Public host name of the mirror (for example mirror.example.com)", Host)
        allowed = options.allowed or self._ask_allowed(options.upstream_url)
        options = replace(options, host=host, allowed=allowed)
        return replace(options, probe_image=options.probe_image or self._ask_probe_image(options))

    def _ask_allowed(self, upstream_url: str) -> list[str]:
        def validate(answer: str) -> str | None:
            patterns = allowed_patterns(answer, upstream_url)
            problems = (value_problem(RepositoryPattern, pattern) for pattern in patterns)
            return next(filter(None, problems), None) if patterns else "an answer is required"

        question = "Namespaces or repositories that everyone may pull, with commas (for example library, acme/tool)"
        return allowed_patterns(self._prompts.text(question, validate), upstream_url)

    def _ask_probe_image(self, options: InitOptions) -> str:
        default = default_probe_image(options.upstream_url, options.allowed)
        question = "Image that regmirror verify pulls" + ("" if default else " (leave empty for none)")
        return self._prompts.text(
            question, lambda answer: probe_problem(answer, options.allowed), default, optional=not default
        )

    def _ask_bucket(self, options: InitOptions) -> InitOptions:
        if options.volume_size:
            return options
        question = "S3 bucket (leave empty to store the data on volumes)"
        bucket = options.bucket or self._text(question, Bucket, optional=True)
        if not bucket:
            size = self._text("Size of the volume of each upstream", VolumeSize, DEFAULT_VOLUME_SIZE)
            return replace(options, volume_size=size, access_key=None)
        endpoint = options.endpoint or self._ask_endpoint()
        is_known = options.profile not in {"", "aws"} or profile_of(endpoint) is not None
        region = options.region or ("" if is_known else self._ask_region())
        create = options.create_bucket or self._prompts.confirm("Create the bucket on deploy if it does not exist?")
        return replace(options, bucket=bucket, endpoint=endpoint, region=region, create_bucket=create)

    def _ask_region(self) -> str:
        return self._prompts.text("S3 region", lambda _: None, default_region(self._environ))

    def _ask_endpoint(self) -> str:
        question = "S3 endpoint (for example https://s3.example.com; leave empty for AWS)"
        answer = self._prompts.text(question, lambda answer: value_problem(Url, endpoint_url(answer)), optional=True)
        return endpoint_url(answer)

    def _ask_s3_key(self) -> AccountReference | None:
        question = "S3 access key ID (leave empty to set AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY for deploy)"
        return self._ask_account(question, "S3 secret access key", "s3")

    def _ask_upstream_account(self, options: InitOptions) -> AccountReference | None:
        upstream = "Docker Hub" if options.upstream_url == DOCKER_HUB else options.upstream_url
        question = f"User name at {upstream} (leave empty to pull anonymously)"
        return self._ask_account(question, f"Access token or password at {upstream}", options.upstream_name)

    def _ask_proxy(self) -> str | ReferenceDict:
        """The proxy of this machine, if the pods need it, too; a URL with a password stays in its variable."""
        name = next((name for name in PROXY_VARIABLES if self._environ.get(name)), None)
        if name is None or not self._prompts.confirm(f"Do the pods, too, need the HTTP proxy of {name}?"):
            return ""
        return {"env": name} if value_problem(ProxyUrl, self._environ[name]) else self._environ[name]

    def _ask_account(self, question: str, secret_question: str, name: str) -> AccountReference | None:
        """Both parts of an account; None if the first is left empty."""
        first = self._prompts.text(question, lambda _: None, optional=True)
        if not first:
            return None
        second = self._prompts.secret(secret_question)
        return AccountReference(self._keep(f"{name}-id", first), self._keep(f"{name}-secret", second))

    def _keep(self, name: str, value: str) -> dict[str, str]:
        self.typed[name] = value
        return {"file": str(SECRETS_DIRECTORY / name)}

    def _ask_class(self, options: InitOptions) -> InitOptions:
        if options.class_name or options.gateway or options.service:
            return options
        if not self._offers.classes and self._offers.gateways and not options.has_certificate:
            answer = self._prompts.choice("Gateway (the cluster has no IngressClass)", self._offers.gateways)
            return replace(options, gateway=answer)
        if self._offers.context and not self._offers.classes:
            return self._ask_service(options)
        if len(self._offers.classes) < 2:
            return options
        answer = self._prompts.choice("Ingress class", self._offers.classes, self._offers.default_class)
        return replace(options, class_name=answer)

    def _ask_service(self, options: InitOptions) -> InitOptions:
        """A Service instead of the Ingress controller that the cluster does not have."""
        question = "Service to expose the mirror with (leave empty if you install an Ingress controller)"
        service = self._prompts.choice(question, SERVICE_TYPES, optional=True)
        if service != NODE_PORT or options.port != HTTPS_PORT:
            return replace(options, service=service)
        port = self._prompts.text("Port of the nodes", _node_port_problem, DEFAULT_NODE_PORT)
        return replace(options, service=service, port=int(port))

    def _ask_certificate(self, options: InitOptions) -> InitOptions:
        if options.has_certificate or options.gateway:
            return options
        if issuer := self._ask_issuer():
            return replace(options, issuer=issuer)
        if self._prompts.confirm(
            "Create a self-signed certificate on deploy? Clients then need its CA (no: use your own certificate)"
        ):
            return replace(options, self_signed=True)
        return replace(
            options, tls_secret=self._text("Secret with the TLS certificate", ObjectName, DEFAULT_TLS_SECRET)
        )

    def _ask_issuer(self) -> str:
        question = "cert-manager ClusterIssuer for the TLS certificate, or leave empty to use a Secret"
        if self._offers.issuers:
            return self._prompts.choice(question, self._offers.issuers, optional=True)
        if self._offers.error:
            return self._text(question, ObjectName, optional=True)
        return ""

    def _text(self, question: str, kind: Any, default: str = "", *, optional: bool = False) -> str:
        return self._prompts.text(question, lambda answer: value_problem(kind, answer), default, optional=optional)


def _node_port_problem(answer: str) -> str | None:
    return (
        None if answer.isascii() and answer.isdigit() and 1 <= int(answer) <= 65535 else "write a port, such as 30443"
    )
