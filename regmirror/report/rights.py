"""The permissions with which ``regmirror report`` can determine everything."""

from regmirror.config.model import Mirror
from regmirror.desired.verify_rights import verify_rights
from regmirror.ports.cluster import Right
from regmirror.status.rights import status_rights


def report_rights(mirror: Mirror) -> list[Right]:
    """Those of status and verify; with --no-verify, those of status are enough."""
    return list(dict.fromkeys([*verify_rights(mirror), *status_rights(mirror)]))
