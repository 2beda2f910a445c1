"""The hint for a refused object or a failing pod follows from the message of the cluster."""

from __future__ import annotations

import pytest

from regmirror.errors.remedies import suggest_remedy

POLICY = "ValidatingAdmissionPolicy 'one' with binding 'one' denied request: no"
WEBHOOK = 'admission webhook "x.example.com" denied the request: no'


@pytest.mark.parametrize(
    ("words", "way"),
    [
        ('pods "a" is forbidden: exceeded quota: a.team, requested: pods=1', "raise the ResourceQuota a.team"),
        ('pods "a" is forbidden: violates PodSecurity "restricted:latest": x', "added to the pods: regmirror diff"),
        (POLICY, "admission policy"),
        (WEBHOOK, "admission policy"),
        ("ImagePullBackOff: Back-off pulling image", "the name of the image"),
        ("ErrImagePull: 404", "the name of the image"),
        ("0/1 nodes are available: pod has unbound immediate PersistentVolumeClaims", "that claim"),
        ('0/1 nodes are available: persistentvolumeclaim "x" not found', "that claim"),
        (
            "a resource already exists. Unable to continue: Service regmirror-auth exists "
            "and cannot be imported into the current release: invalid ownership metadata",
            "where it was applied (kubectl, Flux or Argo CD)",
        ),
        (
            "spec.ports[0].nodePort: Invalid value: 20443: provided port is not in the valid range. "
            "The range of valid ports is 30000-32767",
            "choose a port of the nodes from 30000-32767",
        ),
        ("spec.ports[0].nodePort: Invalid value: 30443: provided port is already allocated", "another port"),
        ("0/3 nodes are available: 3 Insufficient memory", "resources on a node"),
    ],
)
def test_what_to_try_is_known(words: str, way: str) -> None:
    found = suggest_remedy(words)
    assert found is not None
    assert way in found


@pytest.mark.parametrize(
    "words",
    [
        "",
        'secrets "x" is forbidden: User "u" cannot get resource "secrets"',
        'persistentvolumeclaims is forbidden: User "u" cannot list resource "persistentvolumeclaims" in API group ""',
        "CrashLoopBackOff (exit code 1)",
    ],
)
def test_of_other_words_nothing_is_guessed(words: str) -> None:
    assert suggest_remedy(words) is None
