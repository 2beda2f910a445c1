"""The section ``storage.filesystem``: cached blobs and manifests on a volume, for clusters without an S3 store."""

from typing import Annotated, Literal, Self

from pydantic import AfterValidator, Field, model_validator

from regmirror.config.kubernetes_fields import ObjectName, Quantity, quantity_value
from regmirror.config.problem import error_at
from regmirror.config.section import Section

_SMALLEST = 2**20
"""Bytes. Less is a number without its unit."""


def _volume_size(size: str | int | float) -> str | int | float:
    if quantity_value(size) <= 0:
        raise ValueError("must be larger than 0")
    if quantity_value(size) < _SMALLEST:
        raise ValueError(f"{size} is less than 1Mi: write a unit, such as 100Gi")
    return size


VolumeSize = Annotated[Quantity, AfterValidator(_volume_size)]
AccessMode = Literal["ReadWriteOnce", "ReadWriteMany"]


class Filesystem(Section):
    """A volume that stores cached blobs and manifests."""

    size: Annotated[
        VolumeSize | None,
        Field(
            description="Size of the volume of each upstream. It can grow if its StorageClass allows that.",
            examples=["100Gi"],
        ),
    ] = None
    storage_class: Annotated[
        ObjectName | None,
        Field(
            description="StorageClass of the volumes. Default: the default StorageClass of the cluster.",
            examples=["local-path"],
        ),
    ] = None
    access_mode: Annotated[
        AccessMode,
        Field(
            description="Access mode of the volumes. More than one replica requires ReadWriteMany; with ReadWriteOnce, "
            "all pods that use a volume run on one node."
        ),
    ] = "ReadWriteOnce"
    claim: Annotated[
        ObjectName | None,
        Field(
            description="Name of an existing PersistentVolumeClaim in the mirror's namespace, which all upstreams "
            "share, instead of a volume for each upstream.",
            examples=["mirror-data"],
        ),
    ] = None

    @model_validator(mode="after")
    def _check_claim(self) -> Self:
        if self.claim is None and self.size is None:
            raise error_at(("size",), "is required, unless claim names an existing PersistentVolumeClaim")
        if self.claim is not None:
            for key, value in {"size": self.size, "storageClass": self.storage_class}.items():
                if value is not None:
                    raise error_at((key,), f"has no effect with claim: {self.claim} has its own")
        return self

    @property
    def is_shared_by_nodes(self) -> bool:
        """Whether pods on several nodes can use a volume at the same time."""
        return self.access_mode == "ReadWriteMany"
