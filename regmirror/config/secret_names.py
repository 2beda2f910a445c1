"""The names of the Secrets that regmirror creates; no Secret of others that the file names may have one of them."""

from collections.abc import Iterable

PREFIX = "regmirror-"

REDIS_SECRET = f"{PREFIX}redis-config"
AUTH_SECRET = f"{PREFIX}auth-config"
SIGN_IN_SECRET = f"{PREFIX}sign-in-config"
"""The configuration of the database with the logins of people; exists only with ``access.signIn``."""
SIGNING_SECRET = f"{PREFIX}signing"
BUNDLE_SECRET = f"{PREFIX}bundle"
USERS_SECRET = f"{PREFIX}users"
"""The accounts: one key for each; absent before the first one. Only ``regmirror user`` writes it."""
CA_SECRET = f"{PREFIX}ca"
"""The CA of the public certificates, with its key; exists only with ``ingress.selfSigned``."""
NEXT_SIGNING_SECRET = f"{PREFIX}signing-next"
"""The new key pair and the progress of a rotation; exists only during a rotation."""


def registry_secret(upstream: str) -> str:
    """The Secret with the configuration file of one upstream's registry."""
    return f"{PREFIX}{upstream}-config"


def credential_secret(upstream: str) -> str:
    """The Secret with the account at one upstream, as the credential helper returns it."""
    return f"{PREFIX}{upstream}-credential"


def deployed_secrets(upstreams: Iterable[str]) -> list[str]:
    """The Secrets of a deployed mirror with these upstreams."""
    of_upstreams = [name for upstream in upstreams for name in (registry_secret(upstream), credential_secret(upstream))]
    return [SIGNING_SECRET, BUNDLE_SECRET, REDIS_SECRET, AUTH_SECRET, *of_upstreams]
