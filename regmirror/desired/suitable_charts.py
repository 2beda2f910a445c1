"""Whether what a chart of others renders can be a part of the mirror: charts ignore values that they do not know."""

from collections.abc import Callable, Iterator, Mapping
from typing import Any

import yaml

from regmirror.config.model import Mirror
from regmirror.desired import names
from regmirror.desired.access_rules import access_rules
from regmirror.desired.releases import Release
from regmirror.desired.secret_contents import look_up
from regmirror.errors import UnsuitableChartError

AUTH_CONFIG_KEY = "auth_config.yml"
_Objects = list[dict[str, Any]]


def ensure_suitable(mirror: Mirror, releases: list[Release], rendered: Mapping[str, _Objects]) -> None:
    """Raises UnsuitableChartError, which names what is missing; ``rendered`` has the objects of each release."""
    checks: dict[str, Callable[[Mirror, _Objects], Iterator[str]]] = {"valkey": _valkey, "cesanta": _cesanta}
    for release in releases:
        check = checks.get(release.source.flavor)
        problems = list(check(mirror, rendered[release.name])) if check else []
        if problems:
            what = f"{release.component}.chart"
            raise UnsuitableChartError(
                f"{what}: the chart cannot be used as {release.source.flavor}: {'; '.join(problems)}",
                hint=f"use the version that regmirror explain {release.component}.chart.flavor names, or remove "
                f"{release.component}.chart",
            )


def _valkey(_: Mirror, objects: _Objects) -> Iterator[str]:
    yield from _missing(objects, names.REDIS, names.REDIS_PORT)
    if names.REDIS_SECRET not in _mounted_secrets(objects, names.REDIS):
        yield f"its pods do not mount the Secret {names.REDIS_SECRET}"


def _cesanta(mirror: Mirror, objects: _Objects) -> Iterator[str]:
    yield from _missing(objects, names.AUTH, names.AUTH_PORT)
    if names.SIGNING_SECRET not in _mounted_secrets(objects, names.AUTH):
        yield f"its pods do not mount the Secret {names.SIGNING_SECRET}"
    config = chart_auth_config(objects)
    if look_up(config, "token", "disable_legacy_key_id") is not True:
        yield "it does not set token.disable_legacy_key_id, so the registry would accept no token"
    if look_up(config, "token", "issuer") != mirror.issuer:
        yield "it does not set token.issuer"
    if config.get("users") != {"": {}} or config.get("acl") != access_rules(mirror):
        yield "its users and access rules are not those of the file"


def chart_auth_config(objects: _Objects) -> dict[str, Any]:
    """docker_auth's configuration in the ConfigMap of its chart; empty if there is none."""
    texts = [
        look_up(found, "data", AUTH_CONFIG_KEY)
        for found in objects
        if found["kind"] == "ConfigMap" and AUTH_CONFIG_KEY in (found.get("data") or {})
    ]
    try:
        config = yaml.safe_load(texts[0]) if texts else None
    except yaml.YAMLError:
        config = None
    return config if isinstance(config, dict) else {}


def _missing(objects: _Objects, name: str, port: int) -> Iterator[str]:
    found = {(target["kind"], target["metadata"]["name"]): target for target in objects}
    if ("Deployment", name) not in found:
        yield f"it has no Deployment {name}"
    service = found.get(("Service", name), {})
    if port not in [entry.get("port") for entry in look_up(service, "spec", "ports") or []]:
        yield f"it has no Service {name} with port {port}"


def _mounted_secrets(objects: _Objects, name: str) -> list[str]:
    return [
        str(look_up(volume, "secret", "secretName"))
        for found in objects
        if (found["kind"], found["metadata"]["name"]) == ("Deployment", name)
        for volume in look_up(found, "spec", "template", "spec", "volumes") or []
    ]
