"""Steps of a mirror whose pods use the bucket with a cloud role, which this machine does not have."""

import secrets
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime

from regmirror.deploy.diff_changes import DiffableStep, StepDiff
from regmirror.deploy.rights import PORT_FORWARD
from regmirror.distribution.store_health import store_problem
from regmirror.errors import BucketMissingError, ForeignDataError, StorageError, StorageUnreachableError
from regmirror.errors.documentation import guide_url
from regmirror.ports.async_cluster import AsyncCluster
from regmirror.ports.cluster import POD, Cluster
from regmirror.signing.key_pair import KeyPair
from regmirror.signing.tokens import sign_catalog_token
from regmirror.steps.step import Done, Waiting
from regmirror.workloads.rollout import is_ready

_CERTAIN = (BucketMissingError, ForeignDataError, StorageUnreachableError)
"""What a refusal of this machine's credentials cannot be."""


@dataclass(frozen=True, slots=True)
class OperatorsBucketStep:
    """A step that uses the bucket with the credentials of this machine: it is skipped if they do not suffice."""

    step: DiffableStep

    @property
    def name(self) -> str:
        """The name of the step."""
        return self.step.name

    @property
    def title(self) -> str:
        """The title of the step."""
        return self.step.title

    @property
    def needs(self) -> tuple[str, ...]:
        """What the step needs."""
        return self.step.needs

    async def apply(self, progress: Waiting) -> Done:
        """Raises StorageError, unless only the credentials are refused."""
        try:
            return await self.step.apply(progress)
        except StorageError as error:
            return Done(_skipped(error), skipped=True)

    async def diff(self) -> StepDiff:
        """Raises StorageError, unless only the credentials are refused."""
        try:
            return await self.step.diff()
        except StorageError as error:
            return StepDiff(_skipped(error))


def _skipped(error: StorageError) -> str:
    if isinstance(error, _CERTAIN) or error.left_changes:
        raise error
    return f"not checked with the credentials of this machine: {error.message}"


@dataclass(frozen=True, slots=True)
class CloudRoleStep:
    """Checks from inside each registry's pods that they can use the bucket."""

    cluster: AsyncCluster
    services: Mapping[str, str]
    """By release of a registry: the ``service`` of its tokens."""
    issuer: str
    signing: KeyPair | None
    """None if only an existing docker_auth has the key."""
    name: str = "cloud-role"
    title: str = "Cloud role"

    @property
    def needs(self) -> tuple[str, ...]:
        """The releases whose pods are checked."""
        return tuple(self.services)

    async def apply(self, progress: Waiting) -> Done:
        """Raises StorageError, RegistryError or ClusterError."""
        progress.waiting("the registry's pods to use the bucket")
        return await self.cluster.run(self._check)

    async def diff(self) -> StepDiff:
        """Nothing is changed."""
        return StepDiff("checked by deploy, from the registry's pods")

    def _check(self, cluster: Cluster) -> Done:
        if not all(map(cluster.may, PORT_FORWARD)):
            return Done("not checked: no permission to reach the registry's pods", skipped=True)
        if self.signing is None:
            return Done("not checked: only the existing docker_auth can sign the token for it", skipped=True)
        checked = 0
        for release, service in self.services.items():
            token = sign_catalog_token(
                self.issuer, service, self.signing.private_key, datetime.now(UTC), secrets.token_hex(8)
            )
            pods = cluster.select(POD, selector=f"app.kubernetes.io/instance={release}")
            for pod in filter(is_ready, pods):
                name = pod["metadata"]["name"]
                if problem := store_problem(cluster, name, token):
                    hint = f"check the role of its ServiceAccount; see {guide_url('cloud-role')}"
                    raise StorageError(f"pod {name} cannot use the bucket: {problem}", hint=hint)
                checked += 1
        return Done(f"{checked} pod{'s' * (checked != 1)} can use the bucket")
