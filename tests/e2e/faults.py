"""What can go wrong with a mirror, and which check must tell it in which words."""

from tests.e2e import harm
from tests.e2e.configuration_faults import CONFIGURATION
from tests.e2e.deployed_mirror import Object
from tests.e2e.fault import Fault
from tests.e2e.harm import hub, pods, secret
from tests.e2e.pod_only_faults import STALE

HEALTHY_HUB = {"down": False}
SIGNING, BUNDLE = "regmirror-signing", "regmirror-bundle"


def _first_path(found: Object, path: str) -> Object:
    paths = found["spec"]["rules"][0]["http"]["paths"]
    (entry,) = [entry for entry in paths if entry["path"] == path]
    backend: Object = entry["backend"]["service"]
    return backend


SIGNING_FAULTS = [
    Fault(
        "the bundle of another key",
        "token-bundle",
        "lacks the signing key",
        secret(BUNDLE, **{"bundle.crt": lambda: harm.stranger().certificate_pem}),
        quick=True,
    ),
    Fault("an empty bundle", "token-bundle", "has no PEM certificate", secret(BUNDLE, **{"bundle.crt": b"x"})),
    Fault(
        "a key of another certificate",
        "token-key-pair",
        "does not match its certificate",
        secret(SIGNING, **{"tls.key": lambda: harm.stranger().key_pem}),
    ),
    Fault("no key", "token-key-pair", "no Secret regmirror-signing", harm.deleted("secret", SIGNING)),
]

ENTRANCE = [
    Fault(
        "no public certificate",
        "tls-secret",
        "there is no Secret regmirror-tls",
        harm.deleted("secret", "regmirror-tls"),
    ),
    Fault(
        "a certificate of another host",
        "tls-secret",
        "is not for",
        harm.certificate_in_secret(lambda _: "another.example.com", 90),
        quick=True,
    ),
    Fault(
        "a certificate that has ended",
        "tls-secret",
        "ended on",
        harm.certificate_in_secret(lambda mirror: mirror.host, -1),
    ),
    Fault(
        "another host",
        "config-ingress",
        "has the host",
        harm.ingress(lambda found: found["spec"]["rules"][0].update(host="wrong.lab.test")),
        quick=True,
    ),
    Fault(
        "tokens from elsewhere",
        "config-ingress",
        "sends /auth to regmirror-docker-hub",
        harm.ingress(lambda found: _first_path(found, "/auth").update(name="regmirror-docker-hub")),
    ),
    Fault(
        "layers from elsewhere",
        "config-ingress",
        "sends /v2 to regmirror-auth",
        harm.ingress(lambda found: _first_path(found, "/v2").update(name="regmirror-auth")),
    ),
    Fault(
        "a class that nobody serves",
        "config-ingress",
        "has the class nobody",
        harm.ingress(lambda found: found["spec"].update(ingressClassName="nobody")),
    ),
    Fault("no Ingress", "config-ingress", "they have nothing", harm.no_ingress),
    Fault(
        "a Service of docker_auth that leads nowhere",
        "cluster-services",
        "regmirror-auth",
        harm.changed("service", "regmirror-auth", lambda found: found["spec"].update(selector={"app": "x"})),
        quick=True,
    ),
    Fault(
        "a Service of the registry that leads nowhere",
        "cluster-services",
        "regmirror-docker-hub",
        harm.changed("service", "regmirror-docker-hub", lambda found: found["spec"].update(selector={"app": "x"})),
    ),
    Fault(
        "no Service of Redis",
        "cluster-services",
        "regmirror-redis",
        harm.deleted("service", "regmirror-redis"),
    ),
]

