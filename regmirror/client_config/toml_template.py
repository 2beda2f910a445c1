"""Renders the templates that give TOML: every value is written as a TOML literal, and the result is read back."""

import json
import tomllib
from typing import Any

from regmirror.desired.templates import render_text
from regmirror.errors import TemplateError


def toml_literal(value: Any) -> str:
    """A string, or a list of them, as TOML; quoted, so that it may stand for a key, too.

    JSON's way of writing both is TOML's as well (TOML 1.0, "String"), but for the character DEL.
    """
    return json.dumps(value, ensure_ascii=False).replace("\x7f", "\\u007f")


def render_toml(template: str, context: dict[str, Any]) -> str:
    """Render a template of templates/; raises TemplateError where the result is no TOML."""
    text = render_text(template, context, toml_literal).rstrip("\n") + "\n"
    try:
        tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        raise TemplateError(f"the template {template} gives no valid TOML: {error}") from error
    return text
