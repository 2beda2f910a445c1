"""The steps of a deployment, in order: the table of contents of ``regmirror deploy``."""

from collections.abc import Mapping
from dataclasses import dataclass, field

from regmirror.config.model import Mirror
from regmirror.deploy.bucket import BucketStep
from regmirror.deploy.diff_changes import PlannedStep
from regmirror.deploy.namespace import NamespaceStep
from regmirror.deploy.prune import Orphans, PruneStep
from regmirror.deploy.public_check import ProofStep
from regmirror.deploy.release import ReleaseStep
from regmirror.deploy.secrets import SECRETS_STEP, SecretsStep
from regmirror.desired.mirror_secrets import MirrorSecrets
from regmirror.desired.releases import Stack
from regmirror.ports.cluster import Object
from regmirror.ports.connections import Connections
from regmirror.ports.helm import ListedRelease
from regmirror.ports.object_store import ObjectStore
from regmirror.steps.step import Step


@dataclass(frozen=True, slots=True)
class DeployOptions:
    """What the options of ``regmirror deploy`` change about a deployment."""

    unlock: bool = False
    """Clear a stale Helm lock without waiting for signs of life."""
    prune: bool = False
    """Remove what is left of upstreams that are no longer configured."""
    rollback: bool = False
    """Restore the previous state if the deployment fails."""
    skip_bucket: bool = False
    skip_verify: bool = False
    """Do not check the public hosts at the end."""


@dataclass(frozen=True, slots=True)
class DesiredState:
    """What a deployment has to bring about, and what is there already."""

    mirror: Mirror
    mirror_secrets: MirrorSecrets
    stack: Stack
    rendered: dict[str, list[Object]]
    """The objects of each release, by its name."""
    listed: Mapping[str, ListedRelease]
    """The releases that there are, by name."""
    store: ObjectStore | None = None
    """The bucket; None skips its check."""
    pruned: Orphans = field(default_factory=lambda: Orphans((), ()))
    """What is in the cluster, is not desired, and is to be removed."""


def deployment_steps(desired: DesiredState, connections: Connections, options: DeployOptions) -> list[Step]:
    """What brings the cluster to the target, and proves it."""
    steps: list[Step] = [*changing_steps(desired, connections, unlock=options.unlock)]
    if not options.skip_verify:
        hosts = tuple(desired.mirror.host_of(upstream) for upstream in desired.mirror.upstreams)
        steps.append(ProofStep(hosts, connections.http, needs=(desired.stack.releases[-1].name,)))
    return steps


def changing_steps(desired: DesiredState, connections: Connections, *, unlock: bool = False) -> list[PlannedStep]:
    """The steps that change something, each of which can tell beforehand what it would change."""
    stack = desired.stack
    steps: list[PlannedStep] = []
    if desired.store:
        steps.append(BucketStep(desired.mirror, desired.store))
    # The bucket comes first: nothing is changed in the cluster for a key that S3 refuses, and the registry panics at
    # start while its bucket is missing.
    steps.append(NamespaceStep(connections.cluster, needs=tuple(step.name for step in steps)))
    steps.append(SecretsStep(connections.cluster, stack.secrets))
    steps += [
        ReleaseStep(
            release,
            desired.rendered[release.name],
            connections.helm,
            connections.cluster,
            desired.mirror_secrets,
            unlock,
            needs=(SECRETS_STEP, *release.needs),
            listed=desired.listed.get(release.name),
        )
        for release in stack.releases
    ]
    if desired.pruned:
        needs = (stack.releases[-1].name,)
        steps.append(PruneStep(desired.pruned, connections.helm, connections.cluster, needs))
    return steps
