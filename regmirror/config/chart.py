"""The sections ``redis.chart``, ``auth.chart`` and ``registry.chart``: another Helm chart than regmirror's own."""

import re
from pathlib import Path
from typing import Annotated, Final, Literal, Self

from pydantic import BeforeValidator, Field, WithJsonSchema, model_validator

from regmirror.config.problem import error_at
from regmirror.config.section import Section

CHART_NAMES: Final = {"valkey": "valkey", "cesanta": "docker-auth"}
"""By flavor: the name of its chart."""
_OLDEST_CESANTA = (1, 14, 1)
_VERSION = re.compile(r"[0-9]+\.[0-9]+\.[0-9]+(-[0-9A-Za-z.-]+)?")
_REPOSITORY = re.compile(r"https?://[A-Za-z0-9._-]+(:[0-9]+)?(/[A-Za-z0-9._~/-]*)?")
_OCI = re.compile(r"oci://[A-Za-z0-9._-]+(:[0-9]+)?(/[a-z0-9._-]+)+")


def _matching(grammar: re.Pattern[str], what: str) -> list[object]:
    def check(value: object) -> str:
        # Not repeated: it may contain a password.
        if not isinstance(value, str) or not grammar.fullmatch(value):
            raise ValueError(f"expected {what}")
        return value

    return [BeforeValidator(check), WithJsonSchema({"type": "string", "pattern": f"^{grammar.pattern}$"})]


class Chart(Section):
    """Where a chart is; exactly one of ``path``, ``repository`` and ``oci`` is set."""

    path: Annotated[
        Path | None,
        Field(
            strict=False,
            description="Directory of the chart, relative to the configuration file.",
            examples=["charts/valkey"],
        ),
    ] = None
    repository: Annotated[
        str | None,
        *_matching(_REPOSITORY, "the URL of a chart repository, such as https://charts.example.com"),
        Field(description="URL of a chart repository. Requires version.", examples=["https://charts.example.com"]),
    ] = None
    oci: Annotated[
        str | None,
        *_matching(_OCI, "an OCI reference without a tag, such as oci://registry.example.com/charts/valkey"),
        Field(
            description="OCI reference of the chart, without a tag. Requires version.",
            examples=["oci://registry.example.com/charts/valkey"],
        ),
    ] = None
    version: Annotated[
        str | None,
        *_matching(_VERSION, "a complete version, such as 0.11.0"),
        Field(description="Version of the chart, with repository or oci.", examples=["0.11.0"]),
    ] = None

    @model_validator(mode="after")
    def _check_place(self) -> Self:
        places = [key for key in ("path", "repository", "oci") if getattr(self, key) is not None]
        if len(places) != 1:
            raise error_at(("path",), "set exactly one of path, repository and oci")
        if places != ["path"] and not self.version:
            raise error_at(("version",), "required, so that every deployment installs the same chart")
        if places == ["path"] and self.version:
            raise error_at(("version",), "has no effect with path: remove it")
        return self


class RedisChart(Chart):
    """Another chart for Redis."""

    flavor: Annotated[
        Literal["valkey"],
        Field(description="Chart that the values are for: valkey 0.11 of valkey-io/valkey-helm."),
    ]


class AuthChart(Chart):
    """Another chart for docker_auth."""

    flavor: Annotated[
        Literal["cesanta"],
        Field(description="Chart that the values are for: docker-auth 1.14.1 or later of cesanta/docker_auth."),
    ]

    @model_validator(mode="after")
    def _check_version(self) -> Self:
        if self.version and tuple(map(int, self.version.partition("-")[0].split("."))) < _OLDEST_CESANTA:
            raise error_at(
                ("version",),
                "before 1.14.1 the chart cannot set disable_legacy_key_id, and the registry would accept no token; "
                "1.14.1 is in the Git repository cesanta/docker_auth: set path to its directory chart/docker-auth",
            )
        return self
