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
from pathlib import Path
from socket import socket
from typing import Any

import urllib3
import yaml
from kubernetes import config
from kubernetes.client import ApiClient, Configuration
from kubernetes.client.exceptions import ApiException
from kubernetes.config.config_exception import ConfigException
from kubernetes.dynamic import DynamicClient
from kubernetes.dynamic.exceptions import ResourceNotFoundError
from kubernetes.stream import ws_client

from regmirror.desired.names import FIELD_MANAGER
from regmirror.errors import (
    ClusterError,
    ClusterUnreachableError,
    ConflictError,
    KubeconfigError,
    PermissionDeniedError,
)
from regmirror.ports.cluster import Applied, Kind, Object, Right
from regmirror.workloads.remedies import suggest_remedy

_NAME_ANOTHER = "name one by --kubeconfig or KUBECONFIG, and see: kubectl config get-contexts"
_HANDSHAKE = re.compile(r"Handshake status (?P<status>\d+) (?P<reason>.*?) -\+-\+- .* -\+-\+- (?P<body>.*)", re.DOTALL)
_TIMEOUT = (5.0, 30.0)
"""Seconds to connect, and to wait for an answer."""


class KubernetesCluster:
    """One namespace of the cluster behind a kubeconfig context."""

    def __init__(self, kubeconfig: Path | None, context: str | None, namespace: str) -> None:
        """Read the kubeconfig; nothing is asked of the cluster yet. Raises KubeconfigError."""
        self.namespace = namespace
        self._configuration, self.context = _load(kubeconfig, context)
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
        # The list of rules may be incomplete: whether a right is missing is said by the server for that one right.
        attributes = {"namespace": self.namespace, **right._asdict()}
        status = self._review("SelfSubjectAccessReview", {"resourceAttributes": attributes})
        return bool(status["allowed"])

    def _known_rules(self) -> list[Object]:
        """What the user may do in the namespace, asked once: the rights of a command are dozens."""
        with self._reviewing:
            if self._rules is None:
                status = self._review("SelfSubjectRulesReview", {"namespace": self.namespace})
                self._rules = list(status.get("resourceRules") or [])
            return self._rules

    def _review(self, kind: str, spec: Object) -> Object:
        group = "authorization.k8s.io/v1"
        body = {"apiVersion": group, "kind": kind, "spec": spec}
        answer = self._call(
            "ask for the rights of this user",
            lambda: self._resource(Kind(group, kind)).create(body=body, _request_timeout=_TIMEOUT),
        )
        return dict(answer.to_dict()["status"])

    def get(self, kind: Kind, name: str) -> Object | None:
        """One object; None where it, or its kind, does not exist."""
        try:
            found = self._call(
                f"read {kind.kind} {name}",
                lambda: self._resource(kind).get(name=name, **self._where(kind), _request_timeout=_TIMEOUT),
            )
        except _MissingError:
            return None
        return dict(found.to_dict())

    def select(
        self, kind: Kind, selector: str = "", field_selector: str = "", *, everywhere: bool = False
    ) -> list[Object]:
        """The objects of a kind that match a label and a field selector; none where the kind does not exist."""
        try:
            found = self._call(
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
        return list(found.to_dict()["items"])

    def apply(self, manifest: Object) -> Applied:
        """Server-side apply as field manager ``regmirror``; the resource version tells whether anything changed."""
        before = self.get(_kind(manifest), manifest["metadata"]["name"])
        applied = self._apply(manifest)
        if before is None:
            return Applied.CREATED
        same = before["metadata"]["resourceVersion"] == applied["metadata"]["resourceVersion"]
        return Applied.UNCHANGED if same else Applied.CHANGED

    def create(self, manifest: Object) -> None:
        """Create an object; raises ConflictError where it exists already."""
        kind = _kind(manifest)
        self._call(
            f"create {kind.kind} {manifest['metadata']['name']}",
            lambda: self._resource(kind).create(body=manifest, **self._where(kind), _request_timeout=_TIMEOUT),
        )

    def replace(self, found: Object) -> None:
        """Write back an object that was read; raises ConflictError where it was changed or deleted since."""
        kind, name = _kind(found), found["metadata"]["name"]
        try:
            self._call(
                f"replace {kind.kind} {name}",
                lambda: self._resource(kind).replace(
                    body=found, name=name, **self._where(kind), _request_timeout=_TIMEOUT
                ),
            )
        except _MissingError as error:
            raise ConflictError(error.message) from error

    def preview(self, manifest: Object) -> Object:
        """An object that is there as applying the manifest would leave it: with the API server's own defaults."""
        return self._apply(manifest, dry_run="All")

    def delete(self, kind: Kind, name: str) -> None:
        """Delete one object; a missing one is fine."""
        with suppress(_MissingError):
            self._call(
                f"delete {kind.kind} {name}",
                lambda: self._resource(kind).delete(name=name, **self._where(kind), _request_timeout=_TIMEOUT),
            )

    def log(self, pod: str, container: str, lines: int, *, previous: bool = False) -> str:
        """The last lines of a container's log, or of the log of its previous run; empty if nothing was logged."""
        path = f"/api/v1/namespaces/{self.namespace}/pods/{pod}/log"
        query = [("container", container), ("tailLines", str(lines)), ("previous", str(previous).lower())]
        return str(self._call(f"read the log of {pod}", lambda: self._raw(path, query)))

    @contextmanager
    def connect(self, pod: str, port: int) -> Iterator[socket]:
        """A connection to a port inside a pod, loopback-only ports included (port-forward)."""
        url = f"{self._configuration.host}/api/v1/namespaces/{self.namespace}/pods/{pod}/portforward"
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
                name=name,
                field_manager=FIELD_MANAGER,
                force_conflicts=True,
                **self._where(kind),
                **options,
                _request_timeout=_TIMEOUT,
            ),
        )
        return dict(applied.to_dict())

    def _where(self, kind: Kind) -> dict[str, str]:
        return {"namespace": self.namespace} if self._resource(kind).namespaced else {}

    def _resource(self, kind: Kind) -> Any:
        # One thread at a time: each kind that is new rewrites the file.
        with self._discovering:
            if self._dynamic is None:
                # A cache file of our own: the default one in /tmp is shared by every cluster at the same address.
                cache = self._cache / "resources.json"
                self._dynamic = DynamicClient(ApiClient(self._configuration), cache_file=str(cache))
            return self._dynamic.resources.get(api_version=kind.api_version, kind=kind.kind)

    def _raw(self, path: str, query: list[tuple[str, str]] | None = None) -> str:
        if self._dynamic is None:
            self._resource(Kind("v1", "Pod"))
        assert self._dynamic is not None  # noqa: S101 - _resource has just made it
        answer = self._dynamic.request(
            "get", path, query_params=query or [], serialize=False, _request_timeout=_TIMEOUT
        )
        return str(answer.data.decode())

    def _call(self, what: str, call: Any) -> Any:
        try:
            return call()
        except ResourceNotFoundError as error:
            raise _MissingError(f"cannot {what}: the cluster has no such kind of object") from error
        except ApiException as error:
            raise self._translate(what, error) from error
        except (urllib3.exceptions.HTTPError, OSError) as error:
            raise self._unreachable(error) from error

    def _translate(self, what: str, refused: ApiException) -> Exception:
        error = _after_handshake(refused)
        message = _status_message(error)
        where = f"context {self.context}, namespace {self.namespace}"
        if error.status == 404:
            return _MissingError(f"cannot {what} ({where}): {message}")
        way = suggest_remedy(message)
        # A quota and an admission policy say 403, too.
        if error.status in {401, 403} and not way:
            return PermissionDeniedError(
                f"cannot {what} ({where}): {message}",
                hint="use a context whose user may do this, or ask for the rights that the message names",
            )
        if not error.status:
            return self._unreachable(error)
        if error.status == 409:
            return ConflictError(f"cannot {what} ({where}): {message}", hint="run the command again")
        return ClusterError(f"cannot {what} ({where}): {message}", hint=way)

    def _unreachable(self, error: Exception) -> ClusterUnreachableError:
        return ClusterUnreachableError(
            f"no answer from the Kubernetes API {self._configuration.host} (context {self.context}): {_cause(error)}",
            hint=f"kubectl --context {self.context} version",
        )


