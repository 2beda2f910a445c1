"""A mirror in memory whose pods are programs: each reads the Secrets as they are when it starts, and never again."""

from __future__ import annotations

import base64
import json
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import datetime, timedelta
from itertools import count
from socket import socket
from typing import Any

from regmirror.desired import names
from regmirror.ports.cluster import DEPLOYMENT, POD, SECRET, Applied, Object
from regmirror.signing.bundle import trusted_keys
from regmirror.signing.key_pair import KeyPair
from regmirror.signing.tokens import Claims, decode_token, sign_token
from tests.fakes.cluster import FakeCluster


class DrainsWhenListedCluster(FakeCluster):
    """A change of a Deployment's template replaces its pods; each listing of the pods ends those that are draining."""

    def __init__(self, now: Callable[[], datetime]) -> None:
        super().__init__()
        self.now = now
        self.asked: Counter[str] = Counter()
        """How often each pod was connected to."""
        self._numbers = count(1)

    def apply(self, manifest: Object) -> Applied:
        name = manifest["metadata"]["name"]
        before = self.get(DEPLOYMENT, name) if manifest["kind"] == "Deployment" else None
        outcome = super().apply(manifest)
        changed = before is None or before["spec"]["template"] != manifest["spec"].get("template")
        if manifest["kind"] == "Deployment" and changed:
            self._roll(manifest)
        return outcome

    def select(self, kind: Any, *words: Any, **options: Any) -> list[Object]:
        found = super().select(kind, *words, **options)
        for pod in found if kind == POD else []:
            if pod["metadata"].get("deletionTimestamp"):
                self.delete(POD, pod["metadata"]["name"])
        return found

    @contextmanager
    def connect(self, pod: str, port: int) -> Iterator[socket]:
        self.asked[pod] += 1
        with super().connect(pod, port) as connection:
            yield connection

    def tokens(self) -> list[str]:
        """A token from every docker_auth pod that takes requests."""
        return [self.signer(pod)() for pod in self.taking_requests(names.AUTH)]

    def accepted(self, token: str) -> list[bool]:
        """Whether each registry pod that takes requests accepts a token."""
        releases = [one["metadata"]["name"] for one in super().select(DEPLOYMENT, "app.kubernetes.io/name=registry")]
        return [self.judge(pod)(token) for release in releases for pod in self.taking_requests(release)]

    def taking_requests(self, release: str) -> list[Object]:
        """The pods of a release that are not draining."""
        pods = super().select(POD, f"app.kubernetes.io/instance={release}")
        return [pod for pod in pods if not pod["metadata"].get("deletionTimestamp")]

    def signer(self, pod: Object) -> Callable[[], str]:
        """What a docker_auth pod answers, by the key that it started with."""
        pair = KeyPair(*(self._started_with(pod, names.SIGNING_SECRET, key) for key in ("tls.crt", "tls.key")))

        def sign() -> str:
            claims = Claims("regmirror", "mirror.example.com", "", (), self.now(), timedelta(minutes=5), "id")
            return sign_token(claims, pair.private_key)

        return sign

    def judge(self, pod: Object) -> Callable[[str], bool]:
        """Whether a registry pod accepts a token, by the bundle that it started with."""
        trusted = trusted_keys(self._started_with(pod, names.BUNDLE_SECRET, "bundle.crt"))

        def accepts(text: str) -> bool:
            token = decode_token(text)
            key = trusted.get(token.header["kid"])
            expired = token.claims["exp"] + 60 < self.now().timestamp()
            return key is not None and token.is_signed_by(key) and not expired

        return accepts

    def _started_with(self, pod: Object, secret: str, key: str) -> bytes:
        return base64.b64decode(pod["started_with"][secret][key])

    def _roll(self, deployment: Object) -> None:
        release = deployment["metadata"]["name"]
        for pod in self.taking_requests(release):
            del self.listeners[pod["metadata"]["name"], _PORTS.get(release, names.REGISTRY_PORT)]
            pod["metadata"]["deletionTimestamp"] = "now"
            self.put(pod)
        secrets = {one["metadata"]["name"]: one.get("data") or {} for one in super().select(SECRET)}
        for _ in range(deployment["spec"].get("replicas", 1)):
            name = f"{release}-{next(self._numbers)}"
            template = deployment["spec"]["template"]["metadata"]
            pod = {
                "apiVersion": "v1",
                "kind": "Pod",
                "metadata": {"name": name, **template},
                "spec": {"containers": [{"name": "main"}]},
                "status": {"phase": "Running", "conditions": [{"type": "Ready", "status": "True"}]},
                "started_with": secrets,
            }
            self.put(pod)
            self._listen(release, pod)

    def _listen(self, release: str, pod: Object) -> None:
        name = pod["metadata"]["name"]
        if release == names.AUTH:
            sign = self.signer(pod)
            self.listeners[name, names.AUTH_PORT] = lambda connection: _answer(
                connection, lambda _: (200, json.dumps({"token": sign()}))
            )
        elif deployment_is_registry(pod):
            judge = self.judge(pod)
            self.listeners[name, names.REGISTRY_PORT] = lambda connection: _answer(
                connection, lambda token: (200 if judge(token) else 401, "{}")
            )
        else:
            self.listeners[name, names.REGISTRY_PORT] = lambda connection: connection.close()


_PORTS = {names.AUTH: names.AUTH_PORT}


def deployment_is_registry(pod: Object) -> bool:
    """Whether a pod is of a registry's release."""
    return bool(pod["metadata"]["labels"].get("app.kubernetes.io/name") == "registry")


def _answer(connection: socket, respond: Callable[[str], tuple[int, str]]) -> None:
    request = b""
    while b"\r\n\r\n" not in request:
        request += connection.recv(4096)
    _, _, rest = request.decode().partition("Authorization: Bearer ")
    status, body = respond(rest.split("\r\n")[0])
    connection.sendall(f"HTTP/1.1 {status} -\r\nContent-Length: {len(body)}\r\n\r\n{body}".encode())
