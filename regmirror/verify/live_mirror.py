"""The mirror under verification: its configuration, its objects in the cluster, its public host; each is read once."""

import shlex
import threading
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, TypeVar

from cryptography import x509
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPrivateKey

from regmirror.config.model import Mirror, Upstream
from regmirror.config.secret_references import ClusterReference, SecretReference
from regmirror.desired import names, secret_contents
from regmirror.desired.applied_by import applied_by_others
from regmirror.desired.mirror_secrets import Account
from regmirror.desired.secret_contents import SecretContentError, look_up
from regmirror.desired.suitable_charts import chart_auth_config
from regmirror.desired.user_accounts import UserAccount, parse_accounts
from regmirror.distribution.client import RegistryClient
from regmirror.distribution.reference import ImageReference
from regmirror.errors import ClusterError, RegmirrorError, SigningError
from regmirror.ports.cluster import CONFIG_MAP, DEPLOYMENT, ENDPOINT_SLICE, POD, SECRET, Cluster, Object
from regmirror.ports.connections import Connections
from regmirror.ports.http import Http
from regmirror.signing.bundle import find_certificate, parse_bundle
from regmirror.signing.key_pair import KeyPair, load_key_pair
from regmirror.signing.tokens import Token, decode_token
from regmirror.workloads.rollout import is_ready, not_ready_reason

T = TypeVar("T")
_AUTH_CONFIG_MAP = "auth"
"""That of the chart docker-auth (templates/flavors/cesanta.yaml.j2)."""


class NotDeployedError(RegmirrorError):
    """The cluster lacks an object that ``deploy`` creates, or the object does not have the expected content."""

    code = "RM800"


@dataclass(frozen=True, slots=True)
class KubectlOptions:
    """The options that select a cluster for kubectl; empty if the current context is used."""

    context: str = ""
    kubeconfig: str = ""

    def command(self, namespace: str) -> str:
        """The beginning of a kubectl command in a namespace."""
        options = {"-n": namespace, "--context": self.context, "--kubeconfig": self.kubeconfig}
        return "kubectl" + "".join(f" {option} {shlex.quote(value)}" for option, value in options.items() if value)


