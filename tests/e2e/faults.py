"""The faults of a mirror, each with the check that reports it and the expected words."""

from tests.e2e import inject
from tests.e2e.configuration_faults import CONFIGURATION
from tests.e2e.deployed_mirror import Object
from tests.e2e.fault import Fault
from tests.e2e.inject import hub, pods, secret
from tests.e2e.pod_only_faults import POD_ONLY

HEALTHY_HUB = {"down": False}
SIGNING, BUNDLE = "regmirror-signing", "regmirror-bundle"


def _first_path(found: Object, path: str) -> Object:
    paths = found["spec"]["rules"][0]["http"]["paths"]
    (entry,) = [entry for entry in paths if entry["path"] == path]
    backend: Object = entry["backend"]["service"]
    return backend


SIGNING_FAULTS = [
    Fault(
        "a bundle without the signing key",
        "token-bundle",
        "does not contain the signing key",
        secret(BUNDLE, **{"bundle.crt": lambda: inject.untrusted_key_pair().certificate_pem}),
        quick=True,
    ),
    Fault("an empty bundle", "token-bundle", "has no PEM certificate", secret(BUNDLE, **{"bundle.crt": b"x"})),
    Fault(
        "a key that does not match its certificate",
        "token-key-pair",
        "does not match its certificate",
        secret(SIGNING, **{"tls.key": lambda: inject.untrusted_key_pair().key_pem}),
    ),
    Fault("no key", "token-key-pair", "no Secret regmirror-signing", inject.deleted("secret", SIGNING)),
]

PUBLIC_ENDPOINT = [
    Fault(
        "no public certificate",
        "tls-secret",
        "there is no Secret regmirror-tls",
        inject.deleted("secret", "regmirror-tls"),
    ),
    Fault(
        "a certificate for another host",
        "tls-secret",
        "is not for",
        inject.certificate_in_secret(lambda _: "another.example.com", 90),
        quick=True,
    ),
    Fault(
        "an expired certificate",
        "tls-secret",
        "expired on",
        inject.certificate_in_secret(lambda mirror: mirror.host, -1),
    ),
    Fault(
        "another host",
        "config-ingress",
        "has host",
        inject.ingress(lambda found: found["spec"]["rules"][0].update(host="wrong.lab.test")),
        quick=True,
    ),
    Fault(
        "a wrong Service for /auth",
        "config-ingress",
        "routes /auth to regmirror-docker-hub",
        inject.ingress(lambda found: _first_path(found, "/auth").update(name="regmirror-docker-hub")),
    ),
    Fault(
        "a wrong Service for /v2",
        "config-ingress",
        "routes /v2 to regmirror-auth",
        inject.ingress(lambda found: _first_path(found, "/v2").update(name="regmirror-auth")),
    ),
    Fault(
        "an IngressClass without a controller",
        "config-ingress",
        "has class nobody",
        inject.ingress(lambda found: found["spec"].update(ingressClassName="nobody")),
    ),
    Fault("no Ingress", "config-ingress", "existing hosts: none", inject.no_ingress),
    Fault(
        "a Service of docker_auth without endpoints",
        "cluster-services",
        "regmirror-auth",
        inject.changed("service", "regmirror-auth", lambda found: found["spec"].update(selector={"app": "x"})),
        quick=True,
    ),
    Fault(
        "a Service of the registry without endpoints",
        "cluster-services",
        "regmirror-docker-hub",
        inject.changed("service", "regmirror-docker-hub", lambda found: found["spec"].update(selector={"app": "x"})),
    ),
    Fault(
        "no Service of Redis",
        "cluster-services",
        "regmirror-redis",
        inject.deleted("service", "regmirror-redis"),
    ),
]

