"""The steps of a deployment, in order."""

from collections.abc import Mapping
from dataclasses import dataclass, field

from regmirror.config.model import Mirror
from regmirror.deploy.bucket import BucketStep
from regmirror.deploy.bucket_in_cluster import BucketInClusterStep
from regmirror.deploy.diff_changes import DiffableStep
from regmirror.deploy.namespace import NAMESPACE_STEP, NamespaceStep
from regmirror.deploy.ownership import Ownership, OwnershipStep
from regmirror.deploy.prune import Orphans, PruneStep
from regmirror.deploy.public_check import PublicCheckStep
from regmirror.deploy.release import ReleaseStep
from regmirror.deploy.secrets import SECRETS_STEP, SecretsStep
from regmirror.deploy.volume import VolumeStep
from regmirror.desired.mirror_secrets import MirrorSecrets
from regmirror.desired.releases import Stack
from regmirror.ports.cluster import Object
from regmirror.ports.connections import Connections
from regmirror.ports.helm import ListedRelease
from regmirror.ports.object_store import ObjectStore
from regmirror.steps.lease import Lease
from regmirror.steps.step import Step


@dataclass(frozen=True, slots=True)
class DeployOptions:
    """What the options of ``regmirror deploy`` change about a deployment."""

    unlock: bool = False
    """Clear a stale Helm lock immediately."""
    prune: bool = False
    """Remove what is left of upstreams that are no longer configured."""
    rollback: bool = False
    """Restore the previous state if the deployment fails."""
    skip_bucket: bool = False
    take_over: bool = False
    """Claim data in the bucket that belongs to another mirror."""
    change_host: bool = False
    """Replace the public host that the namespace serves."""
    skip_verify: bool = False
    """Do not check the public hosts at the end."""


@dataclass(frozen=True, slots=True)
class DesiredState:
    """What a deployment has to achieve, and what exists already."""

    mirror: Mirror
    mirror_secrets: MirrorSecrets
    stack: Stack
    rendered: dict[str, list[Object]]
    """The objects of each release, by its name."""
    existing: Mapping[str, ListedRelease]
    """The releases in the cluster, by name."""
    store: ObjectStore | None = None
    """The bucket; None if its check is skipped, or the data is on a volume."""
    is_store_reachable: bool = True
    """Whether this machine reaches the store; a pod has to, otherwise."""
    ownership: Ownership | None = None
    """The claims on the data in the bucket; None with ``store``."""
    pruned: Orphans = field(default_factory=lambda: Orphans((), ()))
    """What is in the cluster, not desired, and to be removed."""


def deployment_steps(
    desired: DesiredState, connections: Connections, options: DeployOptions, lease: Lease
) -> list[Step]:
    """The steps that change the cluster, and the check of the public hosts."""
    steps: list[Step] = [*changing_steps(desired, connections, lease, unlock=options.unlock)]
    if not options.skip_verify:
        steps.append(_public_check(desired, connections))
    return steps


def changing_steps(
    desired: DesiredState, connections: Connections, lease: Lease | None = None, *, unlock: bool = False
) -> list[DiffableStep]:
    """The steps that change something; each can show what it would change, which needs no ``lease``."""
    stack = desired.stack
    steps: list[DiffableStep] = []
    if desired.store and desired.is_store_reachable:
        steps.append(BucketStep(desired.mirror, desired.store, desired.ownership))
    elif filesystem := desired.mirror.storage.filesystem:
        steps.append(VolumeStep(desired.mirror, filesystem, connections.cluster.blocking))
    # The bucket comes first: if S3 refuses the key, nothing is changed in the cluster; and the registry panics at
    # start if its bucket is missing.
    steps.append(NamespaceStep(connections.cluster, tuple(step.name for step in steps), lease))
    claims = _claims(desired, connections)
    steps += claims
    steps.append(
        SecretsStep(connections.cluster, stack.secrets, needs=(NAMESPACE_STEP, *(claim.name for claim in claims)))
    )
    steps += [
        ReleaseStep(
            release,
            desired.rendered[release.name],
            connections.helm,
            connections.cluster,
            desired.mirror_secrets,
            unlock,
            needs=(SECRETS_STEP, *release.needs),
            existing=desired.existing.get(release.name),
        )
        for release in stack.releases
    ]
    if desired.pruned:
        needs = (stack.releases[-1].name,)
        steps.append(PruneStep(desired.pruned, connections.helm, connections.cluster, needs))
    return steps


def _claims(desired: DesiredState, connections: Connections) -> list[DiffableStep]:
    """The step that claims the data in the bucket; it also checks a bucket that only pods can reach."""
    if desired.ownership is None:
        return []
    if desired.is_store_reachable:
        return [OwnershipStep(desired.ownership)]
    return [BucketInClusterStep(connections, desired.mirror_secrets.s3, desired.ownership)]


def _public_check(desired: DesiredState, connections: Connections) -> PublicCheckStep:
    mirror = desired.mirror
    return PublicCheckStep(
        tuple(mirror.host_of(upstream) for upstream in mirror.upstreams),
        connections.http,
        connections.cluster,
        needs=(desired.stack.releases[-1].name,),
        tls_secrets={mirror.host_of(u): secret for u in mirror.upstreams if (secret := mirror.tls_secret_of(u))},
    )
