"""What ``regmirror init`` does: checks options, asks the cluster and the user, writes the files, shows what is next."""

import os
import shlex
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from pathlib import Path

from regmirror.cli.cluster_offers import ClusterOffers, cluster_offers
from regmirror.cli.init_files import write_files
from regmirror.cli.init_questions import SECRETS_DIRECTORY, Questions
from regmirror.cli.prompts import Prompts
from regmirror.cli.terminal import Terminal
from regmirror.config.init_options import InitOptions, completed, invalid_options, missing_options
from regmirror.config.variables import default_region
from regmirror.errors import ConfigurationError, InterruptedRunError


@dataclass(frozen=True, slots=True)
class InitTarget:
    """The file to write and the cluster that it is for."""

    file: Path
    kubeconfig: Path | None
    context: str | None
    is_replaced: bool

    def kubectl(self, *words: str) -> str:
        """A kubectl command for the same cluster."""
        given = {"--kubeconfig": self.kubeconfig, "--context": self.context}
        cluster = [word for option, value in given.items() if value for word in (option, str(value))]
        return shlex.join(["kubectl", *cluster, *words])


def run_init(streams: Terminal, target: InitTarget, given: InitOptions, *, ask: bool) -> None:
    """Write the file for the given options; with ``ask``, questions complete them. Raises ConfigurationError."""
    if target.file.exists() and not target.is_replaced:
        raise ConfigurationError(
            f"{target.file} already exists", hint="add --force to replace it, or write another file with --file"
        )
    _require_valid(target, given, ask=ask)
    offers = ClusterOffers()
    has_endpoint = bool(given.class_name or given.gateway or given.service)
    if not has_endpoint or (ask and not given.has_certificate):
        offers = cluster_offers(target.kubeconfig, target.context, given.namespace)
    given = _with_class(streams, given, offers, ask=ask)
    typed: Mapping[str, str] = {}
    if ask:
        questions = Questions(Prompts(streams), offers, os.environ)
        try:
            given = questions.complete(given)
        except (KeyboardInterrupt, EOFError):
            raise InterruptedRunError("interrupted; no file was written", hint="regmirror init") from None
        typed = questions.typed
    options = completed(given, default_region(os.environ))
    write_files(target.file, options, typed)
    _show_result(streams, target, options, has_typed=bool(typed), region_is_default=not given.region)


def _require_valid(target: InitTarget, given: InitOptions, *, ask: bool) -> None:
    missing = [] if ask else [f"{name}: required" for name in missing_options(given)]
    problems = missing + invalid_options(given)
    if problems:
        raise ConfigurationError(
            "\n  ".join([f"cannot write {target.file}:", *problems]),
            hint="set the options, or answer questions in a terminal: regmirror init" if missing else None,
        )


def _with_class(streams: Terminal, given: InitOptions, offers: ClusterOffers, *, ask: bool) -> InitOptions:
    """The options with the only Ingress class of the cluster; without one, says what to do."""
    warning = streams.symbols.warning
    if given.class_name or given.gateway or given.service:
        return given
    if offers.error:
        unset = "ingress.className is not set, so deploy uses the cluster's default class"
        streams.info(f"{warning} cannot detect the Ingress class ({offers.error}); {unset}", "yellow")
    elif not offers.classes and offers.gateways:
        return _with_gateway(streams, given, offers, ask=ask)
    elif not offers.classes:
        streams.info(
            f"{warning} the cluster has no IngressClass: install an Ingress controller before deploy, or use --service",
            "yellow",
        )
    elif len(offers.classes) == 1:
        streams.info(f"Ingress class: {offers.classes[0]} (the only one in context {offers.context})")
        return replace(given, class_name=offers.classes[0])
    elif not ask and not offers.default_class:
        names = ", ".join(offers.classes)
        streams.info(f"{warning} no default IngressClass: set --ingress-class to one of {names}", "yellow")
    return given


def _with_gateway(streams: Terminal, given: InitOptions, offers: ClusterOffers, *, ask: bool) -> InitOptions:
    """The options with the only Gateway of a cluster without Ingress classes; says which ones there are otherwise."""
    if given.has_certificate:
        names = ", ".join(offers.gateways)
        streams.info(
            f"{streams.symbols.warning} the cluster has no IngressClass: install an Ingress controller before deploy, "
            f"or use --gateway instead of a certificate: {names}",
            "yellow",
        )
    elif len(offers.gateways) == 1:
        streams.info(f"Gateway: {offers.gateways[0]} (the only one in context {offers.context}, without IngressClass)")
        return replace(given, gateway=offers.gateways[0])
    elif not ask:
        names = ", ".join(offers.gateways)
        streams.info(f"{streams.symbols.warning} no IngressClass: set --gateway to one of {names}", "yellow")
    return given


def _show_result(
    streams: Terminal, target: InitTarget, options: InitOptions, *, has_typed: bool, region_is_default: bool
) -> None:
    streams.info(f"{streams.symbols.ok} {target.file} written", "green")
    streams.info(f"  Everyone may pull {', '.join(options.allowed)}.")
    if region_is_default and options.bucket and not (options.endpoint or options.profile):
        streams.info(f"  The bucket's region is {options.region}; to change it, edit storage.region.")
    if has_typed:
        directory = target.file.parent / SECRETS_DIRECTORY
        streams.info(f"  The secrets that you typed are in {directory}/ (readable only by you, ignored by Git).")
    streams.info()
    streams.info("Next:")
    for line in _next_commands(target, options):
        streams.info(f"  {line}")


def _next_commands(target: InitTarget, options: InitOptions) -> Iterator[str]:
    accounts = (account for account in (options.access_key, options.credentials) if account)
    variables = [
        reference["env"] for account in accounts for reference in (account.name, account.password) if "env" in reference
    ]
    unset = [f"{name}=..." for name in variables if not os.environ.get(name)]
    if unset:
        yield f"export {' '.join(unset)}"
    if not (options.issuer or options.self_signed or options.gateway):
        namespace = target.kubectl("create", "namespace", options.namespace, "--dry-run=client", "-o", "yaml")
        yield f"{namespace} | {target.kubectl('apply', '-f', '-')}"
        secret = ("create", "secret", "tls", options.tls_secret, "-n", options.namespace)
        yield f"{target.kubectl(*secret, '--cert=tls.crt', '--key=tls.key')}  # unless the Secret exists"
    yield "regmirror deploy"
