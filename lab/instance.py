"""The name and the directories of one instance of the lab."""

import os
import re
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from lab.errors import UsageError

DEFAULT_NAME = "regmirror-lab"


@dataclass(frozen=True)
class Instance:
    """The name of a lab and its directories; two instances share only the build cache.

    `state` contains the data that `down --keep-data` keeps. `run` contains sockets and is short, because the path of a
    Unix socket is limited to 107 bytes.
    """

    name: str
    state: Path
    run: Path
    cache: Path

    @classmethod
    def from_environment(cls, environment: Mapping[str, str] = os.environ) -> "Instance":
        """Reads REGMIRROR_LAB_INSTANCE, ..._STATE and ..._CACHE; raises UsageError if the name is invalid.

        `state` is a subdirectory of the given one with the name of the instance, because `down` removes it.
        """
        name = environment.get("REGMIRROR_LAB_INSTANCE") or DEFAULT_NAME
        if not re.fullmatch(r"[a-z][a-z0-9-]{0,23}", name):
            raise UsageError(
                f"REGMIRROR_LAB_INSTANCE={name!r} is not a valid name: use a letter, then up to 23 of a-z, 0-9 and -"
            )
        home_cache = environment.get("XDG_CACHE_HOME") or Path.home() / ".cache"
        return cls(
            name=name,
            state=Path(environment.get("REGMIRROR_LAB_STATE") or "/var/lib", name).absolute(),
            run=Path("/run", name),
            cache=Path(environment.get("REGMIRROR_LAB_CACHE") or Path(home_cache, DEFAULT_NAME)).absolute(),
        )

    @property
    def programs(self) -> Path:
        """The directory that `run` prepends to PATH."""
        return self.state / "bin"

    @property
    def logs(self) -> Path:
        """The directory with the log file of each process."""
        return self.state / "logs"

    @property
    def lab_info(self) -> Path:
        """lab.json, which describes a running lab to tests and the demo."""
        return self.state / "lab.json"

    @property
    def kubeconfig(self) -> Path:
        """The kubeconfig of the cluster's administrator."""
        return self.state / "kubeconfig"

    @property
    def process_ids(self) -> Path:
        """The directory with a file for each process, which contains its ID."""
        return self.run / "processes"

    @property
    def containerd_socket(self) -> Path:
        """The socket on which containerd serves its own API and the CRI."""
        return self.run / "containerd.sock"
