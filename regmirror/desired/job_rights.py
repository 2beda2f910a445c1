"""The permissions of the jobs in the cluster: those of the command that each runs, as ``rbac`` prints them."""

from regmirror.config.model import Mirror
from regmirror.desired import names
from regmirror.desired.rights import Right
from regmirror.desired.rotate_rights import rotate_rights
from regmirror.desired.verify_rights import verify_rights

_WRITTEN = (
    ("", "serviceaccounts"),
    ("batch", "cronjobs"),
    ("rbac.authorization.k8s.io", "roles"),
    ("rbac.authorization.k8s.io", "rolebindings"),
)
_PUBLISH = (
    # The owner of the results, with which they are removed.
    Right("get", "batch", "cronjobs", names.VERIFICATION),
    # The API server does not know the name of what is created.
    Right("create", "", "configmaps"),
    Right("get", "", "configmaps", names.VERIFICATION_RESULT),
    Right("patch", "", "configmaps", names.VERIFICATION_RESULT),
)


def job_rights(mirror: Mirror) -> dict[str, list[Right]]:
    """The permissions of each job's ServiceAccount, by the name of the job; none without ``verification``."""
    if mirror.verification is None:
        return {}
    verification = list(dict.fromkeys([*verify_rights(mirror), *_PUBLISH]))
    rotation = {names.ROTATION: rotate_rights(mirror)} if mirror.verification.rotation else {}
    return {names.VERIFICATION: verification, **rotation}


def rights_to_grant(mirror: Mirror) -> list[Right]:
    """What a user needs to write the Roles of the jobs: Kubernetes lets nobody grant what they do not have."""
    return list(dict.fromkeys(right for rights in job_rights(mirror).values() for right in rights))


def written_with_jobs(mirror: Mirror) -> tuple[tuple[str, str], ...]:
    """Group and resource of what the releases of the jobs contain, apart from ConfigMaps and NetworkPolicies."""
    return _WRITTEN if mirror.verification else ()
