"""Values that would break a mirror are rejected before anything reaches the cluster."""

from __future__ import annotations

import json
from typing import Any

import pytest
import yaml

from .cases import CHARTS, DIGEST, WORKLOADS
from .helm import DIRECTORY, Helm

HOST = {"host": "mirror.example.com", "registryService": "mirror"}

# Chart, values, and the path that the message names.
REFUSED: dict[str, tuple[str, dict[str, Any], str]] = {
    "misspelt": ("auth", {"replicaCount": 2}, "replicaCount"),
    "misspelt-inside": ("auth", {"image": {"repo": "x"}}, "image"),
    "no-replica": ("registry", {"replicas": 0}, "replicas"),
    "replicas-as-text": ("registry", {"replicas": "2"}, "replicas"),
    "two-replicas-of-redis": ("redis", {"replicas": 2}, "replicas"),
    "empty-secret-name": ("redis", {"config": {"secretName": ""}}, "config.secretName"),
    "secret-name-in-capitals": ("auth", {"signing": {"secretName": "Signing"}}, "signing.secretName"),
    "secret-inline": ("redis", {"config": {"password": "hunter2"}}, "config"),
    "no-secret-name": ("registry", {"bundle": {"secretName": None}}, "bundle"),
    "no-upstream": ("registry", {"upstream": None}, "upstream"),
    "tag-in-repository": ("registry", {"image": {"repository": "docker.io/library/registry:3"}}, "image.repository"),
    "neither-tag-nor-digest": ("registry", {"image": {"tag": ""}}, "image"),
    "short-digest": ("registry", {"image": {"digest": "sha256:abc"}}, "image.digest"),
    "pull-policy": ("registry", {"image": {"pullPolicy": "Sometimes"}}, "image.pullPolicy"),
    "no-memory-limit": ("registry", {"resources": {"limits": {"memory": None}}}, "resources.limits"),
    "no-requests": ("registry", {"resources": {"requests": None}}, "resources"),
    "memory-with-a-space": ("registry", {"resources": {"limits": {"memory": "1 Gi"}}}, "resources.limits.memory"),
    "log-level-that-shows-secrets": ("auth", {"logLevel": 3}, "logLevel"),
    "proxy-without-a-length": ("auth", {"front": {"trustedProxies": ["10.0.0.1"]}}, "front.trustedProxies.0"),
    "nginx-directive-as-proxy": ("auth", {"front": {"trustedProxies": ["10.0.0.0/8; x"]}}, "front.trustedProxies.0"),
    "policy-that-lets-nobody-in": ("registry", {"networkPolicy": {"enabled": True}}, "networkPolicy.ingressFrom"),
    "memory-limit-of-go": ("auth", {"extraEnv": [{"name": "GOMEMLIMIT", "value": "1"}]}, "extraEnv.0.name"),
    "no-schedule": ("job", {"schedule": ""}, "schedule"),
    "no-command": ("job", {"command": []}, "command"),
    "certificates-over-the-token": (
        "job",
        {"caBundle": {"configMap": {"name": "a", "items": [{"key": "a", "path": "token"}]}}},
        "caBundle.configMap.items.0.path",
    ),
    "service-account-of-others": ("job", {"serviceAccount": {"name": "admin"}}, "serviceAccount"),
    "no-pre-stop": ("auth", {"preStopSeconds": 0}, "preStopSeconds"),
    "own-label": ("auth", {"podLabels": {"app.kubernetes.io/name": "x"}}, "podLabels.app.kubernetes.io"),
    "own-annotation": (
        "auth",
        {"podAnnotations": {"regmirror.dev/secret-versions": "x"}},
        "podAnnotations.regmirror.dev",
    ),
    "label-as-number": ("auth", {"podLabels": {"team": 1}}, "podLabels.team"),
    "variable-set-twice": (
        "registry",
        {"extraEnv": [{"name": "OTEL_TRACES_EXPORTER", "value": "otlp"}]},
        "extraEnv.0.name",
    ),
    "security-of-another-kind": ("redis", {"podSecurity": "restricted"}, "podSecurity"),
    "role-as-number": (
        "registry",
        {"serviceAccount": {"annotations": {"role": 1}}},
        "serviceAccount.annotations.role",
    ),
    "autoscaling-of-docker-auth": ("auth", {"autoscaling": {"enabled": True}}, "autoscaling"),
    "alias-without-names": ("registry", {"hostAliases": [{"ip": "10.0.0.9"}]}, "hostAliases.0"),
    "certificate-for-nobody": (
        "certificates",
        {"certificates": [{"secretName": "tls", "hosts": []}]},
        "certificates.0.hosts",
    ),
    "certificate-for-a-url": (
        "certificates",
        {"certificates": [{"secretName": "tls", "hosts": ["https://mirror.example.com"]}]},
        "certificates.0.hosts.0",
    ),
    "issuer-without-a-name": ("certificates", {"issuer": {"name": ""}}, "issuer.name"),
    "no-host": ("ingress", {"hosts": []}, "hosts"),
    "host-with-scheme": ("ingress", {"hosts": [{**HOST, "host": "https://mirror.example.com"}]}, "hosts.0.host"),
    "host-with-port": ("ingress", {"hosts": [{**HOST, "host": "mirror.example.com:443"}]}, "hosts.0.host"),
    "host-is-an-address": ("ingress", {"hosts": [{**HOST, "host": "10.0.0.9"}]}, "hosts.0.host"),
    "host-is-a-wildcard": ("ingress", {"hosts": [{**HOST, "host": "*.example.com"}]}, "hosts.0.host"),
    "host-in-capitals": ("ingress", {"hosts": [{**HOST, "host": "Mirror.example.com"}]}, "hosts.0.host"),
    "port-too-high": ("ingress", {"authPort": 65536}, "authPort"),
    "unknown-kind": ("ingress", {"kind": "VirtualService"}, "kind"),
    "route-to-no-gateway": ("ingress", {"kind": "HTTPRoute"}, "parentRefs"),
    "timeout-without-unit": ("ingress", {"timeouts": {"request": "30"}}, "timeouts.request"),
}

