"""Faults of the configuration file and of what the cluster has instead of it."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

from regmirror.desired import names
from regmirror.desired.secrets import users_secret
from regmirror.ports.cluster import DEPLOYMENT, HTTP_ROUTE, INGRESS, INGRESS_CLASS, SECRET, Object
from tests import samples
from tests.unit.check_faults.table import (
    REGISTRY_SECRET,
    FaultTable,
    InjectFault,
    edit_auth,
    edit_container,
    edit_registry,
    edit_token_section,
    reconfigure,
)
from tests.unit.deployed import REGISTRY, Deployed

fault = FaultTable()


@fault("config-issuer", 'docker_auth signs as issuer "regmirror", but the registry expects issuer "other"')
def other_issuer_at_the_registry(mirror: Deployed) -> None:
    edit_token_section(mirror, "issuer", "other")


@fault("config-service", 'the registry\'s service is "x" instead of "mirror.example.com"')
def other_service(mirror: Deployed) -> None:
    edit_token_section(mirror, "service", "x")


@fault("config-service", 'the registry\'s realm is "x" instead of "https://mirror.example.com/auth"')
def other_realm(mirror: Deployed) -> None:
    edit_token_section(mirror, "realm", "x")


@fault("config-service", 'the registry\'s service is "None"')
def no_authentication(mirror: Deployed) -> None:
    edit_registry(mirror, lambda config: config.pop("auth"))


def edit_access_list(mirror: Deployed, change: Callable[[list[Any]], object]) -> None:
    edit_auth(mirror, lambda config: change(config["acl"]))


def rule(name: str) -> dict[str, Any]:
    return {"match": {"type": "repository", "name": name}, "actions": ["pull"]}


@fault("config-access", "docker_auth's access list is missing: library/*")
def rule_lost(mirror: Deployed) -> None:
    edit_access_list(mirror, lambda acl: acl.pop(0))


@fault("config-access", "docker_auth's access list also allows: evil/*")
def rule_added(mirror: Deployed) -> None:
    edit_access_list(mirror, lambda acl: acl.append(rule("evil/*")))


@fault("config-access", "docker_auth's access list also allows: acme/* (account eve, teams core, from 10.0.0.0/8)")
def client_added(mirror: Deployed) -> None:
    added = rule("acme/*")
    added["match"] |= {"account": "eve", "labels": {"teams": "core"}, "ip": "10.0.0.0/8"}
    edit_access_list(mirror, lambda acl: acl.append(added))


@fault("config-access", "docker_auth's access list also allows: any repository")
def open_to_all(mirror: Deployed) -> None:
    edit_access_list(mirror, lambda acl: acl.insert(0, {"actions": ["*"]}))


@fault("config-access", "docker_auth's access list is missing: library/*; it also allows: b/*")
def rule_replaced(mirror: Deployed) -> None:
    edit_access_list(mirror, lambda acl: acl.__setitem__(0, rule("b/*")))


@fault("config-access", "docker_auth's access list also denies: library/alpine")
def denial_added(mirror: Deployed) -> None:
    edit_access_list(mirror, lambda acl: acl.insert(0, rule("library/alpine") | {"actions": []}))


@fault("config-access", "docker_auth's access list has another order")
def other_order(mirror: Deployed) -> None:
    edit_access_list(mirror, lambda acl: acl.reverse())


@fault("config-access", "Secret regmirror-auth-config: auth_config.yml is not valid YAML")
def invalid_yaml(mirror: Deployed) -> None:
    mirror.replace(names.AUTH_SECRET, **{"auth_config.yml": b"{"})


@fault("config-access", "Secret regmirror-auth-config: auth_config.yml is empty")
def empty_file(mirror: Deployed) -> None:
    mirror.replace(names.AUTH_SECRET, **{"auth_config.yml": b""})


@fault("config-access", "namespace regmirror has no Secret regmirror-auth-config")
def no_auth_secret(mirror: Deployed) -> None:
    mirror.cluster.delete(SECRET, names.AUTH_SECRET)


@fault("config-users", "docker_auth has unexpected users: admin; the passwords of admin and test are published")
def sample_user(mirror: Deployed) -> None:
    edit_auth(mirror, lambda config: config["users"].update(admin={"password": "$2y$"}))


@fault("config-users", "docker_auth has no anonymous user, so every client needs a login")
def no_anonymous_user(mirror: Deployed) -> None:
    edit_auth(mirror, lambda config: config.pop("users"))


HASH = "$2b$10$" + "a" * 53


def put_account(mirror: Deployed, name: str, **entry: Any) -> None:
    """Write an entry into the Secret with the accounts, which docker_auth's configuration does not have."""
    entries = {name: json.dumps(entry).encode()}
    mirror.cluster.put(users_secret(mirror.mirror, entries))


@fault("config-users", "docker_auth lacks accounts: alice")
def account_not_applied(mirror: Deployed) -> None:
    put_account(mirror, "alice", password=HASH, groups=[])


