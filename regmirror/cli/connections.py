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
from typing import TYPE_CHECKING, Any, TextIO, TypeVar

from pydantic import ValidationError

from regmirror.config.ca_bundle import CaBundleResolver
from regmirror.config.durations import parse_duration
from regmirror.config.find_references import secret_variables
from regmirror.config.load import parse_mirror, read_text
from regmirror.config.model import Mirror, Upstream
from regmirror.config.secret_references import SecretResolver
from regmirror.config.validation_messages import validation_message
from regmirror.desired.mirror_secrets import Account
from regmirror.errors import ClusterError, ConfigurationError, KubeconfigError
from regmirror.ports.async_cluster import AsyncCluster
from regmirror.ports.helm import Helm
from regmirror.ports.http import Http
from regmirror.ports.object_store import ObjectStore

if TYPE_CHECKING:
    from regmirror.desired.ways_out import WaysOut

T = TypeVar("T")


def read_mirror(file: Path, namespace: str | None, image_registry: str = "") -> Mirror:
    """The mirror that the file describes, with its images where pods pull them from; raises ConfigurationError.

    The namespace and the image registry of the command line replace those of the file.
    """
    return read_configuration(file, namespace, image_registry).relocated()


def read_configuration(file: Path, namespace: str | None = None, image_registry: str = "") -> Mirror:
    """The configuration as it is in the file, apart from the options of the command line; raises ConfigurationError."""
    mirror = parse_mirror(read_source(file), str(file))
    given = {"namespace": namespace, "image_registry": image_registry}
    for name, value in given.items():
        if value:
            mirror = _with_option(mirror, name, value)
    return mirror


def _with_option(mirror: Mirror, name: str, value: str) -> Mirror:
    try:
        return Mirror.model_validate(dict(mirror) | {name: value})
    except ValidationError as error:
        message = validation_message(error.errors()[0])
        raise ConfigurationError(f"--{name.replace('_', '-')}: {message}") from None


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
        image_registry: str = "",
    ) -> None:
        """``timeout`` is in seconds, for each request to a host or to the store; None leaves each adapter its own.

        Raises ConfigurationError at once if ``resolve`` or ``ca_file`` is not valid.
        """
        self._file, self._namespace, self._image_registry = file, namespace, image_registry
        self._kubeconfig, self._context, self._program = kubeconfig, context, helm
        self._resolve, self._ca_file = resolve, ca_file
        self._timeouts = () if timeout is None else (timeout,)
        if resolve or ca_file:
            _ = self._hosts

    @cached_property
    def mirror(self) -> Mirror:
        """The configuration; raises ConfigurationError."""
        return read_mirror(self._file, self._namespace, self._image_registry)

    @cached_property
    def cluster(self) -> AsyncCluster:
        """The mirror's namespace; raises KubeconfigError."""
        from regmirror.adapters.cluster import KubernetesCluster

        return AsyncCluster(KubernetesCluster(self._kubeconfig, self._context, self.mirror.namespace))

    @cached_property
    def helm(self) -> Helm:
        """Helm, in the namespace and context of ``cluster``; raises EnvironmentVariableError."""
        from regmirror.adapters.environment import require_same_cluster
        from regmirror.adapters.helm import Pyhelm3Helm

        require_same_cluster(os.environ)
        withheld, directory = secret_variables(self.mirror), self._file.resolve().parent
        return Pyhelm3Helm(
            self._program, self._kubeconfig, self.cluster.context, self.mirror.namespace, withheld, directory
        )

    @cached_property
    def http(self) -> Http:
        """The public hosts, at the addresses of --resolve; trusts --ca-file and the CA of ``ingress.selfSigned``."""
        from regmirror.deploy.self_signed import live_authority

        if self.mirror.ingress.self_signed:
            # Without it, the checks of the hosts fail and say that their certificate is not trusted.
            with suppress(ClusterError, KubeconfigError, ValueError):
                if authority := live_authority(self.cluster.blocking, self.mirror):
                    self._hosts.trust(authority)
        return self._hosts

    @cached_property
    def _hosts(self) -> Http:
        from regmirror.adapters.http import Urllib3Http, parse_resolve

        return Urllib3Http(parse_resolve(self._resolve), self._ca_file, *self._timeouts)

    @cached_property
    def resolver(self) -> SecretResolver:
        """Finds secrets in the environment, in files next to the configuration, and in the cluster."""
        return SecretResolver(os.environ, self._file.resolve().parent, self._read_secret, self.mirror.namespace)

    @cached_property
    def ca_bundles(self) -> CaBundleResolver:
        """Reads CA bundles from files next to the configuration, and from the cluster."""
        from regmirror.deploy.resolve_secrets import read_config_map
        from regmirror.signing.ca_certificates import only_certificates

        def of_config_map(name: str, key: str) -> bytes | None:
            return read_config_map(self.cluster.blocking, name, key)

        return CaBundleResolver(self._file.resolve().parent, of_config_map, self._read_secret, only_certificates)

    def open_upstream(self, upstream: Upstream) -> Http:
        """An upstream, by the way of its registry: the --ca-file of the public hosts is not trusted for it."""
        from regmirror.adapters.http import Urllib3Http, parse_resolve

        way_out = self._ways_out.to_upstream(upstream)
        verb = "correct" if upstream.ca_bundle else "set"
        hint = f"for a private CA, {verb} caBundle of the upstream {upstream.name}"
        return Urllib3Http(parse_resolve(self._resolve), None, *self._timeouts, way_out=way_out, trust_hint=hint)

    def open_store(self, account: Account | None) -> ObjectStore:
        """The bucket, from this machine."""
        return self._store(account)

    @cached_property
    def _ways_out(self) -> "WaysOut":
        from regmirror.desired.ways_out import WaysOut

        return WaysOut(self.mirror, self.ca_bundles, self.resolver, self._read_secret)

    def _read_secret(self, name: str, key: str) -> bytes | None:
        from regmirror.deploy.resolve_secrets import read_secret

        return read_secret(self.cluster.blocking, name, key)

    @contextmanager
    def open_store_through(self, account: Account | None, pod: str, port: int) -> Iterator[ObjectStore]:
        """The bucket, reached through the HTTP proxy at a port inside a pod."""
        from regmirror.adapters.tunnel import tunnel

        with tunnel(self.cluster.blocking, pod, port) as local:
            yield self._store(account, proxy=f"http://127.0.0.1:{local}")

    def _store(self, account: Account | None, proxy: str | None = None) -> ObjectStore:
        """boto3 takes a second to load, so it is loaded only here."""
        from regmirror.adapters.object_store import S3ObjectStore

        way_out = self._ways_out.to_store()
        return S3ObjectStore(self.mirror.storage, account, *self._timeouts, way_out=way_out, proxy=proxy)


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
