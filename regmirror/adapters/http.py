"""The Http port over urllib3; can reach a host before its DNS record and its public certificate exist."""

import socket
import ssl
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import NamedTuple
from urllib.parse import SplitResult, unquote, urlsplit

import urllib3

from regmirror.adapters.tls import tls_context
from regmirror.desired.way_out import WayOut
from regmirror.errors import ConfigurationError, RegistryError, UntrustedCertificateError
from regmirror.ports.http import Answer, Detour, StreamedAnswer

_LIMIT = 16 * 2**20
_CHUNK = 2**18
_WRONG_CERTIFICATE = {9, 10, 62, 64}
"""OpenSSL's codes for: not yet valid, expired, another host name, another IP address (``openssl verify``)."""


_DIRECTLY = WayOut()
_CA_FILE_HINT = "for a private CA, pass its certificate with --ca-file FILE or REGMIRROR_CA_FILE"


class Address(NamedTuple):
    """The address to connect to instead of using DNS."""

    host: str
    port: int


class Urllib3Http:
    """Requests over kept-alive connections; ``resolve`` maps (host, port) to the address to use for it."""

    def __init__(
        self,
        resolve: Mapping[tuple[str, int], Address] | None = None,
        ca_file: Path | None = None,
        timeout: float = 10.0,
        *,
        way_out: WayOut = _DIRECTLY,
        trust_hint: str = _CA_FILE_HINT,
    ) -> None:
        """``timeout`` in seconds; ``trust_hint`` says what to do about an unknown certificate authority.

        Proxies of the environment are not used. Raises ConfigurationError unless ``ca_file`` has PEM certificates.
        """
        self._resolve = dict(resolve or {})
        self._timeout = urllib3.Timeout(connect=min(timeout, 5.0), read=timeout)
        self._context = _tls_context(ca_file, way_out)
        self._way_out, self._trust_hint = way_out, trust_hint
        self._proxy = self._proxy_manager(way_out.proxy.get_secret_value()) if way_out.proxy else None
        self._pools: dict[tuple[str, str, int], urllib3.HTTPConnectionPool] = {}

    def trust(self, pem: bytes) -> None:
        """Trust these CA certificates too, from now on; raises ValueError unless they are PEM certificates."""
        try:
            self._context.load_verify_locations(cadata=pem.decode())
        except ssl.SSLError as error:
            raise ValueError("no PEM certificate") from error

    def request(self, method: str, url: str, headers: Mapping[str, str] | None = None) -> Answer:
        """One request; a body over 16 MiB is a RegistryError."""
        with self._open(method, url, headers) as response:
            body = response.read(_LIMIT + 1)
            if len(body) > _LIMIT:
                raise RegistryError(f"{_bare(url)} answered more than {_LIMIT // 2**20} MiB")
            if response.length_remaining:
                raise _ended_early(url, len(body), response.length_remaining)
            return Answer(response.status, _lower(response.headers), body)

    def certificate(self, endpoint: str) -> bytes:
        """The certificate (DER) that ``HOST`` or ``HOST:PORT`` presents, trusted or not; the default port is 443."""
        host, _, port = endpoint.partition(":")
        address = self._address(host, int(port or 443))
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
        context.check_hostname = False
        context.verify_mode = ssl.CERT_NONE
        timeout = self._timeout.connect_timeout
        try:
            with (
                socket.create_connection(address, timeout=timeout if isinstance(timeout, float) else None) as plain,
                context.wrap_socket(plain, server_hostname=host) as encrypted,
            ):
                return encrypted.getpeercert(binary_form=True) or b""
        except OSError as error:
            raise self._translate(f"https://{endpoint}", error) from error

    def detour(self, host: str, port: int) -> Detour | None:
        """How requests to this port of a host differ from those of clients; None if they do not."""
        address = self._resolve.get((host, port))
        if address is None:
            return None
        known, used = _lookup(host), _lookup(address.host) or (address.host,)
        return None if address.port == port and set(used) <= set(known) else Detour(*address, known)

    @contextmanager
    def stream(self, url: str, headers: Mapping[str, str] | None = None) -> Iterator[StreamedAnswer]:
        """GET a body of any size, piece by piece."""
        with self._open("GET", url, headers) as response:
            yield StreamedAnswer(response.status, _lower(response.headers), response.stream(_CHUNK))

    @contextmanager
    def _open(
        self, method: str, url: str, headers: Mapping[str, str] | None
    ) -> Iterator[urllib3.response.BaseHTTPResponse]:
        parts = urlsplit(url)
        host, port = parts.hostname or "", parts.port or (443 if parts.scheme == "https" else 80)
        sent = {"Host": parts.netloc, "User-Agent": "regmirror", **(headers or {})}
        response = None
        try:
            pool, target = self._pool_for(url, parts, host, port)
            response = pool.urlopen(
                method, target, headers=sent, redirect=False, retries=False, preload_content=False, decode_content=False
            )
            yield response
        except (urllib3.exceptions.HTTPError, OSError) as error:
            raise self._translate(url, error) from error
        finally:
            if response is not None:
                response.drain_conn() if response.length_remaining == 0 else response.close()
                response.release_conn()

    def _pool_for(self, url: str, parts: SplitResult, host: str, port: int) -> tuple[urllib3.HTTPConnectionPool, str]:
        """The connections for a URL and what to request on them."""
        path = (parts.path or "/") + (f"?{parts.query}" if parts.query else "")
        if self._proxy is None or self._way_out.proxy_for(url) is None:
            return self._pool(parts.scheme, host, port), path
        # A proxy gets the whole URL of a request without TLS, and with TLS only connects to the host.
        return self._proxy.connection_from_host(host, port, parts.scheme), url if parts.scheme == "http" else path

    def _proxy_manager(self, proxy: str) -> urllib3.ProxyManager:
        scheme, _, rest = proxy.partition("://")
        user, _, address = rest.rpartition("@")
        headers = urllib3.make_headers(proxy_basic_auth=unquote(user)) if user else {}
        return urllib3.ProxyManager(
            f"{scheme}://{address}",
            timeout=self._timeout,
            proxy_headers=headers,
            ssl_context=self._context,
            proxy_ssl_context=self._context,
            maxsize=16,
        )

    def _translate(self, url: str, error: Exception) -> RegistryError:
        cause, parts = _innermost(error), urlsplit(url)
        host = parts.hostname
        if isinstance(cause, ssl.SSLCertVerificationError):
            message = f"the TLS certificate of {host} is not trusted: {cause.verify_message}"
            return UntrustedCertificateError(message, hint=_certificate_hint(cause, self._trust_hint))
        if self._way_out.proxy_for(url):
            return _proxy_error(url, cause)
        match error, cause:
            case urllib3.exceptions.NameResolutionError() | urllib3.exceptions.HTTPError(), socket.gaierror():
                port = parts.port or (443 if parts.scheme == "https" else 80)
                hint = f"create a DNS record for {host}, or pass --resolve {host}:{port}:ADDRESS until then"
                return RegistryError(f"the host name {host} does not resolve", hint=hint)
            case urllib3.exceptions.TimeoutError(), cause if not isinstance(cause, ConnectionError):
                return RegistryError(f"{_bare(url)} did not answer in time")
            case _, urllib3.exceptions.IncompleteRead():
                return _ended_early(url, cause.partial, cause.expected)
        return RegistryError(f"no answer from {_bare(url)}: {_reason(cause)}")

    def _address(self, host: str, port: int) -> Address:
        return self._resolve.get((host, port), Address(host, port))

    def _pool(self, scheme: str, host: str, port: int) -> urllib3.HTTPConnectionPool:
        key = (scheme, host, port)
        if key not in self._pools:
            address = self._address(host, port)
            if scheme == "https":
                self._pools[key] = urllib3.HTTPSConnectionPool(
                    address.host,
                    address.port,
                    timeout=self._timeout,
                    ssl_context=self._context,
                    server_hostname=host,
                    maxsize=16,
                )
            else:
                self._pools[key] = urllib3.HTTPConnectionPool(
                    address.host, address.port, timeout=self._timeout, maxsize=16
                )
        return self._pools[key]


