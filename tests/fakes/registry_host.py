"""A registry and its token server behind one host, in memory: checks tokens as distribution does.

Source: distribution v3.1.2 ``registry/auth/token`` and ``docs/content/spec``; docker_auth 1.14.0 ``server/server.go``.
"""

from __future__ import annotations

import base64
import hashlib
import json
import re
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Any

from regmirror.ports.http import Answer
from regmirror.signing.bundle import trusted_keys
from regmirror.signing.key_pair import KeyPair
from regmirror.signing.tokens import CATALOG, CLOCK_LEEWAY, Access, Claims, decode_token, sign_token
from tests import samples
from tests.fakes.http import Request

INDEX = "application/vnd.oci.image.index.v1+json"
MANIFEST = "application/vnd.oci.image.manifest.v1+json"


def digest_of(content: bytes) -> str:
    return "sha256:" + hashlib.sha256(content).hexdigest()


@dataclass
class RegistryHost:
    """Both programs as they would be deployed; a test changes one thing and sees what notices.

    ``allowed`` are the repositories that everyone may pull; ``granted`` are the actions that are given for them.
    """

    host: str = samples.HOST
    scheme: str = "https"
    realm: str = ""
    signs_as: str = "regmirror"
    signing: KeyPair = field(default_factory=samples.key_pair)
    expects_issuer: str = "regmirror"
    expects_service: str = ""
    bundle: bytes = b""
    allowed: set[str] = field(default_factory=set)
    granted: set[str] = field(default_factory=lambda: {"pull"})
    manifests: dict[tuple[str, str], tuple[str, bytes]] = field(default_factory=dict)
    """By repository and tag or digest: media type and content."""
    blobs: dict[str, bytes] = field(default_factory=dict)
    answers: dict[str, Answer] = field(default_factory=dict)
    """By path: what is answered whatever else holds."""
    users: set[str] = field(default_factory=set)
    """Accounts that are known, whatever their password."""
    private: set[str] = field(default_factory=set)
    """Those of the allowed repositories that only accounts may pull."""

    def __post_init__(self) -> None:
        self.realm = self.realm or f"{self.scheme}://{self.host}/auth"
        self.expects_service = self.expects_service or self.host
        self.bundle = self.bundle or self.signing.certificate_pem

    def add_image(self, repository: str, tag: str, layers: list[bytes], *, platforms: tuple[str, ...] = ()) -> str:
        """Have an image, behind an index if it has platforms; gives the digest of its tag."""
        config = json.dumps({"layers": len(layers)}).encode()
        self.blobs |= {digest_of(blob): blob for blob in (config, *layers)}
        document: dict[str, Any] = {
            "schemaVersion": 2,
            "config": {"digest": digest_of(config), "size": len(config)},
            "layers": [{"digest": digest_of(layer), "size": len(layer)} for layer in layers],
        }
        content, media_type = json.dumps(document).encode(), MANIFEST
        self.manifests[repository, digest_of(content)] = (media_type, content)
        if platforms:
            children = [
                {"digest": digest_of(content), "platform": {"os": "linux", "architecture": name}} for name in platforms
            ]
            content, media_type = json.dumps({"schemaVersion": 2, "manifests": children}).encode(), INDEX
            self.manifests[repository, digest_of(content)] = (media_type, content)
        self.manifests[repository, tag] = (media_type, content)
        return digest_of(content)

    def __call__(self, request: Request) -> Answer:
        if request.path in self.answers:
            return self.answers[request.path]
        if request.path == "/auth":
            return self._token(request)
        if request.path == "/v2/_catalog":
            return self._guarded(request, CATALOG, {"repositories": sorted(self.allowed)})
        if match := re.fullmatch(r"/v2/(.+)/tags/list", request.path):
            tags = [tag for repository, tag in self.manifests if repository == match[1] and ":" not in tag]
            return self._guarded(request, Access("repository", match[1], ("pull",)), {"name": match[1], "tags": tags})
        if match := re.fullmatch(r"/v2/(.+)/manifests/(.+)", request.path):
            return self._manifest(request, match[1], match[2])
        if match := re.fullmatch(r"/v2/(.+)/blobs/uploads/", request.path):
            return Answer(405, {}, b"")
        if match := re.fullmatch(r"/v2/(.+)/blobs/(.+)", request.path):
            return self._blob(request, match[1], match[2])
        return self._guarded(request, None, {}) if request.path == "/v2/" else Answer(404, {}, b"not found")

    def _token(self, request: Request) -> Answer:
        scheme, _, login = request.headers.get("Authorization", "").partition(" ")
        if scheme == "Basic" and base64.b64decode(login).decode().partition(":")[0] not in self.users:
            return Answer(401, {}, b"Auth failed.")
        rights = []
        for scope in request.query.get("scope", []):
            kind, name, actions = scope.split(":")
            is_open = name in self.allowed and (scheme == "Basic" or name not in self.private)
            may = self.granted if kind == "repository" and is_open else set()
            rights.append(Access(kind, name, tuple(sorted(may & set(actions.split(","))))))
        service = request.query.get("service", [""])[0]
        claims = Claims(self.signs_as, service, "", tuple(rights), samples.NOW, timedelta(minutes=5), "id")
        text = sign_token(claims, self.signing.private_key)
        return Answer(200, {}, json.dumps({"token": text, "access_token": text}).encode())

    def _manifest(self, request: Request, repository: str, reference: str) -> Answer:
        refused = self._refused(request, Access("repository", repository, ("pull",)))
        if refused:
            return refused
        if (repository, reference) not in self.manifests:
            return Answer(404, {}, b'{"errors":[{"code":"MANIFEST_UNKNOWN"}]}')
        media_type, content = self.manifests[repository, reference]
        headers = {
            "Content-Type": media_type,
            "Docker-Content-Digest": digest_of(content),
            "Content-Length": str(len(content)),
        }
        return Answer(200, headers, b"" if request.method == "HEAD" else content)

    def _blob(self, request: Request, repository: str, digest: str) -> Answer:
        refused = self._refused(request, Access("repository", repository, ("pull",)))
        if refused:
            return refused
        if digest not in self.blobs:
            return Answer(404, {}, b'{"errors":[{"code":"BLOB_UNKNOWN"}]}')
        wanted = re.fullmatch(r"bytes=(\d+)-(\d+)", request.headers.get("Range", ""))
        content = self.blobs[digest]
        return Answer(206, {}, content[int(wanted[1]) : int(wanted[2]) + 1]) if wanted else Answer(200, {}, content)

    def _guarded(self, request: Request, wanted: Access | None, document: dict[str, Any]) -> Answer:
        return self._refused(request, wanted) or Answer(200, {}, json.dumps(document).encode())

    def _refused(self, request: Request, wanted: Access | None) -> Answer | None:
        scheme, _, text = request.headers.get("Authorization", "").partition(" ")
        if scheme == "Bearer" and self._accepts(text, wanted):
            return None
        scope = f',scope="{wanted.scope}"' if wanted else ""
        challenge = f'Bearer realm="{self.realm}",service="{self.expects_service}"{scope}'
        return Answer(401, {"WWW-Authenticate": challenge}, b'{"errors":[{"code":"UNAUTHORIZED"}]}')

    def _accepts(self, text: str, wanted: Access | None) -> bool:
        token = decode_token(text)
        key = trusted_keys(self.bundle).get(token.header["kid"])
        if key is None or not token.is_signed_by(key):
            return False
        if (token.claims["iss"], token.claims["aud"]) != (self.expects_issuer, self.expects_service):
            return False
        if token.claims["exp"] < samples.NOW.timestamp() - CLOCK_LEEWAY.total_seconds():
            return False
        return wanted is None or any(
            (have.type, have.name) == (wanted.type, wanted.name) and {*wanted.actions, "*"} & set(have.actions)
            for have in token.access
        )