@dataclass(slots=True)
class LiveMirror:
    """One mirror under verification. Checks run in parallel, so what several of them need is fetched under a lock."""

    connections: Connections
    now: Callable[[], datetime]
    image: ImageReference | None = None
    """An image to pull instead of the one in the configuration file."""
    kubectl_options: KubectlOptions = KubectlOptions()
    """For the kubectl commands in hints; the regmirror commands are completed where a hint is shown."""
    mirror: Mirror = field(init=False)
    cluster: Cluster = field(init=False)
    http: Http = field(init=False)
    _kept: dict[str, Any] = field(default_factory=dict)
    _locks: dict[str, threading.Lock] = field(default_factory=dict)
    _guard: threading.Lock = field(default_factory=threading.Lock)

    def __post_init__(self) -> None:
        self.mirror, self.http = self.connections.mirror, self.connections.http
        self.cluster = self.connections.cluster.blocking

    def client(self, upstream: Upstream) -> RegistryClient:
        """The mirror of one upstream, as an anonymous client reaches it."""
        return RegistryClient(
            self.http, self.mirror.url_of(upstream), may_redirect_to=self.mirror.storage.may_redirect_to
        )

    def upstream_http(self, upstream: Upstream) -> Http:
        """The upstream and its token service, by the way of the registry. Raises ConfigurationError."""
        return self.once(f"http {upstream.name}", lambda: self.connections.open_upstream(upstream))

    def realm(self, upstream: Upstream) -> str:
        """The token endpoint that clients must be sent to."""
        return self.mirror.realm_of(upstream)

    def secret(self, name: str) -> dict[str, bytes]:
        """The data of a Secret; raises NotDeployedError if there is none."""

        def read() -> dict[str, bytes]:
            found = self.cluster.get(SECRET, name)
            if found is None:
                message = f"namespace {self.cluster.namespace} has no Secret {name}"
                raise NotDeployedError(message, hint=self.deploy_hint())
            return secret_contents.secret_data(found)

        return self.once(f"secret {name}", read)

    def deployment(self, name: str) -> Object | None:
        """A Deployment with its status; None if there is none."""
        return self.once(f"deployment {name}", lambda: self.cluster.get(DEPLOYMENT, name))

    def pods(self, release: str) -> list[Object]:
        """The pods of a release, without those that are being deleted."""

        def read() -> list[Object]:
            found = self.cluster.select(POD, selector=f"app.kubernetes.io/instance={release}")
            return [pod for pod in found if not pod["metadata"].get("deletionTimestamp")]

        return self.once(f"pods {release}", read)

    def ready_pods(self, release: str) -> list[Object]:
        """The pods of a release that take requests, the newest last."""
        ready = [pod for pod in self.pods(release) if is_ready(pod)]
        return sorted(ready, key=lambda pod: str(pod["metadata"].get("creationTimestamp", "")))

    def pod_problem(self, release: str) -> str:
        """Why a pod of a release does not start, in one line; empty if all is well."""
        waiting = (pod for pod in self.pods(release) if not is_ready(pod))
        return next((reason for pod in waiting if (reason := not_ready_reason(pod))), "")

    def has_ready_pods(self, service: str) -> bool:
        """Whether a Service has a ready endpoint."""

        def read() -> bool:
            slices = self.cluster.select(ENDPOINT_SLICE, selector=f"kubernetes.io/service-name={service}")
            endpoints = [endpoint for found in slices for endpoint in found.get("endpoints") or []]
            return any(look_up(endpoint, "conditions", "ready") is not False for endpoint in endpoints)

        return self.once(f"endpoints {service}", read)

    def is_managed_by_gitops(self) -> bool:
        """Whether Argo CD, Flux or kubectl has applied the mirror: ``regmirror deploy`` must not change it then."""
        try:
            registry = names.registry(self.mirror.upstreams[0].name)
            metadata = (self.deployment(registry) or {}).get("metadata")
        except ClusterError:
            return False
        return metadata is not None and applied_by_others(metadata) is not None

    def deploy_hint(self) -> str:
        """How to apply the configuration file to the cluster, as a command to paste."""
        if self.is_managed_by_gitops():
            command = f"regmirror render | {self.kubectl()} diff -f -"
            return f"this mirror is managed with GitOps, so sync it from Git; to see what differs, run {command}"
        return "apply the configuration file: regmirror deploy"

    def kubectl(self) -> str:
        """The beginning of a kubectl command in the mirror's namespace."""
        return self.kubectl_options.command(self.cluster.namespace)

    def signing_certificate(self) -> x509.Certificate:
        """The certificate of the live signing key, from the public trust bundle: the key itself is not read.

        During a rotation the bundle has several; docker_auth's tokens say which one. Raises NotDeployedError,
        SigningError or RegistryError.
        """
        certificates = parse_bundle(self.bundle())
        if len(certificates) == 1:
            return certificates[0]
        _, token = self.anonymous_token(self.mirror.upstreams[0])
        certificate = find_certificate(certificates, token.header.get("kid"))
        if certificate is None:
            raise SigningError("docker_auth signs with a key whose certificate is not in the trust bundle")
        return certificate

    def signing_pair(self) -> KeyPair:
        """The live signing key; raises NotDeployedError or SigningError."""

        def read() -> KeyPair:
            data = self.secret(names.SIGNING_SECRET)
            return load_key_pair(data.get("tls.crt", b""), data.get("tls.key", b""))

        return self.once("signing pair", read)

    def signing_key(self) -> RSAPrivateKey:
        """The private half; parsed once, because that takes a quarter of a second. Raises as ``signing_pair``."""
        return self.once("signing key", lambda: self.signing_pair().private_key)

    def bundle(self) -> bytes:
        """The live trust bundle: the PEM certificates that the registries mount."""
        return self.secret(names.BUNDLE_SECRET).get("bundle.crt", b"")

    def auth_config(self) -> dict[str, Any]:
        """docker_auth's live configuration file; raises NotDeployedError."""
        if self.mirror.auth.chart:
            return self.once("auth chart", self._chart_auth_config)
        return self._read(names.AUTH_SECRET, lambda data: secret_contents.read_config(data, "auth_config.yml"))

    def _chart_auth_config(self) -> dict[str, Any]:
        found = self.cluster.get(CONFIG_MAP, _AUTH_CONFIG_MAP)
        config = chart_auth_config([found]) if found else {}
        if not config:
            raise NotDeployedError(f"ConfigMap {_AUTH_CONFIG_MAP} has no configuration", hint=self.deploy_hint())
        return config

    def user_accounts(self) -> tuple[UserAccount, ...]:
        """The accounts of ``regmirror user``; none if there never was one. Raises DamagedAccountError."""
        secret = self.once("accounts", lambda: self.cluster.get(SECRET, names.USERS_SECRET))
        return parse_accounts(secret_contents.secret_data(secret or {}))

    def registry_config(self, upstream: Upstream) -> dict[str, Any]:
        """A registry's live configuration file; raises NotDeployedError."""
        name = names.registry_secret(upstream.name)
        return self._read(name, lambda data: secret_contents.read_config(data, "config.yml"))

    def s3_account(self, upstream: Upstream) -> Account | None:
        """The S3 key that the registry uses; None if it has none. Raises NotDeployedError."""
        return secret_contents.s3_account(self.registry_config(upstream))

    def upstream_account(self, upstream: Upstream) -> tuple[str, str] | None:
        """User name and password that the registry uses at its upstream; None if it pulls anonymously.

        Raises NotDeployedError.
        """
        credentials = upstream.credentials
        if credentials and credentials.follows_secrets:
            return self._secret_value(credentials.username), self._secret_value(credentials.password)
        account = self._read(names.credential_secret(upstream.name), secret_contents.upstream_account)
        return (account.name.get_secret_value(), account.password.get_secret_value()) if account else None

    def _secret_value(self, reference: SecretReference) -> str:
        """A key of a Secret that others write; the registry's credential helper reads the same."""
        assert isinstance(reference, ClusterReference)  # noqa: S101 - only such references are followed
        content = self.secret(reference.secret.name).get(reference.secret.key, b"")
        if not content.strip():
            message = f"Secret {reference.secret.name} has no key {reference.secret.key}: pulls are anonymous"
            raise NotDeployedError(message, hint="let the job that renews the account write it")
        return content.decode(errors="replace").removesuffix("\n")

    def anonymous_token(self, upstream: Upstream) -> tuple[str, Token]:
        """A token without any rights, as everyone gets it; raises RegistryError or SigningError."""

        def fetch() -> tuple[str, Token]:
            text = self.client(upstream).token(self.realm(upstream), self.mirror.service_of(upstream))
            return text, decode_token(text)

        return self.once(f"token {upstream.name}", fetch)

    def _read(self, secret: str, parse: Callable[[dict[str, bytes]], T]) -> T:
        try:
            return parse(self.secret(secret))
        except SecretContentError as error:
            raise NotDeployedError(f"Secret {secret}: {error}", hint=self.deploy_hint()) from None

    def once(self, key: str, fetch: Callable[[], T]) -> T:
        """The value that ``fetch`` returned or the error it raised when it was first called for ``key``."""
        with self._guard:
            lock = self._locks.setdefault(key, threading.Lock())
        with lock:
            if key not in self._kept:
                try:
                    self._kept[key] = fetch()
                except RegmirrorError as error:
                    self._kept[key] = error
            kept = self._kept[key]
        if isinstance(kept, RegmirrorError):
            raise kept
        fetched: T = kept
        return fetched
