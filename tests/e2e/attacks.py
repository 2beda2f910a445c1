"""The attacks that a mirror must survive, and what the attacker gets."""

from functools import partial

from tests.e2e.attack import Attack
from tests.e2e.hostile_client import CLOSED, OPEN
from tests.e2e.hostile_moves import (
    accept_headers,
    bodies,
    cut_downloads,
    idle_connections,
    long_header,
    repeated,
    scopes,
    slow_bodies,
    slow_headers,
    slow_readers,
    unknown_content,
)
from tests.e2e.long_runs import LONG

AUTH = "/auth?service={host}"
UPLOAD, MANIFEST = "/v2/{repository}/blobs/uploads/", "/v2/{repository}/manifests/{manifest}"
SLOW_SECONDS = 75.0 if LONG else 20.0
"""Longer than the time that Traefik gives a client to send a request, in a long run."""


def statuses(*answers: int | str) -> frozenset[str]:
    """The answers that an attacker may get."""
    return frozenset(str(answer) for answer in answers)


NO_BODY = statuses(405, 413)
NO_PULL = NO_BODY | statuses(401)
"""The answers to a request with a body; without its body, the registry refuses it as a request without a token."""
TOO_LONG = statuses(400, 414, 431)
BUSY = statuses(429, 503)
"""The answers to a client that exceeds a limit of requests or connections."""
CUT_OFF = statuses(400, 408, CLOSED) if LONG else statuses(400, 408, CLOSED, OPEN)
"""What a client gets that does not complete a request in the time that it has."""
GAVE_UP = statuses(499, 504)
"""Traefik's own answers if it does not get the body of a request in time."""

BODIES = [
    Attack("32 MB of form data to /auth, POST", partial(bodies, method="POST", path=AUTH), NO_BODY | BUSY, quick=True),
    Attack("32 MB of form data to /auth, GET", partial(bodies, method="GET", path=AUTH), NO_BODY | BUSY),
    Attack(
        "32 MB of form data to /auth, chunked", partial(bodies, method="POST", path=AUTH, chunked=True), NO_BODY | BUSY
    ),
    Attack("32 MB of form data to /v2, POST", partial(bodies, method="POST", path=UPLOAD), NO_PULL | BUSY, quick=True),
    Attack("32 MB of form data to /v2, PUT", partial(bodies, method="PUT", path=MANIFEST), NO_PULL | BUSY),
    Attack("32 MB of form data to /v2, GET", partial(bodies, method="GET", path=MANIFEST), NO_PULL | BUSY),
    Attack(
        "32 MB of form data to /v2, chunked", partial(bodies, method="POST", path=UPLOAD, chunked=True), NO_PULL | BUSY
    ),
]
HEADS = [
    Attack(
        "40,000 scopes in one URL", partial(scopes, number=40_000, requests=16), TOO_LONG | BUSY | {CLOSED}, quick=True
    ),
    Attack("1,000 scopes in one URL", partial(scopes, number=1_000, requests=200), TOO_LONG | BUSY),
    Attack("a token of 200 kB", partial(long_header, size=200_000, requests=200), TOO_LONG | BUSY, quick=True),
    Attack("a token of 2 MB", partial(long_header, size=2_000_000, requests=50), TOO_LONG | BUSY | {CLOSED}),
    Attack(
        "distinct Accept headers of 7 kB",
        partial(accept_headers, distinct=20_000 if LONG else 4_000),
        TOO_LONG | BUSY | statuses(200),
        quick=True,
        upstream_requests=100,
    ),
]
FLOODS = [
    Attack(
        "manifests that do not exist, each 20 times",
        partial(unknown_content, kind="manifests", distinct=100, repeats=20),
        BUSY | statuses(404),
        upstream_requests=300,
        quick=True,
    ),
    Attack(
        "layers that do not exist, each 20 times",
        partial(unknown_content, kind="blobs", distinct=100, repeats=20),
        BUSY | statuses(404),
        upstream_requests=300,
    ),
    Attack(
        "tokens as fast as possible",
        partial(repeated, path=AUTH + "&scope=repository:{repository}:pull", seconds=SLOW_SECONDS),
        BUSY | statuses(200),
    ),
    Attack(
        "requests without a token as fast as possible",
        partial(repeated, path=MANIFEST, seconds=SLOW_SECONDS),
        BUSY | statuses(401),
    ),
]
SLOW = [
    Attack(
        "300 readers of one layer at 1 kB/s",
        partial(slow_readers, clients=300, bytes_per_second=1000, seconds=SLOW_SECONDS),
        BUSY | statuses(200),
        quick=True,
    ),
    Attack(
        "1,500 readers of one layer at 1 kB/s",
        partial(slow_readers, clients=1500, bytes_per_second=1000, seconds=SLOW_SECONDS),
        BUSY | statuses(200),
        within=15.0,
    ),
    Attack(
        "1,000 readers of a new layer at 1 kB/s",
        partial(slow_readers, clients=1000, bytes_per_second=1000, seconds=SLOW_SECONDS),
        BUSY | statuses(200),
        within=15.0,
        upstream_requests=2,
        new_layer=True,
        quick=True,
    ),
    Attack(
        "300 clients that do not read the layer they requested",
        partial(slow_readers, clients=300, bytes_per_second=0, seconds=SLOW_SECONDS),
        BUSY | statuses(200),
    ),
    Attack(
        "1,000 downloads that are cut off", partial(cut_downloads, downloads=1000, after=64_000), BUSY | statuses(200)
    ),
    Attack(
        "500 clients that send a line of a request a second",
        partial(slow_headers, clients=500, seconds=SLOW_SECONDS),
        CUT_OFF,
    ),
    Attack(
        "200 clients that send a byte of a body a second",
        partial(slow_bodies, path=UPLOAD, clients=200, seconds=SLOW_SECONDS),
        NO_PULL | BUSY | CUT_OFF | GAVE_UP,
    ),
    Attack(
        "1,000 idle connections",
        partial(idle_connections, clients=1000, seconds=SLOW_SECONDS),
        BUSY | statuses(401, CLOSED, OPEN),
    ),
]
ATTACKS = [*BODIES, *HEADS, *FLOODS, *SLOW]
ANONYMOUS = [*FLOODS[2:], *SLOW[:3]]
"""Those that a limit for each client would stop: also against a mirror that does not know its clients' addresses."""
