"""Repository patterns: what they match, how docker_auth writes them, and how two of them relate."""

import re
from collections import deque
from collections.abc import Iterator

ANYTHING = "**"
"""A whole part of a pattern, which matches one or more parts of a name."""
_WILDCARDS = {"*": "[^/]*", "?": "[^/]"}
_UNKNOWN = "\0"
"""No pattern has this character, so that only a wildcard matches it."""
_FILLER = "x"


def matches(pattern: str, repository: str) -> bool:
    """Whether a pattern matches the name of a repository, by the rules of docker_auth."""
    return re.fullmatch(_expression(pattern), repository) is not None


def docker_auth_pattern(pattern: str) -> str:
    """The pattern as docker_auth reads it: a glob, or with ``**`` a regular expression between slashes.

    docker_auth matches a glob with Go's ``path.Match``, in which no wildcard matches a ``/``, and it does not anchor
    expressions. Source: docker_auth 1.14.0 ``auth_server/authz/acl.go``, ``matchString``.
    """
    return f"/^{_expression(pattern)}$/" if ANYTHING in pattern else pattern


def _expression(pattern: str) -> str:
    """The regular expression of a pattern, for Python and for Go, without anchors."""
    return "/".join(".+" if part == ANYTHING else "".join(map(_of_character, part)) for part in pattern.split("/"))


def _of_character(character: str) -> str:
    return _WILDCARDS.get(character) or (character if character in "-_" else re.escape(character))


def covers(wider: str, narrower: str) -> bool:
    """Whether ``wider`` matches every repository that ``narrower`` matches."""
    if not _WILDCARDS.keys() & set(wider):
        return wider == narrower
    # A ? matches one character: a longer sample shows that only a * can match it.
    lengths = range(wider.count("?") + 2)
    return all(
        matches(wider, "/".join(_sample(part, length, depth) for part in narrower.split("/")))
        for length in lengths
        for depth in range(1, wider.count("/") + 3)
    )


def _sample(part: str, length: int, depth: int) -> str:
    """What a part of a pattern matches: each * stands for ``length`` characters, ** for ``depth`` parts."""
    if part == ANYTHING:
        return "/".join([_UNKNOWN * max(length, 1)] * depth)
    # No part of a name is empty.
    star = _UNKNOWN * (length if part.strip("*") else max(length, 1))
    return part.replace("?", _UNKNOWN).replace("*", star)


def shared_name(first: str, second: str) -> str | None:
    """A repository that both patterns match; None if there is none.

    If possible, every wildcard stands for a character at least, because ``acme/tool-`` is not a valid name.
    """
    return _search(_tokens(first, 1), _tokens(second, 1)) or _search(_tokens(first, 0), _tokens(second, 0))


Token = tuple[str, bool]
"""A character, ``?`` or ``**``; and whether it is repeated, from zero times."""


def _tokens(pattern: str, least: int) -> list[Token]:
    """The pattern in steps of one character; each * stands for at least ``least`` characters."""
    tokens: list[Token] = []
    for part in pattern.split("/"):
        if part == ANYTHING:
            tokens += [(ANYTHING, False), (ANYTHING, True)]
        for character in part if part != ANYTHING else "":
            tokens += [("?", False)] * least + [("?", True)] if character == "*" else [(character, False)]
        tokens.append(("/", False))
    return tokens[:-1]


def _search(first: list[Token], second: list[Token]) -> str | None:
    """The shortest name that leads to the end of both."""
    seen, queue = {(0, 0)}, deque([(0, 0, "")])
    while queue:
        here, there, name = queue.popleft()
        if len(first) in _reached(first, here) and len(second) in _reached(second, there):
            return name
        literals = {tokens[i][0] for tokens, at in ((first, here), (second, there)) for i in _open(tokens, at)}
        for character in sorted({_FILLER, *literals} - {"?", ANYTHING}):
            for i in _after(first, here, character):
                for j in _after(second, there, character):
                    if (i, j) not in seen:
                        seen.add((i, j))
                        queue.append((i, j, name + character))
    return None


def _reached(tokens: list[Token], position: int) -> Iterator[int]:
    """The positions that need no further character: a repeated token may be left out."""
    yield position
    while position < len(tokens) and tokens[position][1]:
        position += 1
        yield position


def _open(tokens: list[Token], position: int) -> Iterator[int]:
    return (i for i in _reached(tokens, position) if i < len(tokens))


def _after(tokens: list[Token], position: int, character: str) -> Iterator[int]:
    """The positions after one more character."""
    for i in _open(tokens, position):
        symbol, is_repeated = tokens[i]
        if symbol in (character, ANYTHING) or (symbol == "?" and character != "/"):
            yield i if is_repeated else i + 1
