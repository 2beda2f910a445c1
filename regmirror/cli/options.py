"""The options that commands share: each means the same in every command, and has an environment variable."""

from enum import StrEnum
from pathlib import Path
from typing import Annotated

import typer

from regmirror.cli import completion

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


class ServiceType(StrEnum):
    """The types of a Service that clients outside of the cluster reach."""

    LOAD_BALANCER = "LoadBalancer"
    NODE_PORT = "NodePort"


class ReportFormat(StrEnum):
    """How the results of checks are written to standard output."""

    TABLE = "table"
    SHORT = "short"
    JSON = "json"
    YAML = "yaml"
    JUNIT = "junit"
    METRICS = "metrics"

    @property
    def of_errors(self) -> Format:
        """How an error is written that leaves no results."""
        return {ReportFormat.JSON: Format.JSON, ReportFormat.YAML: Format.YAML}.get(self, Format.TABLE)


File = Annotated[
    Path,
    typer.Option(
        "-f", "--file", metavar="FILE", envvar="REGMIRROR_FILE", help="Configuration file; - reads standard input."
    ),
]
Kubeconfig = Annotated[
    Path | None,
    typer.Option(
        "--kubeconfig",
        metavar="FILE",
        envvar="REGMIRROR_KUBECONFIG",
        help="Kubeconfig file. Default: the one that kubectl uses.",
    ),
]
Context = Annotated[
    str | None,
    typer.Option(
        "--context",
        metavar="NAME",
        envvar="REGMIRROR_CONTEXT",
        help="Kubeconfig context. Default: the current context.",
        autocompletion=completion.contexts,
    ),
]
Namespace = Annotated[
    str | None,
    typer.Option(
        "-n",
        "--namespace",
        metavar="NAME",
        envvar="REGMIRROR_NAMESPACE",
        help="Kubernetes namespace. Default: the one in the configuration file.",
    ),
]
ImageRegistry = Annotated[
    str,
    typer.Option(
        "--image-registry",
        metavar="HOST[/PATH]",
        envvar="REGMIRROR_IMAGE_REGISTRY",
        help="Registry of the mirror's own images. Default: imageRegistry in the file.",
        show_default=False,
    ),
]
Output = Annotated[Format, typer.Option("-o", "--output", envvar="REGMIRROR_OUTPUT", help="Output format.")]
Timeout = Annotated[
    str,
    typer.Option(
        "--timeout", metavar="DURATION", envvar="REGMIRROR_TIMEOUT", help="Maximum time to wait, such as 90s or 5m."
    ),
]
Debug = Annotated[
    bool, typer.Option("--debug", envvar="REGMIRROR_DEBUG", help="Print the traceback if the command fails.")
]
NoColor = Annotated[
    bool, typer.Option("--no-color", envvar="REGMIRROR_NO_COLOR", help="Print no colors and no escape sequences.")
]
Helm = Annotated[
    str,
    typer.Option("--helm", metavar="PROGRAM", envvar="REGMIRROR_HELM", help="Name or path of the Helm executable."),
]
Resolve = Annotated[
    list[str],
    typer.Option(
        "--resolve",
        metavar="HOST:PORT:ADDR",
        envvar="REGMIRROR_RESOLVE",
        help="Connect to this address for HOST:PORT instead of using DNS. Repeatable.",
    ),
]
CaFile = Annotated[
    Path | None,
    typer.Option(
        "--ca-file",
        metavar="FILE",
        envvar="REGMIRROR_CA_FILE",
        help="Trust these CA certificates (PEM) for the public host, in addition to the system's.",
    ),
]

CLUSTER_OPTIONS = (
    "file",
    "kubeconfig",
    "context",
    "namespace",
    "image_registry",
    "helm",
    "resolve",
    "ca_file",
    "timeout",
)
"""Which configuration, which cluster, and how to connect; in the order of every command's help."""
OUTPUT_OPTIONS = ("output", "debug", "no_color")
REPEATED_IN_HINTS = (
    "file",
    "kubeconfig",
    "context",
    "namespace",
    "image_registry",
    "helm",
    "resolve",
    "ca_file",
    "registry",
)
"""A command that continues the work of this one needs the same."""


def position(name: str) -> int:
    """The position of an option in the help of every command; options of a single command come first."""
    shared = CLUSTER_OPTIONS + OUTPUT_OPTIONS
    return shared.index(name) + 1 if name in shared else 0
