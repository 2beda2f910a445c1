"""HTTP through a port-forward."""

from __future__ import annotations

from collections.abc import Callable
from socket import socket

import pytest

from regmirror.distribution.inside_pod import get_inside_pod
from regmirror.errors import ClusterError
from tests.fakes.cluster import FakeCluster


def cluster(*answers: bytes) -> tuple[FakeCluster, list[bytes]]:
    """A cluster whose pod gives this answer; records the request."""
    asked: list[bytes] = []
    found = FakeCluster()
    found.listeners["one", 5001] = answering(answers, asked)
    return found, asked


def answering(answers: tuple[bytes, ...], asked: list[bytes]) -> Callable[[socket], None]:
    def serve(connection: socket) -> None:
        question = b""
        while not question.endswith(b"\r\n\r\n"):
            question += connection.recv(1024)
        asked.append(question)
        for answer in answers:
            connection.sendall(answer)

    return serve


def test_an_answer_is_read_completely_however_it_is_split() -> None:
    place, asked = cluster(b"HTTP/1.1 200 OK\r\nX-A: 1\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabc", b"\r\n0\r\n\r\n")
    answer = get_inside_pod(place, "one", 5001, "/metrics", {"Authorization": "Bearer t"})
    assert (answer.status, answer.headers["x-a"], answer.body) == (200, "1", b"abc")
    assert asked[0].startswith(b"GET /metrics HTTP/1.1\r\nHost: localhost\r\n")
    assert b"\r\nAuthorization: Bearer t\r\n" in asked[0]


@pytest.mark.parametrize("answer", [b"", b"SSH-2.0\r\n", b"HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\nabc"])
def test_an_invalid_or_incomplete_answer_is_an_error(answer: bytes) -> None:
    place, _ = cluster(answer)
    with pytest.raises(ClusterError, match="no answer from port 5001 of pod one: "):
        get_inside_pod(place, "one", 5001, "/metrics")


def test_a_pod_that_is_missing_is_an_error_of_the_cluster() -> None:
    with pytest.raises(ClusterError):
        get_inside_pod(FakeCluster(), "absent", 5001, "/metrics")
