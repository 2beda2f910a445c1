"""The connections that a front accepts, each with all buffers full, fit into the memory limit of its container."""

from __future__ import annotations

import re
from typing import Any

import pytest

from .front import FRONTS, configuration, container, directives, size
from .helm import Helm
from .manifests import pod

POOLS = 2 << 10
"""nginx's pool for a connection, and what a request needs beyond its own pool."""
TLS = 56 << 10
"""OpenSSL's state and buffers of a connection, and nginx's ssl_buffer_size. Measured: 31k without a request."""
WORKER = 10 << 20
"""A worker's own memory: code, configuration, and 400 bytes for each connection that it could have."""


TRUSTED: dict[str, Any] = {"front": {"trustedProxies": ["192.0.2.0/24"]}}
SIGN_IN: dict[str, Any] = {"signIn": {"provider": "github"}}


@pytest.mark.parametrize(
    ("chart", "values"),
    [
        *((chart, values) for chart in FRONTS for values in ({}, TRUSTED)),
        ("auth", SIGN_IN),
        ("auth", TRUSTED | SIGN_IN),
        ("endpoint", {"service": {"externalTrafficPolicy": "Local"}}),
    ],
)
def test_what_clients_can_occupy_fits_into_the_memory_limit(helm: Helm, chart: str, values: dict[str, Any]) -> None:
    text, spec = configuration(helm, chart, values), pod(helm, chart, values)["spec"]
    front = container(spec)
    served = connections(text)
    # A request in progress takes two of the workers' connections; clients that have not sent all headers take the rest.
    waiting = worker_connections(text) - 2 * served
    assert waiting > 0
    tls = TLS if chart == "endpoint" else 0
    occupied = served * (tls + headers(text) + answer(text) + socket(front["command"][-1]))
    occupied += waiting * (tls + headers(text)) + zones(text) + workers(text) * WORKER
    occupied += caches_in_memory(text, spec, front)
    assert occupied < size(front["resources"]["limits"]["memory"])


@pytest.mark.parametrize("chart", FRONTS)
def test_sixty_four_nodes_that_pull_thirty_images_at_once_are_served(helm: Helm, chart: str) -> None:
    assert connections(configuration(helm, chart)) >= 64 * 30


@pytest.mark.parametrize("chart", FRONTS)
def test_nothing_of_an_answer_is_written_to_disk_but_caches(helm: Helm, chart: str) -> None:
    text = configuration(helm, chart)
    assert directives(text, "proxy_max_temp_file_size") == [["0"]]
    assert directives(text, "client_max_body_size") == [["1k"]]


def workers(text: str) -> int:
    return int(directives(text, "worker_processes")[0][0])


def worker_connections(text: str) -> int:
    return workers(text) * int(directives(text, "worker_connections")[0][0])


def connections(text: str) -> int:
    (found,) = {int(limit) for zone, limit in directives(text, "limit_conn") if zone == "connections"}
    return found


def headers(text: str) -> int:
    """The memory for a request's line and headers."""
    ((number, large),) = directives(text, "large_client_header_buffers")
    once = sum(size(directives(text, name)[0][0]) for name in ("client_header_buffer_size", "request_pool_size"))
    return once + int(number) * size(large) + POOLS


def answer(text: str) -> int:
    """The memory for an answer that is read slowly: all buffers, or one where there is no buffering."""
    number, each = directives(text, "proxy_buffers")[0]
    first, *others = (size(words[0]) for words in directives(text, "proxy_buffer_size"))
    return max(first + int(number) * size(each), *others, 0)


def socket(command: str) -> int:
    """What the kernel keeps for a client; it doubles the size that it is asked for (man 7 socket)."""
    return 2 * size(re.search(r"sndbuf=(\w+)", command)[1])  # type: ignore[index]


def zones(text: str) -> int:
    """The shared memory."""
    return sum(size(found) for found in re.findall(r"zone=\w+:(\w+)", text))


def caches_in_memory(text: str, spec: dict[str, Any], front: dict[str, Any]) -> int:
    """The size of the volumes in memory where nginx keeps a cache."""
    caches = [words[0] for words in directives(text, "proxy_cache_path")]
    mounted = {
        mount["name"] for mount in front["volumeMounts"] if any(path.startswith(mount["mountPath"]) for path in caches)
    }
    volumes = [one["emptyDir"] for one in spec["volumes"] if one["name"] in mounted]
    return sum(size(found["sizeLimit"]) for found in volumes if found.get("medium") == "Memory")
