"""The secrets of one lab: made at random when it first comes up, kept in a file that only root reads."""

import json
import os
import secrets
from dataclasses import asdict, dataclass
from pathlib import Path


@dataclass(frozen=True)
class Credentials:
    """What the lab's parts know each other by."""

    api_token: str
    s3_access_key: str
    s3_secret_key: str
    hub_username: str
    hub_password: str


def prepare(path: Path) -> Credentials:
    """Reads the credentials from `path`, or makes them and writes them there with mode 0600."""
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
    """Writes a file that is never readable for anybody but its owner, not even while it is written."""
    unfinished = path.with_name(f".{path.name}.unfinished")
    unfinished.unlink(missing_ok=True)
    with os.fdopen(os.open(unfinished, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w") as file:
        file.write(content)
    unfinished.rename(path)
