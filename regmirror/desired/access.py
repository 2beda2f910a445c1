"""Which repositories the configuration allows, by the rules of docker_auth."""

import re

from regmirror.config.model import Upstream

_WILDCARDS = {"*": "[^/]*", "?": "[^/]"}


def is_allowed(upstream: Upstream, repository: str) -> bool:
    """Whether anonymous clients may pull a repository of this upstream."""
    return any(matches(pattern, repository) for pattern in upstream.anonymous_pull)


def matches(pattern: str, repository: str) -> bool:
    """Go's ``path.Match`` for patterns of ``*`` and ``?``, neither of which crosses a ``/``."""
    expression = "".join(_WILDCARDS.get(character, re.escape(character)) for character in pattern)
    return re.fullmatch(expression, repository) is not None
