"""The options that commands share: each has one meaning everywhere and a twin in the environment."""

from enum import StrEnum
from pathlib import Path
from typing import Annotated

import typer

DEFAULT_FILE = Path("regmirror.yaml")


class Format(StrEnum):
    """How a result is written to standard output."""

    TABLE = "table"
    JSON = "json"
    YAML = "yaml"


class Runtime(StrEnum):
    """The container runtimes that can be set up; regmirror/client_config/catalog.py has the same names."""

    CONTAINERD = "containerd"
    DOCKERD = "dockerd"
    K3S = "k3s"
    RKE2 = "rke2"
    TALOS = "talos"
    BUILDKIT = "buildkit"
    PODMAN = "podman"
    CRIO = "cri-o"
    KIND = "kind"
    MINIKUBE = "minikube"


class ReportFormat(StrEnum):
    """How the results of checks are written to standard output."""

    TABLE = "table"
    SHORT = "short"
    JSON = "json"
    YAML = "yaml"
    JUNIT = "junit"

    @property
    def of_errors(self) -> Format:
        """How an error is written that leaves no results."""
        return {ReportFormat.JSON: Format.JSON, ReportFormat.YAML: Format.YAML}.get(self, Format.TABLE)


File = Annotated[
    Path, typer.Option("-f", "--file", envvar="REGMIRROR_FILE", help="The configuration file; - for standard input.")
]
Kubeconfig = Annotated[
    Path | None, typer.Option("--kubeconfig", envvar="REGMIRROR_KUBECONFIG", help="Kubeconfig; else as kubectl does.")
]
Context = Annotated[
    str | None, typer.Option("--context", envvar="REGMIRROR_CONTEXT", help="Kubeconfig context; else the current one.")
]
Namespace = Annotated[
    str | None,
    typer.Option("-n", "--namespace", envvar="REGMIRROR_NAMESPACE", help="In place of the file's namespace."),
]
Output = Annotated[Format, typer.Option("-o", "--output", envvar="REGMIRROR_OUTPUT", help="Form of the result.")]
Timeout = Annotated[
    str, typer.Option("--timeout", envvar="REGMIRROR_TIMEOUT", help="How long to wait in all: 90s, 5m.")
]
Debug = Annotated[bool, typer.Option("--debug", envvar="REGMIRROR_DEBUG", help="Show the traceback of an error.")]
NoColor = Annotated[bool, typer.Option("--no-color", envvar="REGMIRROR_NO_COLOR", help="No colour, as with NO_COLOR.")]
Helm = Annotated[str, typer.Option("--helm", envvar="REGMIRROR_HELM", help="The Helm program.")]
Resolve = Annotated[
    list[str],
    typer.Option(
        "--resolve",
        metavar="HOST:PORT:ADDR",
        envvar="REGMIRROR_RESOLVE",
        help="Reach a host at this address, before its DNS exists; repeatable.",
    ),
]
CaFile = Annotated[
    Path | None,
    typer.Option("--ca-file", envvar="REGMIRROR_CA_FILE", help="Trust these certificates for the public host, too."),
]
