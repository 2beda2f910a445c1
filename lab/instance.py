"""Where one instance of the lab keeps its files, and the names it goes by."""

import os
import re
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from lab.errors import UsageError

DEFAULT_NAME = "regmirror-lab"


@dataclass(frozen=True)
class Instance:
    """The name of a lab and its directories; two instances share the build cache and nothing else.

    `state` is for what `down --keep-data` keeps. `run` is for sockets: it is short because the path of a Unix socket
    must not exceed 107 bytes.
    """

    name: str
    state: Path
    run: Path
    cache: Path

    @classmethod
    def from_environment(cls, environment: Mapping[str, str] = os.environ) -> "Instance":
        """Reads REGMIRROR_LAB_INSTANCE, ..._STATE and ..._CACHE; raises UsageError on a bad name.

        The state is a directory of the instance's name *in* the given one, because `down` removes it.
        """
        name = environment.get("REGMIRROR_LAB_INSTANCE") or DEFAULT_NAME
        if not re.fullmatch(r"[a-z][a-z0-9-]{0,23}", name):
            raise UsageError(
                f"REGMIRROR_LAB_INSTANCE={name!r} is no name for a lab: a letter, then up to 23 of a-z, 0-9 and -."
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
        """The directory that `run` puts first in PATH."""
        return self.state / "bin"

    @property
    def logs(self) -> Path:
        """One file for each of the lab's processes."""
        return self.state / "logs"

    @property
    def record(self) -> Path:
        """lab.json: what tests and the demo need to know of a running lab."""
        return self.state / "lab.json"

    @property
    def kubeconfig(self) -> Path:
        """The kubeconfig of the cluster's administrator."""
        return self.state / "kubeconfig"

    @property
    def process_ids(self) -> Path:
        """One file for each of the lab's processes, with its id."""
        return self.run / "processes"

    @property
    def containerd_socket(self) -> Path:
        """The socket that containerd serves its own API and the kubelet's CRI on."""
        return self.run / "containerd.sock"
