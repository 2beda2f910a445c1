"""A change of every key of the configuration file, for deployments under load."""

from collections.abc import Callable
from typing import Any

from tests.e2e.deployed_mirror import DeployedMirror

Content = dict[str, Any]
Edit = Callable[[DeployedMirror, Content], object]
"""Changes the content of the file; may create what the change needs in the cluster."""

_PREFERENCE = {
    "preferredDuringSchedulingIgnoredDuringExecution": [
        {"weight": 1, "preference": {"matchExpressions": [{"key": "kubernetes.io/os", "operator": "Exists"}]}}
    ]
}
_SPREAD = {"maxSkew": 2, "topologyKey": "kubernetes.io/hostname", "whenUnsatisfiable": "ScheduleAnyway"}
_TOLERATION = {"key": "example.com/nowhere", "operator": "Exists"}


def _set(key: str, value: Any, **more: Any) -> Edit:
    """Set one key of a section, and others that it needs."""
    section, _, name = key.partition(".")
    return lambda _, content: content.setdefault(section, {}).update({name: value, **more})


def _of_manifest_cache(**values: Any) -> Edit:
    return lambda _, content: content["registry"].setdefault("manifestCache", {}).update(values)


def _of_layer_cache(**values: Any) -> Edit:
    return lambda _, content: content["registry"].setdefault("layerCache", {}).update(values)


def _of_upstream(**values: Any) -> Edit:
    return lambda _, content: content["upstreams"][0].update(values)


def _other_bucket(mirror: DeployedMirror, content: Content) -> None:
    content["storage"] |= {"bucket": f"{mirror.namespace}-2", "createBucket": True}


def _other_tls_secret(mirror: DeployedMirror, content: Content) -> None:
    files = [f"--cert={mirror.target.certificate}", f"--key={mirror.target.key}"]
    mirror.kubectl("create", "secret", "tls", "regmirror-tls-2", *files)
    content.setdefault("ingress", {})["tlsSecret"] = "regmirror-tls-2"


def _other_redis_password(mirror: DeployedMirror, content: Content) -> None:
    mirror.environment["OTHER_REDIS_PASSWORD"] = "e2e-another-password"
    content.setdefault("redis", {})["password"] = {"env": "OTHER_REDIS_PASSWORD"}


def _without_account(_: DeployedMirror, content: Content) -> None:
    content["upstreams"][0].pop("credentials", None)


def _from_networks(_: DeployedMirror, content: Content) -> None:
    content["upstreams"][0]["rules"] = [{"allow": ["acme/private-*"], "from": ["192.0.2.0/24"]}]
    content.setdefault("ingress", {})["trustedProxies"] = ["10.42.0.0/16"]


def _autoscaled(_: DeployedMirror, content: Content) -> None:
    content["registry"].pop("replicas", None)
    content["registry"] |= {"ttl": "0", "autoscaling": {"minReplicas": 1, "maxReplicas": 2}}


def _pods(component: str) -> dict[str, Edit]:
    """The keys that every component has."""
    return {
        f"{component}.resources": _set(f"{component}.resources", {"limits": {"memory": "640Mi"}}),
        f"{component}.nodeSelector": _set(f"{component}.nodeSelector", {"kubernetes.io/os": "linux"}),
        f"{component}.tolerations": _set(f"{component}.tolerations", [_TOLERATION]),
        f"{component}.imagePullSecrets": _set(f"{component}.imagePullSecrets", ["absent"]),
        f"{component}.affinity": _set(f"{component}.affinity", {"nodeAffinity": _PREFERENCE}),
        f"{component}.topologySpreadConstraints": _set(f"{component}.topologySpreadConstraints", [_SPREAD]),
        f"{component}.priorityClassName": _set(f"{component}.priorityClassName", "system-node-critical"),
        f"{component}.podAnnotations": _set(f"{component}.podAnnotations", {"example.com/note": "changed"}),
        f"{component}.podLabels": _set(f"{component}.podLabels", {"example.com/team": "changed"}),
        f"{component}.serviceAccount.create": _set(f"{component}.serviceAccount", {"create": True}),
    }


