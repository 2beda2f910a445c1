"""Patterns and rules of an upstream that have no effect, or less than they seem to have."""

from collections.abc import Iterator
from urllib.parse import urlsplit

from regmirror.config.access_decision import entries
from regmirror.config.key_paths import KeyPath
from regmirror.config.model import DOCKER_HUB, Upstream
from regmirror.config.patterns import ANYTHING
from regmirror.config.rule_problems import client_problems, problem_of_order

Problems = Iterator[tuple[KeyPath, str]]
"""The path below the upstream, and what is wrong."""
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
    """The problems of all lists and rules, in the order in which they decide."""
    found = list(entries(upstream))
    patterns = [entry.pattern for entry in found]
    for position, entry in enumerate(found):
        problem = _names(entry.pattern, upstream, patterns) or problem_of_order(position, found, upstream)
        if problem:
            yield entry.path, problem
    for number, rule in enumerate(upstream.rules):
        for path, problem in client_problems(rule):
            yield ("rules", number, *path), problem


def _names(pattern: str, upstream: Upstream, all_patterns: list[str]) -> str | None:
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
    knows_levels = any("/" in other or other == ANYTHING for other in all_patterns)
    if pattern == "*" and not knows_levels and not any(_is_at(host, name) for name in _FLAT):
        return '"*" matches only names without a "/": write "**" for every repository'
    return None


def _is_at(host: str, registry: str) -> bool:
    return host == registry or host.endswith(f".{registry}")
