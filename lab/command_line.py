"""The commands of `python -m lab`."""

import argparse
import signal
import sys
from collections.abc import Sequence
from types import FrameType

from lab import build, enter
from lab import down as stopping
from lab import up as starting
from lab.errors import LabError
from lab.instance import Instance

INTERRUPTED = 130


def main(arguments: Sequence[str] | None = None) -> int:
    """Runs one command; returns its exit code (0 done, 1 failed, 2 cannot run here, 130 interrupted)."""
    parsed = _parser().parse_args(arguments)
    signal.signal(signal.SIGTERM, _interrupt)
    try:
        result: int = parsed.call(Instance.from_environment(), parsed)
    except LabError as error:
        print(f"lab: {error}", file=sys.stderr)
        return error.exit_code
    except KeyboardInterrupt:
        print("lab: interrupted", file=sys.stderr)
        return INTERRUPTED
    return result


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="python -m lab", description="A real one-node Kubernetes, closed off from this machine."
    )
    commands = parser.add_subparsers(required=True, metavar="COMMAND")
    building = commands.add_parser("build", help="build and fetch every program into the cache")
    building.set_defaults(call=_build)
    up = commands.add_parser("up", help="start the lab")
    up.set_defaults(call=_up)
    down = commands.add_parser("down", help="stop the lab and remove every trace of it")
    down.set_defaults(call=_down)
    run = commands.add_parser("run", help="run a command in the lab's network")
    run.add_argument("command", nargs="+", metavar="CMD")
    run.set_defaults(call=_run)
    return parser


def _build(instance: Instance, _: argparse.Namespace) -> int:
    build.build(instance.cache)
    return 0


def _up(instance: Instance, _: argparse.Namespace) -> int:
    starting.up(instance)
    return 0


def _down(instance: Instance, _: argparse.Namespace) -> int:
    stopping.down(instance)
    return 0


def _run(instance: Instance, parsed: argparse.Namespace) -> int:
    enter.become(instance, parsed.command)
    return 0


def _interrupt(_signal: int, _frame: FrameType | None) -> None:
    raise KeyboardInterrupt
