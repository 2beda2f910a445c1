"""The permissions with which ``regmirror support-bundle`` omits nothing."""

from regmirror.ports.cluster import SECRET, Kind, Right
from regmirror.status.rights import STATUS_RIGHTS
from regmirror.support.objects import KINDS
from regmirror.verify.rights import VERIFY_RIGHTS


def support_rights() -> list[Right]:
    """Those of verify and status, whose reports are in a bundle, and to list the collected kinds."""
    listed = [Right("list", kind.api_version.rpartition("/")[0], _resource(kind)) for kind in (SECRET, *KINDS)]
    return list(dict.fromkeys([*VERIFY_RIGHTS, *STATUS_RIGHTS, *listed]))


def _resource(kind: Kind) -> str:
    """The resource name of a kind (apimachinery ``meta.UnsafeGuessKindToResource``)."""
    name = kind.kind.lower()
    if name.endswith("y"):
        return f"{name[:-1]}ies"
    return name + ("es" if name.endswith("s") else "s")
