"""A bare registry on a local disk: no authentication, no TLS, no cluster."""

import json
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from lab import http

ADDRESS = "127.0.0.1:5600"


@contextmanager
def serving(directory: Path) -> Iterator[str]:
    """Runs the registry for the duration of the block; yields its address."""
    directory.mkdir()
    file = directory / "config.json"
    storage = {"filesystem": {"rootdirectory": str(directory / "data")}}
    file.write_text(json.dumps({"version": 0.1, "storage": storage, "http": {"addr": ADDRESS}}))
    words = ["registry", "serve", str(file)]
    with (
        (directory / "log").open("wb") as log,
        subprocess.Popen(words, stdout=log, stderr=log) as process,
    ):
        try:
            while not http.answers(f"http://{ADDRESS}/v2/"):
                time.sleep(0.1)
                if process.poll() is not None:
                    raise RuntimeError(f"the bare registry exited; see {directory / 'log'}")
            yield ADDRESS
        finally:
            process.terminate()
