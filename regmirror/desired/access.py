"""Which repositories the configuration allows, judged as docker_auth judges them."""

from regmirror.config.images import matches
from regmirror.config.model import Upstream

__all__ = ["is_allowed", "matches"]


def is_allowed(upstream: Upstream, repository: str) -> bool:
    """Whether everyone may pull a repository of this upstream."""
    return any(matches(pattern, repository) for pattern in upstream.anonymous_pull)
