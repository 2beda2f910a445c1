"""The Cluster port over the kubernetes package's dynamic client.

Only the dynamic client is used: constructing the typed one (``CoreV1Api``) costs a second at every start.
"""

import json
import re
import shutil
import tempfile
import threading
import weakref
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from functools import partial
from pathlib import Path
from socket import socket
from typing import Any
from urllib.parse import quote

import urllib3
from kubernetes.client import ApiClient
from kubernetes.client.exceptions import ApiException
from kubernetes.dynamic import DynamicClient
from kubernetes.dynamic.exceptions import ResourceNotFoundError
from kubernetes.stream import ws_client

from regmirror.adapters import discovery
from regmirror.adapters.kubeconfig import load_kubeconfig
from regmirror.desired.names import FIELD_MANAGER
from regmirror.errors import (
    ClusterError,
    ClusterUnreachableError,
    ConflictError,
    PermissionDeniedError,
)
from regmirror.errors.remedies import suggest_remedy
from regmirror.ports.cluster import Applied, Kind, Object, Right

_HANDSHAKE = re.compile(r"Handshake status (?P<status>\d+) (?P<reason>.*?) -\+-\+- .* -\+-\+- (?P<body>.*)", re.DOTALL)
_TIMEOUT = (5.0, 30.0)
"""Seconds to connect, and to wait for an answer."""


