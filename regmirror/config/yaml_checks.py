"""Whether a YAML text has the shape of a configuration, before any value of it is looked at.

PyYAML reads more than a file for people should hold: keys that stand twice, tags, values that contain themselves, and
a kilobyte of aliases that stands for gigabytes.
"""

import unicodedata
from collections.abc import Iterator

import yaml

from regmirror.config.key_paths import KeyPath, format_path
from regmirror.config.problem import Problem

_LARGEST = 100_000
"""Nodes in the whole file, each counted as often as aliases repeat it."""
_DEEPEST = 50
_MAPPING, _SEQUENCE, _TEXT = (f"tag:yaml.org,2002:{name}" for name in ("map", "seq", "str"))


def structural_problems(root: yaml.Node) -> list[Problem]:
    """Every problem of the shape; the same part is looked at once, however many aliases it has."""
    walk = _Walk()
    problems = list(walk.look(root, (), ()))
    if not problems and walk.sizes[root] > _LARGEST:
        problems.append(Problem(root.start_mark.line + 1, "the file", "its aliases repeat too much"))
    return problems


class _Walk:
    def __init__(self) -> None:
        self.sizes: dict[yaml.Node, int] = {}
        # The resolver and the constructor of no text: they only know how scalars are read.
        self._loader = yaml.SafeLoader("")

    def look(self, node: yaml.Node, path: KeyPath, above: tuple[yaml.Node, ...]) -> Iterator[Problem]:
        """The problems of a node that was not looked at before, and of what it holds."""
        if node in above:
            yield Problem(node.start_mark.line + 1, format_path(path), "this refers to itself")
        elif len(above) > _DEEPEST:
            yield Problem(node.start_mark.line + 1, format_path(path), "this is nested too deeply")
        elif node not in self.sizes:
            yield from self._look_inside(node, path, (*above, node))
            self.sizes[node] = 1 + sum(self.sizes.get(inner, 1) for inner, _ in _inside(node, path))

    def _look_inside(self, node: yaml.Node, path: KeyPath, above: tuple[yaml.Node, ...]) -> Iterator[Problem]:
        if isinstance(node, yaml.ScalarNode):
            yield from self._scalar(node, path)
            return
        if node.tag not in {_MAPPING, _SEQUENCE}:
            yield Problem(node.start_mark.line + 1, format_path(path), "write this without a tag")
        if isinstance(node, yaml.MappingNode):
            yield from _repeated_keys(node, path)
        for inner, where in _inside(node, path):
            yield from self.look(inner, where, above)

    def _scalar(self, node: yaml.ScalarNode, path: KeyPath) -> Iterator[Problem]:
        line = node.start_mark.line + 1
        plain = (node.style is None, node.style is not None)
        usual = self._loader.resolve(yaml.ScalarNode, node.value, plain)  # type: ignore[no-untyped-call]
        if node.tag not in {usual, _TEXT}:
            yield Problem(line, format_path(path), "write this without a tag")
            return
        if strange := next((character for character in node.value if _is_no_text(character)), ""):
            yield Problem(line, format_path(path), f"this is not text: it has the character U+{ord(strange):04X}")
        if node.tag.rpartition(":")[2] in {"int", "float", "timestamp"}:
            try:
                self._loader.construct_object(node)
            except ValueError as error:
                # Of a number the error may repeat the text.
                reason = f"no date: {error}" if node.tag.endswith("timestamp") else "no number that can be read"
                yield Problem(line, format_path(path), f"this is {reason}")


def _is_no_text(character: str) -> bool:
    """Whether a character would not arrive in the cluster as it is: half a character, control characters, and what
    YAML 1.1 takes for the end of a line or for a mark of the byte order. Helm's YAML refuses or changes each of them.
    """
    return character not in "\t\n\r" and (
        unicodedata.category(character) in {"Cc", "Cs", "Zl", "Zp"} or character in "\ufeff\ufffe\uffff"
    )


def _repeated_keys(node: yaml.MappingNode, path: KeyPath) -> Iterator[Problem]:
    """Of a key that stands twice, YAML would silently take the last."""
    seen: set[str] = set()
    for key, _ in node.value:
        if str(key.value) in seen:
            yield Problem(key.start_mark.line + 1, format_path((*path, str(key.value))), "this key stands twice")
        seen.add(str(key.value))


def _inside(node: yaml.Node, path: KeyPath) -> Iterator[tuple[yaml.Node, KeyPath]]:
    if isinstance(node, yaml.MappingNode):
        for key, value in node.value:
            here = (*path, str(key.value))
            yield from ((key, here), (value, here))
    elif isinstance(node, yaml.SequenceNode):
        for index, value in enumerate(node.value):
            yield value, (*path, index)