CHANGES: dict[str, Edit] = {
    "registry.ttl": _set("registry.ttl", "24h"),
    "auth.tokenLifetime": _set("auth.tokenLifetime", "2m"),
    "redis.password": _other_redis_password,
    "upstreams.anonymousPull": _of_upstream(anonymousPull=["library/*", "acme/*", "example/*"]),
    "upstreams.deny": _of_upstream(deny=["library/*-internal"]),
    "access.contact": _set("access.contact", "platform@example.com"),
    "upstreams.rules.allow": _of_upstream(rules=[{"allow": ["acme/private-*"], "users": ["ci-robot"]}]),
    "upstreams.rules.deny": _of_upstream(rules=[{"deny": ["acme/private-*"], "users": ["*"]}]),
    "upstreams.rules.users": _of_upstream(rules=[{"allow": ["acme/private-*"], "users": ["*"]}]),
    "upstreams.rules.groups": _of_upstream(rules=[{"allow": ["acme/private-*"], "groups": ["platform"]}]),
    "upstreams.rules.signedIn": _of_upstream(rules=[{"allow": ["acme/private-*"], "signedIn": ["alice"]}]),
    "upstreams.rules.from": _from_networks,
    "storage.prefix": _set("storage.prefix", "elsewhere"),
    "storage.storageClass": _set("storage.storageClass", "NONE"),
    **_pods("registry"),
    **_pods("auth"),
    **_pods("redis"),
    "registry.manifestCache.tagAge": _of_manifest_cache(tagAge="10s"),
    "registry.manifestCache.enabled": _of_manifest_cache(enabled=False),
    "registry.layerCache.size": _of_layer_cache(size="1Gi"),
    "front.resources": _set("front.resources", {"limits": {"memory": "1100Mi"}}),
    "fetcher.resources": _set("fetcher.resources", {"limits": {"memory": "160Mi"}}),
    "registry.replicas": _set("registry.replicas", 2, ttl="0"),
    "registry.autoscaling.maxReplicas": _autoscaled,
    "auth.replicas": _set("auth.replicas", 2),
    "auth.keySize": _set("auth.keySize", 3072),
    "auth.certificateDays": _set("auth.certificateDays", 100),
    "redis.maxMemory": _set("redis.maxMemory", "96mb"),
    "ingress.annotations": _set("ingress.annotations", {"example.com/note": "changed"}),
    "ingress.tlsSecret": _other_tls_secret,
    "ingress.trustedProxies": _set("ingress.trustedProxies", ["192.0.2.0/24"]),
    "networkPolicies.ingressFrom": _set("networkPolicies.ingressFrom", [{"ipBlock": {"cidr": "0.0.0.0/0"}}]),
    "networkPolicies.enabled": _set("networkPolicies.enabled", True),
    "monitoring.metrics": _set("monitoring.metrics", False),
    "monitoring.scrape": _set("monitoring.scrape", "annotations", metrics=True),
    "monitoring.alerts": _set("monitoring.alerts", True),
    "monitoring.disabledAlerts": _set("monitoring.disabledAlerts", ["RegmirrorNoTraffic"], alerts=True),
    "monitoring.dashboard": _set("monitoring.dashboard", True),
    "monitoring.labels": _set("monitoring.labels", {"example.com/note": "changed"}, scrape="podMonitor"),
    "monitoring.scrapeFrom": _set("monitoring.scrapeFrom", [{"ipBlock": {"cidr": "0.0.0.0/0"}}]),
    "overrides.redis": _set("overrides.redis", {"podLabels": {"example.com/note": "changed"}}),
    "overrides.auth": _set("overrides.auth", {"podLabels": {"example.com/note": "changed"}}),
    "overrides.registry": _set("overrides.registry", {"podLabels": {"example.com/note": "changed"}}),
    "overrides.ingress": _set("overrides.ingress", {"annotations": {"example.com/note": "changed"}}),
    "upstreams.overrides": _of_upstream(overrides={"podLabels": {"example.com/note": "changed"}}),
    "storage.bucket": _other_bucket,
    "storage.createBucket": _set("storage.createBucket", False),
    "upstreams.annotations": _of_upstream(annotations={"example.com/note": "changed"}),
    "upstreams.probeImage": _of_upstream(probeImage="library/big:1"),
    "upstreams.credentials": _without_account,
    "upstreams.name": _of_upstream(name="renamed"),
}
"""By key; the first ones are representative: each rolls out other pods, or none."""

REPRESENTATIVE = tuple(CHANGES)[:5]

INTERRUPTING: dict[str, Edit] = {
    "auth.issuer": _set("auth.issuer", "another-issuer"),
    "host": lambda mirror, content: content.update(host=f"{mirror.namespace}-2.{mirror.target.domain}"),
    "upstreams.host": lambda mirror, content: content["upstreams"][0].update(
        host=f"{mirror.namespace}-3.{mirror.target.domain}"
    ),
}
"""By key; ``diff`` and ``deploy`` warn of them."""

