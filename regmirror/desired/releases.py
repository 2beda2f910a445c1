"""The Helm releases of a mirror: which chart, with which values, after which others."""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import datetime
from pathlib import Path
from typing import Any

from regmirror.config.access_decision import is_same_for_everyone
from regmirror.config.fields import image_parts
from regmirror.config.model import ManifestCache, Mirror, PodSettings, Upstream
from regmirror.config.secret_references import ClusterReference
from regmirror.desired import names
from regmirror.desired.assets import chart_directory
from regmirror.desired.endpoint import endpoint_chart, endpoint_context
from regmirror.desired.flavors import ChartSource, chart_source, flavor_context
from regmirror.desired.jobs import job_contexts
from regmirror.desired.metrics_values import metrics_values
from regmirror.desired.mirror_secrets import MirrorSecrets
from regmirror.desired.monitoring import monitoring_context, with_scrape_annotations
from regmirror.desired.overrides import OverriddenValue, override
from regmirror.desired.pod_values import pod_values
from regmirror.desired.secret_versions import annotate_versions, combined_version
from regmirror.desired.secrets import Manifest, secret_manifests
from regmirror.desired.sign_in_values import page_values, volume_values
from regmirror.desired.templates import render_values
from regmirror.desired.way_out import no_proxy

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
    source: ChartSource
    values: dict[str, Any]
    needs: tuple[str, ...] = ()
    overridden: tuple[OverriddenValue, ...] = ()
    """The values that the configuration file overrides."""

    @property
    def chart(self) -> Path:
        """The directory of the chart; of a chart that Helm downloads, its name."""
        return self.source.directory

    def with_versions(self, versions: str) -> "Release":
        """The release with other versions of the Secrets that its pods mount."""
        return replace(self, values=self.source.with_versions(self.values, versions))


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
    redis = [] if mirror.redis.external else [_redis(mirror, by_name)]
    redis += [_sign_in(mirror, by_name)] if mirror.access.sign_in else []
    auth = [] if mirror.auth.external else [_auth(mirror, by_name)]
    certificates = [_certificates(mirror)] if mirror.ingress.issuer else []
    monitoring = [_monitoring(mirror)] if mirror.monitoring.has_objects else []
    releases = [*redis, *auth, *registries, *certificates, *monitoring, *_jobs(mirror), _endpoint(mirror)]
    return [_with_overrides(mirror, release) for release in releases]


def _with_overrides(mirror: Mirror, release: Release) -> Release:
    values, overridden = override(mirror, release.name, release.component, release.values)
    return replace(release, values=values, overridden=tuple(overridden))


def _redis(mirror: Mirror, secrets: dict[str, Manifest]) -> Release:
    context = _workload(mirror, mirror.redis, mirror.redis.image, [secrets[names.REDIS_SECRET]])
    context |= {"config_secret": names.REDIS_SECRET, "policy": {"enabled": mirror.network_policies.enabled}, "data": {}}
    return _release(mirror, names.REDIS, "redis", context)


def _sign_in(mirror: Mirror, secrets: dict[str, Manifest]) -> Release:
    """The database with the logins of people: the chart and image of Redis, and a volume."""
    # Resources are those of a cache, and two releases cannot create the same ServiceAccount.
    settings = mirror.redis.model_copy(update={"resources": None, "service_account": None})
    context = _workload(mirror, settings, mirror.redis.image, [secrets[names.SIGN_IN_SECRET]])
    context |= {
        "config_secret": names.SIGN_IN_SECRET,
        "policy": {"enabled": mirror.network_policies.enabled},
        "data": volume_values(mirror),
    }
    values = render_values("redis.yaml.j2", context)
    return Release(names.SIGN_IN, "sign-in", ChartSource(chart_directory("redis")), values)


def _auth(mirror: Mirror, secrets: dict[str, Manifest]) -> Release:
    mounted = [secrets[name] for name in AUTH_SECRET_NAMES]
    settings = mirror.auth if mirror.auth.chart else with_scrape_annotations(mirror, mirror.auth)
    context = _workload(mirror, settings, mirror.auth.image, mounted) | {
        "replicas": mirror.auth.replicas,
        "config_secret": names.AUTH_SECRET,
        "signing_secret": names.SIGNING_SECRET,
        "front": _front(mirror) | _address_of_endpoint(mirror),
        "policy": _policy(mirror),
        "metrics": metrics_values(mirror, verificationConfigMap=names.VERIFICATION_RESULT),
        "sign_in": page_values(mirror),
    }
    return _release(mirror, names.AUTH, "auth", context)


def _registry(mirror: Mirror, upstream: Upstream, secrets: dict[str, Manifest]) -> Release:
    name = names.registry(upstream.name)
    mounted = [secrets[secret] for secret in registry_secret_names(name)]
    settings = with_scrape_annotations(mirror, mirror.registry)
    context = _workload(mirror, settings, mirror.registry.image, mounted) | {
        "replicas": mirror.registry.replicas,
        "autoscaling": mirror.registry.autoscaling,
        "config_secret": names.registry_secret(upstream.name),
        "bundle_secret": names.BUNDLE_SECRET,
        "credential_secret": names.credential_secret(upstream.name),
        "upstream_url": upstream.url,
        "account": _followed_account(upstream),
        "ca_bundle": bool(mirror.storage.ca_bundle or upstream.ca_bundle),
        "proxy": mirror.egress.https_proxy is not None,
        "no_proxy": ",".join(no_proxy(mirror)),
        "front": _front(mirror),
        "policy": _policy(mirror),
        "metrics": metrics_values(mirror, upstream=upstream.name),
        "contact": mirror.access.contact or "",
        "cache": _manifest_cache(mirror.registry.manifest_cache),
        "fetcher": {"image": image_parts(mirror.fetcher.image), "resources": mirror.fetcher.resources},
        "layer_cache": _layer_cache(mirror, upstream),
        "data": _data(mirror),
    }
    return _release(mirror, name, "registry", context)


