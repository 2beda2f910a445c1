"""What the kubernetes package reads otherwise than kubectl and Helm do, or not at all."""

import os
from pathlib import Path
from typing import Any

import yaml
from kubernetes.config.kube_config import KUBE_CONFIG_DEFAULT_LOCATION

from regmirror.errors import KubeconfigError

Entry = dict[str, Any]


class KubeconfigFiles:
    """The kubeconfig, merged as kubectl merges it: the first file that has an entry decides.

    Raises the errors of reading and parsing: OSError, YAMLError, and TypeError or AttributeError for another document.
    """

    def __init__(self, source: str | None) -> None:
        paths = (source or KUBE_CONFIG_DEFAULT_LOCATION).split(os.pathsep)
        files = [Path(path).expanduser() for path in paths if path]
        self._documents: list[Entry] = [yaml.safe_load(file.read_text()) for file in files if file.exists()]

    @property
    def current_context(self) -> str | None:
        """The current context; the kubernetes package takes that of the last file, even if it is empty."""
        return next((name for document in self._documents if (name := document.get("current-context"))), None)

    @property
    def contexts(self) -> list[str]:
        """The names of all contexts, each once."""
        names = (str(entry["name"]) for document in self._documents for entry in document.get("contexts") or [])
        return list(dict.fromkeys(names))

    def cluster_of(self, context: str) -> Entry:
        """The cluster of a context; empty if it is missing."""
        return self._entry("clusters", "cluster", self._entry("contexts", "context", context).get("cluster"))

    def user_of(self, context: str) -> Entry:
        """The user of a context; empty if it is missing."""
        return self._entry("users", "user", self._entry("contexts", "context", context).get("user"))

    def _entry(self, plural: str, singular: str, name: object) -> Entry:
        entries = (entry for document in self._documents for entry in document.get(plural) or [])
        return next((entry.get(singular) or {} for entry in entries if entry["name"] == name), {})


def require_supported(described: str, cluster: Entry, user: Entry) -> None:
    """Raise KubeconfigError for what Helm would use and the kubernetes package would not."""
    if any(user.get(key) for key in ("as", "as-groups", "as-uid", "as-user-extra")):
        raise KubeconfigError(
            f"{described} impersonates another user (as), which regmirror cannot do",
            hint="use a context without impersonation, or the credentials of that user",
        )
    if str(cluster.get("proxy-url") or "").startswith("socks5"):
        raise KubeconfigError(
            f"{described} reaches the cluster through a SOCKS proxy (proxy-url), which regmirror does not support",
            hint="use an HTTP proxy, or run regmirror where the API server can be reached directly",
        )
