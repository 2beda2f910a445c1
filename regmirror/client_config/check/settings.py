"""Values in the files of runtimes, which may have any shape, and lists of mirrors."""

from collections.abc import Iterator
from typing import Any

from regmirror.client_config.check.finding import Finding, error, warning
from regmirror.client_config.registries import MirroredRegistry


def mapping(value: Any, *keys: str) -> dict[str, Any]:
    """The mapping at a path of keys; empty if there is none."""
    for key in keys:
        value = value.get(key) if isinstance(value, dict) else None
    return value if isinstance(value, dict) else {}


def mappings(value: Any) -> list[dict[str, Any]]:
    """The mappings of a list; empty if it is not a list."""
    return [entry for entry in value if isinstance(entry, dict)] if isinstance(value, list) else []


def strings(value: Any) -> list[str]:
    """The strings of a list; empty if it is not a list."""
    return [entry for entry in value if isinstance(entry, str)] if isinstance(value, list) else []


def check_order(path: str, registry: MirroredRegistry, used: list[str], setup_command: str) -> Iterator[Finding]:
    """Findings about a list of mirrors, as hosts or URLs, in the order in which the runtime tries them."""
    hosts = [entry.removeprefix("https://").rstrip("/") for entry in used]
    first = hosts[0].rpartition("@")[2] if hosts else ""
    if registry.host not in hosts:
        yield error(
            "mirror-missing",
            path,
            f"{registry.mirror} is not a mirror of {registry.name}",
            f"add it as {setup_command} prints it",
        )
    elif hosts[0] != registry.host:
        yield warning(
            "mirror-not-first",
            path,
            f"{first} is tried before {registry.mirror} for {registry.name}",
            f"move {registry.mirror} to the front, or remove the other mirror",
        )
