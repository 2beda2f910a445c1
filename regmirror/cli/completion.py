"""What the shell offers for the values of options: quick, without network, and nothing where it cannot be read."""

import os
from collections.abc import Callable, Iterable
from contextlib import suppress
from pathlib import Path
from typing import Any

Source = Callable[[dict[str, Any]], Iterable[str]]
"""Lists all values, given the options that the command line already has, by name."""


def completion(source: Source) -> Callable[[Any, str], list[str]]:
    """A Typer autocompletion; where the source fails it offers nothing, since a shell would show the error."""

    def complete(ctx: Any, incomplete: str) -> list[str]:
        with suppress(Exception):
            return [value for value in source(_options(ctx)) if value.startswith(incomplete)]
        return []

    return complete


def _options(context: Any) -> dict[str, Any]:
    """The options that were given so far, to the command and before it."""
    before = _options(context.parent) if context.parent else {}
    return before | {name: value for name, value in context.params.items() if value is not None}


def _contexts(options: dict[str, Any]) -> Iterable[str]:
    variables = (os.environ.get("REGMIRROR_KUBECONFIG"), os.environ.get("KUBECONFIG"))
    paths = str(options.get("kubeconfig") or next(filter(None, variables), "~/.kube/config"))
    for path in paths.split(os.pathsep):
        for context in (_read_yaml(Path(path).expanduser()) or {}).get("contexts", []):
            yield context["name"]


def _upstreams(options: dict[str, Any]) -> Iterable[str]:
    for upstream in _read_yaml(Path(options["file"]))["upstreams"]:
        yield upstream["name"]


def _read_yaml(path: Path) -> Any:
    import yaml

    # The parser written in C, where PyYAML has it: a kubeconfig may name a hundred clusters.
    return yaml.load(path.read_text(encoding="utf-8"), getattr(yaml, "CSafeLoader", yaml.SafeLoader))  # noqa: S506


contexts = completion(_contexts)
upstream_names = completion(_upstreams)
registries = completion(lambda options: [f"{name}=" for name in _upstreams(options)])
"""``UPSTREAM=``, to which the user adds the registry's name."""


def _of_the_reference(function: str) -> Callable[[Any, str], list[str]]:
    """Completes with what a function of reference_pages lists; the module is imported when a shell asks."""

    def source(_: dict[str, Any]) -> Iterable[str]:
        from regmirror.cli import reference_pages

        values: Iterable[str] = getattr(reference_pages, function)()
        return values

    return completion(source)


check_ids = _of_the_reference("check_ids")
categories = _of_the_reference("check_categories")
topics = _of_the_reference("topics")
