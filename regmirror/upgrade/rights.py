"""What the user of ``regmirror upgrade-notes`` must be allowed to do in the mirror's namespace."""

from regmirror.ports.cluster import Right

UPGRADE_RIGHTS = (Right("get", "apps", "deployments"),)
"""One Deployment tells which version has made it."""
