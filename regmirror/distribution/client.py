"""A client of one registry that sends the requests of containerd and Docker and returns the answers."""

import base64
import hashlib
import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlencode, urljoin, urlsplit

from regmirror.distribution.challenge import asks_for_basic, parse_challenge
from regmirror.distribution.reference import ImageReference
from regmirror.errors import RegistryError
from regmirror.ports.http import Answer, Http

MANIFEST_TYPES = (
    "application/vnd.oci.image.index.v1+json",
    "application/vnd.oci.image.manifest.v1+json",
    "application/vnd.docker.distribution.manifest.list.v2+json",
    "application/vnd.docker.distribution.manifest.v2+json",
)
_REDIRECTS = {301, 302, 303, 307, 308}


@dataclass(frozen=True, slots=True)
class Manifest:
    """A manifest or index and the digest of its bytes."""

    digest: str
    media_type: str
    content: dict[str, Any]

    @property
    def children(self) -> list[dict[str, Any]]:
        """The descriptors of an index; none for a manifest."""
        return list(self.content.get("manifests") or [])

    @property
    def blobs(self) -> list[dict[str, Any]]:
        """The descriptors of config and layers; none for an index."""
        config = [self.content["config"]] if "config" in self.content else []
        return config + list(self.content.get("layers") or [])


class ManifestMissingError(RegistryError):
    """The registry answered 404: it does not have the manifest."""


class AccessDeniedError(RegistryError):
    """The registry or its token endpoint answered 401 or 403."""


class NoRegistryError(RegistryError):
    """The host answered 404 to ``/v2/``: no registry is there."""


class DigestMismatchError(RegistryError):
    """The content of a manifest or blob does not match ``digest``."""

    def __init__(self, message: str, digest: str) -> None:
        super().__init__(message)
        self.digest = digest


