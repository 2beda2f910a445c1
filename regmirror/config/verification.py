"""The section ``verification`` of the configuration file: CronJobs that check the mirror and renew its key."""

import re
from typing import Annotated, Self

from pydantic import BeforeValidator, Field, WithJsonSchema, model_validator

from regmirror import __version__
from regmirror.config.ca_bundle import CaBundle, CaBundleFile
from regmirror.config.fields import Image
from regmirror.config.pod_settings import PlacementSettings
from regmirror.config.problem import error_at
from regmirror.config.section import Section

_FIELD = r"[0-9A-Za-z*,/?-]+"
_SCHEDULE = re.compile(rf"{_FIELD}( {_FIELD}){{4}}|@(yearly|monthly|weekly|daily|hourly)")


def _schedule(value: object) -> str:
    if not isinstance(value, str) or not _SCHEDULE.fullmatch(value):
        raise ValueError('expected five fields, such as "0 * * * *", or @hourly')
    return value


Schedule = Annotated[
    str, BeforeValidator(_schedule), WithJsonSchema({"type": "string", "pattern": f"^({_SCHEDULE.pattern})$"})
]
"""When a CronJob runs, in the notation of cron; the time zone is that of the cluster, usually UTC."""


class ScheduledRotation(Section):
    """A CronJob that runs ``regmirror rotate-cert``, which does nothing until the signing key is due."""

    schedule: Annotated[
        Schedule,
        Field(
            description="When the job looks whether the key is due, in the notation of cron. A rotation replaces the "
            "pods of docker_auth and of the registries.",
            examples=["30 3 * * *"],
        ),
    ] = "30 3 * * *"


class Verification(PlacementSettings):
    """A CronJob that runs ``regmirror verify`` and publishes the results as metrics."""

    schedule: Annotated[
        Schedule,
        Field(
            description="When the mirror is verified, in the notation of cron, at least once a day. The time zone is "
            "that of the cluster, usually UTC.",
            examples=["*/15 * * * *"],
        ),
    ] = "0 * * * *"
    image: Annotated[Image, Field(description="Image of regmirror of the version that deploys the mirror.")] = (
        f"ghcr.io/regmirror-kube/regmirror:{__version__}"
    )
    rotation: Annotated[
        ScheduledRotation | None,
        Field(
            description="Replace the signing key when it is due, with a second CronJob. Its ServiceAccount is as good "
            "as administrator of the namespace. Default: rotate by hand."
        ),
    ] = None
    ca_bundle: Annotated[
        CaBundle | None,
        Field(
            description="Certificates of the private CA of the public hosts, in a ConfigMap or Secret of the mirror's "
            "namespace. Not needed with ingress.selfSigned.",
            examples=[{"configMap": {"name": "company-ca", "key": "ca.crt"}}],
        ),
    ] = None

    @model_validator(mode="after")
    def _check_bundle(self) -> Self:
        if isinstance(self.ca_bundle, CaBundleFile):
            raise error_at(("caBundle",), "pods cannot read a file of this machine: name a ConfigMap or a Secret")
        return self
