"""Does what the hint of a failed check says, to the letter."""

import os
import re
import shutil
from urllib.parse import urlsplit

from tests.e2e.deployed_mirror import PROGRAMS, Deployment, run
from tests.e2e.harm import bucket_client

_COMMAND = re.compile(r"\b(?:regmirror|kubectl|aws) [^;,]+")
"""As regmirror/verify/hints.py has it."""


def commands_in(hint: str) -> list[str]:
    """The commands of a hint, in their order."""
    return [found.strip() for found in _COMMAND.findall(hint)]


def follow(mirror: Deployment, hint: str) -> None:
    """Run every command of a hint as an operator does who has pasted it, in the directory of the configuration.

    There lies what a command calls tls.crt and tls.key, too; the mirror's host is found without DNS by a variable.
    """
    certificate, key = mirror.setting.certificate, mirror.setting.key
    assert certificate
    assert key
    shutil.copy(certificate, mirror.directory / "tls.crt")
    shutil.copy(key, mirror.directory / "tls.key")
    for command in commands_in(hint):
        if command.startswith("aws "):
            _aws(mirror, command.split())
        else:
            _shell(mirror, command)


def _shell(mirror: Deployment, command: str) -> None:
    addresses = [word for word in mirror.setting.resolve(mirror.host) if word != "--resolve"]
    environment = mirror.environment | {
        "PATH": f"{PROGRAMS}{os.pathsep}{os.environ['PATH']}",
        "REGMIRROR_RESOLVE": " ".join(addresses),
    }
    done = run(["sh", "-c", command], mirror.directory, environment)
    assert done.code == 0, f"{command}: {done.words}"


def _aws(mirror: Deployment, words: list[str]) -> None:
    """As much of AWS' command line as hints ask of it: ``aws s3 --endpoint-url URL rm s3://BUCKET/KEY``."""
    *before, target = words
    assert before == ["aws", "s3", "--endpoint-url", mirror.environment["S3_ENDPOINT"], "rm"]
    url = urlsplit(target)
    client, key = bucket_client(mirror), url.path.removeprefix("/")
    # To delete what is not there is no error to S3, but the hint would be wrong.
    client.head_object(Bucket=url.netloc, Key=key)
    client.delete_object(Bucket=url.netloc, Key=key)