UPSTREAM = [
    Fault(
        "a wrong password for the upstream",
        "upstream-credentials",
        "refuses the mirror's credentials",
        secret("regmirror-docker-hub-credential", **{"credential.json": b'{"Username": "lab-user", "Secret": "x"}'}),
    ),
    Fault(
        "an invalid account file",
        "upstream-credentials",
        "does not contain an account",
        secret("regmirror-docker-hub-credential", **{"credential.json": b"{"}),
    ),
    Fault(
        "an upstream that is down",
        "upstream-reachable",
        "connection refused",
        hub("/faults", {"down": True}, HEALTHY_HUB),
        quick=True,
        manual_step="that the upstream is up",
    ),
    Fault(
        "an upstream that fails",
        "upstream-reachable",
        "503",
        hub("/faults", {"registry": {"mode": "status", "status": 503}}, HEALTHY_HUB),
        manual_step="that the upstream is up",
    ),
    Fault(
        "an upstream that resets connections",
        "upstream-reachable",
        "reset",
        hub("/faults", {"registry": {"mode": "reset"}}, HEALTHY_HUB),
        manual_step="that the upstream is up",
    ),
    Fault(
        "an upstream that never answers",
        "upstream-reachable",
        "did not answer in time",
        hub("/faults", {"registry": {"mode": "hang"}}, HEALTHY_HUB),
        manual_step="that the upstream is up",
    ),
    Fault(
        "a revoked account",
        "upstream-credentials",
        "refuses the mirror's credentials (401)",
        hub("/faults", {"token": {"mode": "status", "status": 401}}, HEALTHY_HUB),
        manual_step="set a valid user name and access token",
    ),
    Fault(
        "an exhausted pull limit",
        "upstream-quota",
        "0 of",
        hub("/faults", {"registry": {"mode": "rate-limited", "only": "manifests"}}, HEALTHY_HUB),
        quick=True,
        manual_step="or wait",
    ),
]

CONTENT = [
    Fault("a damaged layer", "clients-pull", "the bucket does not match the digest", inject.damaged_layer),
    Fault(
        "layers that the bucket has lost",
        "storage-cache-agrees",
        "objects that Redis remembers",
        inject.lost_layers,
        quick=True,
    ),
    Fault(
        "data of another mirror",
        "storage-owner",
        "belongs to other.lab.test (namespace other of ",
        inject.foreign_owner,
        manual_step="set another storage.prefix",
    ),
    Fault(
        "another password in the running Redis",
        "cache-password",
        "Redis refuses the registry's password",
        inject.redis_commands(["CONFIG SET requirepass x"], ["CONFIG SET requirepass {password}"]),
    ),
    Fault(
        "no eviction in the running Redis",
        "cache-policy",
        "maxmemory-policy noeviction",
        inject.redis_commands(["CONFIG SET maxmemory-policy noeviction"], ["CONFIG SET maxmemory-policy allkeys-lru"]),
    ),
]

WORKLOADS = [
    Fault("no pod of docker_auth", "cluster-pods", "regmirror-auth is scaled to 0", inject.scaled("regmirror-auth")),
    Fault("no pod of Redis", "cluster-pods", "regmirror-redis is scaled to 0", inject.scaled("regmirror-redis")),
    Fault(
        "no pod of the registry",
        "cluster-pods",
        "regmirror-docker-hub is scaled to 0",
        inject.scaled("regmirror-docker-hub"),
    ),
    Fault(
        "a missing image",
        "cluster-images",
        "lab.regmirror.test/nowhere:1",
        pods("regmirror-auth", lambda spec: spec["containers"][0].update(image="lab.regmirror.test/nowhere:1")),
    ),
    Fault(
        "a log level that logs tokens",
        "config-log-level",
        "--v=3",
        pods(
            "regmirror-auth",
            lambda spec: spec["containers"][0].update(args=["--v=3", "--logtostderr", "/config/auth_config.yml"]),
        ),
    ),
    Fault(
        "a variable that overrides the configuration file",
        "config-variables",
        "REGISTRY_LOG_LEVEL",
        pods(
            "regmirror-docker-hub",
            lambda spec: spec["containers"][0]["env"].append({"name": "REGISTRY_LOG_LEVEL", "value": "info"}),
        ),
    ),
    Fault(
        "the private key mounted by the registry",
        "token-key-mount",
        "mount the private key",
        pods(
            "regmirror-docker-hub",
            lambda spec: spec["volumes"].append({"name": "key", "secret": {"secretName": SIGNING}}),
        ),
    ),
]

FAULTS = [*CONFIGURATION, *POD_ONLY, *SIGNING_FAULTS, *PUBLIC_ENDPOINT, *UPSTREAM, *CONTENT, *WORKLOADS]
