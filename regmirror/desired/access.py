"""Which repositories the configuration allows, by the rules of docker_auth."""

from regmirror.config.images import matches
from regmirror.config.model import Upstream

__all__ = ["is_allowed", "matches"]


def is_allowed(upstream: Upstream, repository: str) -> bool:
    """Whether anonymous clients may pull a repository of this upstream."""
    return any(matches(pattern, repository) for pattern in upstream.anonymous_pull)
