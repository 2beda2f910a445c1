"""Values that set everything a chart offers, in addition to its defaults."""

from __future__ import annotations

from typing import Any

WORKLOADS = ("redis", "auth", "registry")
CHARTS = (*WORKLOADS, "certificates", "monitoring", "job", "ingress", "endpoint")

DIGEST = "sha256:" + "0123456789abcdef" * 4

POD: dict[str, Any] = {
    "image": {"digest": DIGEST, "pullPolicy": "Always"},
    "secretVersions": "0a1b",
    "imagePullSecrets": [{"name": "pull"}],
    "nodeSelector": {"disk": "fast"},
    "tolerations": [{"key": "mirror", "operator": "Exists"}],
    "affinity": {"podAntiAffinity": {"requiredDuringSchedulingIgnoredDuringExecution": [{"topologyKey": "host"}]}},
    "topologySpreadConstraints": [
        {"maxSkew": 1, "topologyKey": "zone", "whenUnsatisfiable": "DoNotSchedule", "labelSelector": {}}
    ],
    "priorityClassName": "infrastructure",
    "podSecurity": "assigned",
    "serviceAccount": {"create": True, "annotations": {"example.com/role": "mirror"}},
    "podAnnotations": {"example.com/note": "on"},
    "podLabels": {"team": "1"},
    "extraEnv": [{"name": "HTTPS_PROXY", "value": "http://proxy:3128"}],
}

PEERS = [{"namespaceSelector": {"matchLabels": {"kubernetes.io/metadata.name": "traefik"}}}]
FRONT: dict[str, Any] = {
    "front": {"trustedProxies": ["10.0.0.0/8", "fd00::/8"]},
    "networkPolicy": {"enabled": True, "ingressFrom": PEERS},
}

FULL: dict[str, dict[str, Any]] = {
    "redis": {
        **POD,
        "networkPolicy": {"enabled": True},
        "program": "redis-server",
        "config": {"secretName": "redis-conf"},
    },
    "auth": {
        **POD,
        **FRONT,
        "config": {"secretName": "auth-conf"},
        "replicas": 2,
        "logLevel": 0,
        "signing": {"secretName": "key-pair"},
    },
    "registry": {
        **POD,
        **FRONT,
        "replicas": 3,
        "config": {"secretName": "hub-config"},
        "bundle": {"secretName": "certificates"},
        "upstream": {
            "secretName": "hub-account",
            "url": "https://hub.example.com",
            "account": {"username": {"secretName": "ecr"}, "password": {"secretName": "ecr", "key": "token"}},
        },
        "caBundle": {"secretName": "hub-config"},
        "proxy": {"secretName": "hub-config", "noProxy": ".svc,10.0.0.0/8"},
        "contact": "Ann's $team #1; {x} müller@example.com",
        "cache": {"tagSeconds": 60},
        "tracesExporter": "otlp",
        "hostAliases": [{"ip": "10.0.0.9", "hostnames": ["s3.example.com"]}],
    },
    "certificates": {
        "certificates": [
            {"secretName": "hub-tls", "hosts": ["hub.example.com", "other.example.com"]},
            {"secretName": "quay-tls", "hosts": ["quay.example.com"]},
        ],
        "issuer": {"name": "pca", "kind": "AWSPCAIssuer", "group": "awspca.cert-manager.io"},
    },
    "monitoring": {
        "labels": {"release": "prometheus"},
        "podMonitor": {"enabled": True},
        "alerts": {"enabled": True, "disabled": ["RegmirrorNoTraffic"], "runbooks": "https://docs.example.com/alerts/"},
        "dashboard": {"enabled": True},
    },
    "ingress": {
        "hosts": [
            {"host": "hub.example.com", "registryService": "hub"},
            {"host": "quay.example.com", "registryService": "quay", "registryPort": 80, "tlsSecretName": "quay-tls"},
        ],
        "annotations": {"example.com/note": "on"},
        "className": "traefik",
        "tls": {"enabled": True, "secretName": "tls"},
    },
}

FULL["endpoint"] = {
    **{key: value for key, value in POD.items() if key not in {"image", "secretVersions", "extraEnv"}},
    "front": {"image": {"digest": DIGEST, "pullPolicy": "Always"}, "trustedProxies": ["10.0.0.0/8"]},
    "networkPolicy": {"enabled": True},
    "replicas": 2,
    "hosts": [
        {"host": "hub.example.com", "registryService": "hub", "tlsSecretName": "wildcard-tls"},
        {"host": "quay.example.com", "registryService": "quay", "registryPort": 80, "tlsSecretName": "quay-tls"},
        {"host": "ghcr.example.com", "registryService": "ghcr", "tlsSecretName": "wildcard-tls"},
    ],
    "service": {
        "type": "LoadBalancer",
        "port": 8443,
        "nodePort": 30443,
        "annotations": {"example.com/note": "on"},
        "loadBalancerClass": "example.com/balancer",
        "loadBalancerSourceRanges": ["10.0.0.0/8"],
        "externalTrafficPolicy": "Local",
    },
}

FULL["job"] = {
    **{key: POD[key] for key in ("image", "imagePullSecrets", "nodeSelector", "tolerations", "podSecurity")},
    "schedule": "@daily",
    "command": ["verify", "--wait=5m"],
    "deadlineSeconds": 1200,
    "rules": [{"apiGroups": [""], "resources": ["pods"], "verbs": ["list"]}],
    "configuration": 'host: mirror.example.com\nnote: "{{ x }} #"\n',
    "caBundle": {"configMap": {"name": "company-ca", "items": [{"key": "ca.crt", "path": "public-ca.crt"}]}},
    "networkPolicy": {"enabled": True},
}

ROUTE: dict[str, Any] = {
    **FULL["ingress"],
    "kind": "HTTPRoute",
    "parentRefs": [{"name": "public", "namespace": "gateways", "sectionName": "https"}],
    "timeouts": {"request": "0s"},
}

RENDERED: dict[str, tuple[str, dict[str, Any]]] = {
    **{f"{chart}-defaults": (chart, {}) for chart in CHARTS},
    **{f"{chart}-full": (chart, values) for chart, values in FULL.items()},
    "ingress-route": ("ingress", ROUTE),
    "registry-autoscaled": ("registry", {"autoscaling": {"enabled": True}}),
    "registry-volume": ("registry", {"data": {"enabled": True, "storageClassName": "fast"}}),
    "registry-claim": ("registry", {"data": {"enabled": True, "claimName": "mirror-data"}}),
    "ingress-listeners": ("ingress", {**ROUTE, "listenerSet": {"enabled": True, "port": 443}}),
    "registry-without-cache": ("registry", {"cache": {"enabled": False}}),
}

PODS = [case for case, (chart, _) in RENDERED.items() if chart in {*WORKLOADS, "endpoint"}]
