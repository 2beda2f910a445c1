"""Paths of keys, and their lines in a YAML text."""

import yaml

KeyPath = tuple[str | int, ...]


def line_of(node: yaml.Node, path: KeyPath) -> int:
    """The line (from 1) of the deepest part of ``path`` that exists in the text."""
    line = node.start_mark.line + 1
    for part in path:
        child = _child(node, part)
        if child is None:
            break
        line, node = child
    return line


def contains(node: yaml.Node, path: KeyPath) -> bool:
    """Whether the whole path exists in the text."""
    for part in path:
        child = _child(node, part)
        if child is None:
            return False
        _, node = child
    return True


def format_path(path: KeyPath) -> str:
    """The path in dotted form, such as ``upstreams[0].name``."""
    text = "".join(f"[{part}]" if isinstance(part, int) else f".{part}" for part in path)
    return text.removeprefix(".") or "the file"


def _child(node: yaml.Node, part: str | int) -> tuple[int, yaml.Node] | None:
    if isinstance(node, yaml.MappingNode):
        for key, value in node.value:
            if key.value == str(part):
                return key.start_mark.line + 1, value
    elif isinstance(node, yaml.SequenceNode) and isinstance(part, int) and part < len(node.value):
        return node.value[part].start_mark.line + 1, node.value[part]
    return None
