"""The permissions that ``regmirror verify`` needs in the mirror's namespace."""

from regmirror.ports.cluster import Right

VERIFY_RIGHTS = (
    Right("get", "", "secrets"),
    Right("list", "", "pods"),
    Right("get", "", "pods/log"),
    # Port-forwards need create since Kubernetes 1.35, and get before it.
    Right("create", "", "pods/portforward"),
    Right("get", "", "pods/portforward"),
    Right("list", "", "events"),
    Right("get", "apps", "deployments"),
    Right("list", "discovery.k8s.io", "endpointslices"),
    Right("list", "networking.k8s.io", "ingresses"),
)
"""Nothing is written except one object in the bucket, which is deleted again."""
