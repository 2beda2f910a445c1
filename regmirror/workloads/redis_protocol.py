"""The part of the Redis protocol (RESP2) that regmirror needs: commands and their answers."""

from socket import socket

from regmirror.errors import ClusterError

_LONGEST_LINE = 4096
_SCANNED = 100
"""Keys that Redis examines for one SCAN."""
_MOST_SCANS = 20


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


def count(connection: socket, *words: str) -> int:
    """The number with which Redis answers a command; raises ClusterError if it answers anything else."""
    answer = ask(connection, *words)
    if not answer.startswith(":"):
        raise ClusterError(f"Redis answers {answer[1:]} to {words[0]}")
    return int(answer[1:])


def ask_setting(connection: socket, name: str) -> str | None:
    """The value of a setting (CONFIG GET); None if Redis does not return it. Raises ClusterError as ``ask`` does."""
    if ask(connection, "CONFIG", "GET", name) != "*2":
        return None
    # An array of two strings, name and value.
    return [_string(connection) for _ in range(2)][1]


def scan_keys(connection: socket, pattern: str, wanted: int) -> list[str]:
    """Up to ``wanted`` keys that match a pattern, fewer if there are fewer or they are rare; raises as ``ask`` does."""
    keys: list[str] = []
    cursor = "0"
    for _ in range(_MOST_SCANS):
        # An array of the next cursor and an array of keys.
        if ask(connection, "SCAN", cursor, "MATCH", pattern, "COUNT", str(_SCANNED)) != "*2":
            break
        cursor = _string(connection)
        keys += [_string(connection) for _ in range(int(_line(connection)[1:]))]
        if cursor == "0" or len(keys) >= wanted:
            break
    return keys[:wanted]


def _string(connection: socket) -> str:
    """A string, which a line with its length precedes."""
    _line(connection)
    return _line(connection)


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
