"""Warnings about a valid configuration: keys that have no effect."""

from collections.abc import Iterator

import yaml

from regmirror.config.images import never_matches
from regmirror.config.key_paths import KeyPath, format_path, line_of
from regmirror.config.model import Mirror
from regmirror.config.model_keys import documented_key
from regmirror.config.problem import Problem


def file_warnings(mirror: Mirror, root: yaml.Node) -> list[Problem]:
    """Lists of allowed repositories that allow nothing, and patterns that never match, with their lines in ``root``."""
    return [
        Problem(line_of(root, path), format_path(path), message, documented_key(path))
        for path, message in _warnings(mirror)
    ]


def _warnings(mirror: Mirror) -> Iterator[tuple[KeyPath, str]]:
    for index, upstream in enumerate(mirror.upstreams):
        path = ("upstreams", index, "anonymousPull")
        if not upstream.anonymous_pull:
            yield path, "the list is empty: no client can pull from this upstream"
        for number, pattern in enumerate(upstream.anonymous_pull):
            if reason := never_matches(pattern, upstream.url):
                yield (*path, number), f'"{pattern}" never matches: {reason}'
