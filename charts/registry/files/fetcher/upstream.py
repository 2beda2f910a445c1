"""The upstream, asked with the account of the mirror (distribution specification, token authentication of Docker)."""

import asyncio
import json
import re
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from urllib.parse import SplitResult, urlencode, urljoin, urlsplit

from fetcher.account import Account
from fetcher.messages import Answer, MessageError
from fetcher.recent import Recent
from fetcher.way_out import WayOut, basic

_TOKEN_LIMIT = 64 * 1024
_TOKEN_SECONDS = 50.0
"""Tokens are valid for at least 60 seconds."""
_TOKENS = 1024
_FAILING = 5.0
"""Seconds for which an upstream that has not answered is not asked again: nobody waits for each of many answers."""
_GETS = 8
_HEADS = 32
"""Requests at a time; the answers to GETs are in memory."""
_REDIRECTS = 3
_MOVED = {301, 302, 303, 307, 308}
_PARAMETER = re.compile(r'([A-Za-z_]+)="([^"]*)"')
_BEARER = re.compile(r"(?:^|,\s*)bearer\s+(.*)", re.IGNORECASE)
_BASIC = re.compile(r"(?:^|,\s*)basic\b", re.IGNORECASE)
_URL = re.compile(r"[!-~]+")
_NUMBER = re.compile(r"[0-9]+|0x[0-9a-f]*")
_SHARED_DOMAIN = re.compile(r"(ac|co|com|edu|go|gob|gov|mil|ne|net|nom|or|org)\.[a-z]{2}")
"""Domains like co.uk, below which names belong to different owners."""


@dataclass(slots=True)
class Upstream:
    """A registry, and the tokens for it. Credentials leave only for its own host, and for its token service."""

    url: str
    account: Account
    way_out: WayOut
    _tokens: Recent[str] = field(default_factory=lambda: Recent(_TOKEN_SECONDS, _TOKENS))
    _failing: Recent[str] = field(default_factory=lambda: Recent(_FAILING, 1))
    _gets: asyncio.Semaphore = field(default_factory=lambda: asyncio.Semaphore(_GETS))
    _heads: asyncio.Semaphore = field(default_factory=lambda: asyncio.Semaphore(_HEADS))

    async def get(self, path: str, repository: str, accept: str, limit: int, patience: float) -> Answer:
        """The answer to a GET, of at most ``limit`` bytes, within ``patience`` seconds; raises MessageError.

        Redirects to other servers are not followed: the answer is the redirect.
        """
        async with self._asked(self._gets, patience):
            return await self._follow("GET", urljoin(self.url, path), repository, {"accept": accept}, limit)

    async def has(self, path: str, repository: str, patience: float) -> bool:
        """Whether a HEAD is answered with 200, also by a server it redirects to; raises MessageError."""
        async with self._asked(self._heads, patience):
            answer = await self._follow("HEAD", urljoin(self.url, path), repository, {}, 0)
            if answer.status in _MOVED and (target := self._elsewhere(answer)):
                answer = await self.way_out.request("HEAD", target, {}, 0)
            return answer.status == 200

    @asynccontextmanager
    async def _asked(self, slots: asyncio.Semaphore, patience: float) -> AsyncIterator[None]:
        try:
            async with asyncio.timeout(patience), slots:
                if reason := self._failing.get(""):
                    raise MessageError(reason)
                yield
        except TimeoutError:
            reason = "the upstream does not respond"
            self._failing.put("", reason)
            raise MessageError(reason) from None
        except MessageError as error:
            if isinstance(error.__cause__, OSError):
                self._failing.put("", str(error))
            raise

    async def _follow(self, method: str, url: str, repository: str, headers: Mapping[str, str], limit: int) -> Answer:
        for _ in range(_REDIRECTS):
            answer = await self._authorized(method, url, repository, headers, limit)
            target = urljoin(url, answer.headers.get("location", ""))
            is_here = _URL.fullmatch(target) and _origin(urlsplit(target)) == _origin(urlsplit(self.url))
            if answer.status not in _MOVED or not is_here:
                return answer
            url = target
        raise MessageError("the upstream redirects without end")

    async def _authorized(
        self, method: str, url: str, repository: str, headers: Mapping[str, str], limit: int
    ) -> Answer:
        token = self._tokens.get(repository)
        sent = {**headers, "authorization": token} if token else headers
        answer = await self.way_out.request(method, url, sent, limit)
        if answer.status != 401:
            return answer
        authorization = await self._authorization(answer.headers.get("www-authenticate", ""), repository)
        if not authorization:
            return answer
        return await self.way_out.request(method, url, {**headers, "authorization": authorization}, limit)

    async def _authorization(self, challenge: str, repository: str) -> str:
        """What the challenge requests; empty if there is no such thing."""
        account = await self.account.read()
        if not (bearer := _BEARER.search(challenge)):
            return basic(account) if account and _BASIC.search(challenge) else ""
        parameters = dict(reversed(_PARAMETER.findall(bearer[1])))
        realm = parameters.get("realm", "")
        if not _URL.fullmatch(realm) or not is_realm_of(self.url, realm):
            raise MessageError("the upstream names a token service that is not its own")
        query = urlencode({"service": parameters.get("service", ""), "scope": f"repository:{repository}:pull"})
        url = f"{realm}{'&' if '?' in realm else '?'}{query}"
        headers = {"authorization": basic(account)} if account else {}
        answer = await self.way_out.request("GET", url, headers, _TOKEN_LIMIT)
        if answer.status != 200:
            raise MessageError(f"the token service of the upstream answers {answer.status}")
        token = f"Bearer {_token(answer.body)}"
        self._tokens.put(repository, token)
        return token

    def _elsewhere(self, answer: Answer) -> str:
        """The target of a redirect to another server that may be asked, without credentials; empty if there is none.

        Only servers with a name, and not without TLS if the upstream has it: services that only this pod reaches, such
        as that of a cloud's credentials, have an address or no certificate.
        """
        target = answer.headers.get("location", "")
        parts = urlsplit(target)
        is_named = bool(parts.hostname) and parts.username is None and not _is_address(parts.hostname or "")
        has_scheme = parts.scheme in {"https", urlsplit(self.url).scheme}
        return target if _URL.fullmatch(target) and is_named and has_scheme else ""


