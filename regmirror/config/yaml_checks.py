"""Checks of the YAML itself, before any value is validated.

PyYAML accepts more than a configuration file should contain: duplicate keys, tags, values that contain themselves, and
a kilobyte of aliases that expands to gigabytes.
"""

import re
import unicodedata
from collections.abc import Iterator

import yaml

from regmirror.config.key_paths import KeyPath, format_path
from regmirror.config.problem import Problem

_LARGEST = 100_000
"""Nodes in the whole file, each counted as often as aliases repeat it."""
_DEEPEST = 50
_TAB = re.compile(r" *\t")
# What PyYAML quotes in a message, except its own words such as '<stream end>' and single characters.
_QUOTED = re.compile(r""" (['"])(?!<)(?:(?!\1).){2,}\1""")
_ENDS_EARLY = re.compile(r"(got|node content, but found) '<stream end>'|unexpected end of stream")
_MAPPING, _SEQUENCE, _TEXT = (f"tag:yaml.org,2002:{name}" for name in ("map", "seq", "str"))


def structural_problems(root: yaml.Node) -> list[Problem]:
    """Every problem of the structure; each node is checked once, however many aliases it has."""
    checker = _StructureChecker()
    problems = list(checker.check(root, (), ()))
    if not problems and checker.sizes[root] > _LARGEST:
        problems.append(Problem(root.start_mark.line + 1, "the file", "aliases expand to too many values"))
    return problems


def syntax_error(text: str, error: yaml.YAMLError) -> tuple[int, str]:
    """The line of a syntax error, and the reason without the excerpt that PyYAML adds, which may be a secret."""
    if not isinstance(error, yaml.MarkedYAMLError):
        return 1, getattr(error, "reason", "cannot be parsed")
    mark = error.problem_mark or error.context_mark
    if mark is None:
        return 1, _QUOTED.sub("", error.problem or "")
    reason = _QUOTED.sub("", error.problem or "")
    if _ENDS_EARLY.search(reason):
        reason = "the file ends too early: a bracket, brace or quote is not closed"
    if reason == "found unhashable key":
        reason = "a mapping or a list cannot be a key: put text in braces, such as {{ NAME }}, in quotes"
    if _TAB.match(text.splitlines()[mark.line] if mark.line < len(text.splitlines()) else ""):
        reason = "a tab is used for indentation: use spaces"
    return mark.line + 1, f"line {mark.line + 1}, column {mark.column + 1}: {reason}"


class _StructureChecker:
    def __init__(self) -> None:
        self.sizes: dict[yaml.Node, int] = {}
        # Of no text: only its resolver and constructor of scalars are used.
        self._loader = yaml.SafeLoader("")

    def check(self, node: yaml.Node, path: KeyPath, above: tuple[yaml.Node, ...]) -> Iterator[Problem]:
        """The problems of a node that was not checked before, and of the nodes inside it."""
        if node in above:
            yield Problem(node.start_mark.line + 1, format_path(path), "refers to itself")
        elif len(above) > _DEEPEST:
            yield Problem(node.start_mark.line + 1, format_path(path), "nested too deeply")
        elif node not in self.sizes:
            yield from self._check_inside(node, path, (*above, node))
            self.sizes[node] = 1 + sum(self.sizes.get(inner, 1) for inner, _ in _inside(node, path))

    def _check_inside(self, node: yaml.Node, path: KeyPath, above: tuple[yaml.Node, ...]) -> Iterator[Problem]:
        if isinstance(node, yaml.ScalarNode):
            yield from self._scalar(node, path)
            return
        if node.tag not in {_MAPPING, _SEQUENCE}:
            yield Problem(node.start_mark.line + 1, format_path(path), "YAML tags are not allowed")
        if isinstance(node, yaml.MappingNode):
            yield from _repeated_keys(node, path)
        for inner, where in _inside(node, path):
            yield from self.check(inner, where, above)

    def _scalar(self, node: yaml.ScalarNode, path: KeyPath) -> Iterator[Problem]:
        line = node.start_mark.line + 1
        plain = (node.style is None, node.style is not None)
        usual = self._loader.resolve(yaml.ScalarNode, node.value, plain)  # type: ignore[no-untyped-call]
        if node.tag not in {usual, _TEXT}:
            yield Problem(line, format_path(path), "YAML tags are not allowed")
            return
        if refused := next((character for character in node.value if is_not_text(character)), ""):
            yield Problem(line, format_path(path), f"character U+{ord(refused):04X} is not allowed")
        if node.tag.rpartition(":")[2] in {"int", "float", "timestamp"}:
            try:
                self._loader.construct_object(node)
            except ValueError as error:
                # The error of a number may repeat the text.
                reason = f"not a valid date: {error}" if node.tag.endswith("timestamp") else "not a valid number"
                yield Problem(line, format_path(path), reason)


def is_not_text(character: str) -> bool:
    """Whether Helm's YAML would reject or change a character: surrogates, control characters, and what YAML 1.1
    treats as a line break or a byte order mark.
    """
    return character not in "\t\n\r" and (
        unicodedata.category(character) in {"Cc", "Cs", "Zl", "Zp"} or character in "\ufeff\ufffe\uffff"
    )


def _repeated_keys(node: yaml.MappingNode, path: KeyPath) -> Iterator[Problem]:
    """Of duplicate keys, PyYAML would silently use the last."""
    seen: set[str] = set()
    for key, _ in node.value:
        if str(key.value) in seen:
            yield Problem(key.start_mark.line + 1, format_path((*path, str(key.value))), "duplicate key")
        seen.add(str(key.value))


def _inside(node: yaml.Node, path: KeyPath) -> Iterator[tuple[yaml.Node, KeyPath]]:
    if isinstance(node, yaml.MappingNode):
        for key, value in node.value:
            here = (*path, str(key.value))
            yield from ((key, here), (value, here))
    elif isinstance(node, yaml.SequenceNode):
        for index, value in enumerate(node.value):
            yield value, (*path, index)