@fault("config-users", "docker_auth has another password or other groups of: alice")
def other_groups(mirror: Deployed) -> None:
    put_account(mirror, "alice", password=HASH, groups=["platform"])
    edit_auth(mirror, lambda config: config["users"].update(alice={"password": HASH, "labels": {"user": ["alice"]}}))


@fault("config-users", "entries that are not accounts of regmirror user: alice: it has no password")
def account_without_a_password(mirror: Deployed) -> None:
    put_account(mirror, "alice", groups=["platform"])


@fault("config-accounts", 'no rule names the account "alice" or a group of it')
def account_without_a_rule(mirror: Deployed) -> None:
    put_account(mirror, "alice", password=HASH, groups=[])


@fault("config-accounts", 'upstreams[0].rules[0].users: there is no account "alice"')
def rule_without_an_account(mirror: Deployed) -> None:
    reconfigure(
        mirror, upstreams=[samples.MINIMAL["upstreams"][0] | {"rules": [{"allow": ["acme/*"], "users": ["alice"]}]}]
    )


@fault("config-ingress", "the Ingress of mirror.example.com has class none instead of traefik")
def other_class(mirror: Deployed) -> None:
    reconfigure(mirror, ingress={"className": "traefik"})


@fault("config-ingress", "no Ingress of the mirror has host mirror.example.com; existing hosts: none")
def no_ingress(mirror: Deployed) -> None:
    mirror.cluster.delete(INGRESS, "public")


def route(mirror: Deployed, path: str, service: str) -> None:
    (found,) = mirror.cluster.select(INGRESS)
    (entry,) = [entry for entry in found["spec"]["rules"][0]["http"]["paths"] if entry["path"] == path]
    entry["backend"]["service"]["name"] = service
    mirror.cluster.put(found)


@fault("config-ingress", "the Ingress of mirror.example.com routes /auth to x instead of regmirror-auth")
def other_auth_backend(mirror: Deployed) -> None:
    route(mirror, "/auth", "x")


@fault("config-ingress", "routes /v2 to x instead of regmirror-docker-hub")
def other_registry_backend(mirror: Deployed) -> None:
    route(mirror, "/v2", "x")


GATEWAY = {"gateway": {"parentRefs": [{"name": "public", "namespace": "gateways", "sectionName": "https"}]}}
PARENT = {"name": "public", "namespace": "gateways", "sectionName": "https"}


def behind_a_gateway(mirror: Deployed, **spec: Any) -> Object:
    """The accepted HTTPRoute of a mirror behind a Gateway, in place of its Ingress; ``spec`` has other values."""
    reconfigure(mirror, ingress=GATEWAY)
    mirror.cluster.delete(INGRESS, "public")
    services = {"/auth": names.AUTH, "/v2": REGISTRY}
    rules = [
        {"matches": [{"path": {"value": path}}], "backendRefs": [{"name": service}]}
        for path, service in services.items()
    ]
    conditions = [
        {"type": kind, "status": "True", "observedGeneration": 1, "reason": kind}
        for kind in ("Accepted", "ResolvedRefs")
    ]
    route = {
        "apiVersion": HTTP_ROUTE.api_version,
        "kind": HTTP_ROUTE.kind,
        "metadata": {
            "name": f"{names.INGRESS}-{samples.HOST}",
            "labels": {"app.kubernetes.io/instance": names.INGRESS},
        },
        "spec": {"hostnames": [samples.HOST], "parentRefs": [PARENT], "rules": rules} | spec,
        "status": {"parents": [{"parentRef": PARENT, "conditions": conditions}]},
    }
    mirror.cluster.put(route)
    return route


@fault("config-ingress", "no HTTPRoute of the mirror has host mirror.example.com; existing hosts: old.example.com")
def route_of_another_host(mirror: Deployed) -> None:
    behind_a_gateway(mirror, hostnames=["old.example.com"])


@fault("config-ingress", "the HTTPRoute of mirror.example.com is not attached to Gateway public")
def other_listener(mirror: Deployed) -> None:
    behind_a_gateway(mirror, parentRefs=[PARENT | {"sectionName": "http"}])


@fault("config-ingress", "the HTTPRoute of mirror.example.com routes /auth to nothing instead of regmirror-auth")
def route_without_rules(mirror: Deployed) -> None:
    behind_a_gateway(mirror, rules=[])


@fault("config-gateway", "Gateway gateways/public, listener https: NotAllowedByListeners: no listener allows it")
def refused_route(mirror: Deployed) -> None:
    route = behind_a_gateway(mirror)
    refusal = {"status": "False", "reason": "NotAllowedByListeners", "message": "no listener allows it"}
    route["status"]["parents"][0]["conditions"][0] |= refusal
    mirror.cluster.put(route)


@fault("config-gateway", "Gateway gateways/public, listener https: its controller has not answered")
def ignored_route(mirror: Deployed) -> None:
    route = behind_a_gateway(mirror)
    del route["status"]
    mirror.cluster.put(route)


