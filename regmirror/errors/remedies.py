"""What to try when the cluster refuses an object or a pod does not start, by the message of the cluster."""

import re

_REMEDIES = (
    # Kubernetes plugin/pkg/admission/resourcequota and .../podsecurity; the admission plugins of policies and webhooks;
    # kubelet pkg/kubelet/images; scheduler plugins volumebinding and fit; Go crypto/x509 and net/http, in a pod's log.
    (
        r"cannot be imported into the current release",
        "change this mirror where it was applied (kubectl, Flux or Argo CD): deploy does not take over its objects",
    ),
    (r"exceeded quota: ([^\s,]+)", r"raise the ResourceQuota \1, or free some of it"),
    (r"violates PodSecurity", "remove what someone added to the pods: regmirror diff shows it"),
    (
        r"security context constraint|runAs(?:User|Group)|fsGroup",
        "set podSecurity: assigned in the file, so that the cluster sets user and group IDs",
    ),
    (r"no PriorityClass", "create the PriorityClass, or change priorityClassName in the file"),
    (r"denied (?:the )?request", "change the admission policy to allow it"),
    (
        r"ErrImage|ImagePullBackOff|InvalidImageName",
        "check the name of the image, and set imagePullSecrets if it needs credentials",
    ),
    (r"x509: certificate", "for a private CA, set storage.caBundle or upstreams[].caBundle"),
    (r"proxyconnect tcp", "check egress.httpsProxy, and that pods can reach the proxy"),
    (r"PersistentVolumeClaim", "fix that claim, or remove the volume: the mirror itself has none"),
    (r"nodes are available", "free resources on a node, or change resources, nodeSelector or tolerations"),
)
_RIGHT_IS_MISSING = re.compile(r'User ".*" cannot \w+ resource "')
"""Kubernetes apiserver ``pkg/endpoints/handlers/responsewriters/errors.go``; the resource may be any of the above."""


def suggest_remedy(message: str) -> str | None:
    """What to try; None if the message is unknown, or is about a missing permission."""
    if _RIGHT_IS_MISSING.search(message):
        return None
    matches = ((re.search(pattern, message, re.IGNORECASE), remedy) for pattern, remedy in _REMEDIES)
    return next((match.expand(remedy) for match, remedy in matches if match), None)
