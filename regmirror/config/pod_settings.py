"""What containers get, where the pods of a component run, and as whom: keys that components share."""

from collections.abc import Callable
from typing import Annotated, Any, Literal, Self

from pydantic import AfterValidator, BeforeValidator, Field, GetJsonSchemaHandler, WithJsonSchema, model_validator
from pydantic_core import CoreSchema

from regmirror.config.kubernetes_fields import LabelValue, ObjectName, QualifiedName, Quantity, Toleration
from regmirror.config.problem import error_at
from regmirror.config.section import Section

_AFFINITY = ("nodeAffinity", "podAffinity", "podAntiAffinity")
_SPREAD_REQUIRED = ("maxSkew", "topologyKey", "whenUnsatisfiable")
_SPREAD = (
    *_SPREAD_REQUIRED,
    "labelSelector",
    "matchLabelKeys",
    "minDomains",
    "nodeAffinityPolicy",
    "nodeTaintsPolicy",
)


def _affinity(value: object) -> dict[str, Any]:
    return _mapping(value, "an affinity", _AFFINITY)


def _spread_constraint(value: object) -> dict[str, Any]:
    constraint = _mapping(value, "a topology spread constraint", _SPREAD)
    missing = [key for key in _SPREAD_REQUIRED if key not in constraint]
    if missing:
        raise ValueError(f"{missing[0]} is missing")
    return constraint


def _mapping(value: object, what: str, keys: tuple[str, ...]) -> dict[str, Any]:
    """What these keys contain is left to the API server, which deploy asks before it changes anything."""
    if not isinstance(value, dict):
        raise ValueError("expected a mapping of keys to values")
    unknown = [str(key) for key in value if key not in keys]
    if unknown:
        raise ValueError(f"unknown key {unknown[0]}; {what} has {', '.join(keys)}")
    if not _is_plain(value):
        raise ValueError("expected mappings, lists, strings, numbers, true and false only")
    return value


def _is_plain(value: object) -> bool:
    if isinstance(value, dict):
        return all(isinstance(key, str) and _is_plain(inner) for key, inner in value.items())
    if isinstance(value, list):
        return all(map(_is_plain, value))
    return value is None or isinstance(value, str | int | float)


def without(*prefixes: str) -> Callable[[dict[str, str]], dict[str, str]]:
    """A validator that refuses keys with these prefixes, which regmirror sets itself."""

    def check(value: dict[str, str]) -> dict[str, str]:
        own = [key for key in value if key.startswith(prefixes)]
        if own:
            raise ValueError(f"{own[0]} is set by regmirror itself: remove it")
        return value

    return check


Affinity = Annotated[
    dict[str, Any],
    BeforeValidator(_affinity),
    WithJsonSchema(
        {
            "type": "object",
            "properties": {key: {"type": "object"} for key in _AFFINITY},
            "additionalProperties": False,
        }
    ),
]
"""The affinity of a pod, in the notation of Kubernetes."""
SpreadConstraint = Annotated[
    dict[str, Any],
    BeforeValidator(_spread_constraint),
    WithJsonSchema(
        {
            "type": "object",
            "properties": {key: {} for key in _SPREAD},
            "required": list(_SPREAD_REQUIRED),
            "additionalProperties": False,
        }
    ),
]
"""A topology spread constraint of a pod, in the notation of Kubernetes."""


class ServiceAccount(Section):
    """The ServiceAccount of the pods; a name is short for a section with only ``name``."""

    name: Annotated[
        ObjectName | None,
        Field(
            description="Name of the ServiceAccount, such as mirror-s3; it must exist unless create is true. "
            "Default: with create, the name of the Deployment.",
        ),
    ] = None
    create: Annotated[
        bool,
        Field(description="Create the ServiceAccount. Each registry creates one of its own.", examples=[True]),
    ] = False
    annotations: Annotated[
        dict[QualifiedName, str],
        Field(
            description="Annotations of a created ServiceAccount, such as the cloud role that its pods have.",
            examples=[{"eks.amazonaws.com/role-arn": "arn:aws:iam::111122223333:role/my-mirror"}],
        ),
    ] = {}  # noqa: RUF012 - Pydantic copies it

    @classmethod
    def __get_pydantic_json_schema__(cls, core_schema: CoreSchema, handler: GetJsonSchemaHandler) -> dict[str, Any]:
        """A name, or the section."""
        return {**handler(core_schema), "type": ["string", "object"]}

    @model_validator(mode="before")
    @classmethod
    def _from_name(cls, value: object) -> object:
        return {"name": value} if isinstance(value, str) else value

    @model_validator(mode="after")
    def _check_account(self) -> Self:
        if not self.create and not self.name:
            raise error_at((), "name an existing ServiceAccount, or set create: true")
        if self.annotations and not self.create:
            raise error_at(("annotations",), "requires create: true; annotate an existing ServiceAccount with kubectl")
        return self


