"""The commands of `python -m lab`."""

import argparse
import os
import sys
from collections.abc import Sequence

from lab import build, interrupts, locks, progress, requirements, status
from lab import down as stopping
from lab import run as running
from lab import up as starting
from lab.errors import CannotRunHereError, LabError, UsageError
from lab.instance import Instance

INTERRUPTED = 130
DESCRIPTION = (
    "Run a real one-node Kubernetes with an Ingress controller, an S3 server and a stand-in for Docker Hub, "
    "isolated from this host."
)
EXIT_CODES = (
    "Exits with 0 on success, 1 on failure, 2 on wrong usage or if this machine cannot run the lab, 130 if "
    "interrupted; `run` exits with the code of its command."
)


def main(arguments: Sequence[str] | None = None) -> int:
    """Runs one command and returns its exit code; prints each failure as one message on stderr."""
    words = list(sys.argv[1:] if arguments is None else arguments)
    # The arguments after the first "--" belong to another program.
    end = words.index("--") if "--" in words else len(words)
    parsed = _parser().parse_args(words[:end])
    parsed.command = words[end + 1 :]
    try:
        with interrupts.handled_by(dict.fromkeys(interrupts.SIGNALS, interrupts.raise_interrupt)):
            return _perform(parsed)
    except KeyboardInterrupt:
        progress.say("lab: interrupted")
        return INTERRUPTED


def _perform(parsed: argparse.Namespace) -> int:
    try:
        code: int = parsed.call(Instance.from_environment(), parsed)
    except LabError as error:
        progress.say(f"lab: {error}")
        return error.exit_code
    except OSError as error:
        progress.say(f"lab: {error.filename or 'system call failed'}: {error.strerror}")
        return LabError.exit_code
    return code


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m lab", description=DESCRIPTION, epilog=EXIT_CODES)
    commands = parser.add_subparsers(required=True, metavar="COMMAND")
    commands.add_parser("build", help="build and download all programs into the build cache").set_defaults(call=_build)
    commands.add_parser("up", help="start the lab; build missing programs first").set_defaults(call=_up)
    down = commands.add_parser("down", help="stop the lab and remove everything but the build cache")
    down.add_argument("--keep-data", action="store_true", help="keep the cluster, images and buckets for the next `up`")
    down.set_defaults(call=_down)
    shown = commands.add_parser("status", help="show the processes, versions and addresses of the lab")
    shown.add_argument("-o", "--output", choices=("text", "json"), default="text", help="output format")
    shown.set_defaults(call=_status)
    _add_run(commands.add_parser("run", help="run a command in the lab's network"))
    commands.add_parser("clean", help="stop the lab and remove the build cache").set_defaults(call=_clean)
    return parser


def _add_run(run: argparse.ArgumentParser) -> None:
    run.add_argument("--up", action="store_true", help="start the lab if it is not running, and stop it afterwards")
    run.add_argument("--keep", action="store_true", help="with --up: keep the lab running")
    run.add_argument(
        "--if-possible",
        action="store_true",
        help="with --up: if the lab cannot run here, run CMD without it and set REGMIRROR_LAB_MISSING to the reason",
    )
    run.usage = "python -m lab run [--up [--keep] [--if-possible]] -- CMD [ARGUMENT ...]"
    run.set_defaults(call=_run)


def _build(instance: Instance, _: argparse.Namespace) -> int:
    requirements.check_machine()
    build.build(instance.cache)
    return 0


def _up(instance: Instance, _: argparse.Namespace) -> int:
    if not starting.up(instance):
        progress.say(f"lab {instance.name} is already running")
    print(status.as_text(status.collect(instance)))
    return 0


def _down(instance: Instance, parsed: argparse.Namespace) -> int:
    requirements.check_machine()
    with locks.held(locks.MACHINE, "is starting or stopping a lab"):
        stopping.down(instance, keep_data=parsed.keep_data)
    return 0


def _status(instance: Instance, parsed: argparse.Namespace) -> int:
    requirements.check_machine()
    found = status.collect(instance)
    print(status.as_json(found) if parsed.output == "json" else status.as_text(found))
    return 0


def _clean(instance: Instance, parsed: argparse.Namespace) -> int:
    parsed.keep_data = False
    _down(instance, parsed)
    build.clean(instance.cache)
    return 0


def _run(instance: Instance, parsed: argparse.Namespace) -> int:
    if not parsed.command:
        raise UsageError("run: missing command after --; for example: python -m lab run -- kubectl get pods")
    if not parsed.up and (parsed.keep or parsed.if_possible):
        raise UsageError("run: --keep and --if-possible require --up")
    if not parsed.up:
        requirements.check_machine()
        running.exec_command(running.lab_command(instance, parsed.command), running.environment(instance))
    try:
        started = starting.up(instance)
    except CannotRunHereError as error:
        if not parsed.if_possible:
            raise
        progress.say(f"lab: {error}; continuing without the lab")
        running.exec_command(parsed.command, {**os.environ, "REGMIRROR_LAB_MISSING": str(error)})
    return _run_and_stop(instance, parsed, started=started)


def _run_and_stop(instance: Instance, parsed: argparse.Namespace, *, started: bool) -> int:
    try:
        return running.run_and_wait(instance, parsed.command)
    finally:
        if started and not parsed.keep:
            with interrupts.ignored():
                _down(instance, argparse.Namespace(keep_data=False))
