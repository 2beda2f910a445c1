"""Warnings about a valid configuration: keys that have no effect, and what exposes an account or content."""

import re
from collections.abc import Iterator

import yaml

from regmirror.config.access_decision import entries, numbered_rules
from regmirror.config.access_risks import claimed_addresses, evaded_groups, published_patterns
from regmirror.config.encryption import is_exposed
from regmirror.config.key_paths import KeyPath, format_path, line_of
from regmirror.config.model import Mirror, Upstream
from regmirror.config.model_keys import documented_key
from regmirror.config.pattern_problems import pattern_problems
from regmirror.config.problem import Problem
from regmirror.config.sign_in_warnings import sign_in_warnings

Warnings = Iterator[tuple[KeyPath, str]]


def file_warnings(mirror: Mirror, root: yaml.Node) -> list[Problem]:
    """Everything to warn about, with its line in ``root``."""
    return [
        Problem(line_of(root, path), format_path(path), message, documented_key(path))
        for path, message in (*_without_effect(mirror), *_risks(mirror))
    ]


def risk_warnings(mirror: Mirror) -> list[str]:
    """What makes private repositories public, or sends an account or content without encryption."""
    return [f"{format_path(path)}: {message}" for path, message in _risks(mirror)]


def plain_http_urls(mirror: Mirror, upstream: Upstream) -> list[str]:
    """The URLs of one upstream and of the store that are not encrypted, and not accepted with ``insecure``."""
    return [url for _, url in (*_plain_upstream(upstream, ()), *_plain_store(mirror))]


def _without_effect(mirror: Mirror) -> Warnings:
    storage = mirror.storage
    if storage.region and not storage.endpoint and not _AWS_REGION.fullmatch(storage.region):
        yield ("storage", "region"), _NO_REGION.format(region=storage.region)
    if _CLASS_ANNOTATION in mirror.ingress.annotations:
        yield ("ingress", "annotations", _CLASS_ANNOTATION), "Kubernetes has replaced this annotation: set className"
    yield from _unused_overrides(mirror)
    yield from _without_effect_on_a_gateway(mirror)
    yield from sign_in_warnings(mirror)
    for index, upstream in enumerate(mirror.upstreams):
        path = ("upstreams", index)
        if not any(entry.allows for entry in entries(upstream)):
            key = "rules" if upstream.rules else "anonymousPull"
            yield (*path, key), f"{_NOTHING[key]}: no client can pull from this upstream"
        if mirror.ingress.service and upstream.annotations:
            yield (*path, "annotations"), "has no effect with ingress.service, because no Ingress is created"
        for below, problem in pattern_problems(upstream):
            yield (*path, *below), problem


_NOTHING = {"rules": "no rule allows anything", "anonymousPull": "the list is empty"}
_AWS_REGION = re.compile(r"[a-z]{2,5}(-[a-z]+)+-[0-9]+")
_CLASS_ANNOTATION = "kubernetes.io/ingress.class"
_NO_REGION = (
    "{region} is not a region of Amazon S3 such as eu-central-1, and the registry will not start; for another store, "
    "set endpoint"
)


def _unused_overrides(mirror: Mirror) -> Warnings:
    for component, reason in {
        "redis": mirror.redis.external and "redis.external",
        "auth": mirror.auth.external and "auth.external",
    }.items():
        if reason and getattr(mirror.overrides, component):
            yield ("overrides", component), f"has no effect with {reason}"


_CERTIFICATE_OF_GATEWAY = "has no effect: the certificate is that of the Gateway, without listenerSet"


def _without_effect_on_a_gateway(mirror: Mirror) -> Warnings:
    ingress = mirror.ingress
    if ingress.gateway and ingress.class_name:
        yield ("ingress", "className"), "has no effect: ingress.gateway replaces the Ingress"
    # Without the key, the Secret is a default that nobody has asked for.
    if ingress.has_foreign_certificate and ingress.tls_secret and "tls_secret" in ingress.model_fields_set:
        yield ("ingress", "tlsSecret"), _CERTIFICATE_OF_GATEWAY
    for index, upstream in enumerate(mirror.upstreams):
        if ingress.has_foreign_certificate and upstream.tls_secret:
            yield ("upstreams", index, "tlsSecret"), _CERTIFICATE_OF_GATEWAY


def _risks(mirror: Mirror) -> Warnings:
    yield from _logins(mirror)
    if mirror.auth.chart:
        yield ("auth", "chart"), _NO_FRONT
    for path, url in _plain_store(mirror):
        yield path, f"{url} is not encrypted: the S3 key and content can be read and changed on the way; {_ACCEPT}"
    for index, upstream in enumerate(mirror.upstreams):
        for path, url in _plain_upstream(upstream, ("upstreams", index)):
            yield path, f"{url} is not encrypted: the account and content can be read and changed on the way; {_ACCEPT}"
        for key, patterns in published_patterns(upstream).items() if upstream.credentials else ():
            yield ("upstreams", index, *key), _PUBLISHED.format(patterns=", ".join(patterns))
    yield from claimed_addresses(mirror)
    yield from evaded_groups(mirror)


def _logins(mirror: Mirror) -> Warnings:
    """The first rule that needs a login, if the front of docker_auth does not know the addresses of clients."""
    if mirror.ingress.knows_client_addresses:
        return
    path = next((path for path, rule in numbered_rules(mirror.upstreams) if not rule.is_for_everyone), None)
    if path:
        yield path, _LOGINS


_LOGINS = (
    "the rule needs logins, which are limited in total, because the addresses of clients are not known: one client can "
    "use up the logins of all others; set ingress.trustedProxies"
)
_NO_FRONT = (
    "requests for tokens reach docker_auth without the front: a few large requests can stop it, its pods do not wait "
    "for requests in progress when they are replaced, and networkPolicies do not cover them"
)
_ACCEPT = "use https://, or set insecure: true"
_PUBLISHED = (
    "{patterns} together with credentials: every matching repository that the account can read becomes public, "
    "private ones included; use an account that is a member of nothing, or list repositories without wildcards"
)


def _plain_store(mirror: Mirror) -> Warnings:
    storage = mirror.storage
    urls = {"endpoint": storage.endpoint, "redirectEndpoint": storage.redirect_endpoint}
    for key, url in urls.items():
        if url and is_exposed(url) and not storage.insecure:
            yield ("storage", key), url


def _plain_upstream(upstream: Upstream, path: KeyPath) -> Warnings:
    if is_exposed(upstream.url) and not upstream.insecure:
        yield (*path, "url"), upstream.url