class KubernetesCluster:
    """One namespace of the cluster behind a kubeconfig context."""

    def __init__(self, kubeconfig: Path | None, context: str | None, namespace: str) -> None:
        """Read the kubeconfig; no request is sent yet. Raises KubeconfigError."""
        self.namespace = namespace
        self._configuration, self.context = load_kubeconfig(kubeconfig, context)
        self._dynamic: DynamicClient | None = None
        self._discovering = threading.Lock()
        self._rules: list[Object] | None = None
        self._reviewing = threading.Lock()
        self._cache = Path(tempfile.mkdtemp(prefix="regmirror-discovery-"))
        weakref.finalize(self, shutil.rmtree, self._cache, ignore_errors=True)

    def version(self) -> tuple[int, int]:
        """Major and minor version of the API server."""
        document = json.loads(self._call("read the version", lambda: self._raw("/version")))
        return int(document["major"]), int(document["minor"].rstrip("+"))

    def may(self, right: Right) -> bool:
        """Whether the user has a right in the namespace (SelfSubjectAccessReview)."""
        if any(_grants(rule, right) for rule in self._known_rules()):
            return True
        # The list of rules may be incomplete: only a review of the single right proves that it is missing.
        attributes = {"namespace": self.namespace, **right._asdict()}
        status = self._review("SelfSubjectAccessReview", {"resourceAttributes": attributes})
        return bool(status["allowed"])

    def _known_rules(self) -> list[Object]:
        """The rules for the user in the namespace, requested once: a command needs dozens of rights."""
        with self._reviewing:
            if self._rules is None:
                status = self._review("SelfSubjectRulesReview", {"namespace": self.namespace})
                self._rules = list(status.get("resourceRules") or [])
            return self._rules

    def _review(self, kind: str, spec: Object) -> Object:
        group = "authorization.k8s.io/v1"
        body = {"apiVersion": group, "kind": kind, "spec": spec}
        answer = self._call(
            "review the permissions of this user",
            lambda: self._resource(Kind(group, kind)).create(body=body, _request_timeout=_TIMEOUT),
        )
        return dict(answer.to_dict()["status"])

    def serves(self, kind: Kind) -> bool:
        """Whether the API server knows a kind."""
        try:
            self._call(f"look up the kind {kind.kind}", lambda: self._resource(kind))
        except _MissingError:
            return False
        return True

    def get(self, kind: Kind, name: str) -> Object | None:
        """One object; None if it, or its kind, does not exist."""
        try:
            live = self._call(
                f"read {kind.kind} {name}",
                lambda: self._resource(kind).get(name=_segment(name), **self._where(kind), _request_timeout=_TIMEOUT),
            )
        except _MissingError:
            return None
        return dict(live.to_dict())

    def select(
        self, kind: Kind, selector: str = "", field_selector: str = "", *, everywhere: bool = False
    ) -> list[Object]:
        """The objects of a kind that match a label and a field selector; none if the kind does not exist."""
        try:
            listed = self._call(
                f"list {kind.kind}s",
                lambda: self._resource(kind).get(
                    **({} if everywhere else self._where(kind)),
                    label_selector=selector,
                    field_selector=field_selector,
                    _request_timeout=_TIMEOUT,
                ),
            )
        except _MissingError:
            return []
        return list(listed.to_dict()["items"])

    def contents(self) -> list[Object]:
        """Kind and metadata of every object in the namespace except Events, of every kind that the API server knows."""
        documents = [
            json.loads(self._call("list the kinds of the cluster", partial(self._raw, root, accept=discovery.ACCEPT)))
            for root in discovery.ROOTS
        ]
        collections = discovery.listable_collections(documents)
        return [found for collection in collections for found in self._metadata_of(collection)]

    def _metadata_of(self, collection: discovery.Collection) -> list[Object]:
        path = collection.path(self.namespace)
        try:
            text = self._call(f"list {collection.resource}", lambda: self._raw(path, accept=discovery.METADATA_ONLY))
        except _MissingError:
            # Its kind has been removed since, with all its objects.
            return []
        kind = collection.kind
        return [
            {"apiVersion": kind.api_version, "kind": kind.kind, "metadata": item["metadata"]}
            for item in json.loads(text).get("items") or []
        ]

    def apply(self, manifest: Object) -> Applied:
        """Server-side apply as field manager ``regmirror``; the resource version shows whether it changed."""
        before = self.get(_kind(manifest), manifest["metadata"]["name"])
        applied = self._apply(manifest)
        if before is None:
            return Applied.CREATED
        same = before["metadata"]["resourceVersion"] == applied["metadata"]["resourceVersion"]
        return Applied.UNCHANGED if same else Applied.CHANGED

    def create(self, manifest: Object) -> None:
        """Create an object; raises ConflictError if it exists."""
        kind = _kind(manifest)
        self._call(
            f"create {kind.kind} {manifest['metadata']['name']}",
            lambda: self._resource(kind).create(body=manifest, **self._where(kind), _request_timeout=_TIMEOUT),
            writes=True,
        )

    def try_create(self, manifest: Object) -> None:
        """Ask the API server whether it would create an object; creates nothing. Raises ClusterError if not."""
        kind = _kind(manifest)
        self._call(
            f"create {kind.kind} {manifest['metadata']['name']}",
            lambda: self._resource(kind).create(
                body=manifest, dry_run="All", **self._where(kind), _request_timeout=_TIMEOUT
            ),
        )

    def replace(self, found: Object) -> None:
        """Replace an object that was read; raises ConflictError if it was changed or deleted since."""
        kind, name = _kind(found), found["metadata"]["name"]
        try:
            self._call(
                f"replace {kind.kind} {name}",
                lambda: self._resource(kind).replace(
                    body=found, name=_segment(name), **self._where(kind), _request_timeout=_TIMEOUT
                ),
                writes=True,
            )
        except _MissingError as error:
            raise ConflictError(error.message) from error

    def preview(self, manifest: Object) -> Object:
        """An existing object as applying the manifest would leave it, with the defaults of the API server.

        Without the defaults if the manifest changes the kind of a probe: Helm owns the old handler and removes it, and
        a dry run under another name can only add the new one, which the API server refuses.
        """
        try:
            return self._apply(manifest, dry_run="All")
        except ClusterError as error:
            live = self.get(_kind(manifest), manifest["metadata"]["name"])
            if live is None or _TWO_HANDLERS not in error.message:
                raise
        return {**manifest, "metadata": {**live["metadata"], **manifest["metadata"]}}

    def delete(self, kind: Kind, name: str) -> None:
        """Delete one object; a missing one is fine."""
        with suppress(_MissingError):
            self._call(
                f"delete {kind.kind} {name}",
                lambda: self._resource(kind).delete(
                    name=_segment(name), **self._where(kind), _request_timeout=_TIMEOUT
                ),
                writes=True,
            )

    def log(self, pod: str, container: str, lines: int, *, previous: bool = False) -> str:
        """The last lines of a container's log, or of the log of its previous run; empty if nothing was logged."""
        path = f"/api/v1/namespaces/{self.namespace}/pods/{_segment(pod)}/log"
        query = [("container", container), ("tailLines", str(lines)), ("previous", str(previous).lower())]
        return str(self._call(f"read the log of {pod}", lambda: self._raw(path, query)))

    @contextmanager
    def connect(self, pod: str, port: int) -> Iterator[socket]:
        """A connection to a port inside a pod, loopback-only ports included (port-forward)."""
        url = f"{self._configuration.host}/api/v1/namespaces/{self.namespace}/pods/{_segment(pod)}/portforward"
        token = self._configuration.auth_settings().get("BearerToken", {}).get("value")
        headers = {"authorization": token} if token else {}
        forward = self._call(
            f"forward port {port} of {pod}",
            lambda: ws_client.portforward_call(
                self._configuration, "GET", url, headers=headers, query_params=[("ports", str(port))]
            ),
        )
        connection = forward.socket(port)
        connection.settimeout(_TIMEOUT[0])
        try:
            yield connection
        finally:
            connection.close()

    def _apply(self, manifest: Object, **options: str) -> Object:
        kind, name = _kind(manifest), manifest["metadata"]["name"]
        applied = self._call(
            f"apply {kind.kind} {name}",
            lambda: self._resource(kind).server_side_apply(
                body=manifest,
                name=_segment(name),
                field_manager=FIELD_MANAGER,
                force_conflicts=True,
                **self._where(kind),
                **options,
                _request_timeout=_TIMEOUT,
            ),
            writes="dry_run" not in options,
        )
        return dict(applied.to_dict())

    def _where(self, kind: Kind) -> dict[str, str]:
        return {"namespace": self.namespace} if self._resource(kind).namespaced else {}

    def _resource(self, kind: Kind) -> Any:
        # One thread at a time: each new kind rewrites the cache file.
        with self._discovering:
            if self._dynamic is None:
                # Not the default cache file in /tmp, which all clusters at the same address share.
                cache = self._cache / "resources.json"
                self._dynamic = DynamicClient(ApiClient(self._configuration), cache_file=str(cache))
            return self._dynamic.resources.get(api_version=kind.api_version, kind=kind.kind)

    def _raw(self, path: str, query: list[tuple[str, str]] | None = None, accept: str = "application/json") -> str:
        if self._dynamic is None:
            self._resource(Kind("v1", "Pod"))
        assert self._dynamic is not None  # noqa: S101 - set by _resource
        answer = self._dynamic.request(
            "get",
            path,
            query_params=query or [],
            header_params={"Accept": accept},
            serialize=False,
            _request_timeout=_TIMEOUT,
        )
        return str(answer.data.decode())

    def _call(self, what: str, call: Any, *, writes: bool = False) -> Any:
        """Call the library; an error after which a write may have been done has ``left_changes`` set."""
        try:
            return call()
        except ResourceNotFoundError as error:
            raise _MissingError(f"cannot {what}: the cluster does not know this kind") from error
        except ApiException as error:
            raise self._translate(what, error) from error
        except (urllib3.exceptions.HTTPError, OSError) as error:
            unreachable = self._unreachable(error)
            unreachable.left_changes = writes and not _never_sent(error)
            raise unreachable from error

    def _translate(self, what: str, refused: ApiException) -> Exception:
        error = _after_handshake(refused)
        message = _status_message(error)
        where = f"context {self.context}, namespace {self.namespace}"
        if error.status == 404:
            return _MissingError(f"cannot {what} ({where}): {message}")
        remedy = suggest_remedy(message)
        # Quotas and admission policies also answer 403.
        if error.status in {401, 403} and not remedy:
            return PermissionDeniedError(
                f"cannot {what} ({where}): {message}",
                hint="use another --context, or ask an administrator for this permission",
            )
        if not error.status:
            return self._unreachable(error)
        if error.status == 409:
            return ConflictError(f"cannot {what} ({where}): {message}", hint="run the command again")
        return ClusterError(f"cannot {what} ({where}): {message}", hint=remedy)

    def _unreachable(self, error: Exception) -> ClusterUnreachableError:
        return ClusterUnreachableError(
            f"no answer from the Kubernetes API {self._configuration.host} (context {self.context}): {_cause(error)}",
            hint=f"check that the API server is reachable: kubectl --context {self.context} version",
        )


