"""The page of the configuration has one section for every key, and what it says about restarts is true."""

from __future__ import annotations

import copy
import re
import runpy
from collections.abc import Callable
from functools import cache
from pathlib import Path
from typing import Any

import pytest
import yaml
from pydantic import ValidationError

from regmirror.config.ingress import IngressService
from regmirror.config.load import parse_mirror
from regmirror.config.model import Mirror
from regmirror.config.model_keys import documented_key, documented_keys
from regmirror.config.validation_messages import path_of
from regmirror.desired import names
from regmirror.desired.releases import Stack, build_stack
from regmirror.errors.documentation import anchor, key_url
from tests import samples

ROOT = Path(__file__).parents[2]
GENERATOR = runpy.run_path(str(ROOT / "docs/generate_configuration.py"))
PAGE: str = GENERATOR["document"]()
EXAMPLE: dict[str, Any] = GENERATOR["example"]()
SERVICE_EXAMPLE: dict[str, Any] = GENERATOR["_example_of"](IngressService)
RESTARTS: Callable[[str], str] = GENERATOR["restarts"]
GENERAL = ["Types", "Secret references", "CA bundles", "A file with every key"]
HEADINGS = re.findall(r"^## (.+)$", PAGE, re.MULTILINE)
PRINTED = dict(re.findall(r"^## (\S+)\n(?:(?!^## ).*\n)*?Example:\n\n```yaml\n((?:.*\n)*?)```$", PAGE, re.MULTILINE))
# Another value than that of the example, for every key that can change without another key.
OTHER_VALUES: dict[str, Any] = {
    "host": "other.example.com",
    "port": 9443,
    "storage.bucket": "other",
    "storage.region": "other",
    "storage.endpoint": "https://other.example.com",
    "storage.pathStyle": False,
    "storage.createBucket": True,
    "storage.redirectEndpoint": "https://other.example.com",
    "storage.prefix": "other",
    "egress.noProxy": ["other.example.com"],
    "access.signIn.github.clientId": "other",
    "access.signIn.github.organization": "other",
    "access.signIn.github.url": "https://other.example.com",
    "access.signIn.github.revalidateAfter": "2h",
    "access.signIn.volume": "other",
    "egress.storage": False,
    "storage.profile": "ceph",
    "storage.encryption.kmsKey": "other",
    "storage.storageClass": "NONE",
    "upstreams.name": "other",
    "upstreams.url": "https://other.example.com",
    "upstreams.host": "other.example.com",
    "upstreams.anonymousPull": ["library/*"],
    "upstreams.annotations": {"external-dns.kubernetes.io/target": "other.example.com"},
    "upstreams.deny": ["acme/other"],
    "upstreams.rules.allow": ["acme/other"],
    "upstreams.rules.users": ["other"],
    "upstreams.rules.groups": ["other"],
    "upstreams.rules.signedIn": ["other"],
    "upstreams.rules.from": ["192.0.2.0/24"],
    "access.contact": "other@example.com",
    "upstreams.probeImage": "library/busybox:1",
    "imageRegistry": "other.example.com",
    "registry.image": "other:1",
    "registry.ttl": "1h",
    "registry.resources": {"limits": {"memory": "3Gi"}},
    "registry.nodeSelector": {},
    "registry.tolerations": [],
    "registry.imagePullSecrets": [],
    "registry.serviceAccount.name": "other",
    "registry.serviceAccount.create": False,
    "registry.serviceAccount.annotations": {},
    "registry.affinity": {},
    "registry.topologySpreadConstraints": [],
    "registry.priorityClassName": "other",
    "registry.podAnnotations": {},
    "registry.podLabels": {},
    "registry.manifestCache.enabled": False,
    "registry.manifestCache.tagAge": "1m",
    "registry.layerCache.size": "1Gi",
    "registry.layerCache.volume": "emptyDir",
    "registry.autoscaling.minReplicas": 1,
    "registry.autoscaling.maxReplicas": 9,
    "registry.autoscaling.targetCPU": 50,
    "auth.image": "other:1",
    "auth.replicas": 2,
    "auth.issuer": "other",
    "auth.tokenLifetime": "2m",
    "auth.keySize": 4096,
    "auth.certificateDays": 1,
    "auth.resources": {"limits": {"memory": "3Gi"}},
    "auth.nodeSelector": {},
    "auth.tolerations": [],
    "auth.imagePullSecrets": [],
    "auth.serviceAccount.name": "other",
    "auth.serviceAccount.create": False,
    "auth.serviceAccount.annotations": {},
    "auth.affinity": {},
    "auth.topologySpreadConstraints": [],
    "auth.priorityClassName": "other",
    "auth.podAnnotations": {},
    "auth.podLabels": {},
    "redis.image": "other:1",
    "redis.maxMemory": "1gb",
    "redis.resources": {"limits": {"memory": "3Gi"}},
    "redis.nodeSelector": {},
    "redis.tolerations": [],
    "redis.imagePullSecrets": [],
    "redis.serviceAccount.name": "other",
    "redis.serviceAccount.create": False,
    "redis.serviceAccount.annotations": {},
    "redis.affinity": {},
    "redis.topologySpreadConstraints": [],
    "redis.priorityClassName": "other",
    "redis.podAnnotations": {},
    "redis.podLabels": {},
    "front.image": "other:1",
    "front.resources": {"limits": {"memory": "3Gi"}},
    "fetcher.image": "other:1",
    "fetcher.resources": {"limits": {"memory": "3Gi"}},
    "ingress.trustedProxies": ["192.0.2.0/24"],
    "podSecurity": "fixed",
    "networkPolicies.enabled": True,
    "networkPolicies.ingressFrom": [{"ipBlock": {"cidr": "192.0.2.0/24"}}],
    "verification.schedule": "@daily",
    "verification.image": "other:1",
    "verification.rotation.schedule": "@weekly",
    "verification.caBundle": {"secret": {"name": "other"}},
    "verification.resources": {"limits": {"memory": "3Gi"}},
    "verification.nodeSelector": {},
    "verification.tolerations": [],
    "verification.imagePullSecrets": [],
    "monitoring.metrics": False,
    "monitoring.scrapeFrom": [{"ipBlock": {"cidr": "192.0.2.0/24"}}],
    "monitoring.scrape": "podMonitor",
    "monitoring.alerts": True,
    "monitoring.disabledAlerts": [],
    "monitoring.dashboard": True,
    "monitoring.labels": {},
    "ingress.className": "other",
    "ingress.gateway.parentRefs": [{"name": "other"}],
    "ingress.gateway.listenerSet.port": 8443,
    "ingress.gateway.requestTimeout": "1h",
    "ingress.annotations": {},
    "ingress.tlsSecret": "other",
    "ingress.issuer.name": "other",
    "ingress.issuer.kind": "Issuer",
    "overrides.redis": {"podLabels": {"other": "label"}},
    "overrides.auth": {"podLabels": {"other": "label"}},
    "overrides.registry": {"podLabels": {"other": "label"}},
    "overrides.ingress": {"annotations": {"note": "other"}},
    "upstreams.overrides": {"podLabels": {"other": "label"}},
    "ingress.issuer.group": "example.com",
    "upstreams.tlsSecret": "other",
    "ingress.service.type": "NodePort",
    "ingress.service.nodePort": 30001,
    "ingress.service.annotations": {},
    "ingress.service.loadBalancerClass": "example.com/other",
    "ingress.service.loadBalancerSourceRanges": [],
    "ingress.service.externalTrafficPolicy": "Local",
    "ingress.service.replicas": 2,
    "ingress.service.resources": {"limits": {"memory": "3Gi"}},
    "ingress.service.nodeSelector": {},
    "ingress.service.tolerations": [],
    "ingress.service.imagePullSecrets": [],
    "ingress.service.affinity": {},
    "ingress.service.topologySpreadConstraints": [],
    "ingress.service.priorityClassName": "other",
    "ingress.service.podAnnotations": {},
    "ingress.service.podLabels": {},
    "ingress.service.serviceAccount.name": "other",
    "ingress.service.serviceAccount.create": False,
    "ingress.service.serviceAccount.annotations": {},
}


