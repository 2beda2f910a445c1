"""The part of the Redis protocol (RESP2) that a check needs: one command and its one-line answer."""

from socket import socket

from regmirror.errors import ClusterError

_LONGEST_LINE = 4096


def ask(connection: socket, *words: str) -> str:
    """Send a command and return the first line of the answer, with its type mark (``+OK``, ``-WRONGPASS ...``).

    Raises ClusterError if the connection ends first. Source: the Redis serialization protocol specification.
    """
    parts = [word.encode() for word in words]
    command = b"*%d\r\n" % len(parts) + b"".join(b"$%d\r\n%s\r\n" % (len(part), part) for part in parts)
    try:
        connection.sendall(command)
    except OSError as error:
        raise ClusterError(f"no answer from Redis: {error}") from error
    return _line(connection)


def ask_setting(connection: socket, name: str) -> str | None:
    """The value of a setting (CONFIG GET); None if Redis does not return it. Raises ClusterError as ``ask`` does."""
    if ask(connection, "CONFIG", "GET", name) != "*2":
        return None
    # An array of two strings, name and value, each preceded by a line with its length.
    return [_line(connection) for _ in range(4)][3]


def _line(connection: socket) -> str:
    line = b""
    try:
        while not line.endswith(b"\r\n") and len(line) < _LONGEST_LINE:
            byte = connection.recv(1)
            if not byte:
                raise ClusterError("Redis closed the connection")
            line += byte
    except OSError as error:
        raise ClusterError(f"no answer from Redis: {error}") from error
    return line.decode(errors="replace").strip()
