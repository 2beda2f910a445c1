"""How large the measurements are."""

from dataclasses import dataclass


@dataclass(frozen=True)
class Herd:
    """How many clients pull one layer at once, in how many rounds."""

    clients: int
    rounds: int
    with_bare: bool = True


@dataclass(frozen=True)
class Sizes:
    """Bytes of a layer, bytes per second of the upstream's line, and numbers of clients and rounds."""

    layer: int = 100_000_000
    cold_layer: int = 40_000_000
    line: int = 50_000_000
    # A bare registry downloads the layer once for each client: 100 of them take 200 s by the speed of the line.
    herds: tuple[Herd, ...] = (Herd(8, 3), Herd(32, 1), Herd(100, 3, with_bare=False))
    warm: tuple[int, ...] = (1, 8, 64)
    manifest_clients: int = 8
    new_tag_clients: int = 200
    missing_clients: int = 32
    images: int = 20
    base: int = 10_000_000
    own: int = 2_000_000
    slow_clients: int = 100
    slow_speed: int = 100_000
    slow_seconds: float = 30.0
    rounds: int = 3
    command_rounds: int = 5
    overhead_rounds: int = 40
    overhead_seconds: float = 1.0
    seconds: float = 2.0


FULL = Sizes()
QUICK = Sizes(
    layer=4_000_000,
    cold_layer=4_000_000,
    line=20_000_000,
    herds=(Herd(4, 1),),
    warm=(1,),
    new_tag_clients=10,
    missing_clients=4,
    images=3,
    base=500_000,
    own=100_000,
    slow_clients=8,
    slow_seconds=3.0,
    rounds=1,
    command_rounds=1,
    overhead_rounds=1,
    overhead_seconds=0.3,
    seconds=0.3,
)
"""Enough to see that a measurement works; its figures mean nothing."""