UPSTREAM = [
    Fault(
        "another password at the upstream",
        "upstream-credentials",
        "refuses the mirror's account",
        secret("regmirror-docker-hub-credential", **{"credential.json": b'{"Username": "lab-user", "Secret": "x"}'}),
    ),
    Fault(
        "no account at all",
        "upstream-credentials",
        "is no account",
        secret("regmirror-docker-hub-credential", **{"credential.json": b"{"}),
    ),
    Fault(
        "an upstream that is down",
        "upstream-reachable",
        "connection refused",
        hub("/faults", {"down": True}, HEALTHY_HUB),
        quick=True,
        by_hand="that it is not down",
    ),
    Fault(
        "an upstream that fails",
        "upstream-reachable",
        "503",
        hub("/faults", {"registry": {"mode": "status", "status": 503}}, HEALTHY_HUB),
        by_hand="that it is not down",
    ),
    Fault(
        "an upstream that resets connections",
        "upstream-reachable",
        "reset",
        hub("/faults", {"registry": {"mode": "reset"}}, HEALTHY_HUB),
        by_hand="that it is not down",
    ),
    Fault(
        "an upstream that hangs",
        "upstream-reachable",
        "did not answer in time",
        hub("/faults", {"registry": {"mode": "hang"}}, HEALTHY_HUB),
        by_hand="that it is not down",
    ),
    Fault(
        "a revoked account",
        "upstream-credentials",
        "refuses the mirror's account: 401",
        hub("/faults", {"token": {"mode": "status", "status": 401}}, HEALTHY_HUB),
        by_hand="put a valid user name and access token",
    ),
    Fault(
        "no pull left",
        "upstream-quota",
        "0 of",
        hub("/faults", {"registry": {"mode": "rate-limited", "only": "manifests"}}, HEALTHY_HUB),
        quick=True,
        by_hand="or wait",
    ),
]

CONTENT = [
    Fault("a damaged layer", "clients-pull", "another content than its digest says", harm.damaged_layer),
    Fault(
        "a Redis that was given another password",
        "cache-password",
        "Redis refuses the registry's password",
        harm.redis_commands(["CONFIG SET requirepass x"], ["CONFIG SET requirepass {password}"]),
    ),
    Fault(
        "a Redis that was told not to forget",
        "cache-policy",
        "maxmemory-policy noeviction",
        harm.redis_commands(["CONFIG SET maxmemory-policy noeviction"], ["CONFIG SET maxmemory-policy allkeys-lru"]),
    ),
]

WORKLOADS = [
    Fault("no pod of docker_auth", "cluster-pods", "regmirror-auth is scaled to 0", harm.scaled("regmirror-auth")),
    Fault("no pod of Redis", "cluster-pods", "regmirror-redis is scaled to 0", harm.scaled("regmirror-redis")),
    Fault(
        "no pod of the registry",
        "cluster-pods",
        "regmirror-docker-hub is scaled to 0",
        harm.scaled("regmirror-docker-hub"),
    ),
    Fault(
        "an image that is nowhere",
        "cluster-images",
        "lab.regmirror.test/nowhere:1",
        pods("regmirror-auth", lambda spec: spec["containers"][0].update(image="lab.regmirror.test/nowhere:1")),
    ),
    Fault(
        "a log with tokens",
        "config-log-level",
        "--v=3",
        pods(
            "regmirror-auth",
            lambda spec: spec["containers"][0].update(args=["--v=3", "--logtostderr", "/config/auth_config.yml"]),
        ),
    ),
    Fault(
        "a variable that overrides the file",
        "config-variables",
        "REGISTRY_LOG_LEVEL",
        pods(
            "regmirror-docker-hub",
            lambda spec: spec["containers"][0]["env"].append({"name": "REGISTRY_LOG_LEVEL", "value": "info"}),
        ),
    ),
    Fault(
        "the private key in the registry",
        "token-key-mount",
        "the private key is mounted by the registry",
        pods(
            "regmirror-docker-hub",
            lambda spec: spec["volumes"].append({"name": "key", "secret": {"secretName": SIGNING}}),
        ),
    ),
]

FAULTS = [*CONFIGURATION, *STALE, *SIGNING_FAULTS, *ENTRANCE, *UPSTREAM, *CONTENT, *WORKLOADS]