def test_every_key_has_its_section_and_no_other_has_one() -> None:
    sections = [heading for heading in HEADINGS if heading not in GENERAL]
    assert sorted(sections) == sorted(documented_keys())
    assert [heading for heading in HEADINGS if heading in GENERAL] == GENERAL


def test_the_anchor_of_a_key_is_that_of_its_url() -> None:
    anchors = [anchor(heading) for heading in HEADINGS]
    assert len(anchors) == len(set(anchors))
    assert all(key_url(key).endswith(f"#{anchor(key)}") for key in documented_keys())


def test_every_link_leads_to_a_section() -> None:
    links = set(re.findall(r"\]\(([^)]+)\)", PAGE))
    pages = {link for link in links if not link.startswith("#")}
    assert links - pages <= {f"#{anchor(heading)}" for heading in HEADINGS}
    assert [page for page in pages if not (ROOT / "docs/reference" / page).is_file()] == []
    assert "docs/" not in PAGE.replace("docs/generate_configuration.py", "")


@pytest.mark.parametrize("key", list(documented_keys()))
def test_a_section_has_type_default_and_restarts(key: str) -> None:
    section = PAGE.partition(f"\n## {key}\n")[2].partition("\n## ")[0]
    assert re.fullmatch(r"\n.+\n\n- Type: .+\n- Default: .+\n- Restarts: .+\n(\n.+)?", section, re.DOTALL)


