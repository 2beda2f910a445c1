"""What clusters do with pods, as admission policies of one namespace: user IDs as OpenShift, roles as clouds."""

import json
from collections.abc import Mapping
from typing import Any

from tests.e2e.deployed_mirror import DeployedMirror, Object, run
from tests.e2e.waiting import await_value

VERSION = "admissionregistration.k8s.io/v1"
LOWEST_ID = 1000660000
"""The first ID of the namespace."""
IDS = ("runAsUser", "fsGroup")


def assign_ids(mirror: DeployedMirror) -> None:
    """Pods must have user and group IDs of the namespace, and get them if they set none (OpenShift restricted-v2)."""
    allowed = [f"object.spec.securityContext.?{key}.orValue({LOWEST_ID}) >= {LOWEST_ID}" for key in IDS]
    denial = {
        "expression": " && ".join(allowed),
        "message": f"{' and '.join(IDS)} must be in the range of the namespace",
    }
    _create(mirror, "Validating", "ids", {"validations": [denial]})
    assigned = ", ".join(f"{key}: {LOWEST_ID}" for key in IDS)
    unset = {"name": "unset", "expression": "!has(object.spec.securityContext.runAsUser)"}
    _mutate(mirror, "ids", unset, f"securityContext: Object.spec.securityContext{{{assigned}}}")
    _await_refusal(mirror, "must be in the range")


def give_role(mirror: DeployedMirror, account: str, container: str, variables: Mapping[str, str]) -> None:
    """A container of pods with this ServiceAccount gets variables, as an identity webhook injects them."""
    variable = "Object.spec.containers.env{name: %s, value: %s}"
    env = ", ".join(variable % (json.dumps(name), json.dumps(value)) for name, value in variables.items())
    content = f"containers: [Object.spec.containers{{name: {json.dumps(container)}, env: [{env}]}}]"
    is_its_pod = f"object.spec.?serviceAccountName.orValue('') == {json.dumps(account)}"
    _mutate(mirror, "role", {"name": "account", "expression": is_its_pod}, content)


def remove_policies(mirror: DeployedMirror) -> None:
    """Remove all policies of the namespace."""
    for kind in ("validatingadmissionpolicy", "mutatingadmissionpolicy"):
        for part in (f"{kind}binding", kind):
            mirror.kubectl("delete", part, "-l", f"e2e={mirror.namespace}", "--ignore-not-found")


def _mutate(mirror: DeployedMirror, name: str, condition: Object, content: str) -> None:
    mutation = {
        "patchType": "ApplyConfiguration",
        "applyConfiguration": {"expression": f"Object{{spec: Object.spec{{{content}}}}}"},
    }
    spec = {"matchConditions": [condition], "mutations": [mutation], "reinvocationPolicy": "Never"}
    _create(mirror, "Mutating", name, spec)


def _create(mirror: DeployedMirror, what: str, name: str, spec: dict[str, Any]) -> None:
    kind, metadata = f"{what}AdmissionPolicy", _metadata(mirror, name)
    rule = {"apiGroups": [""], "apiVersions": ["v1"], "operations": ["CREATE"], "resources": ["pods"]}
    only_here = {"matchLabels": {"kubernetes.io/metadata.name": mirror.namespace}}
    matched = {"matchConstraints": {"resourceRules": [rule], "namespaceSelector": only_here}, "failurePolicy": "Fail"}
    binding: dict[str, Any] = {"policyName": metadata["name"]}
    if what == "Validating":
        binding["validationActions"] = ["Deny"]
    for found in (
        {"apiVersion": VERSION, "kind": kind, "metadata": metadata, "spec": {**matched, **spec}},
        {"apiVersion": VERSION, "kind": f"{kind}Binding", "metadata": metadata, "spec": binding},
    ):
        mirror.kubectl("create", "-f", "-", stdin=json.dumps(found))


def _metadata(mirror: DeployedMirror, name: str) -> dict[str, Any]:
    return {"name": f"{mirror.namespace}-{name}", "labels": {"e2e": mirror.namespace}}


def _await_refusal(mirror: DeployedMirror, message: str) -> None:
    """Return when the API server refuses a pod with a fixed user ID: it learns of policies with a delay."""
    restricted = {"allowPrivilegeEscalation": False, "capabilities": {"drop": ["ALL"]}}
    ids = {"runAsNonRoot": True, "runAsUser": 1000, "seccompProfile": {"type": "RuntimeDefault"}}
    containers = [{"name": "probe", "image": "probe", "securityContext": restricted}]
    spec = {"securityContext": ids, "containers": containers}
    path = mirror.directory / "probe.json"
    path.write_text(json.dumps({"apiVersion": "v1", "kind": "Pod", "metadata": {"name": "probe"}, "spec": spec}))
    command = ["kubectl", "--context", mirror.target.context, "-n", mirror.namespace, "create", "--dry-run=server"]
    refused = [*command, "-f", str(path)]
    await_value(lambda: run(refused, mirror.directory, {}).stderr, lambda text: message in text, 30.0)
