"""The lab's cluster while it starts, and requests to its API server as the administrator."""

import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from lab import addresses, http, steps
from lab.certificates import Certificates
from lab.credentials import Credentials, write_secret
from lab.errors import LabError
from lab.instance import Instance
from lab.processes import Processes

CREATED, CONFLICT = 201, 409


@dataclass(frozen=True)
class Cluster:
    """A lab that is starting: its files, its secrets and its processes."""

    instance: Instance
    certificates: Certificates
    credentials: Credentials
    processes: Processes

    def get(self, path: str) -> Mapping[str, Any] | None:
        """The JSON object at `path` of the API server, or None if the status is not 200."""
        status, content = self._request(path)
        return json.loads(content) if status == http.OK else None

    def healthy(self, path: str) -> bool:
        """Whether `path` of the API server answers 200."""
        return self._request(path)[0] == http.OK

    def wait_until(self, what: str, ready: Callable[[], bool]) -> None:
        """Returns when `ready()`; raises LabError, which says `what` it waited for, if that takes too long."""
        steps.until(ready, what, seconds=60, stopped=self.processes.stopped)

    def create(self, path: str, manifest: Mapping[str, Any] | bytes) -> None:
        """Creates an object in the collection at `path`, unless it exists; bytes are YAML. Raises LabError."""
        status, content = self._request(path, body=manifest)
        if status not in (CREATED, CONFLICT):
            raise LabError(f"cannot create an object in {path}: {status} {content.decode(errors='replace')}")

    def write_kubeconfig(self) -> None:
        """Writes the administrator's kubeconfig as JSON, which is valid YAML."""
        name = self.instance.name
        cluster = {"server": addresses.API_SERVER, "certificate-authority": str(self.certificates.authority)}
        kubeconfig = {
            "apiVersion": "v1",
            "kind": "Config",
            "current-context": name,
            "clusters": [{"name": name, "cluster": cluster}],
            "contexts": [{"name": name, "context": {"cluster": name, "user": name}}],
            "users": [{"name": name, "user": {"token": self.credentials.api_token}}],
        }
        write_secret(self.instance.kubeconfig, json.dumps(kubeconfig, indent=1))

    def _request(self, path: str, body: Any = None) -> tuple[int, bytes]:
        headers = {"Authorization": f"Bearer {self.credentials.api_token}"}
        authority = self.certificates.authority
        return http.request(f"{addresses.API_SERVER}{path}", body=body, headers=headers, authority=authority)