def is_realm_of(url: str, realm: str) -> bool:
    """Whether a token service may get the credentials of an upstream: it has the same host, or is in the same domain.

    The registry decides alike, with a list of public suffixes (distribution 3.1.2, ``registry/proxy/proxyauth.go``).
    """
    upstream, service = urlsplit(url), urlsplit(realm)
    if service.scheme not in {"https", upstream.scheme} or service.username is not None:
        return False
    if not service.hostname or not upstream.hostname:
        return False
    if service.hostname == upstream.hostname:
        return True
    if _is_address(upstream.hostname) or _is_address(service.hostname):
        return False
    domain = upstream.hostname.partition(".")[2]
    is_own = "." in domain and not _SHARED_DOMAIN.fullmatch(domain)
    return is_own and (service.hostname == domain or service.hostname.endswith(f".{domain}"))


def _is_address(host: str) -> bool:
    """Whether a host is an address, also in a form such as 127.1 that resolvers understand, or this machine."""
    return ":" in host or host == "localhost" or bool(_NUMBER.fullmatch(host.rstrip(".").rpartition(".")[2]))


def _origin(parts: SplitResult) -> tuple[str, str]:
    return parts.scheme, parts.netloc


def _token(body: bytes) -> str:
    try:
        document = json.loads(body)
        token = document.get("token") or document["access_token"]
    except (ValueError, KeyError, AttributeError, TypeError, RecursionError):
        # Chained to nothing: the parser's error contains the token.
        raise MessageError("the token service of the upstream sends no token") from None
    if not isinstance(token, str) or not _URL.fullmatch(token):
        raise MessageError("the token service of the upstream sends no token")
    return token
