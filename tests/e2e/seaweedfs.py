"""SeaweedFS on the lab's node, for the duration of a test."""

import json
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from lab import http
from tests.e2e.waiting import wait_until

PORTS = {"s3": 8333, "master": 9433, "volume": 9480, "filer": 9488}
"""Each program also listens on its port plus 10,000."""


@dataclass(frozen=True)
class Seaweedfs:
    """An S3 server and its only user."""

    endpoint: str
    access_key: str = "mirror"
    secret_key: str = "e2e-secret-of-seaweedfs"


@contextmanager
def running(address: str, host: str, directory: Path) -> Iterator[Seaweedfs]:
    """Run it on an address of this machine, which pods know by the name of ``host``."""
    store = Seaweedfs(f"http://{host}:{PORTS['s3']}")
    keys = {"accessKey": store.access_key, "secretKey": store.secret_key}
    user = {"name": "mirror", "credentials": [keys], "actions": ["Admin", "Read", "List", "Write"]}
    users, data = directory / "users.json", directory / "data"
    users.write_text(json.dumps({"identities": [user]}))
    data.mkdir()
    ports = [f"-{program}.port={port}" for program, port in PORTS.items()]
    command = ["weed", "server", f"-ip={address}", f"-ip.bind={address}", f"-dir={data}", "-filer", "-s3", *ports]
    command += [f"-s3.config={users}", "-master.volumeSizeLimitMB=64", "-volume.max=50"]
    with (directory / "log").open("wb") as log, subprocess.Popen(command, stdout=log, stderr=log) as process:
        try:
            wait_until(lambda: http.answers(f"http://{address}:{PORTS['s3']}/healthz"))
            yield store
        finally:
            process.terminate()