class RegistryClient:
    """One registry at ``base`` (scheme and host). Raises RegistryError if an answer is missing or invalid.

    ``may_redirect_to`` decides to which other URLs the registry may send clients for a blob. Default: all that are
    encrypted, if the registry is.
    """

    def __init__(
        self,
        http: Http,
        base: str,
        account: tuple[str, str] | None = None,
        may_redirect_to: Callable[[str], bool] | None = None,
    ) -> None:
        self._http = http
        self._account = account
        self._sends_account = False
        """Whether every request has the account, because the registry asks for it instead of a token."""
        self._may_redirect_to = may_redirect_to or (lambda url: url.startswith(("https:", base.partition("//")[0])))
        self.base = base

    def request(self, method: str, path: str, token: str | None = None, accept: tuple[str, ...] = ()) -> Answer:
        """Send one request to the registry, with a token if there is one."""
        return self._http.request(method, self.base + path, self._headers(token, accept))

    def _headers(self, token: str | None, accept: tuple[str, ...] = ()) -> dict[str, str]:
        account = {"Authorization": basic_authorization(self._account)} if self._sends_account and self._account else {}
        return account | request_headers(token, accept)

    def ask_token(self, realm: str, service: str, scopes: tuple[str, ...] = ()) -> Answer:
        """Send one request to a token endpoint, with this client's account if it has one."""
        query = urlencode([("service", service), *(("scope", scope) for scope in scopes)])
        headers = {}
        if self._account:
            headers["Authorization"] = basic_authorization(self._account)
        return self._http.request("GET", f"{realm}?{query}", headers)

    def token(self, realm: str, service: str, scopes: tuple[str, ...] = ()) -> str:
        """The token that the endpoint issues; its claims say what it grants."""
        answer = self.ask_token(realm, service, scopes)
        if answer.status != 200:
            raise _error_for(answer.status)(f"the token endpoint {realm} answered {answer.status}{_excerpt(answer)}")
        try:
            document = json.loads(answer.body)
            return str(document.get("token") or document["access_token"])
        except (ValueError, KeyError, AttributeError) as error:
            raise RegistryError(f"the token endpoint {realm} answered without a token") from error

    def pull_token(self, repository: str) -> str | None:
        """A token for pulling, requested as the registry's challenge says; None if the registry needs none.

        A registry that asks for user name and password needs none; from now on, every request has the account.
        """
        answer = self.request("GET", "/v2/")
        if answer.status == 200:
            return None
        header = answer.headers.get("www-authenticate", "")
        if answer.status == 401 and self._account and asks_for_basic(header) and not self._sends_account:
            self._sends_account = True
            return None
        challenge = parse_challenge(header)
        if answer.status != 401 or challenge is None:
            error = NoRegistryError if answer.status == 404 else RegistryError
            raise error(f"{self.base}/v2/ answered {answer.status} without a Bearer challenge")
        return self.token(challenge.realm, challenge.service, (f"repository:{repository}:pull",))

    def manifest(self, image: ImageReference, token: str | None) -> Manifest:
        """A manifest or index; raises ManifestMissingError, AccessDeniedError or DigestMismatchError."""
        path = f"/v2/{image.repository}/manifests/{image.reference}"
        answer = self.request("GET", path, token, MANIFEST_TYPES)
        self._check_manifest(path, answer)
        digest = "sha256:" + hashlib.sha256(answer.body).hexdigest()
        named = image.reference if ":" in image.reference else answer.headers.get("docker-content-digest", digest)
        if digest != named:
            raise DigestMismatchError(f"{self.base}{path} has digest {digest} instead of {named}", named)
        try:
            content = json.loads(answer.body)
        except ValueError as error:
            raise RegistryError(f"{self.base}{path} is not JSON") from error
        if not isinstance(content, dict):
            raise RegistryError(f"{self.base}{path} is not a manifest")
        return Manifest(digest, answer.headers.get("content-type", ""), content)

    def manifest_digest(self, image: ImageReference, token: str | None) -> str:
        """The digest from a HEAD, which Docker Hub does not count as a pull; raises as ``manifest``."""
        path = f"/v2/{image.repository}/manifests/{image.reference}"
        answer = self.request("HEAD", path, token, MANIFEST_TYPES)
        self._check_manifest(path, answer)
        digest = answer.headers.get("docker-content-digest")
        if not digest:
            raise RegistryError(f"{self.base}{path} answered without a digest")
        return digest

    def _check_manifest(self, path: str, answer: Answer) -> None:
        if answer.status != 200:
            error = ManifestMissingError if answer.status == 404 else _error_for(answer.status)
            raise error(f"{self.base}{path} answered {answer.status}{_excerpt(answer)}")

    def check_blob(self, repository: str, descriptor: Mapping[str, Any], token: str | None) -> int:
        """Download a blob, following redirects to the object store, and return its size in bytes.

        Raises DigestMismatchError unless its content matches the descriptor. Only the registry receives the token.
        """
        url = f"{self.base}/v2/{repository}/blobs/{descriptor['digest']}"
        headers = self._headers(token)
        for _ in range(4):
            with self._http.stream(url, headers) as answer:
                if answer.status in _REDIRECTS:
                    url, headers = self.redirect_target(url, answer.headers.get("location", "")), {}
                    continue
                if answer.status != 200:
                    raise RegistryError(f"{url.split('?')[0]} answered {answer.status}")
                found, size = hashlib.sha256(), 0
                for chunk in answer.chunks:
                    found.update(chunk)
                    size += len(chunk)
            if f"sha256:{found.hexdigest()}" != descriptor["digest"]:
                message = f"{url.split('?')[0]} returned {size} bytes that do not match the digest"
                raise DigestMismatchError(message, str(descriptor["digest"]))
            return size
        raise RegistryError(f"{self.base} redirects the blob {descriptor['digest']} too many times")

    def redirect_target(self, url: str, location: str) -> str:
        """The URL that a redirect of ``url`` leads to; raises RegistryError if clients must not be sent there."""
        target = urljoin(url, location)
        before, after = urlsplit(url), urlsplit(target)
        is_same = (before.scheme, before.netloc) == (after.scheme, after.netloc)
        if not is_same and not self._may_redirect_to(target):
            sent_to = f"{after.scheme}://{after.netloc}"
            raise RegistryError(
                f"{url.split('?')[0]} redirects to {sent_to}: not the configured store, or not encrypted"
            )
        return target


def basic_authorization(account: tuple[str, str]) -> str:
    """The Authorization header of an account."""
    return "Basic " + base64.b64encode(":".join(account).encode()).decode()


def request_headers(token: str | None, accept: tuple[str, ...] = ()) -> dict[str, str]:
    """The headers of a request: the token if there is one, and the accepted media types."""
    headers = {"Authorization": f"Bearer {token}"} if token else {}
    return headers | ({"Accept": ", ".join(accept)} if accept else {})


def _error_for(status: int) -> type[RegistryError]:
    return AccessDeniedError if status in {401, 403} else RegistryError


def _excerpt(answer: Answer) -> str:
    text = " ".join(answer.body[:200].decode(errors="replace").split())
    return f": {text}" if text else ""
