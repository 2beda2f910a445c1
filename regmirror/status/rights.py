"""The permissions with which ``regmirror status`` can determine everything."""

from regmirror.ports.cluster import Right

STATUS_RIGHTS = (
    Right("get", "apps", "deployments"),
    Right("get", "", "secrets"),
    Right("list", "", "pods"),
    # Port-forwards require create since Kubernetes 1.35, get before it.
    Right("create", "", "pods/portforward"),
    Right("get", "", "pods/portforward"),
)
"""None of them writes."""
