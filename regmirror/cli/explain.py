"""``regmirror explain``: prints the reference section of an error, check, finding or configuration key, offline."""

from typing import TYPE_CHECKING, Annotated

import typer

from regmirror.cli import completion, options
from regmirror.cli.options import Format
from regmirror.cli.terminal import Terminal, terminal
from regmirror.errors import ConfigurationError

if TYPE_CHECKING:
    from regmirror.cli.reference_pages import Topic

_TITLES = {
    "error": "Error codes",
    "check": "Checks",
    "finding": "Findings of client-config --check",
    "reason": "Reasons of verify --nodes",
    "key": "Configuration keys",
}


def explain(
    topic: Annotated[
        str,
        typer.Argument(
            help="An error code, check, finding or configuration key. Default: list all of them.",
            show_default=False,
            autocompletion=completion.topics,
        ),
    ] = "",
    output: options.Output = Format.TABLE,
    debug: options.Debug = False,
    no_color: options.NoColor = False,
) -> None:
    """Explain an error code, check, finding or configuration key.

    Prints the section of the reference documentation that this installation
    contains. Needs neither a cluster nor a network.

    regmirror explain RM301
    regmirror explain token-grant
    regmirror explain ingress.issuer
    """
    with terminal(output, debug=debug, no_color=no_color) as streams:
        from regmirror.cli.reference_pages import topics

        if topic:
            _show(streams, _find(topic, topics()))
        else:
            _list(streams, list(topics().values()))


def _find(name: str, known: "dict[str, Topic]") -> "Topic":
    from difflib import get_close_matches

    from regmirror.cli.reference_pages import normalize

    by_id = {topic.id: topic for topic in known.values()}
    wanted = normalize(name)
    if wanted in by_id:
        return by_id[wanted]
    near = [id_ for id_ in by_id if id_.startswith(wanted)] or get_close_matches(wanted, by_id)
    hint = "list all topics: regmirror explain"
    if near:
        hint = f"did you mean {' or '.join(by_id[id_].name for id_ in near[:3])}?"
    raise ConfigurationError(f'there is no topic "{name}"', hint=hint)


def _show(streams: Terminal, topic: "Topic") -> None:
    if streams.output is not Format.TABLE:
        from regmirror.cli.explanation import explanation

        streams.document(explanation(topic).document())
        return
    if streams.stdout.is_terminal:
        from rich.markdown import Markdown

        streams.stdout.print(Markdown(topic.markdown))
    else:
        streams.result(topic.markdown)
    streams.result(f"\nSee: {topic.url}")


def _list(streams: Terminal, topics: "list[Topic]") -> None:
    if streams.output is not Format.TABLE:
        from regmirror.cli.explanation import topic_list

        streams.document(topic_list(topics).document())
        return
    for kind, title in _TITLES.items():
        streams.result(f"{title}:", "bold")
        for topic in topics:
            if topic.kind == kind:
                streams.result(f"  {topic.name}")
        streams.result()
    streams.info("Explain one of them: regmirror explain TOPIC")
