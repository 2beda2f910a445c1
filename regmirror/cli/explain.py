"""``regmirror explain``: prints the reference section of an error code, a check or a configuration key, offline."""

from typing import TYPE_CHECKING, Annotated

import typer

from regmirror.cli import completion, options
from regmirror.cli.options import Format
from regmirror.cli.terminal import Terminal, terminal
from regmirror.errors import ConfigurationError

if TYPE_CHECKING:
    from regmirror.cli.reference_pages import Topic

_TITLES = {"error": "Error codes", "check": "Checks", "key": "Configuration keys"}


def explain(
    topic: Annotated[
        str,
        typer.Argument(
            help="An error code, a check or a configuration key. Default: list all of them.",
            show_default=False,
            autocompletion=completion.topics,
        ),
    ] = "",
    output: options.Output = Format.TABLE,
    debug: options.Debug = False,
    no_color: options.NoColor = False,
) -> None:
    """Explain an error code, a check or a configuration key.

    Prints the section of the reference documentation that this installation
    contains. Needs neither a cluster nor a network.

    regmirror explain RM301
    regmirror explain token-grant
    regmirror explain ingress.issuer
    """
    with terminal(output, debug=debug, no_color=no_color) as streams:
        from regmirror.cli.reference_pages import topics

        if not topic:
            _list(streams, topics())
        else:
            _show(streams, _find(topic, topics()), topics())


def _find(name: str, known: "dict[str, Topic]") -> "Topic":
    from difflib import get_close_matches

    from regmirror.cli.reference_pages import normalize

    by_id = {topic.id: topic for topic in known.values()}
    if normalize(name) in by_id:
        return by_id[normalize(name)]
    near = [by_id[match].name for match in get_close_matches(normalize(name), by_id, 3)]
    hint = f"did you mean {' or '.join(near)}?" if near else "list all topics: regmirror explain"
    raise ConfigurationError(f'there is no topic "{name}"', hint=hint)


def _show(streams: Terminal, topic: "Topic", known: "dict[str, Topic]") -> None:
    below = [name for name in known if name.startswith(f"{topic.name}.")]
    keys = "\n\nKeys:\n\n" + "\n".join(f"- `{name}`" for name in below) if below else ""
    markdown = topic.markdown + keys
    if streams.output is not Format.TABLE:
        streams.document({"topic": topic.name, "title": _title(topic), "url": topic.url, "markdown": markdown})
        return
    if streams.stdout.is_terminal:
        from rich.markdown import Markdown

        streams.stdout.print(Markdown(markdown))
    else:
        streams.result(markdown)
    streams.result()
    streams.result(f"See: {topic.url}")


def _title(topic: "Topic") -> str:
    """The sentence in bold print that begins every section of an error and a check; else the name."""
    import re

    found = re.search(r"^\*\*(.+?)\.?\*\*", topic.markdown, re.MULTILINE | re.DOTALL)
    return " ".join(found[1].split()) if found else topic.name


def _list(streams: Terminal, known: "dict[str, Topic]") -> None:
    if streams.output is not Format.TABLE:
        streams.document({"topics": [{"topic": one.name, "kind": one.kind, "url": one.url} for one in known.values()]})
        return
    for kind, title in _TITLES.items():
        streams.result(f"{title}:", "bold")
        for one in known.values():
            if one.kind == kind:
                streams.result(f"  {one.name}")
    streams.info("Explain one of them: regmirror explain TOPIC")
