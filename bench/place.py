"""Where the measurements run: the lab, with a directory for files and the variables of an operator."""

import json
import os
import secrets
import sys
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from lab import commands
from lab.setting import Setting

REGMIRROR = str(Path(sys.executable).parent / "regmirror")


@dataclass(frozen=True)
class Place:
    """The lab's setting, and a directory that is gone after the measurements."""

    setting: Setting
    directory: Path
    names: set[str] = field(default_factory=set)

    @property
    def lab(self) -> dict[str, Any]:
        """The lab's record."""
        assert self.setting.lab is not None  # noqa: S101 - __main__ sees to it
        return self.setting.lab

    def namespace(self, purpose: str) -> str:
        """A new namespace with the certificate of the host in it, as the owner of the host brings it."""
        name = f"bench-{purpose}-{secrets.token_hex(3)}"
        (self.directory / name).mkdir()
        self.kubectl("create", "namespace", name)
        pair = [f"--cert={self.setting.certificate}", f"--key={self.setting.key}"]
        self.kubectl("-n", name, "create", "secret", "tls", "regmirror-tls", *pair)
        self.names.add(name)
        return name

    def remove(self, namespace: str) -> None:
        """Take a namespace away at once: what ends slowly would take time from the next measurement."""
        now = ["--grace-period=0", "--force", "--wait=false"]
        self.kubectl("-n", namespace, "delete", "deployments,pods", "--all", *now)
        self.kubectl("delete", "namespace", namespace)
        self.names.discard(namespace)

    def host(self, namespace: str) -> str:
        """The public host of what is deployed in a namespace."""
        return f"{namespace}.{self.setting.domain}"

    def kubectl(self, *words: str, stdin: str | None = None) -> str:
        """Standard output of a kubectl command; raises LabError."""
        return self.run(["kubectl", "--context", self.setting.context, *words], stdin=stdin)

    def apply(self, *manifests: dict[str, Any]) -> None:
        """Bring objects to the cluster."""
        self.kubectl("apply", "-f", "-", stdin=json.dumps({"apiVersion": "v1", "kind": "List", "items": manifests}))

    def run(self, words: Sequence[str], namespace: str = "", stdin: str | None = None) -> str:
        """Standard output of a program that is run as an operator of a namespace runs it; raises LabError."""
        return commands.output_of(
            words,
            purpose="bench",
            directory=self.directory / namespace,
            environment=os.environ | self._environment(namespace),
            standard_input=stdin.encode() if stdin is not None else None,
        )

    def _environment(self, namespace: str) -> dict[str, str]:
        return self.setting.environment | {
            "REGMIRROR_CONTEXT": self.setting.context,
            "REGMIRROR_NAMESPACE": namespace,
            "REGMIRROR_CA_FILE": str(self.setting.authority),
            "SSL_CERT_FILE": str(self.setting.authority),
            "S3_BUCKET": namespace,
        }