@fault("config-ingress-class", "class internal has an unknown Ingress controller, example.com/proxy")
def unknown_controller(mirror: Deployed) -> None:
    reconfigure(mirror, ingress={"className": "internal"})
    spec = {"controller": "example.com/proxy"}
    metadata = {"name": "internal"}
    kind = {"apiVersion": INGRESS_CLASS.api_version, "kind": INGRESS_CLASS.kind}
    mirror.cluster.put({**kind, "metadata": metadata, "spec": spec})


def patterns(*entries: str, deny: tuple[str, ...] = ()) -> InjectFault:
    upstream = {"name": "docker-hub", "anonymousPull": list(entries), "deny": list(deny)}
    return lambda mirror: reconfigure(mirror, upstreams=[upstream])


fault("config-patterns", 'anonymousPull[0]: "docker.io/library" never matches: no repository name begins with a host')(
    patterns("docker.io/library")
)
fault("config-patterns", 'anonymousPull[0]: "library/*/*" never matches: every repository of Docker Hub is named')(
    patterns("library/*/*")
)
fault("config-patterns", '"library/alpine" has no effect: the earlier pattern "library/*" matches the same')(
    patterns("library/*", "library/alpine")
)
fault("config-patterns", 'deny[0]: "other/*" has no effect: anonymousPull allows none of it')(
    patterns("library/*", deny=("other/*",))
)


@fault("config-safety", "it accepts pushes and deletions")
def writable(mirror: Deployed) -> None:
    edit_registry(mirror, lambda config: config["storage"]["maintenance"].pop("readonly"))


@fault("config-safety", "its debug port, which exposes passwords, is open to every pod")
def open_debug_port(mirror: Deployed) -> None:
    edit_registry(mirror, lambda config: config["http"]["debug"].update(addr=":5001"))


@fault("config-safety", "expired layers are never deleted from the bucket")
def never_deleted(mirror: Deployed) -> None:
    edit_registry(mirror, lambda config: config["storage"].pop("delete"))


@fault("config-safety", "it accepts tokens with any signing algorithm")
def any_algorithm(mirror: Deployed) -> None:
    edit_registry(mirror, lambda config: config["auth"]["token"].pop("signingalgorithms"))


@fault("config-safety", "its replicas overwrite each other's list of expiring layers")
def expiry_with_replicas(mirror: Deployed) -> None:
    reconfigure(mirror, registry={"replicas": 2, "ttl": 0})
    edit_registry(mirror, lambda config: config["proxy"].update(ttl="168h"))


@fault("config-registry", "the registry's live settings differ from the configuration file: proxy.ttl, http.extra")
def drifted_registry(mirror: Deployed) -> None:
    edit_registry(
        mirror, lambda config: (config["proxy"].update(ttl="1h"), config["http"].update(extra="canary-s3-secret"))
    )


@fault(
    "config-auth",
    "docker_auth's live settings differ from the configuration file: token.disable_legacy_key_id, google",
)
def drifted_auth(mirror: Deployed) -> None:
    edit_auth(mirror, lambda config: (config["token"].pop("disable_legacy_key_id"), config.update(google={"a": 1})))


@fault("config-redis", "Redis's live settings differ from the configuration file: maxmemory-policy")
def drifted_redis(mirror: Deployed) -> None:
    settings = b'maxmemory 128mb\nmaxmemory-policy noeviction\nsave ""\nappendonly no\ndatabases 4096\n'
    mirror.replace(names.REDIS_SECRET, **{"valkey.conf": settings})


@fault("config-images", "regmirror-auth runs docker.io/somebody/docker_auth:1 instead of docker.io/cesanta/docker_auth")
def other_image(mirror: Deployed) -> None:
    edit_container(mirror, names.AUTH, image="docker.io/somebody/docker_auth:1")


@fault(
    "config-variables",
    "Deployment regmirror-docker-hub has variables that override its configuration: REGISTRY_PROXY_TTL",
)
def variable(mirror: Deployed) -> None:
    edit_container(mirror, REGISTRY, env=[{"name": "OTEL_TRACES_EXPORTER"}, {"name": "REGISTRY_PROXY_TTL"}])


@fault("config-log-level", "docker_auth runs with --v=3 and logs all tokens and passwords")
def verbose_log(mirror: Deployed) -> None:
    edit_container(mirror, names.AUTH, args=["--v=3", "--logtostderr"])


@fault("config-log-level", "namespace regmirror has no Deployment regmirror-auth")
def no_auth(mirror: Deployed) -> None:
    mirror.cluster.delete(DEPLOYMENT, names.AUTH)


@fault("config-registry", "Secret regmirror-docker-hub-config: config.yml is not a mapping")
def list_instead_of_mapping(mirror: Deployed) -> None:
    mirror.replace(REGISTRY_SECRET, **{"config.yml": b"[a, b]"})
