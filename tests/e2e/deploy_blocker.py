"""Things that block a deployment, as data, and ways to create them in a real cluster."""

import json
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from tests.e2e.deployed_mirror import DeployedMirror, Object
from tests.e2e.inject import InjectFault, Undo, changed

Sections = dict[str, Any]


@dataclass(frozen=True)
class DeployBlocker:
    """Blocks a deployment that changes ``file``.

    The deployment must exit with ``code`` and print all ``words``: the object, the reason, what to try; of a tuple in
    ``words``, one is enough. ``quick`` blockers are tested in every run. With ``rolls_back``, a rollback succeeds
    despite the blocker. ``timeouts`` are the values of --timeout to try, in seconds: a loaded machine needs more time.
    """

    name: str
    inject: InjectFault
    code: int
    words: tuple[str | tuple[str, ...], ...]
    file: Callable[[str], Sections]
    quick: bool = False
    rolls_back: bool = False
    timeouts: tuple[int, ...] = (20, 60, 240)

    def missing_words(self, text: str) -> list[tuple[str, ...]]:
        """The expected words that a text does not contain."""
        expected = ((words,) if isinstance(words, str) else words for words in self.words)
        return [alternatives for alternatives in expected if not any(words in text for words in alternatives)]


def memory(component: str) -> Callable[[str], Sections]:
    """A different memory limit, so that the pods of the component are replaced."""
    return lambda limit: {component: {"resources": {"limits": {"memory": limit}}}}


def quota(**hard: Callable[[DeployedMirror], int]) -> InjectFault:
    """A ResourceQuota, which also counts existing objects."""

    def inject(mirror: DeployedMirror) -> Undo:
        limits = ",".join(f"{what}={limit(mirror)}" for what, limit in hard.items())
        mirror.kubectl("create", "quota", "small", f"--hard={limits}")
        mirror.kubectl("wait", "resourcequota/small", "--for=jsonpath={.status.used}", "--timeout=600s")
        return lambda: mirror.kubectl("delete", "quota", "small")

    return inject


def count(kind: str) -> Callable[[DeployedMirror], int]:
    """The number of objects of a kind."""
    return lambda mirror: len(mirror.objects(kind))


def policy(resource: str, group: str = "") -> InjectFault:
    """An admission policy that denies creating and updating objects of a kind in the namespace."""

    def inject(mirror: DeployedMirror) -> Undo:
        for manifest in _denial(mirror.namespace, resource, group):
            mirror.kubectl("create", "-f", "-", stdin=json.dumps(manifest))
        kinds = "validatingadmissionpolicybindings,validatingadmissionpolicies"
        return lambda: mirror.kubectl("delete", kinds, mirror.namespace)

    return inject


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


def volume(deployment: str, **source: Object) -> InjectFault:
    """An additional volume in the pods of a component, added by hand."""

    def add(found: Object) -> None:
        spec = found["spec"]["template"]["spec"]
        spec["volumes"] = [*spec.get("volumes", []), {"name": "added", **source}]

    return changed("deployment", deployment, add)


def unbound_claim(deployment: str) -> InjectFault:
    """A volume with a claim that no storage class can bind."""

    def inject(mirror: DeployedMirror) -> Undo:
        size = {"requests": {"storage": "1Gi"}}
        spec = {"accessModes": ["ReadWriteOnce"], "resources": size, "storageClassName": "absent"}
        claim = {"apiVersion": "v1", "kind": "PersistentVolumeClaim", "metadata": {"name": "added"}, "spec": spec}
        mirror.kubectl("create", "-f", "-", stdin=json.dumps(claim))
        undo = volume(deployment, persistentVolumeClaim={"claimName": "added"})(mirror)
        return lambda: (undo(), mirror.kubectl("delete", "persistentvolumeclaim", "added", "--wait=false"))

    return inject


def variable(deployment: str, name: str, value: str) -> InjectFault:
    """An additional variable in the first container of a component, added by hand."""

    def add(found: Object) -> None:
        container = found["spec"]["template"]["spec"]["containers"][0]
        container["env"] = [*container.get("env", []), {"name": name, "value": value}]

    return changed("deployment", deployment, add)
