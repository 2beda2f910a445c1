"""The environment of the measurements: the lab, a directory for files, and the variables of an operator."""

import json
import os
import secrets
import sys
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from lab import commands
from lab.target_cluster import TargetCluster

REGMIRROR = str(Path(sys.executable).parent / "regmirror")


@dataclass(frozen=True)
class Environment:
    """The lab's cluster, and a temporary directory."""

    target: TargetCluster
    directory: Path
    names: set[str] = field(default_factory=set)

    @property
    def lab(self) -> dict[str, Any]:
        """The content of lab.json."""
        assert self.target.lab is not None  # noqa: S101 - __main__ starts the lab
        return self.target.lab

    def namespace(self, purpose: str) -> str:
        """Create a namespace with the certificate of its host; returns its name."""
        name = f"bench-{purpose}-{secrets.token_hex(3)}"
        (self.directory / name).mkdir()
        self.kubectl("create", "namespace", name)
        pair = [f"--cert={self.target.certificate}", f"--key={self.target.key}"]
        self.kubectl("-n", name, "create", "secret", "tls", "regmirror-tls", *pair)
        self.names.add(name)
        return name

    def remove(self, namespace: str) -> None:
        """Delete a namespace without a grace period, so that stopping pods do not affect the next measurement."""
        now = ["--grace-period=0", "--force", "--wait=false"]
        self.kubectl("-n", namespace, "delete", "deployments,pods", "--all", *now)
        self.kubectl("delete", "namespace", namespace)
        self.names.discard(namespace)

    def remove_all(self) -> None:
        """Delete all namespaces that were created and not removed yet."""
        for namespace in sorted(self.names):
            self.remove(namespace)

    def host(self, namespace: str) -> str:
        """The public host of a namespace."""
        return f"{namespace}.{self.target.domain}"

    def kubectl(self, *words: str, stdin: str | None = None) -> str:
        """Standard output of a kubectl command; raises LabError."""
        return self.run(["kubectl", "--context", self.target.context, *words], stdin=stdin)

    def apply(self, *manifests: dict[str, Any]) -> None:
        """Apply objects to the cluster."""
        self.kubectl("apply", "-f", "-", stdin=json.dumps({"apiVersion": "v1", "kind": "List", "items": manifests}))

    def run(self, words: Sequence[str], namespace: str = "", stdin: str | None = None) -> str:
        """Standard output of a program that runs with the variables of a namespace; raises LabError."""
        return commands.output_of(
            words,
            purpose="the measurement",
            directory=self.directory / namespace,
            environment=os.environ | self._environment(namespace),
            standard_input=stdin.encode() if stdin is not None else None,
        )

    def _environment(self, namespace: str) -> dict[str, str]:
        return self.target.environment | {
            "REGMIRROR_CONTEXT": self.target.context,
            "REGMIRROR_NAMESPACE": namespace,
            "REGMIRROR_CA_FILE": str(self.target.authority),
            "SSL_CERT_FILE": str(self.target.authority),
            "S3_BUCKET": namespace,
        }
