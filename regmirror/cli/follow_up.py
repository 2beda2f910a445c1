"""Commands for "Next:" lines: ready to be pasted, about the same mirror as the running command."""

import shlex

import typer

_MIRROR_OPTIONS = {"file", "kubeconfig", "context", "namespace"}


def follow_up(running: typer.Context, command: str) -> str:
    """``regmirror COMMAND`` with the options of the running command line that select the mirror."""
    words = ["regmirror", *command.split()]
    for parameter in running.command.params:
        name = str(parameter.name)
        source = running.get_parameter_source(name)
        if name in _MIRROR_OPTIONS and source is not None and source.name == "COMMANDLINE":
            words += [parameter.opts[0], str(running.params[name])]
    return shlex.join(words)
