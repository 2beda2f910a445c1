"""What the adapter of Kubernetes makes of a kubeconfig, and of connections that break."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import urllib3
import yaml
from kubernetes.client.exceptions import ApiException

from regmirror.adapters.cluster import KubernetesCluster
from regmirror.errors import ClusterError, ClusterUnreachableError, ExitCode, KubeconfigError
from regmirror.ports.cluster import SECRET, Object, Right

MANIFEST: Object = {"apiVersion": "v1", "kind": "Secret", "metadata": {"name": "one"}}


def kubeconfig(directory: Path, user: dict[str, Any]) -> Path:
    """A kubeconfig of a server at a port where nobody listens."""
    content = {
        "apiVersion": "v1",
        "kind": "Config",
        "current-context": "dead",
        "contexts": [{"name": "dead", "context": {"cluster": "dead", "user": "me"}}],
        "clusters": [{"name": "dead", "cluster": {"server": "https://127.0.0.1:1"}}],
        "users": [{"name": "me", "user": user}],
    }
    path = directory / "kubeconfig"
    path.write_text(yaml.safe_dump(content))
    return path


def plugin(command: str, *arguments: str) -> dict[str, Any]:
    version = "client.authentication.k8s.io/v1beta1"
    return {"exec": {"apiVersion": version, "command": command, "args": list(arguments), "interactiveMode": "Never"}}


def error_of(path: Path) -> KubeconfigError:
    with pytest.raises(KubeconfigError) as caught:
        KubernetesCluster(path, None, "regmirror")
    return caught.value


def test_a_credential_plugin_that_is_not_installed_is_named(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    path = kubeconfig(tmp_path, plugin("no-such-authenticator"))
    error = error_of(path)
    assert error.message == (
        f"the kubeconfig {path} needs the credential plugin no-such-authenticator, which is not installed"
    )
    assert error.hint == "install no-such-authenticator, or add it to PATH"
    assert error.exit_code is ExitCode.USAGE
    assert capsys.readouterr() == ("", "")


def test_a_credential_plugin_that_fails_is_reported(tmp_path: Path) -> None:
    error = error_of(kubeconfig(tmp_path, plugin("sh", "-c", "echo token expired >&2; exit 3")))
    assert "the credential plugin of the kubeconfig" in error.message
    assert "failed" in error.message


@pytest.mark.parametrize(
    ("rule", "reviewed"),
    [
        ({"resourceNames": ["one"]}, False),
        ({}, False),
        ({"resourceNames": ["another"]}, True),
    ],
)
def test_a_rule_with_names_grants_only_these(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, rule: dict[str, Any], reviewed: bool
) -> None:
    cluster = KubernetesCluster(kubeconfig(tmp_path, {"token": "canary"}), None, "regmirror")
    asked: list[Object] = []

    def review(kind: str, spec: Object) -> Object:
        asked.append(spec)
        known = {"verbs": ["get"], "apiGroups": [""], "resources": ["secrets"], **rule}
        return {"resourceRules": [known]} if kind == "SelfSubjectRulesReview" else {"allowed": False}

    monkeypatch.setattr(cluster, "_review", review)
    assert cluster.may(Right("get", "", "secrets", "one")) is not reviewed
    wanted = {"namespace": "regmirror", "verb": "get", "group": "", "resource": "secrets", "name": "one"}
    assert asked[1:] == ([{"resourceAttributes": wanted}] if reviewed else [])


def test_a_rule_with_names_does_not_grant_all(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    cluster = KubernetesCluster(kubeconfig(tmp_path, {"token": "canary"}), None, "regmirror")
    rule = {"verbs": ["get"], "apiGroups": [""], "resources": ["secrets"], "resourceNames": ["one"]}
    monkeypatch.setattr(cluster, "_review", lambda *_: {"resourceRules": [rule], "allowed": False})
    assert not cluster.may(Right("get", "", "secrets"))


@pytest.mark.parametrize("name", ["../../kube-system/secrets/x", "..", ".", "", "a/b", "a%2fb"])
def test_a_name_never_leads_to_another_path(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, name: str) -> None:
    cluster = KubernetesCluster(kubeconfig(tmp_path, {"token": "canary"}), None, "regmirror")
    monkeypatch.setattr(cluster, "_resource", lambda _: BrokenKind(AssertionError()))
    manifest = {**MANIFEST, "metadata": {"name": name}}
    calls: list[Callable[[], object]] = [
        lambda: cluster.get(SECRET, name),
        lambda: cluster.apply(manifest),
        lambda: cluster.preview(manifest),
        lambda: cluster.replace(manifest),
        lambda: cluster.delete(SECRET, name),
        lambda: cluster.log(name, "main", 1),
        lambda: cluster.connect(name, 80).__enter__(),
    ]
    for call in calls:
        with pytest.raises(ClusterError, match="is not the name of an object"):
            call()


class BrokenKind:
    """A kind of object whose requests end in an error; reading one works."""

    namespaced = True

    def __init__(self, error: Exception, live: Object = MANIFEST) -> None:
        self.error, self.live = error, live

    def get(self, **_: Any) -> Any:
        return self

    def to_dict(self) -> Object:
        return self.live

    def server_side_apply(self, **_: Any) -> Any:
        raise self.error

    replace = delete = server_side_apply


@pytest.mark.parametrize(
    ("error", "left_changes"),
    [
        (urllib3.exceptions.ProtocolError("Connection aborted."), True),
        (urllib3.exceptions.ReadTimeoutError(None, "/", "Read timed out."), True),  # type: ignore[arg-type]
        (urllib3.exceptions.NewConnectionError(None, "Connection refused"), False),  # type: ignore[arg-type]
    ],
)
def test_a_write_whose_end_was_not_seen_may_have_been_done(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, error: Exception, left_changes: bool
) -> None:
    cluster = KubernetesCluster(kubeconfig(tmp_path, {"token": "canary"}), None, "regmirror")
    monkeypatch.setattr(cluster, "_resource", lambda _: BrokenKind(error))
    assert cluster.get(SECRET, "one") == MANIFEST
    with pytest.raises(ClusterUnreachableError) as caught:
        cluster.apply(MANIFEST)
    assert caught.value.left_changes is left_changes
    with pytest.raises(ClusterUnreachableError) as caught:
        cluster.preview(MANIFEST)
    assert not caught.value.left_changes


def deployment(metadata: dict[str, Any], **probe: Any) -> Object:
    containers = [{"name": "main", "livenessProbe": probe}]
    spec = {"template": {"spec": {"containers": containers}}}
    return {"apiVersion": "apps/v1", "kind": "Deployment", "metadata": {"name": "one", **metadata}, "spec": spec}


def refusal(message: str) -> ApiException:
    """The answer of the API server to an invalid object."""
    error = ApiException(status=422, reason="Unprocessable Entity")
    error.body = json.dumps({"kind": "Status", "message": message})
    return error


def test_a_preview_replaces_the_probe_of_another_field_manager(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    live = deployment({"resourceVersion": "7", "labels": {"app": "old"}}, httpGet={"port": 80})
    wanted = deployment({"labels": {"app": "new"}}, exec={"command": ["true"]})
    message = 'Deployment.apps "one" is invalid: httpGet: Forbidden: may not specify more than 1 handler type'
    cluster = KubernetesCluster(kubeconfig(tmp_path, {"token": "canary"}), None, "regmirror")
    monkeypatch.setattr(cluster, "_resource", lambda _: BrokenKind(refusal(message), live))
    preview = cluster.preview(wanted)
    assert preview["spec"] == wanted["spec"]
    assert preview["metadata"] == {"name": "one", "resourceVersion": "7", "labels": {"app": "new"}}


def test_a_preview_of_an_invalid_object_is_an_error(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    cluster = KubernetesCluster(kubeconfig(tmp_path, {"token": "canary"}), None, "regmirror")
    monkeypatch.setattr(cluster, "_resource", lambda _: BrokenKind(refusal("port: must be between 1 and 65535")))
    with pytest.raises(ClusterError, match="must be between 1 and 65535"):
        cluster.preview(MANIFEST)