def _followed_account(upstream: Upstream) -> dict[str, dict[str, str]]:
    """The Secrets of others that the registry reads its account from; empty if regmirror copies the account."""
    if upstream.credentials is None or not upstream.credentials.follows_secrets:
        return {}
    fields = {"username": upstream.credentials.username, "password": upstream.credentials.password}
    return {
        field: {"secretName": reference.secret.name, "key": reference.secret.key}
        for field, reference in fields.items()
        if isinstance(reference, ClusterReference)
    }


def _front(mirror: Mirror) -> dict[str, Any]:
    """With ``ingress.service``, the endpoint limits clients itself: it sees their addresses first."""
    return {
        "image": image_parts(mirror.front.image),
        "trusted_proxies": [] if mirror.ingress.service else mirror.ingress.trusted_proxies,
        "resources": mirror.front.resources,
    }


def _address_of_endpoint(mirror: Mirror) -> dict[str, Any]:
    """The endpoint of ``ingress.service`` reports the addresses of clients; its pods can have any address."""
    is_reported = mirror.ingress.service is not None and mirror.uses_client_addresses
    return {"trusted_proxies": ["0.0.0.0/0", "::/0"]} if is_reported else {}


def _policy(mirror: Mirror) -> dict[str, Any]:
    policies = mirror.network_policies
    endpoint = {"podSelector": {"matchLabels": {"app.kubernetes.io/instance": names.INGRESS}}}
    allowed = [endpoint] if mirror.ingress.service else policies.ingress_from
    return {
        "enabled": policies.enabled,
        "ingress_from": allowed,
        "metrics_from": mirror.monitoring.scrape_from,
    }


def _manifest_cache(cache: ManifestCache) -> dict[str, Any]:
    return {"enabled": cache.enabled, "tag_seconds": int(cache.tag_age.total_seconds())}


def _layer_cache(mirror: Mirror, upstream: Upstream) -> dict[str, Any]:
    """Nothing is cached if clients fetch layers from the object store themselves."""
    cache = mirror.registry.layer_cache
    return {
        "bytes": 0 if mirror.storage.redirect else cache.bytes,
        "storage_class": "" if cache.volume == "emptyDir" else cache.volume,
        # Another token server may have rules that are not in the file.
        "shared": mirror.auth.external is None and is_same_for_everyone(upstream),
    }


def _data(mirror: Mirror) -> dict[str, Any]:
    """The volume of one registry; empty if its data is in a bucket."""
    filesystem = mirror.storage.filesystem
    if filesystem is None:
        return {}
    values = {
        "claimName": filesystem.claim,
        "size": filesystem.size,
        "storageClassName": filesystem.storage_class,
        "accessMode": filesystem.access_mode,
    }
    return {"enabled": True} | {key: value for key, value in values.items() if value is not None}


def _certificates(mirror: Mirror) -> Release:
    """Independent of the public endpoint: each may need the other first, to mount a Secret or to answer a challenge."""
    issuer = mirror.ingress.issuer
    context = {
        "issuer": issuer.model_dump() if issuer else {},
        "certificates": [{"secret": name, "hosts": hosts} for name, hosts in mirror.tls_hosts.items()],
    }
    return _release(mirror, names.CERTIFICATES, "certificates", context)


def _jobs(mirror: Mirror) -> list[Release]:
    """The CronJobs that verify the mirror and renew its key."""
    return [
        _release(mirror, name, "job", {**context, "policy": {"enabled": mirror.network_policies.enabled}})
        for name, context in job_contexts(mirror).items()
    ]


def _monitoring(mirror: Mirror) -> Release:
    return _release(mirror, names.MONITORING, "monitoring", monitoring_context(mirror.monitoring))


def _endpoint(mirror: Mirror) -> Release:
    auth = () if mirror.auth.external else (names.AUTH,)
    needs = (*auth, *(names.registry(upstream.name) for upstream in mirror.upstreams))
    return _release(mirror, names.INGRESS, endpoint_chart(mirror), endpoint_context(mirror), needs)


def _release(
    mirror: Mirror, name: str, component: str, context: dict[str, Any], needs: tuple[str, ...] = ()
) -> Release:
    source = chart_source(mirror, component)
    if source.flavor:
        context = {**context, "name": name, **flavor_context(mirror, component, context["image"])}
    values = render_values(source.template or f"{component}.yaml.j2", context)
    return Release(name, component, source, values, needs)


def _workload(mirror: Mirror, settings: PodSettings, image: str, mounted: list[Manifest]) -> dict[str, Any]:
    return {
        "image": image_parts(image),
        "secret_versions": combined_version(mounted),
        "resources": settings.resources,
        **pod_values(mirror, settings),
    }
