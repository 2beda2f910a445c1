"""Sign-in providers where anybody in the world can have an account, and that are not asked about membership."""

from typing import Final
from urllib.parse import urlsplit

_HOSTS: Final = frozenset(
    {
        "access.line.me",
        "accounts.google.com",
        "api.login.yahoo.com",
        "appleid.apple.com",
        "gitlab.com",
        "id.twitch.tv",
        "kauth.kakao.com",
        "limited.facebook.com",
        "login.live.com",
        "login.yahoo.com",
        "slack.com",
        "www.facebook.com",
        "www.linkedin.com",
    }
)
_HOSTS_OF_MICROSOFT: Final = frozenset({"login.microsoftonline.com", "login.windows.net", "sts.windows.net"})
_OPEN_TENANTS: Final = frozenset({"common", "consumers", "organizations", "9188040d-6c67-4c5b-b112-36a304b66dad"})
"""The tenants of Microsoft Entra that are not one company's; the number is that of personal accounts.

Source: learn.microsoft.com, "OpenID Connect on the Microsoft identity platform".
"""


def is_open_to_the_public(url: str) -> bool:
    """Whether anybody can have an account at the provider with this URL or issuer. Not every such provider is known."""
    parts = urlsplit(url)
    # A dot at the end is the same host.
    host = (parts.hostname or "").rstrip(".")
    tenant = parts.path.strip("/").partition("/")[0].lower()
    return host in _HOSTS or (host in _HOSTS_OF_MICROSOFT and tenant in _OPEN_TENANTS)
