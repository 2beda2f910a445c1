"""The permissions that ``regmirror upgrade-notes`` needs in the namespace."""

from regmirror.ports.cluster import Right

UPGRADE_RIGHTS = (Right("get", "apps", "deployments"),)
"""The version is a label of a Deployment."""
