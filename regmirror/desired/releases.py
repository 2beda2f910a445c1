"""The Helm releases of a mirror: which chart, with which values, after which others."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any

from regmirror.config.fields import image_parts
from regmirror.config.model import ManifestCache, Mirror, PodSettings, Upstream
from regmirror.desired import names
from regmirror.desired.assets import chart_directory
from regmirror.desired.endpoint_annotations import endpoint_annotations, for_every_external_dns
from regmirror.desired.ingress_controllers import WITHOUT_INGRESS_CLASS
from regmirror.desired.mirror_secrets import MirrorSecrets
from regmirror.desired.routes import route_values
from regmirror.desired.secret_versions import annotate_versions, combined_version
from regmirror.desired.secrets import Manifest, secret_manifests
from regmirror.desired.templates import render_values

AUTH_SECRET_NAMES = (names.AUTH_SECRET, names.SIGNING_SECRET)
"""The Secrets whose versions docker_auth's pods carry."""


def registry_secret_names(release: str) -> tuple[str, str]:
    """The Secrets whose versions the pods of one registry's release carry.

    Without the credential: the helper reads it again every few minutes, so that no pod has to restart.
    """
    return names.registry_secret(release.removeprefix(names.PREFIX)), names.BUNDLE_SECRET


@dataclass(frozen=True, slots=True)
class Release:
    """One Helm release; ``needs`` names the releases that must be ready before this one."""

    name: str
    component: str
    chart: Path
    values: dict[str, Any]
    needs: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Stack:
    """Everything that a mirror creates in its namespace."""

    secrets: list[Manifest]
    releases: list[Release]


def build_stack(mirror: Mirror, mirror_secrets: MirrorSecrets, live: Mapping[str, Manifest], now: datetime) -> Stack:
    """Compute the whole stack; the same input gives the same stack, byte for byte.

    ``live`` has the Secrets of the cluster by name; ``now`` is in UTC and becomes the version of those that change.
    """
    secrets = annotate_versions(secret_manifests(mirror, mirror_secrets), live, now)
    return Stack(secrets, build_releases(mirror, secrets))


def build_releases(mirror: Mirror, secrets: list[Manifest]) -> list[Release]:
    """The releases of a mirror; of each Secret only the name and version matter."""
    by_name = {manifest["metadata"]["name"]: manifest for manifest in secrets}
    registries = [_registry(mirror, upstream, by_name) for upstream in mirror.upstreams]
    certificates = [_certificates(mirror)] if mirror.ingress.issuer else []
    return [_redis(mirror, by_name), _auth(mirror, by_name), *registries, *certificates, _ingress(mirror)]


def _redis(mirror: Mirror, secrets: dict[str, Manifest]) -> Release:
    context = _workload(mirror.redis, mirror.redis.image, [secrets[names.REDIS_SECRET]])
    context |= {"config_secret": names.REDIS_SECRET, "policy": {"enabled": mirror.network_policies.enabled}}
    return _release(names.REDIS, "redis", context)


def _auth(mirror: Mirror, secrets: dict[str, Manifest]) -> Release:
    mounted = [secrets[name] for name in AUTH_SECRET_NAMES]
    context = _workload(mirror.auth, mirror.auth.image, mounted) | {
        "replicas": mirror.auth.replicas,
        "config_secret": names.AUTH_SECRET,
        "signing_secret": names.SIGNING_SECRET,
        "front": _front(mirror),
        "policy": _policy(mirror),
    }
    return _release(names.AUTH, "auth", context)


def _registry(mirror: Mirror, upstream: Upstream, secrets: dict[str, Manifest]) -> Release:
    name = names.registry(upstream.name)
    mounted = [secrets[secret] for secret in registry_secret_names(name)]
    context = _workload(mirror.registry, mirror.registry.image, mounted) | {
        "replicas": mirror.registry.replicas,
        "config_secret": names.registry_secret(upstream.name),
        "bundle_secret": names.BUNDLE_SECRET,
        "credential_secret": names.credential_secret(upstream.name),
        "front": _front(mirror),
        "policy": _policy(mirror),
        "cache": _manifest_cache(mirror.registry.manifest_cache),
        "fetcher": {"image": image_parts(mirror.fetcher.image), "resources": mirror.fetcher.resources},
        "layer_cache": _layer_cache(mirror),
    }
    return _release(name, "registry", context)


def _front(mirror: Mirror) -> dict[str, Any]:
    return {
        "image": image_parts(mirror.front.image),
        "trusted_proxies": mirror.ingress.trusted_proxies,
        "resources": mirror.front.resources,
    }


def _policy(mirror: Mirror) -> dict[str, Any]:
    policies = mirror.network_policies
    return {"enabled": policies.enabled, "ingress_from": policies.ingress_from}


def _manifest_cache(cache: ManifestCache) -> dict[str, Any]:
    return {"enabled": cache.enabled, "tag_seconds": int(cache.tag_age.total_seconds())}


def _layer_cache(mirror: Mirror) -> dict[str, Any]:
    """Nothing is cached if clients fetch layers from the object store themselves."""
    cache = mirror.registry.layer_cache
    return {
        "bytes": 0 if mirror.storage.redirect else cache.bytes,
        "storage_class": "" if cache.volume == "emptyDir" else cache.volume,
    }


def _certificates(mirror: Mirror) -> Release:
    """Independent of the public endpoint: each may need the other first, to mount a Secret or to answer a challenge."""
    issuer = mirror.ingress.issuer
    context = {
        "issuer": issuer.model_dump() if issuer else {},
        "certificates": [{"secret": name, "hosts": hosts} for name, hosts in mirror.tls_hosts.items()],
    }
    return _release(names.CERTIFICATES, "certificates", context)


def _ingress(mirror: Mirror) -> Release:
    class_name = mirror.ingress.class_name or ""
    context = {
        "class_name": "" if class_name in WITHOUT_INGRESS_CLASS else class_name,
        "annotations": endpoint_annotations(mirror),
        "route": route_values(mirror.ingress.gateway) if mirror.ingress.gateway else None,
        "hosts": [
            {
                "host": mirror.host_of(upstream),
                "registryService": names.registry(upstream.name),
                "registryPort": names.REGISTRY_PORT,
                "tlsSecretName": mirror.tls_secret_of(upstream),
                "annotations": for_every_external_dns(upstream.annotations),
            }
            for upstream in mirror.upstreams
        ],
        "auth_service": names.AUTH,
        "auth_port": names.AUTH_PORT,
    }
    needs = (names.AUTH, *(names.registry(upstream.name) for upstream in mirror.upstreams))
    return _release(names.INGRESS, "ingress", context, needs)


def _release(name: str, component: str, context: dict[str, Any], needs: tuple[str, ...] = ()) -> Release:
    values = render_values(f"{component}.yaml.j2", context)
    return Release(name, component, chart_directory(component), values, needs)


def _workload(settings: PodSettings, image: str, mounted: list[Manifest]) -> dict[str, Any]:
    return {
        "image": image_parts(image),
        "image_pull_secrets": settings.image_pull_secrets,
        "secret_versions": combined_version(mounted),
        "resources": settings.resources,
        "node_selector": settings.node_selector,
        "tolerations": settings.tolerations,
    }
