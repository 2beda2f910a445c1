"""Connections to fakes."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from regmirror.config.ca_bundle import CaBundleResolver
from regmirror.config.model import Mirror
from regmirror.config.secret_references import SecretResolver
from regmirror.ports.async_cluster import AsyncCluster
from regmirror.ports.http import Http
from regmirror.ports.object_store import ObjectStore
from regmirror.signing.ca_certificates import only_certificates
from tests.fakes.http import FakeHttp
from tests.fakes.object_store import FakeStore


def no_secrets() -> SecretResolver:
    """A resolver that finds nothing."""
    return SecretResolver({}, Path(), lambda _name, _key: None)


def no_bundles() -> CaBundleResolver:
    """A resolver of CA bundles that finds nothing."""
    return CaBundleResolver(Path(), lambda _name, _key: None, lambda _name, _key: None, only_certificates)


@dataclass
class FakeConnections:
    """What a command is connected to; ``blocking`` is the cluster. Any part may be wrapped by a test."""

    mirror: Mirror
    blocking: Any
    helm: Any = None
    http: Any = field(default_factory=lambda: FakeHttp({}))
    resolver: SecretResolver = field(default_factory=no_secrets)
    store: Any = field(default_factory=FakeStore)
    ca_bundles: CaBundleResolver = field(default_factory=no_bundles)
    store_in_cluster: Any = field(default_factory=FakeStore)
    """The store as pods reach it."""
    passed_through: list[tuple[str, int]] = field(default_factory=list)
    """Pods and ports through which the store was reached."""

    @property
    def cluster(self) -> AsyncCluster:
        return AsyncCluster(self.blocking)

    def open_upstream(self, upstream: object) -> Http:
        del upstream
        http: Http = self.http
        return http

    def open_store(self, account: object) -> ObjectStore:
        del account
        store: ObjectStore = self.store
        return store

    @contextmanager
    def open_store_through(self, account: object, pod: str, port: int) -> Iterator[ObjectStore]:
        del account
        self.passed_through.append((pod, port))
        yield self.store_in_cluster
