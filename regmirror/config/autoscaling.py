"""The section ``registry.autoscaling`` of the configuration file."""

from typing import Annotated, Self

from pydantic import Field, model_validator

from regmirror.config.problem import error_at
from regmirror.config.section import Section


class Autoscaling(Section):
    """A HorizontalPodAutoscaler for each registry. Requires metrics-server, and ttl: 0 for more than one pod."""

    min_replicas: Annotated[int, Field(ge=1, le=20, description="Smallest number of pods per upstream.")] = 2
    max_replicas: Annotated[int, Field(ge=1, le=20, description="Largest number of pods per upstream.", examples=[6])]
    target_cpu: Annotated[
        int,
        Field(
            alias="targetCPU",
            ge=1,
            le=1000,
            description="CPU that the pods should use on average, in percent of what their containers request.",
        ),
    ] = 80

    @model_validator(mode="after")
    def _check_range(self) -> Self:
        if self.max_replicas < self.min_replicas:
            raise error_at(("maxReplicas",), f"must be at least minReplicas, {self.min_replicas}")
        return self
