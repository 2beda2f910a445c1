"""One command to Redis and its answer."""

from __future__ import annotations

import threading
from collections.abc import Callable
from socket import socket, socketpair

import pytest

from regmirror.errors import ClusterError
from regmirror.workloads.redis_protocol import ask, ask_setting, scan_keys
from tests.fakes.redis_server import RedisServer


def asked(
    server: Callable[[socket], None], *questions: list[str], then: Callable[[socket], object] = lambda _: None
) -> list[str]:
    ours, theirs = socketpair()

    def serve() -> None:
        with theirs:
            server(theirs)

    thread = threading.Thread(target=serve)
    thread.start()
    try:
        with ours:
            answers = [ask(ours, *words) for words in questions]
            then(ours)
            return answers
    finally:
        thread.join()


@pytest.mark.parametrize("password", ["plain", "with spaces\r\n*1\r\n$4\r\nPING\r\n", "ä€😀"])
def test_a_password_arrives_whole(password: str) -> None:
    assert asked(RedisServer(password), ["AUTH", password], ["PING"]) == ["+OK", "+PONG"]


def test_a_wrong_password_is_answered_as_an_error() -> None:
    assert asked(RedisServer("right"), ["PING"], ["AUTH", "wrong"]) == [
        "-NOAUTH Authentication required.",
        "-WRONGPASS invalid username-password pair",
    ]


def test_a_connection_that_ends_is_an_error() -> None:
    def leave(connection: socket) -> None:
        connection.recv(100)
        connection.sendall(b"+O")

    with pytest.raises(ClusterError, match="Redis closed the connection"):
        asked(leave, ["PING"])


def test_an_answer_without_an_end_is_cut() -> None:
    def chatter(connection: socket) -> None:
        connection.recv(100)
        connection.sendall(b"x" * 5000)

    assert asked(chatter, ["PING"]) == ["x" * 4096]


def test_a_broken_connection_is_an_error() -> None:
    ours, theirs = socketpair()
    theirs.close()
    ours.close()
    with pytest.raises(ClusterError, match="no answer from Redis"):
        ask(ours, "PING")


def test_the_value_of_a_setting_is_returned() -> None:
    values: list[str | None] = []

    def ask_settings(connection: socket) -> None:
        values.extend(ask_setting(connection, name) for name in ("maxmemory-policy", "unheard-of", "maxmemory"))

    asked(RedisServer("right"), ["AUTH", "right"], then=ask_settings)
    assert values == ["allkeys-lru", None, "134217728"]


def found_by_scan(server: Callable[[socket], None], wanted: int) -> list[str]:
    keys: list[str] = []
    asked(server, ["AUTH", "right"], then=lambda connection: keys.extend(scan_keys(connection, "a::*", wanted)))
    return keys


def test_keys_are_found_by_a_pattern_up_to_a_number() -> None:
    server = RedisServer("right", keys=["a::1", "b::1", "a::2", "a::3"])
    assert found_by_scan(server, 10) == ["a::1", "a::2", "a::3"]
    assert found_by_scan(server, 2) == ["a::1", "a::2"]
    assert found_by_scan(RedisServer("right"), 2) == []
    assert found_by_scan(RedisServer("another", keys=["a::1"]), 2) == []


def test_a_scan_continues_until_enough_keys_are_found() -> None:
    def serve(connection: socket) -> None:
        for answer in (
            b"+OK",
            b"*2\r\n$1\r\n7\r\n*1\r\n$4\r\na::1",
            b"*2\r\n$1\r\n9\r\n*0",
            b"*2\r\n$1\r\n4\r\n*1\r\n$4\r\na::2",
        ):
            connection.recv(1000)
            connection.sendall(answer + b"\r\n")

    assert found_by_scan(serve, 2) == ["a::1", "a::2"]
