"""Where in a YAML text a key stands."""

import yaml

KeyPath = tuple[str | int, ...]


def line_of(node: yaml.Node, path: KeyPath) -> int:
    """The line (from 1) of the deepest part of ``path`` that the file has."""
    line = node.start_mark.line + 1
    for part in path:
        found = _child(node, part)
        if found is None:
            break
        line, node = found
    return line


def contains(node: yaml.Node, path: KeyPath) -> bool:
    """Whether the file has the whole path."""
    for part in path:
        found = _child(node, part)
        if found is None:
            return False
        _, node = found
    return True


def format_path(path: KeyPath) -> str:
    """The path as people write it: ``upstreams[0].name``."""
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
