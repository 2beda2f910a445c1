"""Reads a kubeconfig into the configuration of the kubernetes package."""

import logging
import os
import re
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from urllib.parse import unquote, urlsplit

import urllib3
import yaml
from kubernetes import config
from kubernetes.client import Configuration
from kubernetes.config.config_exception import ConfigException
from kubernetes.config.kube_config import KUBE_CONFIG_DEFAULT_LOCATION

from regmirror.adapters.kubeconfig_files import KubeconfigFiles, require_supported
from regmirror.errors import KubeconfigError

_CHOOSE_KUBECONFIG = "set --kubeconfig or KUBECONFIG; see: kubectl config get-contexts"


def load_kubeconfig(kubeconfig: Path | None, context: str | None) -> tuple[Configuration, str]:
    """The configuration of a context, and its name; None chooses as kubectl does. Raises KubeconfigError."""
    configuration = Configuration()
    source = str(kubeconfig) if kubeconfig else None
    described = f"the kubeconfig {source}" if source else "the kubeconfig"
    _require_file(source)
    try:
        files = KubeconfigFiles(source)
        chosen = context or files.current_context
        if chosen is None or chosen not in files.contexts:
            raise KubeconfigError(
                f"{described} has no context {chosen}" if chosen else f"{described} has no current context",
                hint=f"choose one with --context: {', '.join(files.contexts) or 'there is none'}",
            )
        cluster = files.cluster_of(chosen)
        require_supported(f"context {chosen} of {described}", cluster, files.user_of(chosen))
        with _plugin_errors() as plugin_errors:
            config.load_kube_config(config_file=source, context=chosen, client_configuration=configuration)
    except (ConfigException, OSError) as error:
        raise KubeconfigError(
            f"{described} cannot be used: {' '.join(str(error).split())}", hint=_CHOOSE_KUBECONFIG
        ) from error
    except (yaml.YAMLError, ValueError, KeyError, TypeError, AttributeError):
        # Without its cause: the parser's message may quote the file, which contains tokens.
        raise KubeconfigError(f"{described} cannot be used: it is not a kubeconfig", hint=_CHOOSE_KUBECONFIG) from None
    if plugin_errors:
        raise _plugin_error(described, plugin_errors[0])
    if cluster.get("proxy-url"):
        _use_proxy(configuration, str(cluster["proxy-url"]))
    # The default of three retries turns an unreachable server into minutes of silence.
    configuration.retries = urllib3.Retry(connect=0, read=0, redirect=0, other=0, total=0)
    # Requests run in parallel; a smaller pool discards connections and logs that on standard error.
    configuration.connection_pool_maxsize = 32
    return configuration, str(chosen)


def _use_proxy(configuration: Configuration, url: str) -> None:
    """Use the proxy of the kubeconfig as kubectl and Helm do: with its account, and without regard to NO_PROXY."""
    configuration.no_proxy = None
    parts = urlsplit(url)
    if parts.username:
        account = f"{unquote(parts.username)}:{unquote(parts.password or '')}"
        configuration.proxy_headers = urllib3.make_headers(proxy_basic_auth=account)


def _require_file(source: str | None) -> None:
    """The kubernetes package, like kubectl, ignores a file of the list that does not exist, but not all of them."""
    # Only KUBECONFIG is a list, for kubectl and for Helm: --kubeconfig is one file.
    paths = [source] if source else KUBE_CONFIG_DEFAULT_LOCATION.split(os.pathsep)
    if any(Path(path).expanduser().exists() for path in paths):
        return
    message = "no kubeconfig found: neither KUBECONFIG nor ~/.kube/config names an existing file"
    raise KubeconfigError(f"there is no kubeconfig file {source}" if source else message, hint=_CHOOSE_KUBECONFIG)


class _LogRecords(logging.Handler):
    """Collects the messages that are logged."""

    def __init__(self) -> None:
        super().__init__()
        self.messages: list[str] = []

    def emit(self, record: logging.LogRecord) -> None:
        """Keep the message; nothing is printed."""
        self.messages.append(record.getMessage())


@contextmanager
def _plugin_errors() -> Iterator[list[str]]:
    """The errors of a credential plugin: the kubernetes package only logs them, and continues without credentials.

    Source: ``kubernetes/config/kube_config.py``, ``_load_from_exec_plugin`` logs to the root logger.
    """
    handler, root = _LogRecords(), logging.getLogger()
    root.addHandler(handler)
    try:
        yield handler.messages
    finally:
        root.removeHandler(handler)


def _plugin_error(described: str, message: str) -> KubeconfigError:
    """From ``[Errno 2] No such file or directory: 'aws-iam-authenticator'``, or from what the plugin printed."""
    missing = re.match(r"\[Errno 2\] .*: '(?P<program>.+)'", message)
    if missing:
        program = missing["program"]
        return KubeconfigError(
            f"{described} needs the credential plugin {program}, which is not installed",
            hint=f"install {program}, or add it to PATH",
        )
    return KubeconfigError(
        f"the credential plugin of {described} failed: {' '.join(message.split())}",
        hint="log in again, and check: kubectl get --raw /version",
    )
