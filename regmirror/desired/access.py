"""Which repositories the configuration allows, by the rules of docker_auth."""

from collections.abc import Iterator

from regmirror.config.access_decision import Entry, decide, entries
from regmirror.config.model import Upstream
from regmirror.config.patterns import matches, shared_name


def is_allowed(upstream: Upstream, repository: str) -> bool:
    """Whether anonymous clients may pull a repository of this upstream, wherever they are."""
    return decide(upstream, repository).allowed


def is_refused(upstream: Upstream, repository: str) -> bool:
    """Whether no anonymous client may pull a repository, wherever it is: a rule with ``from`` may allow it to some."""
    is_allowed_somewhere = any(
        entry.allows and _is_for_networks(entry) and matches(entry.pattern, repository) for entry in entries(upstream)
    )
    return not is_allowed_somewhere and not is_allowed(upstream, repository)


def refused_samples(upstream: Upstream) -> dict[str, str]:
    """Repositories that anonymous clients may not pull, and why.

    One for each pattern that refuses what another one allows, and one for each rule that only some clients match.
    """
    found = list(entries(upstream))
    samples: dict[str, str] = {}
    for position, entry in enumerate(found):
        why = _list_that_allows_some(entry)
        if why in samples.values():
            continue
        for name in _names_of(entry, found[position + 1 :]):
            if is_refused(upstream, name):
                samples.setdefault(name, why or f"{_list_of(entry)} refuses")
                break
    return samples


def _names_of(entry: Entry, later: list[Entry]) -> Iterator[str]:
    """Names that an entry is about: of one that refuses, those that a later one would allow."""
    if _list_that_allows_some(entry):
        others = [entry.pattern]
    elif not entry.allows and entry.is_for_everyone:
        others = [other.pattern for other in later if other.allows]
    else:
        others = []
    yield from (name for other in others if (name := shared_name(entry.pattern, other)))


def _list_that_allows_some(entry: Entry) -> str | None:
    """The reason why anonymous clients may not pull what a rule allows only to clients that log in."""
    if not entry.allows or entry.rule is None or entry.rule.is_for_everyone:
        return None
    return f"{_list_of(entry)} allows only some clients"


def _list_of(entry: Entry) -> str:
    key, *number = entry.path[:-1]
    return f"{key}[{number[0]}]" if number else str(key)


def _is_for_networks(entry: Entry) -> bool:
    return entry.rule is not None and entry.rule.is_for_everyone and bool(entry.rule.from_)
