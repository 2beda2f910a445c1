"""An independent model of docker_auth's access list, with which both programs are compared.

Source: docker_auth, docs/ACL.md and auth_server/authz/acl.go; Go's documentation of path.Match and regexp.QuoteMeta.
"""

import ipaddress
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

PATTERNS = ("account", "type", "name", "service")

_CHARACTER = r"(?:\\.|[^\\\]-])"
_GLOB_TOKEN = re.compile(
    rf"(?P<star>\*)|(?P<one>\?)|\[(?P<negated>\^?+)(?P<set>(?:{_CHARACTER}(?:-{_CHARACTER})?)+)\]"
    r"|\\(?P<escaped>.)|(?P<plain>[^*?\[\\])"
)
_CAPTURE_VARIABLE = re.compile(r"\$\{(.+?):(\d+)\}")


@dataclass(frozen=True)
class Request:
    account: str
    type: str
    name: str
    service: str
    actions: Sequence[str]
    ip: str = "127.0.0.1"
    labels: Mapping[str, Sequence[str]] = field(default_factory=dict)
    values: Mapping[str, str] = field(init=False)

    def __post_init__(self) -> None:
        object.__setattr__(self, "values", {key: getattr(self, key) for key in PATTERNS})


def granted(acl: Sequence[Mapping[str, Any]], request: Request) -> list[str]:
    """The requested actions that the first matching entry grants, sorted; none without a matching entry."""
    for entry in acl:
        if _matches(entry["match"], request):
            if entry["actions"] == ["*"]:
                return sorted(request.actions)
            return sorted(set(request.actions) & set(entry["actions"]))
    return []


def _matches(match: Mapping[str, Any], request: Request) -> bool:
    if "ip" in match and _ipv4_of(ipaddress.ip_address(request.ip)) not in ipaddress.ip_network(match["ip"]):
        return False
    variables = _variables(match, request.values)
    return all(
        _pattern_matches(_expand(match[key], variables), request.values[key]) for key in PATTERNS if key in match
    ) and all(
        any(_pattern_matches(_expand(pattern, variables), value) for value in request.labels.get(label, ()))
        for label, pattern in match.get("labels", {}).items()
    )


def _ipv4_of(
    address: ipaddress.IPv4Address | ipaddress.IPv6Address,
) -> ipaddress.IPv4Address | ipaddress.IPv6Address:
    """Go's net package treats an IPv4 address in IPv6 form as IPv4."""
    return (address.ipv4_mapped if address.version == 6 else None) or address


def _variables(match: Mapping[str, str], values: Mapping[str, str]) -> dict[str, str]:
    """The replacements of `${name}` (quoted) and `${name:1}` (not quoted, and only if that group exists)."""
    variables = {f"${{{key}}}": _quote(value) for key, value in values.items()}
    for key in PATTERNS:
        for found in _CAPTURE_VARIABLE.finditer(match.get(key, "")):
            expression = _expression(match.get(found[1], ""))
            captured = expression and re.search(expression, values[found[1]])
            if captured and 1 <= int(found[2]) <= len(captured.groups()):
                variables[found[0]] = captured[int(found[2])] or ""
    return variables


def _expand(pattern: str, variables: Mapping[str, str]) -> str:
    return re.sub("|".join(map(re.escape, variables)), lambda found: variables[found[0]], pattern)


def _quote(text: str) -> str:
    return re.sub(r"[\\.+*?()|\[\]{}^$]", lambda found: "\\" + found[0], text)


def _expression(pattern: str) -> str | None:
    return pattern[1:-1] if len(pattern) > 2 and pattern[0] == pattern[-1] == "/" else None


def _pattern_matches(pattern: str, value: str) -> bool:
    expression = _expression(pattern)
    if expression is not None:
        return re.search(expression, value) is not None
    return glob_matches(pattern, value)


def glob_matches(pattern: str, value: str) -> bool:
    """Go's path.Match: `*` and `?` stop at a slash, a set does not, and a malformed pattern matches nothing."""
    translated = []
    position = 0
    while position < len(pattern):
        token = _GLOB_TOKEN.match(pattern, position)
        if token is None:
            return False
        translated.append(_translated(token))
        position = token.end()
    return re.fullmatch("".join(translated), value, re.DOTALL) is not None


def _translated(token: re.Match[str]) -> str:
    if token["star"]:
        return "[^/]*"
    if token["one"]:
        return "[^/]"
    if token["set"]:
        return f"[{token['negated']}{_set_members(token['set'])}]"
    return re.escape(token["escaped"] or token["plain"])


def _set_members(members: str) -> str:
    """Escape what has a meaning in a character set in Python but not in Go."""
    return re.sub(r"\\.|[\[^&~|]", lambda found: found[0] if len(found[0]) > 1 else "\\" + found[0], members)
