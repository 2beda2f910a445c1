"""What the user of ``regmirror support-bundle`` must be allowed to do in the namespace, so that nothing is left out."""

from regmirror.ports.cluster import SECRET, Kind, Right
from regmirror.status.rights import STATUS_RIGHTS
from regmirror.support.objects import KINDS
from regmirror.verify.rights import VERIFY_RIGHTS


def support_rights() -> list[Right]:
    """Those of verify and status, whose reports are in a bundle, and to list what is shown."""
    listed = [Right("list", kind.api_version.rpartition("/")[0], _resource(kind)) for kind in (SECRET, *KINDS)]
    return list(dict.fromkeys([*VERIFY_RIGHTS, *STATUS_RIGHTS, *listed]))


def _resource(kind: Kind) -> str:
    """The plural by which the API server knows a kind (apimachinery ``meta.UnsafeGuessKindToResource``)."""
    name = kind.kind.lower()
    if name.endswith("y"):
        return f"{name[:-1]}ies"
    return name + ("es" if name.endswith("s") else "s")