_TWO_HANDLERS = "may not specify more than 1 handler type"
"""Source: Kubernetes ``pkg/apis/core/validation``, of probes and hooks."""


class _MissingError(ClusterError):
    """The object, its kind, or its namespace does not exist."""


def _grants(rule: Object, right: Right) -> bool:
    """Whether a rule grants a right; a rule with resource names grants none on all objects."""
    wanted = {"verbs": right.verb, "apiGroups": right.group, "resources": right.resource}
    names = rule.get("resourceNames") or []
    is_about_it = not names or right.name in names
    return is_about_it and all({value, "*"} & set(rule.get(key) or []) for key, value in wanted.items())


def _segment(name: str) -> str:
    """A name as one segment of a URL's path, into which the library puts it as it is.

    Raises ClusterError for what no object can be named, such as a path to another namespace (apimachinery
    ``IsValidPathSegmentName``).
    """
    if name in {"", ".", ".."} or "/" in name or "%" in name:
        raise ClusterError(f"{name!r} is not the name of an object")
    return quote(name, safe="")


def _kind(manifest: Object) -> Kind:
    return Kind(manifest["apiVersion"], manifest["kind"])


def _after_handshake(error: ApiException) -> ApiException:
    """The refusal of a port-forward; the websocket library has its status and body only in the reason."""
    handshake = _HANDSHAKE.match(str(error.reason))
    if handshake is None:
        return error
    refused = ApiException(status=int(handshake["status"]), reason=handshake["reason"])
    refused.body = handshake["body"]
    return refused


def _status_message(error: ApiException) -> str:
    try:
        return str(json.loads(error.body)["message"])
    except (ValueError, KeyError, TypeError):
        return f"{error.status} {error.reason}"


def _never_sent(error: BaseException) -> bool:
    """Whether there was no connection, so that the request was not sent."""
    reason = getattr(error, "reason", None)
    return isinstance(
        reason if isinstance(reason, BaseException) else error,
        urllib3.exceptions.NewConnectionError | urllib3.exceptions.ConnectTimeoutError,
    )


def _cause(error: BaseException) -> str:
    """The innermost reason of a connection error, without urllib3's wrapping."""
    reason = getattr(error, "reason", None)
    if isinstance(reason, BaseException):
        return _cause(reason)
    return " ".join(str(reason or error).split()) or type(error).__name__
