"""The commands of `python -m lab`."""

import argparse
import os
import sys
from collections.abc import Sequence

from lab import build, enter, interrupts, locks, progress, requirements, status
from lab import down as stopping
from lab import up as starting
from lab.errors import CannotRunHereError, LabError, UsageError
from lab.instance import Instance

INTERRUPTED = 130
DESCRIPTION = (
    "A real one-node Kubernetes with S3, Docker Hub (a stand-in) and an Ingress, closed off from this machine."
)
EXIT_CODES = "Exit codes: 0 done, 1 failed, 2 wrong usage or a machine that cannot run the lab, 130 interrupted."


def main(arguments: Sequence[str] | None = None) -> int:
    """Runs one command and returns its exit code; whatever goes wrong is one message on stderr."""
    words = list(sys.argv[1:] if arguments is None else arguments)
    # What is after the first "--" is another program's and none of argparse's business.
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
        progress.say(f"lab: {error.filename or 'the operating system'}: {error.strerror}")
        return LabError.exit_code
    return code


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m lab", description=DESCRIPTION, epilog=EXIT_CODES)
    commands = parser.add_subparsers(required=True, metavar="COMMAND")
    commands.add_parser("build", help="build and fetch every program into the cache").set_defaults(call=_build)
    commands.add_parser("up", help="start the lab, building what is missing").set_defaults(call=_up)
    down = commands.add_parser("down", help="stop the lab and remove every trace of it but the build cache")
    down.add_argument("--keep-data", action="store_true", help="the next `up` has the same cluster, images and buckets")
    down.set_defaults(call=_down)
    shown = commands.add_parser("status", help="say what runs and how to reach it")
    shown.add_argument("-o", "--output", choices=("text", "json"), default="text")
    shown.set_defaults(call=_status)
    _add_run(commands.add_parser("run", help="run a command in the lab's network: run [OPTIONS] -- CMD"))
    commands.add_parser("clean", help="`down`, and remove the build cache").set_defaults(call=_clean)
    return parser


def _add_run(run: argparse.ArgumentParser) -> None:
    run.add_argument("--up", action="store_true", help="start the lab if it is not up, and stop it afterwards")
    run.add_argument("--keep", action="store_true", help="with --up: leave the lab running")
    run.add_argument(
        "--if-possible",
        action="store_true",
        help="with --up: where the lab cannot run, run CMD without it and with REGMIRROR_LAB_MISSING=REASON",
    )
    run.usage = "python -m lab run [--up [--keep] [--if-possible]] -- CMD [ARGUMENT ...]"
    run.set_defaults(call=_run)


def _build(instance: Instance, _: argparse.Namespace) -> int:
    requirements.check_machine()
    build.build(instance.cache)
    return 0


def _up(instance: Instance, _: argparse.Namespace) -> int:
    if not starting.up(instance):
        progress.say(f"The lab {instance.name} is up already.")
    print(status.as_text(status.collect(instance)))
    return 0


def _down(instance: Instance, parsed: argparse.Namespace) -> int:
    requirements.check_machine()
    with locks.held(locks.MACHINE, "starts or stops a lab"):
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
        raise UsageError("run: give the command after two hyphens, such as `python -m lab run -- kubectl get pods`.")
    if not parsed.up and (parsed.keep or parsed.if_possible):
        raise UsageError("run: --keep and --if-possible go with --up.")
    if not parsed.up:
        requirements.check_machine()
        enter.become(enter.words(instance, parsed.command), enter.environment(instance))
    try:
        started = starting.up(instance)
    except CannotRunHereError as error:
        if not parsed.if_possible:
            raise
        progress.say(f"lab: {error} Going on without the lab.")
        enter.become(parsed.command, {**os.environ, "REGMIRROR_LAB_MISSING": str(error)})
    return _run_and_stop(instance, parsed, started=started)


def _run_and_stop(instance: Instance, parsed: argparse.Namespace, *, started: bool) -> int:
    try:
        return enter.run_to_the_end(instance, parsed.command)
    finally:
        if started and not parsed.keep:
            with interrupts.held_off():
                _down(instance, argparse.Namespace(keep_data=False))
