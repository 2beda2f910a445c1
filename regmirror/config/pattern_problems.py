"""Patterns of an upstream that have no effect, or less than they seem to have."""

from collections.abc import Iterator
from urllib.parse import urlsplit

from regmirror.config.model import DOCKER_HUB, Upstream
from regmirror.config.patterns import ANYTHING, covers, shared_name

Problems = Iterator[tuple[str, int, str]]
"""The key, the position in its list, and what is wrong."""
_FORMS = {
    "docker.io": "NAMESPACE/NAME",
    "ghcr.io": "OWNER/NAME",
    "quay.io": "NAMESPACE/NAME",
    "gcr.io": "PROJECT/NAME",
    "pkg.dev": "PROJECT/REPOSITORY/NAME",
    "registry.gitlab.com": "GROUP/PROJECT",
    "public.ecr.aws": "ALIAS/NAME",
    "lscr.io": "NAMESPACE/NAME",
    "nvcr.io": "ORGANIZATION/NAME",
}
"""By registry: how repositories are named, at least."""
_FLAT = ("dhi.io",)
"""Registries where repository names have no slash."""


def pattern_problems(upstream: Upstream) -> Problems:
    """The problems of both lists, in their order."""
    for key, patterns in (("anonymousPull", upstream.anonymous_pull), ("deny", upstream.deny)):
        for index, pattern in enumerate(patterns):
            problem = (
                _names(pattern, upstream) or _repeated(pattern, patterns[:index]) or _overridden(key, pattern, upstream)
            )
            if problem:
                yield key, index, problem


def _names(pattern: str, upstream: Upstream) -> str | None:
    """What the names at this registry look like, if the pattern does not fit them."""
    first, *rest = pattern.split("/")
    if "." in first:
        return (
            f'"{pattern}" never matches: no repository name begins with a host name: write "{"/".join(rest) or first}"'
        )
    host = str(urlsplit(upstream.url).hostname)
    form = next((form for name, form in _FORMS.items() if _is_at(host, name)), None)
    least = form.count("/") if form else 0
    is_too_short = len(rest) < least and ANYTHING not in pattern
    is_too_long = upstream.url == DOCKER_HUB and len(rest) > least
    if is_too_short or is_too_long:
        registry = "Docker Hub" if upstream.url == DOCKER_HUB else host
        return f'"{pattern}" never matches: every repository of {registry} is named {form}, and * does not match a "/"'
    others = [*upstream.anonymous_pull, *upstream.deny]
    knows_levels = any("/" in other or other == ANYTHING for other in others)
    if pattern == "*" and not knows_levels and not any(_is_at(host, name) for name in _FLAT):
        return '"*" matches only names without a "/": write "**" for every repository'
    return None


def _is_at(host: str, registry: str) -> bool:
    return host == registry or host.endswith(f".{registry}")


def _repeated(pattern: str, earlier: list[str]) -> str | None:
    wider = next((other for other in earlier if covers(other, pattern)), None)
    return f'"{pattern}" has no effect: the earlier pattern "{wider}" matches the same' if wider else None


def _overridden(key: str, pattern: str, upstream: Upstream) -> str | None:
    if key == "anonymousPull":
        denying = next((other for other in upstream.deny if covers(other, pattern)), None)
        return f'"{pattern}" has no effect: deny refuses all of it with "{denying}"' if denying else None
    if any(shared_name(pattern, allowed) for allowed in upstream.anonymous_pull):
        return None
    return f'"{pattern}" has no effect: anonymousPull allows none of it'