_ONE_IMAGE = "rolls out as resources does, and the lab has one image of each program"
_WAY_OUT = "rolls out as registry.ttl does; see test_way_out.py"
_CERTIFICATES = (
    "ingress.issuer.name",
    "ingress.issuer.kind",
    "ingress.issuer.group",
    "ingress.selfSigned",
    "upstreams.tlsSecret",
)
_ONE_STORE = "the mirror of this test has one object store, with one key"
_NO_ENCRYPTION = "the lab's object store does not encrypt"
_GATEWAY = (
    "ingress.gateway.parentRefs",
    "ingress.gateway.listenerSet.port",
    "ingress.gateway.requestTimeout",
)
_AS_CREATE = "is a part of serviceAccount.create: the pods get another ServiceAccount"
_CLIENT = ("clientId", "clientSecret")
_ANOTHER_ENDPOINT = "needs another public endpoint: tests/e2e/test_service.py"
UNCHANGED: dict[str, str] = {
    **{f"{component}.serviceAccount.name": _AS_CREATE for component in ("registry", "auth", "redis")},
    **{f"{component}.serviceAccount.annotations": _AS_CREATE for component in ("registry", "auth", "redis")},
    "registry.autoscaling.minReplicas": "changes as maxReplicas does",
    "registry.autoscaling.targetCPU": "needs metrics-server",
    "podSecurity": "needs a cluster that assigns user IDs; see test_cluster_policies.py",
    "apiVersion": "has one value",
    "kind": "has one value",
    "namespace": "another namespace is another mirror",
    "storage.region": _ONE_STORE,
    "storage.endpoint": _ONE_STORE,
    "storage.pathStyle": _ONE_STORE,
    "storage.accessKey.id": _ONE_STORE,
    "storage.accessKey.secret": _ONE_STORE,
    "storage.profile": _ONE_STORE,
    "storage.encryption.type": _NO_ENCRYPTION,
    "storage.encryption.kmsKey": _NO_ENCRYPTION,
    "storage.dualStack": "only Amazon S3 has it",
    **{
        f"storage.filesystem.{key}": "another volume is another store; see test_filesystem.py"
        for key in ("size", "storageClass", "accessMode", "claim")
    },
    "storage.redirect": "the clients of a test cluster may not reach its store",
    "storage.redirectEndpoint": "the clients of a test cluster may not reach its store",
    "storage.insecure": "only ends a warning",
    "upstreams.insecure": "only ends a warning",
    "storage.caBundle": _WAY_OUT,
    "upstreams.caBundle": _WAY_OUT,
    **{
        f"access.signIn.{key}": "needs a provider; see tests/contract/test_sign_in.py"
        for key in (
            *(f"github.{name}" for name in (*_CLIENT, "revalidateAfter", "organization", "url")),
            *(f"google.{name}" for name in (*_CLIENT, "domain")),
            *(f"gitlab.{name}" for name in (*_CLIENT, "revalidateAfter", "url")),
            *(f"oidc.{name}" for name in (*_CLIENT, "issuer", "userClaim", "groupsClaim", "scopes")),
            "caBundle",
            "volume",
        )
    },
    "egress.httpsProxy": _WAY_OUT,
    "egress.noProxy": _WAY_OUT,
    "egress.storage": _WAY_OUT,
    "upstreams.url": "needs a second registry with the same images",
    "upstreams.credentials.username": "is read again, as the password is; see upstreams.credentials",
    "upstreams.credentials.password": "is read again, as the user name is; see upstreams.credentials",
    "imageRegistry": "has a test of its own, test_air_gap.py",
    "registry.image": _ONE_IMAGE,
    "registry.layerCache.volume": "the lab has no StorageClass",
    "front.image": _ONE_IMAGE,
    "fetcher.image": _ONE_IMAGE,
    "auth.image": _ONE_IMAGE,
    "redis.image": _ONE_IMAGE,
    **{
        f"redis.external.{key}": "replaces other keys of redis; see test_external_redis.py"
        for key in (
            "addresses",
            "username",
            "password",
            "tls.caBundle",
            "sentinel.master",
            "sentinel.username",
            "sentinel.password",
            "database",
        )
    },
    **{
        f"auth.external.{key}": "replaces other keys of auth; see test_external_auth.py"
        for key in ("realm", "issuer", "certificate", "service")
    },
    **{
        f"{component}.chart.{key}": "needs a chart of others; see test_flavors.py"
        for component in ("redis", "auth")
        for key in ("path", "repository", "oci", "version", "flavor")
    },
    **{
        f"verification.{key}": "changes a CronJob only; see test_verification.py"
        for key in (
            "schedule",
            "image",
            "rotation.schedule",
            "caBundle",
            "resources",
            "nodeSelector",
            "tolerations",
            "imagePullSecrets",
        )
    },
    "ingress.className": "needs a second Ingress controller and another address in DNS",
    **dict.fromkeys(_GATEWAY, "another address in DNS serves the mirror; see test_gateway.py"),
    **dict.fromkeys(_CERTIFICATES, "changes the certificate only; see test_certificates.py"),
    "port": _ANOTHER_ENDPOINT,
    **{
        f"ingress.service.{key}": _ANOTHER_ENDPOINT
        for key in (
            "type",
            "nodePort",
            "annotations",
            "loadBalancerClass",
            "loadBalancerSourceRanges",
            "externalTrafficPolicy",
            "replicas",
            "resources",
            "nodeSelector",
            "tolerations",
            "imagePullSecrets",
            "affinity",
            "topologySpreadConstraints",
            "priorityClassName",
            "podAnnotations",
            "podLabels",
            "serviceAccount.name",
            "serviceAccount.create",
            "serviceAccount.annotations",
        )
    },
}
"""By key: why no test changes it under load."""
