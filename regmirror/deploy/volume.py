"""The steps that check volumes: for the data of a mirror without a bucket, and for the logins of people."""

import asyncio
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial

from regmirror.config.filesystem import Filesystem
from regmirror.config.model import Mirror
from regmirror.config.sign_in import SignIn
from regmirror.deploy.diff_changes import StepDiff
from regmirror.ports.cluster import Cluster
from regmirror.steps.step import Done, Waiting
from regmirror.workloads.login_volume import check_login_volume
from regmirror.workloads.volume import check_volumes


@dataclass(frozen=True, slots=True)
class VolumeStep:
    """Checks that volumes exist or can be created; the releases that use them create them."""

    name: str
    title: str
    place: str
    """What is checked, in a few words."""
    check: Callable[[], str]
    """Returns the volumes in a few words; raises VolumeError or ClusterError."""
    needs: tuple[str, ...] = ()

    async def apply(self, progress: Waiting) -> Done:
        """Raises VolumeError or ClusterError."""
        progress.waiting(self.place)
        return Done(await asyncio.to_thread(self.check))

    async def diff(self) -> StepDiff:
        """Raises VolumeError or ClusterError."""
        return StepDiff(await asyncio.to_thread(self.check))


def data_volumes(mirror: Mirror, filesystem: Filesystem, cluster: Cluster, needs: tuple[str, ...]) -> VolumeStep:
    """The step for the volumes of the registries."""
    check = partial(check_volumes, mirror, filesystem, cluster)
    return VolumeStep("volume", "Volume", mirror.storage.place, check, needs)


def login_volume(sign_in: SignIn, cluster: Cluster, needs: tuple[str, ...]) -> VolumeStep:
    """The step for the volume of the database of logins."""
    check = partial(check_login_volume, sign_in.volume, cluster)
    return VolumeStep("login-volume", "Volume of logins", sign_in.volume or "default StorageClass", check, needs)
