"""Everything that looks like a secret: tokens, signatures, passwords in URLs and options."""

import re

_NAME = r"[\w-]{0,60}(?:(?:pass|secret|token|credential)[\w-]*|[\w-]key)(?![\w-])"
_VALUE = r"""(?:"[^"\n]*"|'[^'\n]*'|[^\s"'&,;{}\[\]]+)"""

_LOOKS_SECRET = re.compile(
    rf"""
    (?P<before>
        (?:authorization|cookie)["']?[ \t]*[:=][ \t]*["']?(?:(?:basic|bearer)[ \t]+)?
    ) [^\s"'&,;]+
    | (?P<url> \b[a-z][a-z0-9+.-]{{0,20}}://) [^\s/"'<>]+ (?=@)     # user and password
    | (?P<option> (?<![\w-])--?(?:{_NAME}|key) (?:=|[ \t]+(?!-)) ) {_VALUE}
    | (?P<variable> (?<![\w-]) {_NAME} =) {_VALUE}
    | (?P<json> (?P<quote>["']) {_NAME} (?P=quote) [ \t]*:[ \t]* (?=["'])) {_VALUE}
    | (?P<password> (?<![\w-]) [\w-]{{0,60}}(?:password|passwd|passphrase) [ \t]*:[ \t]+ ) {_VALUE}
    # docker_auth logs the tokens of somebody whom it does not let in (auth_server/authn/*_auth.go).
    | (?P<field> \b(?:ID|Access|Refresh)Token:) [^\s}}]+
    | (?P<spoken> \btoken[ \t]+) "?(?=[\w.~+/=-]*[0-9])[\w.~+/=-]{{16,}}"?
    | (?P<signature> (?<![\w-])(?:sig|signature|X-(?:Amz|Goog)-(?:Signature|Credential|Security-Token))=) [^\s"'&,;]+
    | eyJ[\w-]{{8,}}\.eyJ[\w-]{{8,}}\.[\w-]+                    # a JSON Web Token
    | dckr_[a-z]{{3}}_[\w-]{{8,}}                              # Docker Hub
    | gh[pousr]_[a-z0-9]{{8,}} | github_pat_\w{{8,}} | glpat-[\w-]{{8,}}
    | (?-i:(?:AKIA|ASIA)[A-Z0-9]{{12,}})                       # AWS
    | (?-i:AIza[\w-]{{30,}}) | xox[abeprs]-[\w-]{{8,}}
    | -----BEGIN[ A-Z]*PRIVATE\ KEY-----.*?(?:-----END[ A-Z]*PRIVATE\ KEY-----|\Z)
    """,
    re.IGNORECASE | re.VERBOSE | re.DOTALL,
)
_KEPT = ("before", "url", "option", "variable", "json", "password", "field", "spoken", "signature")

VARIABLE = re.compile(r"pass|secret|token|credential|key", re.IGNORECASE)
"""Names of variables whose values are secret."""
FIELD = re.compile(
    r"authorization|cookie|token|secret|pass|.*(password|passwd|passphrase)|.*credentials?|(api|access|secret|private)[-_]?key",
    re.IGNORECASE,
)
"""Whole names of fields whose values are secret if they are texts; Kubernetes has harmless ones, such as secretName."""
OPTION = re.compile(rf"--?(?:{_NAME}|key)", re.IGNORECASE)
"""A whole argument that is followed by a secret."""


def redact_lookalikes(text: str, replacement: str) -> tuple[str, int]:
    """The text with the replacement for everything that looks like a secret, and how often that changed it."""
    count = 0

    def replace(match: re.Match[str]) -> str:
        nonlocal count
        kept = next((match[name] for name in _KEPT if match[name]), "")
        value = match[0][len(kept) :]
        quote = value[0] if value[:1] in {'"', "'"} and value[-1] == value[0] and len(value) > 1 else ""
        redacted = f"{kept}{quote}{replacement}{quote}"
        count += redacted != match[0]
        return redacted

    return _LOOKS_SECRET.sub(replace, text), count
