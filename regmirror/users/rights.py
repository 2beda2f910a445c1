"""The permissions that ``regmirror user`` needs in the namespace."""

from regmirror.config.model import Mirror
from regmirror.desired import names
from regmirror.desired.written_kinds import HELM_RECORDS, optional_kinds
from regmirror.ports.cluster import Right, rights_on_secrets

_USED: dict[tuple[str, str], tuple[str, ...]] = {
    ("apps", "deployments"): ("get", "patch"),
    # Helm upgrades whole releases, although only the Deployment changes.
    ("", "services"): ("get", "patch"),
    ("", "configmaps"): ("get", "patch"),
    ("coordination.k8s.io", "leases"): ("get", "create", "update"),
    ("", "pods"): ("list",),
    ("", "pods/log"): ("get",),
    ("", "events"): ("list",),
    ("", "namespaces"): ("get",),
}


def user_rights(mirror: Mirror) -> list[Right]:
    """To write the accounts and docker_auth's configuration, to replace docker_auth's pods, and to end logins."""
    used = _USED | {kind: (*_USED.get(kind, ()), "get", "patch") for kind in optional_kinds(mirror)}
    return [
        *HELM_RECORDS,
        *rights_on_secrets(["patch"], [names.AUTH_SECRET]),
        *(Right(verb, group, resource) for (group, resource), verbs in used.items() for verb in verbs),
        *(sign_out_rights() if mirror.access.sign_in else []),
    ]


def sign_out_rights() -> list[Right]:
    """To end logins in their database."""
    return [
        *rights_on_secrets(["get"], [names.SIGN_IN_SECRET]),
        Right("list", "", "pods"),
        # Port-forwards need create since Kubernetes 1.35, and get before it.
        Right("create", "", "pods/portforward"),
        Right("get", "", "pods/portforward"),
    ]


def list_rights() -> list[Right]:
    """To list the accounts."""
    return rights_on_secrets(["get"], [names.USERS_SECRET, names.AUTH_SECRET])
