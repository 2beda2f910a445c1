"""The cluster on which the demo and the end-to-end tests run: that of the lab, or another one."""

import json
import os
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from lab.errors import LabError

S3_VARIABLES = ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY", "S3_REGION", "S3_ENDPOINT", "S3_BUCKET")


@dataclass(frozen=True)
class TargetCluster:
    """A cluster, an S3 service and an upstream, with the environment and options that make regmirror use them.

    `environment` contains the variables for regmirror, including secrets; `init_options` are further options of
    `regmirror init`. `address` is the address of the Ingress controller, or empty if DNS resolves the host.
    """

    context: str
    domain: str
    environment: dict[str, str] = field(repr=False)
    init_options: list[str]
    allowed_image: str
    refused_image: str
    address: str = ""
    authority: Path | None = None
    certificate: Path | None = None
    key: Path | None = None
    lab: dict[str, Any] | None = field(default=None, repr=False)
    """The content of lab.json; None on another cluster."""

    @property
    def is_lab(self) -> bool:
        """Whether the cluster is that of the lab, with its stand-ins, where tests may break everything."""
        return self.lab is not None

    def resolve(self, host: str) -> list[str]:
        """The options by which regmirror reaches a host that DNS does not know."""
        if not self.address:
            return []
        return ["--resolve", f"{host}:443:{self.address}", "--resolve", f"{host}:80:{self.address}"]


def find(environ: Mapping[str, str] = os.environ) -> TargetCluster:
    """The cluster that the environment describes; raises LabError with what is missing."""
    if environ.get("CONTEXT"):
        return of_context(environ)
    if environ.get("REGMIRROR_LAB"):
        return of_lab(Path(environ["REGMIRROR_LAB"]))
    missing = environ.get(
        "REGMIRROR_LAB_MISSING", "this process does not run in the lab's network: start it with `python -m lab run`"
    )
    raise LabError(f"{missing}. To use your own cluster, set CONTEXT=NAME (see docs/contributing/lab.md)")


def of_lab(lab_info: Path) -> TargetCluster:
    """The lab's cluster, as described by its lab.json."""
    lab = json.loads(lab_info.read_text())
    images, hub, s3 = lab["images"], lab["hub"], lab["s3"]
    return TargetCluster(
        context=lab["context"],
        domain=lab["hosts"]["mirror"].partition(".")[2],
        environment={
            "AWS_ACCESS_KEY_ID": s3["access_key"],
            "AWS_SECRET_ACCESS_KEY": s3["secret_key"],
            "S3_REGION": s3["region"],
            "S3_ENDPOINT": s3["endpoint"],
            "DOCKERHUB_USERNAME": hub["username"],
            "DOCKERHUB_ACCESS_TOKEN": hub["password"],
            "DOCKERHUB_ALLOWED": "library,acme",
        },
        init_options=[
            f"--upstream={hub['url']}",
            "--upstream-name=docker-hub",
            # The network of the lab has no link to any other.
            "--insecure",
            f"--ingress-class={lab['ingress_class']}",
            f"--registry-image={images['registry']}",
            f"--auth-image={images['auth']}",
            f"--redis-image={images['redis']}",
            f"--front-image={images['nginx']}",
            f"--fetcher-image={images['python']}",
        ],
        allowed_image="library/demo:1",
        refused_image="outside/forbidden:1",
        address=lab["address"],
        authority=Path(lab["certificate_authority"]),
        certificate=Path(lab["tls"]["certificate"]),
        key=Path(lab["tls"]["key"]),
        lab=lab,
    )


def of_context(environ: Mapping[str, str]) -> TargetCluster:
    """The user's own cluster, from variables (see docs/contributing/lab.md); raises LabError if one is missing."""
    missing = [name for name in ("MIRROR_DOMAIN", *S3_VARIABLES) if name not in environ]
    if missing:
        raise LabError(f"CONTEXT also requires these variables: {', '.join(missing)}")
    kept = [*S3_VARIABLES, "DOCKERHUB_USERNAME", "DOCKERHUB_ACCESS_TOKEN"]
    options = [f"--ingress-class={environ['INGRESS_CLASS']}"] if environ.get("INGRESS_CLASS") else []
    return TargetCluster(
        context=environ["CONTEXT"],
        domain=environ["MIRROR_DOMAIN"],
        environment={name: environ[name] for name in kept if environ.get(name)} | {"DOCKERHUB_ALLOWED": "library"},
        init_options=options,
        allowed_image="library/busybox:1",
        refused_image="grafana/grafana:latest",
        address=environ.get("INGRESS_ADDRESS", ""),
        authority=_path(environ, "CA_FILE"),
        certificate=_path(environ, "TLS_CERTIFICATE"),
        key=_path(environ, "TLS_KEY"),
    )


def _path(environ: Mapping[str, str], name: str) -> Path | None:
    return Path(environ[name]) if environ.get(name) else None