@pytest.mark.parametrize("key", PRINTED)
def test_a_printed_example_can_be_pasted_into_a_file(key: str) -> None:
    """It is valid but for what the rest of the file says: other required keys, and keys that belong together."""
    with pytest.raises(ValidationError) as caught:
        Mirror.model_validate(yaml.safe_load(PRINTED[key]), by_alias=True, by_name=False)
    errors = [(detail["type"], documented_key(path_of(detail))) for detail in caught.value.errors()]
    of_others = {"missing", "at_key", "value_error"}
    assert [one for one in errors if one[0] not in of_others or one == ("value_error", key)] == []


def test_an_example_of_a_section_is_a_part_of_a_valid_file() -> None:
    for text in re.findall(r"```yaml\n(.*?)```", PAGE, re.DOTALL):
        assert set(yaml.safe_load(text)) <= set(EXAMPLE)
    minimal, *_, whole = re.findall(r"```yaml\n(.*?)```", PAGE, re.DOTALL)
    assert parse_mirror(minimal, "minimal").host == parse_mirror(whole, "whole").host == samples.HOST


@pytest.mark.parametrize("key", list(OTHER_VALUES))
def test_a_change_of_a_key_restarts_what_the_page_says(key: str) -> None:
    words = {"registry": names.registry("docker-hub"), "docker_auth": names.AUTH, "Valkey": names.REDIS}
    words["nginx of the public endpoint"] = names.INGRESS
    documented = re.split(";", RESTARTS(key))[0]
    expected = {release for word, release in words.items() if word in documented}
    if key == "upstreams.name":
        expected.add(names.registry("other"))
    before = copy.deepcopy(EXAMPLE)
    if key == "host":
        del before["upstreams"][0]["host"]
    if key.startswith("ingress.service."):
        # With ingress.service, a rule about networks would restart docker_auth, too.
        before["ingress"] = {"service": copy.deepcopy(SERVICE_EXAMPLE)}
        del before["upstreams"][0]["rules"]
    if key == "ingress.service.type":
        del before["ingress"]["service"]["loadBalancerClass"], before["ingress"]["service"]["loadBalancerSourceRanges"]
    if key == "registry.layerCache.size":
        # Redirected clients get no layers from the cache.
        del before["storage"]["redirect"], before["storage"]["redirectEndpoint"]
    if key == "registry.ttl":
        # More than one pod requires ttl: 0.
        del before["registry"]["autoscaling"]
    if key.endswith("serviceAccount.create"):
        # Without create, an account has a name and gets no annotations.
        section_of(before, key).update(name="other", annotations={})
    assert restarted(before, changed(before, key, OTHER_VALUES[key])) == expected


