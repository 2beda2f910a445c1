"""What to try where the cluster refuses an object, or a pod does not come up, by the cluster's own words."""

import re

_WAYS = (
    # Kubernetes plugin/pkg/admission/resourcequota and .../podsecurity; the admission plugins of policies and webhooks;
    # kubelet pkg/kubelet/images; scheduler plugins volumebinding and fit.
    (r"exceeded quota: ([^\s,]+)", r"make room in the ResourceQuota \1, or raise it"),
    (r"violates PodSecurity", "take away what somebody has added to the pods (regmirror diff shows it)"),
    (r"denied (?:the )?request", "have the admission policy allow it"),
    (r"ErrImage|ImagePullBackOff|InvalidImageName", "check the image's name, and imagePullSecrets if it needs a login"),
    (r"PersistentVolumeClaim", "see to that claim, or take the volume away (the mirror itself has none)"),
    (r"nodes are available", "make room on a node, or ask for less by resources, nodeSelector or tolerations"),
)
_RIGHT_IS_MISSING = re.compile(r'User ".*" cannot \w+ resource "')
"""Kubernetes apiserver ``pkg/endpoints/handlers/responsewriters/errors.go``; the resource may be any of the above."""


def suggest_remedy(words: str) -> str | None:
    """What to try; None where the words are none of those that are known, or are about a right that is missing."""
    if _RIGHT_IS_MISSING.search(words):
        return None
    found = ((re.search(pattern, words, re.IGNORECASE), way) for pattern, way in _WAYS)
    return next((match.expand(way) for match, way in found if match), None)
