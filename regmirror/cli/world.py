"""Opens the edges that a command works on, from its options."""

import asyncio
import os
import signal
from collections.abc import Coroutine
from contextlib import suppress
from datetime import timedelta
from pathlib import Path
from typing import Any, TypeVar

from pydantic import ValidationError

from regmirror.config.durations import parse_duration
from regmirror.config.load import load_mirror
from regmirror.config.model import Mirror
from regmirror.config.secret_references import SecretResolver
from regmirror.errors import ConfigurationError
from regmirror.ports.cluster import Cluster
from regmirror.ports.object_store import ObjectStore
from regmirror.stack.material import Account

T = TypeVar("T")


def read_mirror(file: Path, namespace: str | None) -> Mirror:
    """The configuration, with the namespace of the command line where one is given; raises ConfigurationError."""
    mirror = load_mirror(file)
    if not namespace:
        return mirror
    try:
        return Mirror.model_validate(dict(mirror) | {"namespace": namespace})
    except ValidationError as error:
        message = error.errors()[0]["msg"].removeprefix("Value error, ")
        raise ConfigurationError(f"--namespace: {message}") from None


def read_timeout(text: str, option: str = "--timeout") -> timedelta:
    """The value of --timeout, or of another option that is a duration; raises ConfigurationError."""
    try:
        return parse_duration(text)
    except ValueError as error:
        raise ConfigurationError(f"{option}: {error}") from None


def open_resolver(file: Path, cluster: Cluster) -> SecretResolver:
    """Finds secrets in this process's environment, in files beside the configuration, and in the cluster."""
    from regmirror.deploy.find_material import read_secret

    return SecretResolver(os.environ, file.resolve().parent, lambda name, key: read_secret(cluster, name, key))


def open_store(mirror: Mirror, account: Account | None) -> ObjectStore:
    """The mirror's bucket with an account. boto3 takes a second to load: it does so beside what does not need it."""
    from regmirror.clients.object_store import S3ObjectStore

    return S3ObjectStore(mirror.storage, account)


def run_until_done(work: Coroutine[Any, Any, T]) -> T:
    """Run to the end; SIGTERM and Ctrl-C cancel it, which ends its child processes, and raise KeyboardInterrupt."""

    async def guarded() -> T:
        task = asyncio.ensure_future(work)
        loop = asyncio.get_running_loop()
        # Not every platform's event loop takes handlers; there SIGTERM ends the process at once.
        with suppress(NotImplementedError):
            loop.add_signal_handler(signal.SIGTERM, task.cancel)
        return await task

    try:
        return asyncio.run(guarded())
    except asyncio.CancelledError:
        raise KeyboardInterrupt from None