def changed(before: dict[str, Any], key: str, value: Any) -> dict[str, Any]:
    document = copy.deepcopy(before)
    section, last = section_of(document, key), key.rpartition(".")[2]
    assert section[last] != value
    section[last] = value
    return document


def section_of(document: dict[str, Any], key: str) -> dict[str, Any]:
    section: Any = document
    for part in key.split(".")[:-1]:
        section = section[part][0] if part in {"upstreams", "rules"} else section[part]
    found: dict[str, Any] = section
    return found


def restarted(before: dict[str, Any], after: dict[str, Any]) -> set[str]:
    """The releases whose pods differ; the database with the logins, another Valkey, is one with that of Redis."""
    old = stack_of(yaml.safe_dump(before))
    live = {manifest["metadata"]["name"]: manifest for manifest in old.secrets}
    later = samples.NOW.replace(year=samples.NOW.year + 1)
    new = build_stack(parse_mirror(yaml.safe_dump(after), "after").relocated(), samples.mirror_secrets(), live, later)
    pods = {release.name: pod_values(release.values) for release in old.releases}
    return {
        release.name
        for release in new.releases
        if release.component not in {"ingress", "certificates", "monitoring", "sign-in", "job"}
        and pods.get(release.name) != pod_values(release.values)
    }


@cache
def stack_of(text: str) -> Stack:
    return build_stack(parse_mirror(text, "before").relocated(), samples.mirror_secrets(), {}, samples.NOW)


def pod_values(values: dict[str, Any]) -> dict[str, Any]:
    """Without what the pods do not see, and of a ServiceAccount only its name."""
    unseen = {"replicas", "autoscaling", "networkPolicy", "service"}
    pods = {key: value for key, value in values.items() if key not in unseen}
    seen = {"limitsClients": values.get("service", {}).get("externalTrafficPolicy")}
    return pods | seen | {"serviceAccount": values.get("serviceAccount", {}).get("name")}


def test_every_key_with_a_value_is_changed_by_these_tests() -> None:
    # Keys that only have one value, or whose value is in a Secret that is not part of the file.
    left_out = {"apiVersion", "kind", "namespace", "storage.redirect", "registry.replicas", "redis.password"}
    left_out |= {"storage.caBundle", "upstreams.caBundle", "egress.httpsProxy"}
    left_out |= {"access.signIn.github.clientSecret", "access.signIn.caBundle"}
    # They are only valid with an http:// URL, and only stop a warning.
    left_out |= {"storage.insecure", "upstreams.insecure"}
    # It cannot be combined with the issuer of the example.
    left_out |= {"ingress.selfSigned"}
    # They exclude other keys: tests/unit/test_volumes.py, test_registry_config.py.
    left_out |= {key for key in documented_keys() if key.startswith("storage.filesystem.")}
    left_out |= {"storage.encryption.type", "storage.dualStack"}
    # It takes the place of allow.
    left_out |= {"upstreams.rules.deny"}
    sections = {key.rpartition(".")[0] for key in documented_keys()}
    accounts = {"storage.accessKey", "upstreams.credentials"}
    # They take the place of other keys.
    providers = ("access.signIn.google", "access.signIn.gitlab", "access.signIn.oidc")
    instead = ("redis.external", "redis.chart", "auth.external", "auth.chart", *providers)
    values = {
        key
        for key in documented_keys()
        if key not in sections and key.rpartition(".")[0] not in accounts and not key.startswith(instead)
    }
    assert values - set(OTHER_VALUES) == left_out
    assert all(documented_key(tuple(key.split("."))) == key for key in OTHER_VALUES)
