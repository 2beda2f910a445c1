"""Permissions in the namespace of a mirror, as a Role grants them."""

from collections.abc import Iterable
from typing import Any, NamedTuple

from regmirror.config.model import Mirror


class Right(NamedTuple):
    """A permission that a Kubernetes user may have in the namespace."""

    verb: str
    group: str
    resource: str
    name: str = ""
    """The only object that the permission is about; empty if it is about all of them, or about none yet (create)."""

    def __str__(self) -> str:
        group = f".{self.group}" if self.group else ""
        return f"{self.verb} {self.resource}{group}" + (f"/{self.name}" if self.name else "")


def rights_on_secrets(verbs: Iterable[str], names: Iterable[str]) -> list[Right]:
    """The permissions to do all of ``verbs`` with exactly these Secrets."""
    return [Right(verb, "", "secrets", name) for verb in verbs for name in dict.fromkeys(names)]


def issuance_rights(mirror: Mirror) -> list[Right]:
    """The permissions to see whether cert-manager has issued the certificates of a mirror, and if not, why."""
    if not mirror.issued_hosts:
        return []
    return [
        Right("get", "cert-manager.io", "certificates"),
        Right("list", "cert-manager.io", "certificaterequests"),
        Right("list", "acme.cert-manager.io", "orders"),
        Right("list", "acme.cert-manager.io", "challenges"),
    ]


def role_rules(rights: Iterable[Right]) -> list[dict[str, Any]]:
    """The rules of a Role: one for each resource, and one for each set of its objects that only some verbs apply to."""
    names: dict[tuple[str, str, str], list[str]] = {}
    for right in rights:
        names.setdefault((right.group, right.resource, right.verb), []).append(right.name)
    verbs: dict[tuple[str, str, tuple[str, ...]], list[str]] = {}
    for (group, resource, verb), objects in names.items():
        only = () if "" in objects else tuple(objects)
        verbs.setdefault((group, resource, only), []).append(verb)
    return [
        {
            "apiGroups": [group],
            "resources": [resource],
            **({"resourceNames": list(only)} if only else {}),
            "verbs": allowed,
        }
        for (group, resource, only), allowed in verbs.items()
    ]
