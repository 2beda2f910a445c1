"""The steps of a deployment, in order: the table of contents of ``regmirror deploy``."""

from collections.abc import Mapping
from dataclasses import dataclass, field

from regmirror.config.model import Mirror
from regmirror.deploy.diff_changes import PlannedStep
from regmirror.deploy.foundation import SECRETS_STEP, BucketStep, NamespaceStep, SecretsStep
from regmirror.deploy.prune import Orphans, PruneStep
from regmirror.deploy.public_check import ProofStep
from regmirror.deploy.release import ReleaseStep
from regmirror.desired.mirror_secrets import MirrorSecrets
from regmirror.desired.releases import Stack
from regmirror.ports.cluster import Cluster, Object
from regmirror.ports.helm import Helm, ListedRelease
from regmirror.ports.http import Http
from regmirror.ports.object_store import ObjectStore
from regmirror.steps.step import Step


@dataclass(frozen=True, slots=True)
class World:
    """The edges that a deployment works on; the bucket is left alone without ``store``, the proof without ``http``."""

    cluster: Cluster
    helm: Helm
    store: ObjectStore | None
    http: Http | None


@dataclass(frozen=True, slots=True)
class Target:
    """Where a deployment is to arrive."""

    mirror: Mirror
    mirror_secrets: MirrorSecrets
    stack: Stack
    rendered: dict[str, list[Object]]
    """The objects of each release, by its name."""
    listed: Mapping[str, ListedRelease]
    """The releases that there are, by name."""
    pruned: Orphans = field(default_factory=lambda: Orphans((), ()))
    """What is there, is not in the target, and is to go."""


def deployment_steps(target: Target, world: World, *, unlock: bool = False) -> list[Step]:
    """What brings the cluster to the target, and proves it."""
    steps: list[Step] = [*changing_steps(target, world, unlock=unlock)]
    if world.http:
        hosts = tuple(target.mirror.host_of(upstream) for upstream in target.mirror.upstreams)
        steps.append(ProofStep(hosts, world.http, needs=(target.stack.releases[-1].name,)))
    return steps


def changing_steps(target: Target, world: World, *, unlock: bool = False) -> list[PlannedStep]:
    """The steps that change something, each of which can tell beforehand what it would change."""
    stack = target.stack
    steps: list[PlannedStep] = []
    if world.store:
        steps.append(BucketStep(target.mirror, world.store))
    # The bucket comes first: nothing is changed in the cluster for a key that S3 refuses, and the registry panics at
    # start while its bucket is missing.
    steps.append(NamespaceStep(world.cluster, needs=tuple(step.name for step in steps)))
    steps.append(SecretsStep(world.cluster, stack.secrets))
    steps += [
        ReleaseStep(
            release,
            target.rendered[release.name],
            world.helm,
            world.cluster,
            target.mirror_secrets,
            unlock,
            needs=(SECRETS_STEP, *release.needs),
            listed=target.listed.get(release.name),
        )
        for release in stack.releases
    ]
    if target.pruned:
        needs = (stack.releases[-1].name,)
        steps.append(PruneStep(target.pruned, world.helm, world.cluster, needs))
    return steps
