"""The permissions with which ``regmirror support-bundle`` omits nothing."""

from regmirror.config.model import Mirror
from regmirror.desired.verify_rights import verify_rights
from regmirror.ports.cluster import SECRET, Kind, Right
from regmirror.status.rights import status_rights
from regmirror.support.objects import KINDS


def support_rights(mirror: Mirror) -> list[Right]:
    """Those of verify and status, whose reports are in a bundle, and to list the collected kinds.

    Secrets are listed, and so may be read, for two reasons: their values are redacted everywhere else, and Helm stores
    its releases in Secrets.
    """
    listed = [Right("list", kind.api_version.rpartition("/")[0], _resource(kind)) for kind in (SECRET, *KINDS)]
    return list(dict.fromkeys([*verify_rights(mirror), *status_rights(mirror), *listed]))


def _resource(kind: Kind) -> str:
    """The resource name of a kind (apimachinery ``meta.UnsafeGuessKindToResource``)."""
    name = kind.kind.lower()
    if name.endswith("y"):
        return f"{name[:-1]}ies"
    return name + ("es" if name.endswith("s") else "s")
