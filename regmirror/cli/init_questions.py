"""The questions of ``init`` on a terminal, with what the cluster offers as defaults; and the writing of the file."""

import os
from contextlib import suppress
from dataclasses import replace
from pathlib import Path

from rich.prompt import Prompt

from regmirror.cli.terminal import Terminal
from regmirror.config.init_options import AccountReference, InitOptions, Reference, allowed_patterns
from regmirror.config.load import parse_mirror
from regmirror.desired.templates import render_text
from regmirror.errors import ClusterError, ConfigurationError, KubeconfigError
from regmirror.ports.cluster import CLUSTER_ISSUER, INGRESS_CLASS, Kind

_SECRETS = Path("regmirror.secrets")


def ask_missing(
    streams: Terminal,
    given: InitOptions,
    directory: Path,
    kubeconfig: Path | None,
    context: str | None,
    *,
    cloud_role: bool,
) -> InitOptions:
    """Ask for what the options and variables left open; secrets are typed unseen and kept in files of mode 0600."""
    ask = _Asker(streams, directory)
    classes, issuers = _offers(streams, kubeconfig, context, given.namespace)
    answers = replace(
        given,
        host=given.host or ask.text("Public host name of the mirror"),
        allowed=given.allowed or allowed_patterns(ask.text("What everyone may pull (namespaces, with commas)")),
        bucket=given.bucket or ask.text("S3 bucket"),
        endpoint=given.endpoint or ask.text("S3 endpoint (empty for AWS)", default=""),
        class_name=given.class_name or ask.choice("Ingress class", classes),
        issuer=given.issuer or ask.choice("cert-manager issuer (empty for a certificate of your own)", ["", *issuers]),
    )
    answers = replace(answers, probe_image=given.probe_image or ask.text(_probe_question(answers), default=""))
    if not cloud_role and not os.environ.get("AWS_ACCESS_KEY_ID"):
        answers = replace(answers, access_key=ask.account("S3 access key", "s3") or answers.access_key)
    if answers.credentials is None:
        answers = replace(answers, credentials=ask.account("Docker Hub account (empty for none)", "docker-hub"))
    return answers


def write_configuration(file: Path, answers: InitOptions) -> None:
    """Write the file whole or not at all; raises ConfigurationError where it would not be valid."""
    text = render_text("regmirror.yaml.j2", answers.context())
    parse_mirror(text, "what was answered")
    draft = file.with_name(f".{file.name}.draft")
    try:
        draft.write_text(text)
        draft.replace(file)
    except OSError as error:
        with suppress(OSError):
            draft.unlink()
        raise ConfigurationError(f"{file} cannot be written: {error.strerror}") from error


def _probe_question(answers: InitOptions) -> str:
    return f"An image of {answers.allowed[0] if answers.allowed else 'these'} that verify can pull (empty for none)"


def _offers(
    streams: Terminal, kubeconfig: Path | None, context: str | None, namespace: str
) -> tuple[list[str], list[str]]:
    """The Ingress classes and cert-manager issuers of the cluster; none where it cannot be asked."""
    from regmirror.adapters.cluster import KubernetesCluster

    def names(cluster: KubernetesCluster, kind: Kind) -> list[str]:
        return sorted(found["metadata"]["name"] for found in cluster.select(kind))

    try:
        cluster = KubernetesCluster(kubeconfig, context, namespace)
        offers = names(cluster, INGRESS_CLASS), names(cluster, CLUSTER_ISSUER)
    except (ClusterError, KubeconfigError) as error:
        streams.info(f"The cluster cannot be asked what it offers: {error.message}", "yellow")
        return [], []
    found = f"Ingress classes {', '.join(offers[0]) or 'none'}; cert-manager issuers {', '.join(offers[1]) or 'none'}"
    streams.info(f"Found by context {cluster.context}: {found}")
    return offers


class _Asker:
    """Questions on standard error, so that standard output stays clean."""

    def __init__(self, streams: Terminal, directory: Path) -> None:
        self._console = streams.stderr
        self._directory = directory

    def text(self, question: str, default: str | None = None) -> str:
        while True:
            answer = Prompt.ask(question, console=self._console, default=default, show_default=bool(default))
            if answer or default is not None:
                return (answer or "").strip()

    def choice(self, question: str, offers: list[str]) -> str:
        if not any(offers):
            return ""
        return Prompt.ask(question, console=self._console, choices=offers, default=offers[0])

    def account(self, what: str, name: str) -> AccountReference | None:
        """Both parts of an account; None where the first is left empty."""
        first = Prompt.ask(f"{what}: name or id", console=self._console, default="", show_default=False)
        if not first:
            return None
        second = Prompt.ask(f"{what}: secret (not shown)", console=self._console, password=True)
        return AccountReference(self._keep(f"{name}-id", first), self._keep(f"{name}-secret", second))

    def _keep(self, name: str, value: str) -> Reference:
        """Put a secret into a file that only its owner can read, and that git leaves out."""
        if not value:
            raise ConfigurationError("the secret is empty", hint="run regmirror init again")
        folder = self._directory / _SECRETS
        folder.mkdir(mode=0o700, exist_ok=True)
        (folder / ".gitignore").write_text("*\n")
        path = folder / name
        path.unlink(missing_ok=True)
        with os.fdopen(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w") as file:
            file.write(value)
        return {"file": str(_SECRETS / name)}