class _MissingError(ClusterError):
    """The object, its kind, or what it belongs to is not there."""


def _grants(rule: Object, right: Right) -> bool:
    """Whether a rule gives a right on every object; one that names objects is about these alone."""
    wanted = {"verbs": right.verb, "apiGroups": right.group, "resources": right.resource}
    return not rule.get("resourceNames") and all(
        {value, "*"} & set(rule.get(key) or []) for key, value in wanted.items()
    )


def _kind(manifest: Object) -> Kind:
    return Kind(manifest["apiVersion"], manifest["kind"])


def _load(kubeconfig: Path | None, context: str | None) -> tuple[Configuration, str]:
    configuration = Configuration()
    source = str(kubeconfig) if kubeconfig else None
    found = f"the kubeconfig {source}" if source else "the kubeconfig"
    try:
        contexts, active = config.list_kube_config_contexts(config_file=source)
        names = [entry["name"] for entry in contexts]
        chosen = context or (active or {}).get("name")
        if chosen not in names:
            raise KubeconfigError(
                f"{found} has no context {chosen}", hint=f"it has: {', '.join(names) or 'none'}; use --context"
            )
        config.load_kube_config(config_file=source, context=chosen, client_configuration=configuration)
    except (ConfigException, OSError) as error:
        raise KubeconfigError(f"{found} cannot be used: {' '.join(str(error).split())}", hint=_NAME_ANOTHER) from error
    except (yaml.YAMLError, ValueError, KeyError, TypeError, AttributeError):
        # Chained to nothing: the parser's error may show a piece of the file, where tokens are.
        raise KubeconfigError(f"{found} cannot be used: it is not a kubeconfig", hint=_NAME_ANOTHER) from None
    # Its default of three more tries turns an unreachable server into minutes of silence.
    configuration.retries = urllib3.Retry(connect=0, read=0, redirect=0, other=0, total=0)
    # Lookups run side by side; a smaller pool throws connections away and says so on standard error.
    configuration.connection_pool_maxsize = 32
    return configuration, str(chosen)


def _after_handshake(error: ApiException) -> ApiException:
    """The refusal of a port-forward, whose status and body the websocket library hides in the reason."""
    found = _HANDSHAKE.match(str(error.reason))
    if found is None:
        return error
    refused = ApiException(status=int(found["status"]), reason=found["reason"])
    refused.body = found["body"]
    return refused


def _status_message(error: ApiException) -> str:
    try:
        return str(json.loads(error.body)["message"])
    except (ValueError, KeyError, TypeError):
        return f"{error.status} {error.reason}"


def _cause(error: BaseException) -> str:
    """The innermost reason of a connection error, without urllib3's wrapping."""
    reason = getattr(error, "reason", None)
    if isinstance(reason, BaseException):
        return _cause(reason)
    return " ".join(str(reason or error).split()) or type(error).__name__
