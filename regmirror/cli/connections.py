"""Opens the edges that a command works on, from its options."""

import asyncio
import os
import signal
import sys
import threading
from collections.abc import Callable, Coroutine
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import suppress
from datetime import timedelta
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Any, TextIO, TypeVar

from pydantic import ValidationError

from regmirror.config.durations import parse_duration
from regmirror.config.load import parse_mirror, read_text
from regmirror.config.model import Mirror
from regmirror.config.secret_references import SecretResolver
from regmirror.desired.mirror_secrets import Account
from regmirror.errors import ConfigurationError
from regmirror.ports.cluster import Cluster
from regmirror.ports.object_store import ObjectStore

if TYPE_CHECKING:
    from regmirror.deploy.run import Edges

T = TypeVar("T")


def read_mirror(file: Path, namespace: str | None) -> Mirror:
    """The configuration, with the namespace of the command line where one is given; raises ConfigurationError."""
    mirror = parse_mirror(read_source(file), str(file))
    if not namespace:
        return mirror
    try:
        return Mirror.model_validate(dict(mirror) | {"namespace": namespace})
    except ValidationError as error:
        message = error.errors()[0]["msg"].removeprefix("Value error, ")
        raise ConfigurationError(f"--namespace: {message}") from None


def read_source(file: Path) -> str:
    """The text of the configuration file, or of standard input for ``-``; raises ConfigurationError."""
    if str(file) != "-":
        return read_text(file)
    try:
        return _read_all(sys.stdin).decode()
    except UnicodeDecodeError:
        raise ConfigurationError("standard input cannot be read: it is not UTF-8 text") from None


@cache
def _read_all(stream: TextIO) -> bytes:
    """A stream can be read once, and its text is needed more often."""
    return stream.buffer.read()


def read_timeout(text: str, option: str = "--timeout") -> timedelta:
    """The value of --timeout, or of another option that is a duration; raises ConfigurationError."""
    try:
        return parse_duration(text)
    except ValueError as error:
        raise ConfigurationError(f"{option}: {error}") from None


def open_resolver(file: Path, cluster: Cluster) -> SecretResolver:
    """Finds secrets in this process's environment, in files beside the configuration, and in the cluster."""
    from regmirror.deploy.resolve_secrets import read_secret

    return SecretResolver(
        os.environ, file.resolve().parent, lambda name, key: read_secret(cluster, name, key), cluster.namespace
    )


def open_store(mirror: Mirror, account: Account | None, patience: float = 15.0) -> ObjectStore:
    """The mirror's bucket with an account. boto3 takes a second to load: it does so beside what does not need it."""
    from regmirror.adapters.object_store import S3ObjectStore

    return S3ObjectStore(mirror.storage, account, patience)


def open_edges(
    file: Path, mirror: Mirror, kubeconfig: Path | None, context: str | None, helm: str, *, skip_bucket: bool
) -> "Edges":
    """What a deployment works on, without the public host. Raises KubeconfigError."""
    from regmirror.adapters.cluster import KubernetesCluster
    from regmirror.adapters.helm import Pyhelm3Helm
    from regmirror.deploy.run import Edges

    cluster = KubernetesCluster(kubeconfig, context, mirror.namespace)
    return Edges(
        cluster,
        Pyhelm3Helm(helm, kubeconfig, cluster.context, mirror.namespace),
        open_resolver(file, cluster),
        None if skip_bucket else lambda account: open_store(mirror, account),
        http=None,
    )


class DaemonThreadExecutor(ThreadPoolExecutor):
    """Runs each call in a thread that nobody waits for at the end.

    A call that hangs in the network would else keep whoever pressed Ctrl-C, or set a time limit, waiting for it.
    """

    def submit(self, call: Callable[..., T], /, *words: Any, **options: Any) -> "Future[T]":
        """Start the call at once."""
        future: Future[T] = Future()

        future.set_running_or_notify_cancel()

        def work() -> None:
            try:
                future.set_result(call(*words, **options))
            except BaseException as error:
                future.set_exception(error)

        threading.Thread(target=work, daemon=True).start()
        return future


def run_until_done(work: Coroutine[Any, Any, T]) -> T:
    """Run to the end; SIGTERM and Ctrl-C cancel it, which ends its child processes, and raise KeyboardInterrupt."""

    async def guarded() -> T:
        task = asyncio.ensure_future(work)
        loop = asyncio.get_running_loop()
        loop.set_default_executor(DaemonThreadExecutor())
        # Not every platform's event loop takes handlers; there SIGTERM ends the process at once.
        with suppress(NotImplementedError):
            loop.add_signal_handler(signal.SIGTERM, task.cancel)
        return await task

    try:
        return asyncio.run(guarded())
    except asyncio.CancelledError:
        raise KeyboardInterrupt from None
