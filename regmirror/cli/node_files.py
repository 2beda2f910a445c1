"""``regmirror client-config containerd --daemonset``: prints the manifests that write the files on every node."""

from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path

import yaml

from regmirror.cli.client_files import find_authority
from regmirror.cli.options import Format
from regmirror.cli.terminal import Terminal
from regmirror.client_config.daemon_set import daemon_set_manifests
from regmirror.client_config.setup import ClientOptions
from regmirror.ports.connections import Connections
from regmirror.verify.nodes.targets import find_targets

_AFTERWARDS = "Then find the nodes that do not use the mirror yet: regmirror verify --nodes"


def print_daemon_set(
    streams: Terminal,
    connections: Connections,
    registries: Mapping[str, str],
    options: ClientOptions,
    ca_file: Path | None,
) -> None:
    """Print the manifests; raises ConfigurationError if no repository of a mirror is known to be allowed."""
    mirror = connections.mirror
    repositories = {target.mirror: target.repository for target in find_targets(mirror, registries, None)}
    options = replace(options, ca_pem=find_authority(connections, ca_file).pem)
    manifests = daemon_set_manifests(options, repositories, mirror.fetcher.image)
    if streams.output is Format.JSON:
        streams.document({"apiVersion": "v1", "kind": "List", "items": list(manifests)})
    else:
        streams.result(yaml.safe_dump_all(manifests, sort_keys=False, width=2**31).rstrip())
    streams.info(_AFTERWARDS)
