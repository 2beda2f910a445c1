"""What the checks look at: the configuration, the live cluster, the public host; each thing is fetched once."""

import base64
import threading
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, TypeVar

import yaml
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPrivateKey
from pydantic import SecretStr

from regmirror.config.model import Mirror, Upstream
from regmirror.desired import names
from regmirror.desired.mirror_secrets import Account
from regmirror.distribution.client import RegistryClient
from regmirror.distribution.reference import ImageReference
from regmirror.errors import RegmirrorError
from regmirror.ports.cluster import DEPLOYMENT, ENDPOINT_SLICE, POD, SECRET, Cluster, Object
from regmirror.ports.connections import Connections
from regmirror.ports.http import Http
from regmirror.signing.key_pair import KeyPair, load_key_pair
from regmirror.signing.tokens import Token, decode_token

T = TypeVar("T")


class NotDeployedError(RegmirrorError):
    """Something that deploy creates is not in the cluster."""

    code = "RM800"


def look_up(document: Any, *keys: str) -> Any:
    """What stands at a path of keys; None where the path ends early: live files hold what others have written."""
    for key in keys:
        document = document.get(key) if isinstance(document, dict) else None
    return document


@dataclass(slots=True)
class LiveMirror:
    """One mirror under examination. Checks run side by side, so what several of them need is fetched under a lock."""

    connections: Connections
    now: Callable[[], datetime]
    image: ImageReference | None = None
    """An image to pull, in place of the one that the configuration names."""
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
        return RegistryClient(self.http, f"https://{self.mirror.host_of(upstream)}")

    def realm(self, upstream: Upstream) -> str:
        """The token endpoint that clients must be sent to."""
        return self.mirror.realm_of(upstream)

    def secret(self, name: str) -> dict[str, bytes]:
        """The data of a Secret; raises NotDeployedError where there is none."""

        def read() -> dict[str, bytes]:
            found = self.cluster.get(SECRET, name)
            if found is None:
                raise NotDeployedError(
                    f"namespace {self.cluster.namespace} has no Secret {name}", hint="deploy first: regmirror deploy"
                )
            return {key: base64.b64decode(value) for key, value in (found.get("data") or {}).items()}

        return self.once(f"secret {name}", read)

    def deployment(self, name: str) -> Object | None:
        """A Deployment with its status; None where there is none."""
        return self.once(f"deployment {name}", lambda: self.cluster.get(DEPLOYMENT, name))

    def pods(self, release: str) -> list[Object]:
        """The pods of a release that are not about to end."""

        def read() -> list[Object]:
            found = self.cluster.select(POD, selector=f"app.kubernetes.io/instance={release}")
            return [pod for pod in found if not pod["metadata"].get("deletionTimestamp")]

        return self.once(f"pods {release}", read)

    def has_ready_pods(self, service: str) -> bool:
        """Whether a Service leads to a pod that is ready."""

        def read() -> bool:
            slices = self.cluster.select(ENDPOINT_SLICE, selector=f"kubernetes.io/service-name={service}")
            endpoints = [endpoint for found in slices for endpoint in found.get("endpoints") or []]
            return any(look_up(endpoint, "conditions", "ready") is not False for endpoint in endpoints)

        return self.once(f"endpoints {service}", read)

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
        """The live bundle of certificates that the registries mount."""
        return self.secret(names.BUNDLE_SECRET).get("bundle.crt", b"")

    def auth_config(self) -> dict[str, Any]:
        """docker_auth's live configuration file."""
        return self._yaml(names.AUTH_SECRET, "auth_config.yml")

    def registry_config(self, upstream: Upstream) -> dict[str, Any]:
        """A registry's live configuration file."""
        return self._yaml(names.registry_secret(upstream.name), "config.yml")

    def s3_account(self, upstream: Upstream) -> Account | None:
        """The S3 key that the registry really uses; None where it has none."""
        driver = look_up(self.registry_config(upstream), "storage", "s3")
        name, secret = look_up(driver, "accesskey"), look_up(driver, "secretkey")
        return Account(SecretStr(str(name)), SecretStr(str(secret))) if name and secret else None

    def anonymous_token(self, upstream: Upstream) -> tuple[str, Token]:
        """A token without any rights, as everyone gets it; raises RegistryError or SigningError."""

        def fetch() -> tuple[str, Token]:
            text = self.client(upstream).token(self.realm(upstream), self.mirror.host_of(upstream))
            return text, decode_token(text)

        return self.once(f"token {upstream.name}", fetch)

    def _yaml(self, secret: str, key: str) -> dict[str, Any]:
        try:
            content = yaml.safe_load(self.secret(secret).get(key, b""))
        except yaml.YAMLError as error:
            raise NotDeployedError(f"{key} in Secret {secret} is not valid YAML", hint="regmirror deploy") from error
        if not isinstance(content, dict):
            raise NotDeployedError(f"{key} in Secret {secret} is empty", hint="regmirror deploy")
        return content

    def once(self, key: str, fetch: Callable[[], T]) -> T:
        """What ``fetch`` gave or raised when it was first called for ``key``; what hangs is thus waited for once."""
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
