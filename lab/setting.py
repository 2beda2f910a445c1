"""What a demonstration or an end-to-end test needs to know of the cluster that it runs on: the lab's, or another."""

import json
import os
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from lab.errors import LabError

S3_VARIABLES = ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY", "S3_REGION", "S3_ENDPOINT", "S3_BUCKET")


@dataclass(frozen=True)
class Setting:
    """A cluster, an S3 service and an upstream, and how regmirror is told of them.

    `environment` are the variables of regmirror and its user, secrets included; `init_options` what `regmirror init`
    is given beside them. `address` is where the Ingress answers; empty where DNS knows the host.
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
    """The lab's record; None on another cluster."""

    @property
    def is_lab(self) -> bool:
        """Whether the cluster is the lab's, where the stand-ins are and everything may be broken."""
        return self.lab is not None

    def resolve(self, host: str) -> list[str]:
        """The options by which regmirror reaches a host that DNS does not know."""
        if not self.address:
            return []
        return ["--resolve", f"{host}:443:{self.address}", "--resolve", f"{host}:80:{self.address}"]


def find(environ: Mapping[str, str] = os.environ) -> Setting:
    """The setting that the environment describes; raises LabError that says what is missing."""
    if environ.get("CONTEXT"):
        return of_context(environ)
    if environ.get("REGMIRROR_LAB"):
        return of_lab(Path(environ["REGMIRROR_LAB"]))
    missing = environ.get(
        "REGMIRROR_LAB_MISSING", "Nothing runs in the lab's network: start it by `python -m lab run`."
    )
    raise LabError(f"{missing} Or name a cluster of yours by CONTEXT=NAME (see docs/lab.md).")


def of_lab(record: Path) -> Setting:
    """The lab's setting, from the record that `lab up` writes."""
    lab = json.loads(record.read_text())
    images, hub, s3 = lab["images"], lab["hub"], lab["s3"]
    return Setting(
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
            f"--ingress-class={lab['ingress_class']}",
            f"--registry-image={images['registry']}",
            f"--auth-image={images['auth']}",
            f"--redis-image={images['redis']}",
            f"--manifest-cache-image={images['nginx']}",
        ],
        allowed_image="library/demo:1",
        refused_image="outside/forbidden:1",
        address=lab["address"],
        authority=Path(lab["certificate_authority"]),
        certificate=Path(lab["tls"]["certificate"]),
        key=Path(lab["tls"]["key"]),
        lab=lab,
    )


def of_context(environ: Mapping[str, str]) -> Setting:
    """A cluster of the user's own, described by variables (docs/lab.md lists them); raises LabError."""
    missing = [name for name in ("MIRROR_DOMAIN", *S3_VARIABLES) if name not in environ]
    if missing:
        raise LabError(f"With CONTEXT, these variables are needed too: {', '.join(missing)}.")
    kept = [*S3_VARIABLES, "DOCKERHUB_USERNAME", "DOCKERHUB_ACCESS_TOKEN"]
    options = [f"--ingress-class={environ['INGRESS_CLASS']}"] if environ.get("INGRESS_CLASS") else []
    return Setting(
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
