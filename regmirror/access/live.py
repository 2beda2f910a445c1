"""What the deployed mirror says: a real token, the cached manifest, and the upstream. No pull is counted."""

import time
from dataclasses import dataclass, replace
from datetime import datetime

from pydantic import SecretStr

from regmirror.access.question import Question
from regmirror.access.upstream import AtUpstream, ask_upstream
from regmirror.config.access_decision import Client
from regmirror.config.model import Upstream
from regmirror.desired.registry_config import data_prefix
from regmirror.distribution.client import AccessDeniedError, RegistryClient
from regmirror.distribution.reference import ImageReference
from regmirror.errors import LoginRefusedError, RegistryError, RegmirrorError, StorageError
from regmirror.signing.tokens import decode_token
from regmirror.status.background import Lookup, Unavailable
from regmirror.verify.live_mirror import LiveMirror
from regmirror.verify.sample_pull import pull_token

TIME_LIMIT = 15.0
"""Seconds after which what is not known yet is reported as unknown."""


@dataclass(frozen=True, slots=True)
class Cached:
    """A manifest that the mirror has."""

    digest: str
    since: datetime


@dataclass(frozen=True, slots=True)
class Findings:
    """What could be found out."""

    allowed: bool | None
    """Whether the token that the mirror issues allows the pull; None if no token was requested."""
    cached: Cached | Unavailable | None
    served: bool | None
    """Whether the mirror serves the cached manifest; None if it was not asked."""
    upstream: AtUpstream | Unavailable


def ask_mirror(live: LiveMirror, question: Question, password: SecretStr | None) -> Findings:
    """Ask the mirror, its store and the upstream.

    A token is requested for an account with its password, and for a client without a login, from this machine's
    address. Raises LoginRefusedError, or RegistryError if the public host does not answer.
    """
    ends = time.monotonic() + TIME_LIMIT
    cache = Lookup(_cached, live, question.upstream, question.image)
    upstream = Lookup(ask_upstream, live, question.upstream, question.image)
    allowed = token = None
    if is_askable(question.client, password):
        token = _token(live, question, password)
        allowed = token is None or _grants(token, question.image.repository)
    cached = cache.result(ends)
    served = _serves(live, question, cached, token) if allowed and isinstance(cached, Cached) else None
    return Findings(allowed, cached, served, upstream.result(ends))


def is_askable(client: Client, password: SecretStr | None) -> bool:
    """Whether this machine can request the token of the client: not from another address, nor for a sign-in."""
    return client.address is None and (client.is_anonymous or (client.user is not None and password is not None))


def with_groups(live: LiveMirror, client: Client) -> Client:
    """The client with the groups that docker_auth has for its account, if this user may read them."""
    if client.user is None or client.groups:
        return client
    try:
        account = (live.auth_config().get("users") or {}).get(client.user) or {}
    except RegmirrorError:
        return client
    return replace(client, groups=frozenset((account.get("labels") or {}).get("groups") or ()))


def _token(live: LiveMirror, question: Question, password: SecretStr | None) -> str | None:
    """The token that the client gets; None if the registry needs none."""
    user, upstream = question.client.user, question.upstream
    if user is None or password is None:
        return pull_token(live, upstream, question.image)
    client = RegistryClient(live.http, live.mirror.url_of(upstream), (user, password.get_secret_value()))
    try:
        return client.pull_token(question.image.repository)
    except AccessDeniedError:
        raise LoginRefusedError(
            f"{live.realm(upstream)} does not accept the account {user}, or its password",
            hint="check the spelling of both; to see the accounts, run regmirror user list",
        ) from None


def _grants(token: str, repository: str) -> bool:
    access = decode_token(token).access
    return any((a.type, a.name) == ("repository", repository) and "pull" in a.actions for a in access)


def _cached(live: LiveMirror, upstream: Upstream, image: ImageReference) -> Cached | None:
    """The manifest in the bucket; the registry itself would fetch it, which counts as a pull.

    Source of the paths: distribution v3.1.2 ``registry/storage/paths.go``.
    """
    storage = live.mirror.storage
    if storage.filesystem:
        raise StorageError("the data is on a volume, which only pods can read")
    account = live.s3_account(upstream) if storage.access_key else None
    if account is None:
        raise StorageError("only the registry's pods can read the bucket, with their cloud role")
    store = live.connections.open_store(account)
    manifests = f"{data_prefix(storage, upstream)}repositories/{image.repository}/_manifests"
    digest = image.reference
    if ":" not in digest:
        digest = (store.read(f"{manifests}/tags/{image.reference}/current/link") or b"").decode().strip()
    since = store.written_at(f"{manifests}/revisions/{digest.replace(':', '/')}/link") if digest else None
    return Cached(digest, since) if since else None


def _serves(live: LiveMirror, question: Question, cached: Cached, token: str | None) -> bool:
    """Asked by digest: for a tag, the registry would fetch what the tag means now."""
    image = ImageReference(question.image.repository, cached.digest)
    try:
        return live.client(question.upstream).manifest_digest(image, token) == cached.digest
    except RegistryError:
        return False
