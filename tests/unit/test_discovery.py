"""The kinds of a namespace are read from the discovery documents of an API server."""

from __future__ import annotations

from typing import Any

import pytest

from regmirror.adapters.discovery import listable_collections
from regmirror.errors import ClusterError


def resource(name: str, kind: str, scope: str = "Namespaced", verbs: tuple[str, ...] = ("get", "list")) -> Any:
    return {"resource": name, "responseKind": {"kind": kind}, "scope": scope, "verbs": list(verbs)}


def group(name: str, *versions: tuple[str, list[Any]], freshness: str = "Current") -> Any:
    found = [{"version": version, "resources": resources, "freshness": freshness} for version, resources in versions]
    return {"metadata": {"name": name} if name else {}, "versions": found}


def document(*groups: Any) -> Any:
    return {"kind": "APIGroupDiscoveryList", "apiVersion": "apidiscovery.k8s.io/v2", "items": list(groups)}


def paths(*documents: Any) -> list[str]:
    return [collection.path("mine") for collection in listable_collections(list(documents))]


def test_kinds_of_namespaces_that_can_be_listed_are_found() -> None:
    core = [
        resource("pods", "Pod"),
        resource("nodes", "Node", scope="Cluster"),
        resource("bindings", "Binding", verbs=("create",)),
        resource("events", "Event"),
    ]
    custom = group("example.com", ("v1", [resource("databases", "Database")]))
    events = group("events.k8s.io", ("v1", [resource("events", "Event")]))
    assert paths(document(group("", ("v1", core))), document(custom, events)) == [
        "/api/v1/namespaces/mine/pods",
        "/apis/example.com/v1/namespaces/mine/databases",
    ]


def test_each_resource_is_listed_once_in_the_preferred_version_that_has_it() -> None:
    old = [resource("databases", "Database"), resource("backups", "Backup")]
    found = group("example.com", ("v1", [resource("databases", "Database")]), ("v1beta1", old))
    assert paths(document(found)) == [
        "/apis/example.com/v1/namespaces/mine/databases",
        "/apis/example.com/v1beta1/namespaces/mine/backups",
    ]


def test_an_api_that_does_not_answer_is_an_error() -> None:
    with pytest.raises(ClusterError, match=r"the API metrics\.k8s\.io/v1beta1 does not answer"):
        paths(document(group("metrics.k8s.io", ("v1beta1", []), freshness="Stale")))


def test_an_answer_in_another_format_is_an_error() -> None:
    with pytest.raises(ClusterError, match="does not list the kinds"):
        paths({"kind": "APIGroupList", "groups": []})
