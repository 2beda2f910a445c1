"""Renders templates of TOML files: every value is written as a TOML literal, and the result is parsed as a check."""

import json
import tomllib
from typing import Any

from regmirror.desired.templates import render_text
from regmirror.errors import TemplateError


def toml_literal(value: Any) -> str:
    """Return a string or a list of strings as TOML; quoted, so that it can also be a key.

    JSON and TOML write both in the same way (TOML 1.0, "String"), except for the character DEL.
    """
    return json.dumps(value, ensure_ascii=False).replace("\x7f", "\\u007f")


def render_toml(template: str, context: dict[str, Any]) -> str:
    """Render a template of templates/; raises TemplateError if the result is not valid TOML."""
    text = render_text(template, context, toml_literal).rstrip("\n") + "\n"
    try:
        tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        raise TemplateError(f"the template {template} does not render to valid TOML: {error}") from error
    return text
