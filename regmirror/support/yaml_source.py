"""Redacts a YAML text as its author wrote it: comments and layout stay, and a value with a secret is replaced."""

import json
from collections.abc import Iterator

import yaml

from regmirror.support.redact import Redactor


def redact_yaml_source(text: str, redactor: Redactor) -> str:
    """The text with every scalar redacted, however it is quoted, folded or escaped; the rest is left to ``redact``."""
    try:
        scalars = list(_scalars(text))
    except yaml.YAMLError:
        return text
    for token in reversed(scalars):
        redacted = redactor.redact(token.value)
        if redacted != token.value:
            start, end = token.start_mark.index, token.end_mark.index
            written = text[start:end]
            # A block scalar ends at the beginning of a later line.
            after = written[len(written.rstrip()) :]
            text = f"{text[:start]}{json.dumps(redacted, ensure_ascii=False)}{after}{text[end:]}"
    return text


def _scalars(text: str) -> Iterator[yaml.ScalarToken]:
    return (token for token in yaml.scan(text, Loader=yaml.SafeLoader) if isinstance(token, yaml.ScalarToken))
