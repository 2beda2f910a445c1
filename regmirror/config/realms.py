"""Which token services the registry sends an upstream's account to, and asks for tokens.

Source: distribution v3.1.2, ``realmAllowed`` in ``registry/proxy/proxyauth.go``. It compares registrable domains by the
list of public suffixes, of which this module knows the rules for second levels of countries: what it refuses, the
registry refuses, too.
"""

from ipaddress import ip_address
from urllib.parse import urlsplit

_SECOND_LEVELS = {"ac", "co", "com", "edu", "gob", "gov", "gv", "ltd", "mil", "ne", "net", "nom", "or", "org", "plc"}
"""Labels below which countries register domains, as in example.co.uk."""
_COUNTRY = 2
"""The length of the top-level domain of a country."""


def is_realm_allowed(url: str, realm: str) -> bool:
    """Whether the registry uses the token service ``realm`` for the upstream at ``url``."""
    try:
        remote, service = urlsplit(url), urlsplit(realm)
        hosts = remote.hostname, service.hostname
    except ValueError:
        return False
    if not all(hosts):
        return False
    if remote.netloc.lower() == service.netloc.lower():
        return True
    upstream, token_service = (str(host).lower() for host in hosts)
    if _is_address(upstream) or _is_address(token_service):
        return False
    return registrable_domain(upstream) == registrable_domain(token_service)


def registrable_domain(host: str) -> str:
    """The part of a host name that somebody registers, such as example.com; empty if the name has no such part."""
    labels = host.split(".")
    suffix = 2 if len(labels[-1]) == _COUNTRY and len(labels) > 1 and labels[-2] in _SECOND_LEVELS else 1
    return ".".join(labels[-suffix - 1 :]) if len(labels) > suffix else ""


def _is_address(host: str) -> bool:
    if host == "localhost":
        return True
    try:
        ip_address(host)
    except ValueError:
        return False
    return True
