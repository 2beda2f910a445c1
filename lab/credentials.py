"""The secrets of one lab: random, created at the first start, stored in a file that only root can read."""

import json
import os
import secrets
from dataclasses import asdict, dataclass
from pathlib import Path


@dataclass(frozen=True)
class Credentials:
    """The credentials that the parts of the lab use to authenticate to each other."""

    api_token: str
    s3_access_key: str
    s3_secret_key: str
    hub_username: str
    hub_password: str


def prepare(path: Path) -> Credentials:
    """Reads the credentials from `path`, or creates them there with mode 0600."""
    if path.exists():
        return Credentials(**json.loads(path.read_text()))
    made = Credentials(
        api_token=secrets.token_urlsafe(24),
        s3_access_key=f"LAB{secrets.token_hex(8).upper()}",
        s3_secret_key=secrets.token_urlsafe(30),
        hub_username="lab-user",
        hub_password=f"dckr_pat_{secrets.token_urlsafe(20)}",
    )
    write_secret(path, json.dumps(asdict(made)))
    return made


def write_secret(path: Path, content: str) -> None:
    """Writes a file atomically that only its owner can read, at any time."""
    unfinished = path.with_name(f".{path.name}.unfinished")
    unfinished.unlink(missing_ok=True)
    with os.fdopen(os.open(unfinished, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w") as file:
        file.write(content)
    unfinished.rename(path)
