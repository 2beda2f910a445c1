"""Which repositories the configuration allows, by the rules of docker_auth."""

from regmirror.config.model import Upstream
from regmirror.config.patterns import refusal, shared_name


def is_allowed(upstream: Upstream, repository: str) -> bool:
    """Whether anonymous clients may pull a repository of this upstream."""
    return refusal(repository, upstream.anonymous_pull, upstream.deny) is None


def denied_samples(upstream: Upstream) -> list[str]:
    """For each pattern of ``deny`` a repository that only this list keeps clients from pulling, if there is one."""
    return [
        name
        for denied in upstream.deny
        if (name := next(filter(None, (shared_name(denied, allowed) for allowed in upstream.anonymous_pull)), None))
    ]
