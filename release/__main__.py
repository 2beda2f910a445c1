"""`python -m release`: builds the artifacts of a release."""

import argparse
import os
import sys
from collections.abc import Sequence
from pathlib import Path

from lab.errors import LabError
from lab.instance import Instance
from release import build, image
from release.distributions import ROOT
from release.errors import ReleaseError


def main() -> int:
    """Runs one command; exits with 0 on success, 1 on failure, 2 on wrong usage."""
    parsed = _parser().parse_args()
    try:
        if parsed.command == "build":
            build.build(parsed.directory, parsed.signing_key, allow_uncommitted=parsed.allow_uncommitted)
            _show(sorted(parsed.directory.iterdir()))
        else:
            image.write_with_new_helm(parsed.artifacts, Instance.from_environment().cache, parsed.file)
            _show([parsed.file])
    except (ReleaseError, LabError) as error:
        sys.stderr.write(f"release: {error}\n")
        return 1
    return 0


def _show(written: Sequence[Path]) -> None:
    sys.stdout.writelines(f"{file.stat().st_size:>12,}  {os.path.relpath(file)}\n" for file in written)


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m release", description="Build the artifacts of a release.")
    commands = parser.add_subparsers(dest="command", required=True, metavar="COMMAND")
    built = commands.add_parser("build", help="build packages, constraints, charts, bills of materials and checksums")
    built.add_argument("--directory", type=Path, default=ROOT / "dist", help="replace this directory; default: dist")
    built.add_argument("--signing-key", type=Path, metavar="FILE", help="sign SHA256SUMS with this key of OpenSSH")
    built.add_argument("--allow-uncommitted", action="store_true", help="build although files differ from the commit")
    made = commands.add_parser("image", help="build the image from this machine's Python, as the lab does")
    made.add_argument("--artifacts", type=Path, default=ROOT / "dist", help="the directory of `build`; default: dist")
    made.add_argument("--file", type=Path, default=ROOT / "build" / "image.oci.tar", help="write this OCI layout")
    return parser


if __name__ == "__main__":
    sys.exit(main())
