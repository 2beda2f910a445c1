"""What can keep a deployment from its end, as data, and ways to bring each about in a real cluster."""

import json
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from tests.e2e.deployed_mirror import Deployment, Object
from tests.e2e.harm import Harm, Undo, changed

Sections = dict[str, Any]


@dataclass(frozen=True)
class Hindrance:
    """Something in the way of a deployment that changes ``file``.

    The deployment must leave with ``code`` and say all ``words``: the object, the reason, what to try. ``quick`` marks
    those that are tried in every run; ``puts_back``, those in spite of which a rollback comes to its end.
    """

    name: str
    harm: Harm
    code: int
    words: tuple[str, ...]
    file: Callable[[str], Sections]
    quick: bool = False
    puts_back: bool = False


def memory(component: str) -> Callable[[str], Sections]:
    """Another memory limit, ever another one: pods of the component are replaced."""
    return lambda limit: {component: {"resources": {"limits": {"memory": limit}}}}


def quota(**hard: Callable[[Deployment], int]) -> Harm:
    """A ResourceQuota; what is there already counts."""

    def harm(mirror: Deployment) -> Undo:
        limits = ",".join(f"{what}={limit(mirror)}" for what, limit in hard.items())
        mirror.kubectl("create", "quota", "small", f"--hard={limits}")
        mirror.kubectl("wait", "resourcequota/small", "--for=jsonpath={.status.used}", "--timeout=30s")
        return lambda: mirror.kubectl("delete", "quota", "small")

    return harm


def count(kind: str) -> Callable[[Deployment], int]:
    """How many objects of a kind there are."""
    return lambda mirror: len(mirror.objects(kind))


def policy(resource: str, group: str = "") -> Harm:
    """An admission policy that denies every change of a kind of object in the namespace."""

    def harm(mirror: Deployment) -> Undo:
        for manifest in _denial(mirror.namespace, resource, group):
            mirror.kubectl("create", "-f", "-", stdin=json.dumps(manifest))
        kinds = "validatingadmissionpolicybindings,validatingadmissionpolicies"
        return lambda: mirror.kubectl("delete", kinds, mirror.namespace)

    return harm


def _denial(namespace: str, resource: str, group: str) -> list[Object]:
    version, metadata = "admissionregistration.k8s.io/v1", {"name": namespace}
    rule = {"apiGroups": [group], "apiVersions": ["*"], "operations": ["CREATE", "UPDATE"], "resources": [resource]}
    only_here = {"matchLabels": {"kubernetes.io/metadata.name": namespace}}
    denial = {"expression": "false", "message": "the platform team says no"}
    policy = {"matchConstraints": {"resourceRules": [rule], "namespaceSelector": only_here}, "validations": [denial]}
    return [
        {"apiVersion": version, "kind": "ValidatingAdmissionPolicy", "metadata": metadata, "spec": policy},
        {
            "apiVersion": version,
            "kind": "ValidatingAdmissionPolicyBinding",
            "metadata": metadata,
            "spec": {"policyName": namespace, "validationActions": ["Deny"]},
        },
    ]


def volume(deployment: str, **source: Object) -> Harm:
    """A further volume in the pods of a component, as somebody adds it by hand."""

    def add(found: Object) -> None:
        spec = found["spec"]["template"]["spec"]
        spec["volumes"] = [*spec.get("volumes", []), {"name": "added", **source}]

    return changed("deployment", deployment, add)


def unbound_claim(deployment: str) -> Harm:
    """A volume of a claim that no storage class can fill."""

    def harm(mirror: Deployment) -> Undo:
        size = {"requests": {"storage": "1Gi"}}
        spec = {"accessModes": ["ReadWriteOnce"], "resources": size, "storageClassName": "absent"}
        claim = {"apiVersion": "v1", "kind": "PersistentVolumeClaim", "metadata": {"name": "added"}, "spec": spec}
        mirror.kubectl("create", "-f", "-", stdin=json.dumps(claim))
        undo = volume(deployment, persistentVolumeClaim={"claimName": "added"})(mirror)
        return lambda: (undo(), mirror.kubectl("delete", "persistentvolumeclaim", "added", "--wait=false"))

    return harm


def variable(deployment: str, name: str, value: str) -> Harm:
    """A further variable in the first container of a component, as somebody adds it by hand."""

    def add(found: Object) -> None:
        container = found["spec"]["template"]["spec"]["containers"][0]
        container["env"] = [*container.get("env", []), {"name": name, "value": value}]

    return changed("deployment", deployment, add)
