"""A local port whose connections continue at a port inside a pod."""

import socket
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress

from regmirror.errors import ClusterError
from regmirror.ports.cluster import Cluster

_CHUNK = 2**16


@contextmanager
def tunnel(cluster: Cluster, pod: str, port: int) -> Iterator[int]:
    """Listen on the loopback interface for the duration of the block; yields the number of the port."""
    with socket.create_server(("127.0.0.1", 0)) as server:
        threading.Thread(target=_accept, args=(server, cluster, pod, port), daemon=True).start()
        yield server.getsockname()[1]


def _accept(server: socket.socket, cluster: Cluster, pod: str, port: int) -> None:
    with suppress(OSError):
        while True:
            connection, _ = server.accept()
            threading.Thread(target=_serve, args=(connection, cluster, pod, port), daemon=True).start()


def _serve(connection: socket.socket, cluster: Cluster, pod: str, port: int) -> None:
    """Copy in both directions until one side ends; a connection that cannot be made is closed."""
    with connection, suppress(OSError, ClusterError), cluster.connect(pod, port) as remote:
        remote.settimeout(None)
        sending = threading.Thread(target=_copy, args=(connection, remote), daemon=True)
        sending.start()
        _copy(remote, connection)


def _copy(source: socket.socket, target: socket.socket) -> None:
    with suppress(OSError):
        while data := source.recv(_CHUNK):
            target.sendall(data)
        target.shutdown(socket.SHUT_WR)
