"""A DaemonSet that writes containerd's files on every node, as manifests in a namespace of their own."""

import hashlib
import inspect
import json
from collections.abc import Mapping, Sequence
from typing import Any

from regmirror.client_config import node_agent
from regmirror.client_config.containerd import HOSTS_DIRECTORY, containerd
from regmirror.client_config.setup import ClientOptions
from regmirror.desired import names
from regmirror.errors import ConfigurationError

NAME = "regmirror-nodes"
_COMPONENT = "node-files"
_FILES, _PROGRAM = "files.json", "node_agent.py"

Manifest = dict[str, Any]


def daemon_set_manifests(options: ClientOptions, repositories: Mapping[str, str], image: str) -> Sequence[Manifest]:
    """The namespace and everything in it; ``repositories`` has one that may be pulled, by host of the mirror.

    Raises ConfigurationError for a login: its password would be in a ConfigMap.
    """
    if options.user:
        raise ConfigurationError(
            "--daemonset and --user exclude each other: the password would be in a ConfigMap",
            hint="write the files with a login by other means: regmirror client-config containerd --user NAME",
        )
    data = {_FILES: _files(options, repositories), _PROGRAM: inspect.getsource(node_agent)}
    # Pods on a node's file system are privileged for Pod Security, so nothing else is in this namespace.
    level = {f"pod-security.kubernetes.io/{mode}": "privileged" for mode in ("enforce", "warn", "audit")}
    account = {"kind": "ServiceAccount", "name": NAME, "namespace": NAME}
    rules = [
        {"apiGroups": [group], "resources": [resource], "resourceNames": [NAME], "verbs": ["get"]}
        for group, resource in (("apps", "daemonsets"), ("", "namespaces"))
    ]
    role = {"apiGroup": "rbac.authorization.k8s.io", "kind": "Role", "name": NAME}
    return [
        _manifest("v1", "Namespace", {"labels": level}),
        _manifest("v1", "ServiceAccount", {}, automountServiceAccountToken=False),
        _manifest("rbac.authorization.k8s.io/v1", "Role", {}, rules=rules),
        _manifest("rbac.authorization.k8s.io/v1", "RoleBinding", {}, subjects=[account], roleRef=role),
        _manifest("v1", "ConfigMap", {}, data=data),
        _manifest("apps/v1", "DaemonSet", {}, spec=_daemon_set(data, image)),
    ]


def _files(options: ClientOptions, repositories: Mapping[str, str]) -> str:
    setup = containerd(options)
    content = {
        "daemonSet": NAME,
        "mirrors": [{"host": host, "repository": repositories[host]} for host in options.hosts],
        "ca": options.ca_pem,
        "files": {file.path.removeprefix(f"{HOSTS_DIRECTORY}/"): file.content for file in setup.files},
    }
    return json.dumps(content, indent=1)


def _manifest(api_version: str, kind: str, metadata: Manifest, **content: Any) -> Manifest:
    where = {} if kind == "Namespace" else {"namespace": NAME}
    labels = names.labels(_COMPONENT) | metadata.get("labels", {})
    return {"apiVersion": api_version, "kind": kind, "metadata": {"name": NAME, **where, "labels": labels}, **content}


def _daemon_set(data: Mapping[str, str], image: str) -> Manifest:
    labels = {"app.kubernetes.io/name": _COMPONENT}
    version = hashlib.sha256(json.dumps(data).encode()).hexdigest()[:16]
    return {
        "selector": {"matchLabels": labels},
        "updateStrategy": {"type": "RollingUpdate", "rollingUpdate": {"maxUnavailable": "10%"}},
        "template": {
            "metadata": {"labels": labels, "annotations": {"regmirror.dev/files": version}},
            "spec": {
                "serviceAccountName": NAME,
                "automountServiceAccountToken": True,
                "enableServiceLinks": False,
                # The network and the DNS with which containerd reaches the mirror.
                "hostNetwork": True,
                "dnsPolicy": "Default",
                "tolerations": [{"operator": "Exists"}],
                "nodeSelector": {"kubernetes.io/os": "linux"},
                "terminationGracePeriodSeconds": 60,
                "securityContext": {"seccompProfile": {"type": "RuntimeDefault"}},
                "containers": [_container(image)],
                "volumes": [
                    {"name": "program", "configMap": {"name": NAME}},
                    {"name": "files", "hostPath": {"path": HOSTS_DIRECTORY, "type": "DirectoryOrCreate"}},
                    {"name": "ready", "emptyDir": {"sizeLimit": "1Mi"}},
                ],
            },
        },
    }


def _container(image: str) -> Manifest:
    """Root, because the directory belongs to root; without any capability."""
    return {
        "name": "node-files",
        "image": image,
        "command": ["python3", f"/program/{_PROGRAM}", f"/program/{_FILES}", HOSTS_DIRECTORY],
        "env": [{"name": "PYTHONDONTWRITEBYTECODE", "value": "1"}],
        "readinessProbe": {"exec": {"command": ["test", "-e", str(node_agent.READY)]}, "periodSeconds": 5},
        "resources": {
            "requests": {"cpu": "5m", "memory": "24Mi", "ephemeral-storage": "4Mi"},
            "limits": {"memory": "64Mi", "ephemeral-storage": "16Mi"},
        },
        "securityContext": {
            "runAsUser": 0,
            "allowPrivilegeEscalation": False,
            "capabilities": {"drop": ["ALL"]},
            "readOnlyRootFilesystem": True,
        },
        "volumeMounts": [
            {"name": "program", "mountPath": "/program", "readOnly": True},
            {"name": "files", "mountPath": HOSTS_DIRECTORY},
            {"name": "ready", "mountPath": str(node_agent.READY.parent)},
        ],
    }
