"""The steps of a deployment, in order: the table of contents of ``regmirror deploy``."""

from dataclasses import dataclass

from regmirror.config.model import Mirror
from regmirror.deploy.foundation import SECRETS_STEP, BucketStep, NamespaceStep, SecretsStep
from regmirror.deploy.proof import ProofStep
from regmirror.deploy.release_step import ReleaseStep
from regmirror.deploy.steps import Step
from regmirror.ports.cluster import Cluster, Object
from regmirror.ports.helm import Helm
from regmirror.ports.http import Http
from regmirror.ports.object_store import ObjectStore
from regmirror.stack.material import Material
from regmirror.stack.releases import Stack


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
    material: Material
    stack: Stack
    rendered: dict[str, list[Object]]
    """The objects of each release, by its name."""


def deployment_steps(target: Target, world: World, deadline: float, *, unlock: bool = False) -> list[Step]:
    """What brings the cluster to the target; ``deadline`` is on the monotonic clock."""
    stack = target.stack
    steps: list[Step] = []
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
            target.material,
            deadline,
            unlock,
            needs=(SECRETS_STEP, *release.needs),
        )
        for release in stack.releases
    ]
    if world.http:
        steps.append(ProofStep(target.mirror, world.http, deadline, needs=(stack.releases[-1].name,)))
    return steps
