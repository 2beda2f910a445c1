"""Compares the cluster with what a deployment has applied, once all its steps have succeeded."""

import asyncio
from collections.abc import Sequence

from regmirror.deploy.release import ReleaseStep
from regmirror.deploy.secrets import SecretsStep
from regmirror.errors import ClusterError, ConflictError
from regmirror.steps.step import Step


async def ensure_as_applied(steps: Sequence[Step]) -> None:
    """Raises ConflictError, which names each object that something else changed during the deployment, or ClusterError.

    The Lease keeps other commands of regmirror away, but not older versions, Helm or kubectl, nor a command that took
    the Lease over because this machine slept.
    """
    compared = (step.changed_since() for step in steps if isinstance(step, SecretsStep | ReleaseStep))
    try:
        changes = [change for found in await asyncio.gather(*compared) for change in found]
    except ClusterError as error:
        message = f"every step succeeded, but the result cannot be read: {error.message}"
        raise error.reworded(message).after_changes() from error
    if changes:
        raise ConflictError(
            "something else changed the mirror during this deployment; the cluster is not as the file says: "
            + ", ".join(f"{change.kind} {change.name}" for change in changes),
            hint="see what differs: regmirror diff; then run the command again",
        ).after_changes()
