"""The section ``registry`` of the configuration file."""

from datetime import timedelta
from typing import Annotated, Literal, Self

from pydantic import Field, model_validator

from regmirror.config.autoscaling import Autoscaling
from regmirror.config.fields import Duration, Image
from regmirror.config.kubernetes_fields import (
    ObjectName,
    Quantity,
    quantity_value,
)
from regmirror.config.pod_settings import PodSettings
from regmirror.config.problem import error_at
from regmirror.config.section import Section


class ManifestCache(Section):
    """The cache of manifests in front of the registry."""

    enabled: Annotated[
        bool, Field(description="Cache manifests. If false, the registry serves every manifest itself.")
    ] = True
    tag_age: Annotated[
        Duration,
        Field(description="How long a tag is served from the cache before the upstream is asked again, from 1s to 1h."),
    ] = timedelta(seconds=5)

    @model_validator(mode="after")
    def _check_age(self) -> Self:
        if not timedelta(seconds=1) <= self.tag_age <= timedelta(hours=1):
            raise error_at(("tagAge",), "must be from 1s to 1h; to ask the upstream for every pull, set enabled: false")
        return self


class LayerCache(Section):
    """Layers on a disk of the node: warm pulls pass neither the registry nor the object store."""

    size: Annotated[
        Quantity,
        Field(
            description="Size of the cache, in each pod of each upstream. The least recently used layers are removed "
            "first. 0 caches no layers; so does storage.redirect.",
            examples=["50Gi"],
        ),
    ] = "8Gi"
    volume: Annotated[
        Literal["emptyDir"] | ObjectName,
        Field(
            description="emptyDir, the disk of the node, or the name of a StorageClass.",
            examples=["local-path"],
        ),
    ] = "emptyDir"

    @property
    def bytes(self) -> int:
        """The size in bytes."""
        return quantity_value(self.size)


class RegistryComponent(PodSettings):
    """The registry of distribution, one Helm release per upstream."""

    @model_validator(mode="before")
    @classmethod
    def _refuse_chart(cls, section: object) -> object:
        if isinstance(section, dict) and "chart" in section:
            raise error_at(
                ("chart",),
                "another chart for the registry is not supported: the front and the fetcher, which limit requests, "
                "cache, and fetch each layer once, run in the pods of regmirror's own chart; set registry.image, "
                "or use overrides.registry",
            )
        return section

    image: Annotated[Image, Field(description="Image of distribution 3.1.2 or later.")] = (
        "docker.io/library/registry:3.1.2@sha256:ddf754342cfc8acc51a56d5d0ab6af06826461864460636d8bd5c546dab2a7b8"
    )
    replicas: Annotated[
        int, Field(ge=1, le=20, description="Number of pods per upstream. More than one requires ttl: 0.")
    ] = 1
    ttl: Annotated[
        Duration,
        Field(
            description="How long a blob or manifest is cached after its first pull. 0 keeps it forever.",
            examples=["0"],
        ),
    ] = timedelta(days=7)
    autoscaling: Annotated[
        Autoscaling | None,
        Field(description="Let a HorizontalPodAutoscaler set the number of pods per upstream, instead of replicas."),
    ] = None
    manifest_cache: Annotated[ManifestCache, Field(description="The cache of manifests in front of the registry.")] = (
        ManifestCache()
    )
    layer_cache: Annotated[LayerCache, Field(description="Layers on a disk of the node.")] = LayerCache()

    @property
    def least_replicas(self) -> int:
        """The number of pods per upstream that always run."""
        return self.autoscaling.min_replicas if self.autoscaling else self.replicas

    @property
    def most_replicas(self) -> int:
        """The largest number of pods per upstream."""
        return self.autoscaling.max_replicas if self.autoscaling else self.replicas

    @model_validator(mode="after")
    def _check_replicas(self) -> Self:
        if self.autoscaling and self.replicas != 1:
            raise error_at(("replicas",), "remove it: autoscaling sets the number of pods, from minReplicas on")
        return self

    @model_validator(mode="after")
    def _check_ttl(self) -> Self:
        if self.most_replicas > 1 and self.ttl:
            raise error_at(
                ("autoscaling", "maxReplicas") if self.autoscaling else ("replicas",),
                "more than one replica requires ttl: 0, because replicas overwrite each other's expiry schedule "
                "(scheduler-state.json in the bucket)",
            )
        return self
