"""The step that applies the Secrets."""

import asyncio
from collections.abc import Mapping
from dataclasses import dataclass

from regmirror.deploy.diff_changes import ObjectChange, StepDiff, count_actions, object_created
from regmirror.deploy.diff_secrets import diff_secret, foreign_keys
from regmirror.deploy.namespace import NAMESPACE_STEP
from regmirror.desired import names
from regmirror.desired.secrets import Manifest
from regmirror.errors import ClusterError
from regmirror.ports.async_cluster import AsyncCluster
from regmirror.ports.cluster import SECRET, Applied, Object
from regmirror.steps.step import Done, Waiting

SECRETS_STEP = "secrets"


def with_resource_version(manifests: list[Manifest], live: Mapping[str, Object]) -> list[Manifest]:
    """The manifests; those that a rotation changes apply only to the versions that were read.

    If a rotation runs at the same time, the API server so refuses the deployment, which would restore the old key.
    """
    return [_bound(manifest, live.get(manifest["metadata"]["name"])) for manifest in manifests]


def _bound(manifest: Manifest, live: Object | None) -> Manifest:
    if live is None or manifest["metadata"]["name"] not in {names.SIGNING_SECRET, names.BUNDLE_SECRET}:
        return manifest
    return manifest | {
        "metadata": manifest["metadata"] | {"resourceVersion": live["metadata"]["resourceVersion"]},
    }


@dataclass(frozen=True, slots=True)
class SecretsStep:
    """Applies every Secret of the mirror."""

    cluster: AsyncCluster
    manifests: list[Manifest]
    name: str = SECRETS_STEP
    title: str = "Secrets"
    needs: tuple[str, ...] = (NAMESPACE_STEP,)

    async def apply(self, progress: Waiting) -> Done:
        """Raises ClusterError."""
        outcomes: list[Applied] = []
        for manifest in self.manifests:
            progress.waiting(f"Secret {manifest['metadata']['name']}")
            try:
                outcomes.append(await self.cluster.apply(manifest))
            except ClusterError as error:
                error.left_changes |= any(outcome is not Applied.UNCHANGED for outcome in outcomes)
                raise
        counts = [f"{outcomes.count(kind)} {kind.value}" for kind in Applied if kind in outcomes]
        return Done(", ".join(counts), changed=any(outcome is not Applied.UNCHANGED for outcome in outcomes))

    async def changed_since(self) -> list[ObjectChange]:
        """The Secrets that are not as they were applied. Raises ClusterError."""
        return list((await self.diff()).objects)

    async def diff(self) -> StepDiff:
        """Raises ClusterError."""
        names_of_all = [manifest["metadata"]["name"] for manifest in self.manifests]
        live = await asyncio.gather(*(self.cluster.get(SECRET, name) for name in names_of_all))
        pairs = list(zip(self.manifests, live, strict=True))
        existing = {_owner(wanted) for wanted, has in pairs if has}
        changes = [
            diff_secret(wanted, has) if has else object_created(wanted, was_there=_owner(wanted) in existing)
            for wanted, has in pairs
        ]
        objects = tuple(change for change in changes if change)
        foreign = tuple(field for wanted, has in pairs if has for field in foreign_keys(wanted, has))
        return StepDiff(count_actions(objects), bool(objects), objects, foreign)


def _owner(secret: Manifest) -> str:
    """What a Secret is created and removed with: its upstream's name, or "" for the mirror as a whole."""
    name = str(secret["metadata"]["name"])
    upstream = name.removesuffix("-config").removesuffix("-credential")
    is_of_upstream = secret["metadata"]["labels"] == names.labels("registry") and upstream != name
    return upstream if is_of_upstream else ""
