"""Renders the Jinja templates: every value is written as a literal, of YAML by default."""

import re
from collections.abc import Callable
from typing import Any

import jinja2
import yaml

from regmirror.desired.assets import asset_directory
from regmirror.errors import TemplateError

_LINE_BREAK = re.compile("[\n\r\x85\u2028\u2029]")


class _OneLine(yaml.SafeDumper):
    """Double quotes for strings with line breaks: all other styles of YAML use several lines for them."""

    def represent_text(self, text: str) -> yaml.ScalarNode:
        """The node of a string."""
        style = '"' if _LINE_BREAK.search(text) else None
        return self.represent_scalar("tag:yaml.org,2002:str", text, style)


_OneLine.add_representer(str, _OneLine.represent_text)


def yaml_literal(value: Any) -> str:
    """A plain value on one line of YAML; strings are double-quoted, so that they stay strings."""
    style = '"' if isinstance(value, str) else None
    text = yaml.dump(value, Dumper=_OneLine, default_style=style, default_flow_style=True, width=2**31, sort_keys=False)
    return text.removesuffix("\n").removesuffix("\n...")


def render_text(template: str, context: dict[str, Any], literal: Callable[[Any], str] = yaml_literal) -> str:
    """Render a template of templates/; an unknown variable is a TemplateError.

    ``finalize`` passes the value of every ``{{ expression }}`` through ``literal``: no template can forget to quote.
    """

    def finalized(value: Any) -> str:
        # The text of a missing variable raises an error with its name.
        return str(value) if isinstance(value, jinja2.Undefined) else literal(value)

    environment = jinja2.Environment(
        loader=jinja2.FileSystemLoader(asset_directory("templates")),
        undefined=jinja2.StrictUndefined,
        finalize=finalized,
        trim_blocks=True,
        lstrip_blocks=True,
        keep_trailing_newline=True,
        autoescape=False,  # noqa: S701 - the output is quoted by finalize; HTML escapes would corrupt it
    )
    try:
        return environment.get_template(template).render(context)
    except (jinja2.TemplateError, yaml.YAMLError) as error:
        raise TemplateError(f"the template {template} does not render: {error}") from error


def render_values(template: str, context: dict[str, Any]) -> dict[str, Any]:
    """Render a template and read the result back as the mapping that a chart takes."""
    try:
        values = yaml.safe_load(render_text(template, context))
    except yaml.YAMLError as error:
        raise TemplateError(f"the template {template} does not render to valid YAML: {error}") from error
    if not isinstance(values, dict):
        raise TemplateError(f"the template {template} does not render to a mapping")
    return values
