"""What the user of ``regmirror status`` must be allowed to do in the mirror's namespace, so that nothing is unknown."""

from regmirror.ports.cluster import Right

STATUS_RIGHTS = (
    Right("get", "apps", "deployments"),
    Right("get", "", "secrets"),
    Right("list", "", "pods"),
    # Port-forwards need create since Kubernetes 1.35, and get before it.
    Right("create", "", "pods/portforward"),
    Right("get", "", "pods/portforward"),
)
"""Nothing is written."""
