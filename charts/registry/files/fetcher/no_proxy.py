"""Which hosts are reached directly: the entries of NO_PROXY, as Go's programs read them.

Source: golang.org/x/net v0.38.0, ``http/httpproxy/proxy.go``.
"""

import re
from collections.abc import Iterable
from ipaddress import IPv4Address, IPv4Network, IPv6Address, IPv6Network, ip_address, ip_network
from urllib.parse import urlsplit

_NAME = re.compile(r"(\*?\.)?[a-z0-9_]([a-z0-9_-]*[a-z0-9_])?(\.[a-z0-9_]([a-z0-9_-]*[a-z0-9_])?)*(:[0-9]{1,5})?")
_ADDRESS_WITH_PORT = re.compile(r"([0-9.]+):([0-9]{1,5})|\[([0-9a-f:.]+)\]:([0-9]{1,5})")
_PORTS = {"http": 80, "https": 443}
Address = IPv4Address | IPv6Address


def is_no_proxy_entry(text: str) -> bool:
    """Whether a text is a host, a domain, an address or a network, the first three optionally with a port.

    ``*`` is not: it would turn the proxy off.
    """
    lower = text.lower()
    return _network(lower) is not None or _split_address(lower)[0] is not None or bool(_NAME.fullmatch(lower))


def is_direct(url: str, entries: Iterable[str]) -> bool:
    """Whether a URL is reached without a proxy; the machine's own addresses always are."""
    parts = urlsplit(url)
    host, port = (parts.hostname or "").lower(), parts.port or _PORTS.get(parts.scheme)
    address = _address(host)
    if host == "localhost" or (address and address.is_loopback):
        return True
    return any(_matches(entry.lower(), host, port, address) for entry in entries)


def _matches(entry: str, host: str, port: int | None, address: Address | None) -> bool:
    if network := _network(entry):
        return address is not None and address in network
    named, wanted = _split_address(entry)
    if named is None and not address:
        domain, _, text = entry.partition(":")
        wanted = int(text) if text else None
        suffix = domain.removeprefix("*")
        same = host == suffix or host.endswith(suffix if suffix.startswith(".") else f".{suffix}")
        return same and wanted in {None, port}
    return named is not None and named == address and wanted in {None, port}


def _address(text: str) -> Address | None:
    try:
        return ip_address(text)
    except ValueError:
        return None


def _network(text: str) -> IPv4Network | IPv6Network | None:
    if "/" not in text:
        return None
    try:
        return ip_network(text, strict=False)
    except ValueError:
        return None


def _split_address(text: str) -> tuple[Address | None, int | None]:
    """The address and the port of an entry; None and None if it is a name."""
    if match := _ADDRESS_WITH_PORT.fullmatch(text):
        return _address(match[1] or match[3]), int(match[2] or match[4])
    return _address(text), None
