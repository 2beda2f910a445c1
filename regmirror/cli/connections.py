"""Opens the connections that a command needs, from its options."""

import asyncio
import os
import signal
import sys
import threading
from collections.abc import Callable, Coroutine, Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import contextmanager, suppress
from datetime import timedelta
from functools import cache, cached_property
from pathlib import Path
from typing import Any, TextIO, TypeVar

from pydantic import ValidationError

from regmirror.config.durations import parse_duration
from regmirror.config.find_references import secret_variables
from regmirror.config.load import parse_mirror, read_text
from regmirror.config.model import Mirror
from regmirror.config.secret_references import SecretResolver
from regmirror.desired.mirror_secrets import Account
from regmirror.errors import ConfigurationError
from regmirror.ports.async_cluster import AsyncCluster
from regmirror.ports.helm import Helm
from regmirror.ports.http import Http
from regmirror.ports.object_store import ObjectStore

T = TypeVar("T")


def read_mirror(file: Path, namespace: str | None) -> Mirror:
    """The configuration, with the namespace of the command line if one is given; raises ConfigurationError."""
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
    """The content of a stream, kept because a stream can only be read once."""
    return stream.buffer.read()


def read_duration(text: str, option: str) -> timedelta:
    """The value of an option that is a duration; raises ConfigurationError."""
    try:
        return parse_duration(text)
    except ValueError as error:
        raise ConfigurationError(f"{option}: {error}") from None


def read_timeout(text: str) -> timedelta:
    """The value of --timeout, which is longer than 0; raises ConfigurationError."""
    timeout = read_duration(text, "--timeout")
    if not timeout:
        raise ConfigurationError("--timeout: must be longer than 0")
    return timeout


class CommandConnections:
    """The connections of one run of a command, from its options; each opens when it is first used."""

    def __init__(
        self,
        file: Path,
        namespace: str | None = None,
        *,
        kubeconfig: Path | None = None,
        context: str | None = None,
        helm: str = "helm",
        resolve: Sequence[str] = (),
        ca_file: Path | None = None,
        timeout: float | None = None,
    ) -> None:
        """``timeout`` is in seconds, for each request to a host or to the store; None leaves each adapter its own.

        Raises ConfigurationError at once if ``resolve`` or ``ca_file`` is not valid.
        """
        self._file, self._namespace = file, namespace
        self._kubeconfig, self._context, self._program = kubeconfig, context, helm
        self._resolve, self._ca_file, self._timeout = resolve, ca_file, timeout
        if resolve or ca_file:
            _ = self.http

    @cached_property
    def mirror(self) -> Mirror:
        """The configuration; raises ConfigurationError."""
        return read_mirror(self._file, self._namespace)

    @cached_property
    def cluster(self) -> AsyncCluster:
        """The mirror's namespace; raises KubeconfigError."""
        from regmirror.adapters.cluster import KubernetesCluster

        return AsyncCluster(KubernetesCluster(self._kubeconfig, self._context, self.mirror.namespace))

    @cached_property
    def helm(self) -> Helm:
        """Helm, in the namespace and context of ``cluster``."""
        from regmirror.adapters.helm import Pyhelm3Helm

        withheld = secret_variables(self.mirror)
        return Pyhelm3Helm(self._program, self._kubeconfig, self.cluster.context, self.mirror.namespace, withheld)

    @cached_property
    def http(self) -> Http:
        """The public hosts, at the addresses of --resolve and with the certificates of --ca-file."""
        from regmirror.adapters.http import Urllib3Http, parse_resolve

        timeout = {} if self._timeout is None else {"timeout": self._timeout}
        return Urllib3Http(parse_resolve(self._resolve), self._ca_file, **timeout)

    @cached_property
    def resolver(self) -> SecretResolver:
        """Finds secrets in the environment, in files next to the configuration, and in the cluster."""
        from regmirror.deploy.resolve_secrets import read_secret

        cluster = self.cluster.blocking
        return SecretResolver(
            os.environ,
            self._file.resolve().parent,
            lambda name, key: read_secret(cluster, name, key),
            cluster.namespace,
        )

    def open_store(self, account: Account | None) -> ObjectStore:
        """The bucket, from this machine."""
        return self._store(account)

    @contextmanager
    def open_store_through(self, account: Account | None, pod: str, port: int) -> Iterator[ObjectStore]:
        """The bucket, reached through the HTTP proxy at a port inside a pod."""
        from regmirror.adapters.tunnel import tunnel

        with tunnel(self.cluster.blocking, pod, port) as local:
            yield self._store(account, proxy=f"http://127.0.0.1:{local}")

    def _store(self, account: Account | None, proxy: str | None = None) -> ObjectStore:
        """boto3 takes a second to load, so it is loaded only here."""
        from regmirror.adapters.object_store import S3ObjectStore

        timeout = () if self._timeout is None else (self._timeout,)
        return S3ObjectStore(self.mirror.storage, account, *timeout, proxy=proxy)


class DaemonThreadExecutor(ThreadPoolExecutor):
    """Runs each call in a thread that is not joined at exit.

    A call that hangs in the network would otherwise block the command after Ctrl-C or its time limit.
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
    """Run ``work`` to its end; SIGTERM and Ctrl-C cancel it with its child processes and raise KeyboardInterrupt."""

    async def guarded() -> T:
        task = asyncio.ensure_future(work)
        loop = asyncio.get_running_loop()
        loop.set_default_executor(DaemonThreadExecutor())
        # Event loops without signal handlers exist (Windows): there SIGTERM ends the process at once.
        with suppress(NotImplementedError):
            loop.add_signal_handler(signal.SIGTERM, task.cancel)
        return await task

    try:
        return asyncio.run(guarded())
    except asyncio.CancelledError:
        raise KeyboardInterrupt from None
