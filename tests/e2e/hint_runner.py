"""Runs the commands in the hint of a failed check."""

import os
import re
import shutil
from urllib.parse import urlsplit

from tests.e2e.deployed_mirror import PROGRAMS, DeployedMirror, run
from tests.e2e.inject import bucket_client

_COMMAND = re.compile(r"\b(?:regmirror|kubectl|aws) [^;,]+")
"""Same as in regmirror/verify/hints.py."""


def commands_in(hint: str) -> list[str]:
    """The commands of a hint, in order."""
    return [found.strip() for found in _COMMAND.findall(hint)]


def run_hint(mirror: DeployedMirror, hint: str) -> None:
    """Run every command of a hint as if it was pasted into a shell, in the directory of the configuration file.

    This directory also contains the tls.crt and tls.key of the commands; a variable resolves the mirror's host.
    """
    certificate, key = mirror.target.certificate, mirror.target.key
    assert certificate
    assert key
    shutil.copy(certificate, mirror.directory / "tls.crt")
    shutil.copy(key, mirror.directory / "tls.key")
    for command in commands_in(hint):
        if command.startswith("aws "):
            _aws(mirror, command.split())
        else:
            _shell(mirror, command)


def _shell(mirror: DeployedMirror, command: str) -> None:
    addresses = [word for word in mirror.target.resolve(mirror.host) if word != "--resolve"]
    environment = mirror.environment | {
        "PATH": f"{PROGRAMS}{os.pathsep}{os.environ['PATH']}",
        "REGMIRROR_RESOLVE": " ".join(addresses),
    }
    done = run(["sh", "-c", command], mirror.directory, environment)
    assert done.code == 0, f"{command}: {done.stderr}"


def _aws(mirror: DeployedMirror, words: list[str]) -> None:
    """The only command of the AWS CLI in hints: ``aws s3 --endpoint-url URL rm s3://BUCKET/KEY``."""
    *before, target = words
    assert before == ["aws", "s3", "--endpoint-url", mirror.environment["S3_ENDPOINT"], "rm"]
    url = urlsplit(target)
    client, key = bucket_client(mirror), url.path.removeprefix("/")
    # Deleting a missing object is not an error in S3, but the hint would be wrong.
    client.head_object(Bucket=url.netloc, Key=key)
    client.delete_object(Bucket=url.netloc, Key=key)
