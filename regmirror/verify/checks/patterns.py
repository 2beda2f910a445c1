"""A check of the file itself: rights that nobody can ever use."""

from regmirror.config.model import DOCKER_HUB, Upstream
from regmirror.desired.access import matches
from regmirror.verify.check import Category, Check, Failed, Outcome, Passed, Severity, Stage, UpstreamCheck
from regmirror.verify.live_mirror import LiveMirror


def _patterns(live: LiveMirror, upstream: Upstream) -> Outcome:  # noqa: ARG001 - the file alone decides
    found = [
        *(f"{pattern}: {reason}" for pattern in upstream.anonymous_pull if (reason := _futile(upstream, pattern))),
        *_shadowed(upstream.anonymous_pull),
    ]
    if found:
        return Failed("\n".join(found), "mend or remove it in anonymousPull; regmirror deploy")
    return Passed(", ".join(upstream.anonymous_pull))


def _futile(upstream: Upstream, pattern: str) -> str | None:
    """Why a pattern matches no repository of its upstream; None where it may."""
    first, *rest = pattern.split("/")
    if "." in first:
        return "no repository begins with a host name; write what follows it"
    if upstream.url == DOCKER_HUB and len(rest) != 1:
        return "every repository of Docker Hub is of the form NAME/NAME, and * does not cross a /"
    return None


def _shadowed(patterns: list[str]) -> list[str]:
    """Patterns whose repositories an earlier one has all: a ``*`` or ``?`` of theirs is covered by a ``*`` alone."""
    return [
        f"{pattern}: {wider} stands before it and allows the same"
        for index, pattern in enumerate(patterns)
        for wider in patterns[:index]
        if "?" not in wider and matches(wider, pattern)
    ]


CHECKS: tuple[Check, ...] = (
    UpstreamCheck(
        "config-patterns",
        "every pattern of anonymousPull can match",
        Category.CONFIG,
        _patterns,
        severity=Severity.WARNING,
        stage=Stage.ANY,
    ),
)
