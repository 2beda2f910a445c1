"""Charts of others get only values that they have; what cannot work with them is refused."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml

from regmirror.adapters.helm import Pyhelm3Helm
from regmirror.config.file_warnings import risk_warnings
from regmirror.config.problem import InvalidFileError
from regmirror.deploy.prune import our_releases
from regmirror.desired.flavors import ChartSource, RemoteChart
from regmirror.desired.releases import Release, build_stack
from regmirror.desired.suitable_charts import ensure_suitable
from regmirror.errors import UnsuitableChartError
from regmirror.ports.helm import ListedRelease
from tests import samples

VALKEY = {"flavor": "valkey", "repository": "https://charts.example.com", "version": "0.11.0"}
CESANTA = {"flavor": "cesanta", "path": "charts/docker-auth"}
SECTIONS: dict[str, dict[str, Any]] = {"valkey": {"redis": {"chart": VALKEY}}, "cesanta": {"auth": {"chart": CESANTA}}}
FREE = {"podAnnotations", "commonLabels", "resources", "initResources", "nodeSelector", "networkPolicy"}
FREE |= {f"{name}Probe.customProbe" for name in ("startup", "readiness", "liveness")}
FREE |= {"podSecurityContext", "containerSecurityContext", "configmap.data.users"}
"""Values whose keys the charts pass on."""


def release(flavor: str, **changes: Any) -> Release:
    sections = {key: {**changes.pop(key, {}), **section} for key, section in SECTIONS[flavor].items()}
    stack = build_stack(samples.mirror(**sections, **changes), samples.mirror_secrets(), {}, samples.NOW)
    (found,) = [one for one in stack.releases if one.source.flavor]
    return found


def keys(values: dict[str, Any], path: tuple[str, ...] = ()) -> Iterator[str]:
    for key, value in values.items():
        here = (*path, key)
        yield ".".join(here)
        if isinstance(value, dict) and ".".join(here) not in FREE:
            yield from keys(value, here)


@pytest.mark.parametrize("flavor", list(SECTIONS))
def test_the_chart_has_every_value_that_is_set(flavor: str) -> None:
    text = (Path(__file__).parent / "chart_values" / f"{flavor}.txt").read_text()
    known = {line for line in text.splitlines() if not line.startswith("#")}
    peers = {"enabled": True, "ingressFrom": [{"ipBlock": {"cidr": "192.0.2.0/24"}}]}
    assert set(keys(release(flavor, networkPolicies=peers).values)) - known == set()


@pytest.mark.parametrize("flavor", list(SECTIONS))
def test_no_value_is_a_secret(flavor: str) -> None:
    values = json.dumps(release(flavor).values)
    assert not [canary for canary in samples.CANARIES if canary in values]


def test_valkey_has_the_names_of_regmirrors_own_chart_and_its_settings_from_the_secret() -> None:
    found = release("valkey", redis={"image": "registry.internal/valkey:9@sha256:" + "a" * 64})
    assert found.source == ChartSource(
        Path("valkey"), RemoteChart("valkey", "https://charts.example.com", "0.11.0"), "valkey"
    )
    values = found.values
    names = (found.name, values["fullnameOverride"], values["nameOverride"])
    assert names == ("regmirror-redis", "regmirror-redis", "redis")
    assert values["image"] == {"registry": "", "repository": "registry.internal/valkey", "tag": "9@sha256:" + "a" * 64}
    assert values["extraValkeySecrets"] == [{"name": "regmirror-redis-config", "mountPath": "/etc/regmirror"}]
    assert values["valkeyConfig"] == "include /etc/regmirror/valkey.conf\n"
    assert values["dataStorage"] == {"enabled": False}
    assert values["serviceAccount"] == {"create": False, "name": "", "annotations": {}}
    assert values["podAnnotations"]["regmirror.dev/secret-versions"]


@pytest.mark.parametrize("flavor", list(SECTIONS))
def test_the_pods_are_as_the_file_says(flavor: str) -> None:
    part = {"valkey": "redis", "cesanta": "auth"}[flavor]
    affinity: dict[str, Any] = {"nodeAffinity": {}}
    settings = {"podAnnotations": {"example.com/a": "b"}, "affinity": affinity, "nodeSelector": {"disk": "fast"}}
    values = release(flavor, podSecurity="assigned", **{part: settings}).values
    assert values["podAnnotations"]["example.com/a"] == "b"
    assert values["podAnnotations"]["regmirror.dev/secret-versions"]
    assert (values["affinity"], values["nodeSelector"]) == (affinity, {"disk": "fast"})
    # The cluster assigns user and group IDs; null removes the chart's own.
    assert {values["podSecurityContext"].get(key) for key in ("runAsUser", "runAsGroup", "fsGroup")} == {None}


def test_cesanta_gets_the_rules_of_the_file_and_none_of_its_samples() -> None:
    values = release("cesanta", auth={"issuer": 'a "b" \\ c', "replicas": 2}).values
    data = values["configmap"]["data"]
    # The chart writes it between double quotes.
    assert yaml.safe_load(f'"{data["token"]["issuer"]}"') == 'a "b" \\ c'
    assert (data["token"]["disableLegacyKeyId"], data["token"]["expiration"]) == (True, 300)
    assert data["users"] == {"": {}, "admin": None, "test": None}
    assert [rule["match"]["name"] for rule in data["acl"]] == ["library/*", "acme/tool"]
    assert values["secret"] == {"secretName": "regmirror-signing"}
    assert (values["ingress"], values["replicaCount"], values["logging"]) == ({"enabled": False}, 2, {"level": 1})
    assert values["podAnnotations"]["regmirror.dev/secret-versions"].count(":") == 1


def test_the_mirror_knows_what_it_gives_up_with_the_chart_of_docker_auth() -> None:
    (warning,) = risk_warnings(samples.mirror(**SECTIONS["cesanta"]))
    assert warning.startswith("auth.chart: requests for tokens reach docker_auth without the front")
    assert risk_warnings(samples.mirror(**SECTIONS["valkey"])) == []


@pytest.mark.parametrize(
    ("sections", "message"),
    [
        ({"redis": {"chart": {"flavor": "valkey"}}}, "set exactly one of path, repository and oci"),
        ({"redis": {"chart": {**VALKEY, "path": "a"}}}, "set exactly one of path, repository and oci"),
        ({"redis": {"chart": {**VALKEY, "version": None}}}, "redis.chart.version"),
        ({"redis": {"chart": {"flavor": "valkey", "oci": "oci://example.com/valkey"}}}, "version: required"),
        (
            {"redis": {"chart": {**VALKEY, "repository": "https://u:secret@a"}}},
            "expected the URL of a chart repository",
        ),
        ({"redis": {"chart": {**VALKEY, "flavor": "bitnami"}}}, "redis.chart.flavor"),
        ({"redis": {"chart": VALKEY, "image": "valkey@sha256:" + "a" * 64}}, "redis.image: needs a tag"),
        ({"auth": {"chart": {**CESANTA, "version": "1.14.1"}}}, "has no effect with path"),
        (
            {"auth": {"chart": {"flavor": "cesanta", "repository": "https://a", "version": "1.14.0"}}},
            "the registry would accept no token",
        ),
        ({"auth": {"chart": CESANTA, "imagePullSecrets": ["a"]}}, "auth.imagePullSecrets: auth.chart cannot set it"),
        ({"auth": {"chart": CESANTA, "priorityClassName": "a"}}, "auth.priorityClassName: auth.chart cannot set it"),
        (
            {"registry": {"chart": {"flavor": "twuni"}}},
            "registry.chart: another chart for the registry is not supported",
        ),
        (
            {**SECTIONS["cesanta"], "overrides": {"auth": {"configmap": {"data": {}}}}},
            "overrides.auth.configmap: this value cannot be overridden",
        ),
    ],
)
def test_what_cannot_work_is_refused(sections: dict[str, Any], message: str) -> None:
    with pytest.raises(InvalidFileError) as caught:
        samples.mirror(**sections)
    assert message in str(caught.value)
    assert "secret" not in str(caught.value)


def test_overrides_are_for_the_values_of_that_chart() -> None:
    found = release("valkey", overrides={"redis": {"priorityClassName": "high"}})
    assert found.values["priorityClassName"] == "high"
    assert [value.path for value in found.overridden] == ["priorityClassName"]


def test_a_rotation_gives_the_pods_their_new_secrets() -> None:
    annotation = "regmirror.dev/secret-versions"
    assert release("cesanta").with_versions("new").values["podAnnotations"][annotation] == "new"


def test_releases_of_the_mirror_are_known_by_name_and_chart() -> None:
    listed = [ListedRelease("regmirror-redis", "valkey-0.11.0", 1, "deployed")]
    listed += [ListedRelease("cache", "valkey-0.11.0", 1, "deployed")]
    listed += [ListedRelease("regmirror-quay", "registry-0.2.0-dev.0", 1, "deployed")]
    assert our_releases(listed) == ["regmirror-quay", "regmirror-redis"]


CALLS = '[ "$1" = version ] && echo v3.17.0 && exit\ncat >/dev/null\necho "$@" >> {log}\necho \'kind: A\''


@pytest.mark.parametrize(
    ("chart", "words"),
    [
        (VALKEY, ["valkey", "--version 0.11.0", "--repo https://charts.example.com"]),
        ({"flavor": "valkey", "oci": "oci://a.example/b/valkey", "version": "0.11.0"}, ["oci://a.example/b/valkey"]),
        ({"flavor": "valkey", "path": "charts/valkey"}, ["/configuration/charts/valkey"]),
    ],
)
def test_helm_gets_the_chart_from_where_the_file_says(chart: dict[str, Any], words: list[str], tmp_path: Path) -> None:
    program, log = tmp_path / "helm", tmp_path / "log"
    program.write_text(f"#!/bin/sh\n{CALLS.format(log=log)}\n")
    program.chmod(0o755)
    helm = Pyhelm3Helm(str(program), None, "", "mirrors", (), Path("/configuration"))
    stack = build_stack(samples.mirror(redis={"chart": chart}), samples.mirror_secrets(), {}, samples.NOW)
    asyncio.run(helm.render(stack.releases[0]))
    assert [word for word in [*words, "--no-hooks"] if word not in log.read_text()] == []


DEPLOYMENT: dict[str, Any] = {
    "kind": "Deployment",
    "metadata": {"name": "regmirror-auth"},
    "spec": {"template": {"spec": {"volumes": [{"secret": {"secretName": "regmirror-signing"}}]}}},
}
SERVICE: dict[str, Any] = {
    "kind": "Service",
    "metadata": {"name": "regmirror-auth"},
    "spec": {"ports": [{"port": 5001}]},
}
MIRROR = samples.mirror(**SECTIONS["cesanta"])


def config_map(**token: Any) -> dict[str, Any]:
    from regmirror.desired.auth_config import auth_config

    config = auth_config(MIRROR)
    config["token"] |= token
    return {"kind": "ConfigMap", "metadata": {"name": "auth"}, "data": {"auth_config.yml": yaml.safe_dump(config)}}


def ensure(*objects: dict[str, Any]) -> None:
    found = release("cesanta")
    ensure_suitable(MIRROR, [found], {found.name: list(objects)})


def test_a_chart_that_does_what_its_flavor_does_is_suitable() -> None:
    ensure(DEPLOYMENT, SERVICE, config_map())


@pytest.mark.parametrize(
    ("objects", "message"),
    [
        ([SERVICE, config_map()], "it has no Deployment regmirror-auth"),
        ([DEPLOYMENT, config_map()], "it has no Service regmirror-auth with port 5001"),
        ([DEPLOYMENT, SERVICE], "so the registry would accept no token"),
        ([DEPLOYMENT, SERVICE, config_map(disable_legacy_key_id=False)], "so the registry would accept no token"),
        ([DEPLOYMENT, SERVICE, config_map(issuer="other")], "it does not set token.issuer"),
    ],
)
def test_a_chart_that_ignores_a_value_is_refused_before_anything_changes(
    objects: list[dict[str, Any]], message: str
) -> None:
    with pytest.raises(UnsuitableChartError, match=message):
        ensure(*objects)


def test_valkey_must_read_its_settings_from_the_secret() -> None:
    found = release("valkey")
    with pytest.raises(UnsuitableChartError, match="do not mount the Secret regmirror-redis-config"):
        ensure_suitable(samples.mirror(**SECTIONS["valkey"]), [found], {found.name: [DEPLOYMENT, SERVICE]})
