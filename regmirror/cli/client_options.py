"""Which options of ``client-config`` go together."""

from pathlib import Path

from regmirror.cli.options import Runtime
from regmirror.errors import ConfigurationError


def refuse_combinations(
    runtime: Runtime, *, check: bool, root: Path | None, daemonset: bool, output_dir: Path | None, force: bool
) -> None:
    """Raises ConfigurationError for options that exclude each other, or that have no effect."""
    given = {"--daemonset": daemonset, "--check": check, "--output-dir": bool(output_dir)}
    chosen = [option for option, is_given in given.items() if is_given]
    if daemonset and runtime is not Runtime.CONTAINERD:
        hint = f"print the files of {runtime.value}, and copy them to the nodes with the tool that manages them"
        raise ConfigurationError("--daemonset is for containerd", hint=hint)
    if len(chosen) > 1:
        raise ConfigurationError(f"{chosen[0]} and {chosen[1]} exclude each other", hint="leave out one of them")
    if root and not check:
        raise ConfigurationError("--root is for --check", hint="add --check, or leave out --root")
    if force and not output_dir:
        raise ConfigurationError("--force is for --output-dir", hint="add --output-dir, or leave out --force")
    if root and not root.is_dir():
        raise ConfigurationError(f"--root: there is no directory {root}", hint="check the path")
