"""What in rendered pods does not pass the Pod Security Standard ``restricted``.

Source: https://kubernetes.io/docs/concepts/security/pod-security-standards/, for Linux.
"""

from collections.abc import Iterator, Mapping
from typing import Any

from regmirror.desired.releases import Release

_VOLUMES = {
    "configMap",
    "csi",
    "downwardAPI",
    "emptyDir",
    "ephemeral",
    "persistentVolumeClaim",
    "projected",
    "secret",
}
_SECCOMP = {"RuntimeDefault", "Localhost"}


def pod_security_warnings(releases: list[Release], rendered: Mapping[str, list[dict[str, Any]]]) -> list[str]:
    """A sentence for each workload whose pods a namespace with ``restricted`` refuses.

    regmirror's own charts pass by construction, unless values are overridden. ``rendered`` has the objects
    of each release by its name.
    """
    changed = [release.name for release in releases if release.overridden or release.source.flavor]
    return [warning for name in changed for found in rendered[name] for warning in _of_workload(name, found)]


def _of_workload(release: str, found: Mapping[str, Any]) -> Iterator[str]:
    spec = ((found.get("spec") or {}).get("template") or {}).get("spec")
    reasons = list(dict.fromkeys(_violations(spec))) if isinstance(spec, dict) else []
    if reasons:
        yield (
            f"{release}: the pods of {found['kind']} {found['metadata']['name']} do not pass Pod Security restricted: "
            f"{', '.join(reasons)}; a namespace that enforces it refuses them"
        )


def _violations(spec: Mapping[str, Any]) -> Iterator[str]:
    for key in ("hostNetwork", "hostPID", "hostIPC"):
        if spec.get(key):
            yield f"{key} is true"
    for volume in spec.get("volumes") or []:
        if not _VOLUMES & volume.keys():
            yield f"volume {volume.get('name')} is of a type that is not allowed"
    shared = spec.get("securityContext") or {}
    for container in [*(spec.get("initContainers") or []), *(spec.get("containers") or [])]:
        own = container.get("securityContext") or {}
        for reason in _of_container(shared, own):
            yield f"container {container.get('name')}: {reason}"
        if any(port.get("hostPort") for port in container.get("ports") or []):
            yield f"container {container.get('name')}: it has a hostPort"


def _of_container(shared: Mapping[str, Any], own: Mapping[str, Any]) -> Iterator[str]:
    """The settings of a container, which take precedence over those of its pod."""
    context = {**shared, **own}
    capabilities = own.get("capabilities") or {}
    if context.get("runAsNonRoot") is not True:
        yield "runAsNonRoot is not true"
    if context.get("runAsUser") == 0:
        yield "runAsUser is 0"
    if own.get("allowPrivilegeEscalation") is not False:
        yield "allowPrivilegeEscalation is not false"
    if "ALL" not in (capabilities.get("drop") or []) or set(capabilities.get("add") or []) - {"NET_BIND_SERVICE"}:
        yield "it keeps capabilities"
    if own.get("privileged"):
        yield "it is privileged"
    if (context.get("seccompProfile") or {}).get("type") not in _SECCOMP:
        yield "seccompProfile is not RuntimeDefault"