def parse_resolve(entries: Sequence[str]) -> dict[tuple[str, int], Address]:
    """Parse ``HOST:PORT:ADDR`` as in curl, and ``HOST:PORT:ADDR:PORT`` for another port.

    An IPv6 address is in brackets. Raises ConfigurationError.
    """
    resolved = {}
    for entry in entries:
        try:
            host, port, rest = entry.split(":", 2)
            address, target_port = _split_address(rest)
            resolved[_known(host).lower(), _port(port)] = Address(_known(address), _port(target_port or port))
        except ValueError:
            raise ConfigurationError(
                f'--resolve "{entry}" is not HOST:PORT:ADDR',
                hint="for example --resolve mirror.example.com:443:192.0.2.7",
            ) from None
    return resolved


def _lookup(host: str) -> tuple[str, ...]:
    """The addresses of a host name, or an address itself; none if it does not resolve."""
    try:
        return tuple(sorted({str(found[4][0]) for found in socket.getaddrinfo(host, None, type=socket.SOCK_STREAM)}))
    except OSError:
        return ()


def _split_address(text: str) -> tuple[str, str]:
    if text.startswith("["):
        address, port = text[1:].split("]")
        return address, port.removeprefix(":")
    address, _, port = text.partition(":")
    return address, port


def _known(text: str) -> str:
    if not text:
        raise ValueError(text)
    return text


