"""The permissions that ``rotate-cert`` needs in the namespace."""

from regmirror.config.model import Mirror
from regmirror.desired import names
from regmirror.desired.rights import Right, rights_on_secrets
from regmirror.desired.written_kinds import HELM_RECORDS, optional_kinds

_USED: dict[tuple[str, str], tuple[str, ...]] = {
    ("apps", "deployments"): ("get", "list", "patch"),
    # Helm upgrades whole releases, although only the Deployment changes.
    ("", "services"): ("get", "patch"),
    ("", "configmaps"): ("get", "patch"),
    ("coordination.k8s.io", "leases"): ("get", "create", "update"),
    ("", "pods"): ("list",),
    # Port-forwards require create since Kubernetes 1.35, get before it.
    ("", "pods/portforward"): ("get", "create"),
    ("", "pods/log"): ("get",),
    ("", "events"): ("list",),
    # Whether pods can be replaced is checked before each change.
    ("", "resourcequotas"): ("list",),
    ("policy", "poddisruptionbudgets"): ("list",),
}
_APPLIED = (names.SIGNING_SECRET, names.NEXT_SIGNING_SECRET, names.BUNDLE_SECRET)


def rotate_rights(mirror: Mirror) -> list[Right]:
    """Every permission that a rotation needs."""
    # Helm upgrades whole releases, so it also patches what the file added to them.
    used = _USED | {kind: (*_USED.get(kind, ()), "get", "patch") for kind in optional_kinds(mirror)}
    applied = rights_on_secrets(["patch"], _APPLIED)
    return [
        *HELM_RECORDS,
        *applied,
        *(Right(verb, group, resource) for (group, resource), verbs in used.items() for verb in verbs),
    ]
