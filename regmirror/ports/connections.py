"""The connections of a command."""

from contextlib import AbstractContextManager
from typing import Protocol

from regmirror.config.ca_bundle import CaBundleResolver
from regmirror.config.model import Mirror, Upstream
from regmirror.config.secret_references import SecretResolver
from regmirror.desired.mirror_secrets import Account
from regmirror.ports.async_cluster import AsyncCluster
from regmirror.ports.helm import Helm
from regmirror.ports.http import Http
from regmirror.ports.object_store import ObjectStore


class Connections(Protocol):
    """One mirror's configuration and everything outside of the process that a command uses.

    Each connection opens when it is first used. Opening raises ConfigurationError (KubeconfigError for the cluster).
    """

    @property
    def mirror(self) -> Mirror:
        """The configuration."""

    @property
    def cluster(self) -> AsyncCluster:
        """The mirror's namespace; ``cluster.blocking`` is for code that runs in threads."""

    @property
    def helm(self) -> Helm:
        """Helm, in the same namespace."""

    @property
    def http(self) -> Http:
        """The public hosts."""

    @property
    def resolver(self) -> SecretResolver:
        """Finds the secrets that the configuration refers to."""

    @property
    def ca_bundles(self) -> CaBundleResolver:
        """Reads the CA bundles that the configuration refers to."""

    def open_upstream(self, upstream: Upstream) -> Http:
        """An upstream and its token service, by the way of its registry. Raises CaBundleError or MissingSecretError."""

    def open_store(self, account: Account | None) -> ObjectStore:
        """The bucket, with the credentials of an account, by the way of the registries.

        None uses the credentials of the environment. Raises CaBundleError or MissingSecretError.
        """

    def open_store_through(self, account: Account | None, pod: str, port: int) -> AbstractContextManager[ObjectStore]:
        """The bucket, reached through the HTTP proxy at a port inside a pod."""