def _port(text: str) -> int:
    if not 0 < int(text) < 2**16:
        raise ValueError(text)
    return int(text)


def _tls_context(ca_file: Path | None, way_out: WayOut) -> ssl.SSLContext:
    context = tls_context(way_out.ca)
    if ca_file is not None:
        try:
            context.load_verify_locations(cafile=str(ca_file))
        except OSError as error:
            reason = "there is no valid one" if isinstance(error, ssl.SSLError) else error.strerror
            raise ConfigurationError(f"--ca-file {ca_file} cannot be read as PEM certificates: {reason}") from error
    return context


def _lower(headers: Mapping[str, str]) -> dict[str, str]:
    return {name.lower(): value for name, value in headers.items()}


def _bare(url: str) -> str:
    """The URL without its query, which is secret in a presigned URL."""
    return url.split("?")[0]


def _innermost(error: BaseException) -> BaseException:
    """The original error inside of urllib3's, which have it in one of three attributes."""
    for inner in (getattr(error, "reason", None), error.__cause__, *error.args):
        if isinstance(inner, BaseException):
            return _innermost(inner)
    return error


def _ended_early(url: str, received: int, missing: int) -> RegistryError:
    return RegistryError(f"the answer of {_bare(url)} ended early: {missing} of {received + missing} bytes are missing")


def _reason(cause: BaseException) -> str:
    return " ".join(str(cause).split()) or type(cause).__name__


def _proxy_error(url: str, cause: BaseException) -> RegistryError:
    """Without the URL of the proxy, which may contain a password."""
    message = f"no answer from {_bare(url)} through the proxy: {_reason(cause)}"
    return RegistryError(message, hint="check egress.httpsProxy, and that this machine reaches the proxy as pods do")


def is_wrong_certificate(error: UntrustedCertificateError) -> bool:
    """Whether a certificate is not valid now or for its host, instead of being issued by an unknown authority."""
    cause = _innermost(error.__cause__) if error.__cause__ else None
    return isinstance(cause, ssl.SSLCertVerificationError) and cause.verify_code in _WRONG_CERTIFICATE


def _certificate_hint(cause: ssl.SSLCertVerificationError, trust_hint: str) -> str:
    if cause.verify_code in _WRONG_CERTIFICATE:
        return "replace the certificate with one that is valid now and for this host"
    return trust_hint