class ContainerSettings(Section):
    """The settings that every container has."""

    resources: Annotated[
        dict[Literal["requests", "limits"], dict[QualifiedName, Quantity]] | None,
        Field(
            description="Requests and limits of the container. Omitted values keep the defaults of the chart.",
            examples=[{"limits": {"memory": "2Gi"}}],
        ),
    ] = None


class SchedulingSettings(ContainerSettings):
    """Where the pods of a component run, and as whom."""

    service_account: Annotated[
        ServiceAccount | None,
        Field(
            description="ServiceAccount of the pods, which get its cloud role. No pod gets its token for the "
            "Kubernetes API. Default: the ServiceAccount default of the namespace."
        ),
    ] = None
    affinity: Annotated[
        Affinity,
        Field(
            description="Affinity of the pods, in the notation of Kubernetes.",
            examples=[
                {
                    "nodeAffinity": {
                        "preferredDuringSchedulingIgnoredDuringExecution": [
                            {
                                "weight": 1,
                                "preference": {
                                    "matchExpressions": [{"key": "disk", "operator": "In", "values": ["ssd"]}]
                                },
                            }
                        ]
                    }
                }
            ],
        ),
    ] = {}  # noqa: RUF012 - Pydantic copies it
    topology_spread_constraints: Annotated[
        list[SpreadConstraint],
        Field(
            description="How the pods are spread, in the notation of Kubernetes. A constraint without labelSelector is "
            "about the pods of the same Deployment. "
            "Default: docker_auth and the registries prefer different zones and nodes.",
            examples=[[{"maxSkew": 1, "topologyKey": "kubernetes.io/hostname", "whenUnsatisfiable": "DoNotSchedule"}]],
        ),
    ] = []  # noqa: RUF012 - Pydantic copies it
    priority_class_name: Annotated[
        ObjectName | None,
        Field(description="Name of the PriorityClass of the pods.", examples=["infrastructure"]),
    ] = None
    pod_annotations: Annotated[
        dict[QualifiedName, str],
        AfterValidator(without("regmirror.dev/")),
        Field(
            description="Annotations of the pods, for example for a service mesh.",
            examples=[{"linkerd.io/inject": "disabled"}],
        ),
    ] = {}  # noqa: RUF012 - Pydantic copies it
    pod_labels: Annotated[
        dict[QualifiedName, LabelValue],
        AfterValidator(without("app.kubernetes.io/", "helm.sh/")),
        Field(
            description="Labels of the pods, for example for a service mesh or an admission policy.",
            examples=[{"sidecar.istio.io/inject": "false"}],
        ),
    ] = {}  # noqa: RUF012 - Pydantic copies it


class PlacementSettings(ContainerSettings):
    """Which nodes run the pods, and how they get the image."""

    node_selector: Annotated[
        dict[QualifiedName, LabelValue],
        Field(description="Labels that nodes must have to run the pods.", examples=[{"kubernetes.io/arch": "amd64"}]),
    ] = {}  # noqa: RUF012 - Pydantic copies it
    tolerations: Annotated[
        list[Toleration],
        Field(
            description="Tolerations of the pods.",
            examples=[[{"key": "dedicated", "operator": "Exists"}]],
        ),
    ] = []  # noqa: RUF012 - Pydantic copies it
    image_pull_secrets: Annotated[
        list[ObjectName],
        Field(description="Names of Secrets for pulling the image.", examples=[["internal-registry"]]),
    ] = []  # noqa: RUF012 - Pydantic copies it


class PodSettings(PlacementSettings, SchedulingSettings):
    """The settings that the pods of every component share."""