ACCEPTED: dict[str, tuple[str, dict[str, Any]]] = {
    "whole-processors": ("redis", {"resources": {"requests": {"cpu": 1}, "limits": {"cpu": 2}}}),
    "digest-only": ("registry", {"image": {"tag": "", "digest": DIGEST}}),
    "own-image-registry": ("registry", {"image": {"repository": "images.example.com:5000/team/registry_3"}}),
    "single-word-host": ("ingress", {"hosts": [{**HOST, "host": "mirror"}]}),
    "annotation-with-a-similar-prefix": ("auth", {"podAnnotations": {"regmirror.example.com/x": "y"}}),
}


@pytest.mark.parametrize("case", REFUSED)
def test_the_message_names_the_path_of_a_wrong_value(helm: Helm, case: str) -> None:
    chart, values, where = REFUSED[case]
    done = helm.template(chart, values)
    assert done.returncode != 0
    # Helm 3 writes a path as hosts.0.host, Helm 4 as /hosts/0/host.
    assert where in done.stderr.partition("schema(s)")[2].replace("/", ".")


@pytest.mark.parametrize("case", ACCEPTED)
def test_accepted(helm: Helm, case: str) -> None:
    assert helm.render(*ACCEPTED[case])


@pytest.mark.parametrize("chart", WORKLOADS)
def test_a_service_never_begins_with_registry(helm: Helm, chart: str) -> None:
    done = helm.template(chart, release="registry-hub")
    assert done.returncode != 0
    assert 'release name "registry-hub"' in done.stderr
    assert 'such as "mirror"' in done.stderr


def test_a_host_is_listed_once(helm: Helm) -> None:
    done = helm.template("ingress", {"hosts": [HOST, {**HOST, "registryService": "other"}]})
    assert done.returncode != 0
    assert "mirror.example.com is listed twice" in done.stderr


@pytest.mark.parametrize("chart", CHARTS)
def test_the_schema_has_exactly_the_values_of_values_yaml(chart: str) -> None:
    values = yaml.safe_load((DIRECTORY / chart / "values.yaml").read_text())
    schema = json.loads((DIRECTORY / chart / "values.schema.json").read_text())
    assert schema["properties"].keys() == values.keys()
    assert schema["additionalProperties"] is False
