"""The step that writes the Secret with the accounts."""

from dataclasses import dataclass

from regmirror.desired.secrets import Manifest
from regmirror.errors import ConflictError
from regmirror.ports.async_cluster import AsyncCluster
from regmirror.ports.cluster import Object
from regmirror.steps.step import Done, Waiting

ACCOUNTS_STEP = "accounts"


@dataclass(frozen=True, slots=True)
class AccountsStep:
    """Replaces the Secret that was read, or creates it.

    Not by server-side apply, which would keep an entry that somebody else added and that is to be removed.
    """

    cluster: AsyncCluster
    wanted: Manifest
    live: Object | None
    name: str = ACCOUNTS_STEP
    title: str = "Accounts"
    needs: tuple[str, ...] = ()

    async def apply(self, progress: Waiting) -> Done:
        """Raises ConflictError if the Secret was changed since it was read, otherwise ClusterError."""
        progress.waiting(f"Secret {self.wanted['metadata']['name']}")
        data = self.wanted["data"]
        if self.live is not None and (self.live.get("data") or {}) == data:
            return Done("unchanged")
        try:
            if self.live is None:
                await self.cluster.create(self.wanted)
            else:
                metadata = {**self.live["metadata"], "labels": self.wanted["metadata"]["labels"]}
                await self.cluster.replace({**self.live, "metadata": metadata, "data": data})
        except ConflictError as error:
            message = "somebody else changed the accounts at the same time"
            raise error.reworded(message, hint="run the command again") from error
        return Done(f"{len(data)} account{'s' * (len(data) != 1)}", changed=True)
