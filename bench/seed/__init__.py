"""The recipe of 2020, which regmirror replaces: its steps as a script, its settings with today's key names.

Its charts are no longer available: `chart/` contains an equally simple one. Settings that registry 3 requires are
adapted (redis.addrs, forcepathstyle, the kind of key ID); all others are those of the recipe or defaults.
"""

import json
from pathlib import Path
from typing import Any

from bench import store
from bench.environment import Environment

HERE = Path(__file__).parent
ISSUER = "My Auth"


PROBES = {
    "redis": {"tcpSocket": {"port": "main"}, "initialDelaySeconds": 5, "periodSeconds": 5},
    "registry": {"httpGet": {"path": "/", "port": "main"}},
    "auth": {"httpGet": {"path": "/", "port": "main"}},
}
"""The readiness probe of the recipe's charts; the default period is 10 s."""
EAGER = {"tcpSocket": {"port": "main"}, "periodSeconds": 1}
"""The shortest period, to measure the cost of the sequential steps."""


def prepared(env: Environment, *, eager: bool = False) -> str:
    """Create a namespace with the host's certificate and the files of the script; returns its name."""
    name = env.namespace("seed")
    files = {
        "redis": _values(env, "redis", "requirepass seed\n", 6379, ["valkey-server", "/config/config"]),
        "registry": _registry(env, name, auth=False),
        "registry-with-auth": _registry(env, name, auth=True),
        "auth": _auth(env),
        "ingress": _ingress(env, name),
    }
    store.create_bucket(env, name)
    for file, content in files.items():
        if eager and "probe" in content:
            content["probe"] = EAGER
        (env.directory / name / f"{file}.json").write_text(json.dumps(content))
    return name


def deploy(env: Environment, namespace: str) -> None:
    """Run the script; raises LabError."""
    env.run([str(HERE / "deploy.sh"), str(HERE / "chart"), namespace], namespace)


def _values(
    env: Environment, image: str, config: str, port: int, command: list[str], credentials: str = ""
) -> dict[str, Any]:
    return {
        "image": env.lab["images"][image],
        "command": command,
        "port": port,
        "config": config,
        "probe": PROBES[image],
        "credentials": credentials,
    }


def _registry(env: Environment, namespace: str, *, auth: bool) -> dict[str, Any]:
    s3, hub, host = env.lab["s3"], env.lab["hub"], env.host(namespace)
    driver = {
        "region": s3["region"],
        "regionendpoint": s3["endpoint"],
        "forcepathstyle": True,
        "bucket": namespace,
        "accesskey": s3["access_key"],
        "secretkey": s3["secret_key"],
    }
    config: dict[str, Any] = {
        "version": 0.1,
        "log": {"fields": {"service": "registry"}},
        "http": {"addr": ":5000", "headers": {"X-Content-Type-Options": ["nosniff"]}},
        "storage": {
            "s3": driver,
            "cache": {"blobdescriptor": "redis"},
            "maintenance": {"readonly": {"enabled": True}},
        },
        "redis": {"addrs": ["redis:6379"], "password": "seed"},
        "proxy": {"remoteurl": hub["url"], "username": hub["username"], "password": hub["password"]},
        "health": {"storagedriver": {"enabled": True, "interval": "10s", "threshold": 3}},
    }
    if auth:
        bundle = "/etc/docker-auth/ssl/tls.crt"
        token = {"realm": f"https://{host}/auth", "service": host, "issuer": ISSUER, "rootcertbundle": bundle}
        config["auth"] = {"token": token}
    command = ["registry", "serve", "/config/config"]
    return _values(env, "registry", json.dumps(config), 5000, command, "auth-credentials" if auth else "")


def _auth(env: Environment) -> dict[str, Any]:
    pair = {"certificate": "/etc/docker-auth/ssl/tls.crt", "key": "/etc/docker-auth/ssl/tls.key"}
    config = {
        "server": {"addr": ":5001"},
        "token": {"issuer": ISSUER, "expiration": 900, **pair, "disable_legacy_key_id": True},
        "users": {"": {}},
        "acl": [{"match": {"account": "", "name": "library/*"}, "actions": ["pull"]}],
    }
    command = ["/docker_auth/auth_server", "--v=2", "--logtostderr", "/config/config"]
    return _values(env, "auth", json.dumps(config), 5001, command, "auth-credentials")


def _ingress(env: Environment, namespace: str) -> dict[str, Any]:
    def path(prefix: str, service: str, port: int) -> dict[str, Any]:
        backend = {"service": {"name": service, "port": {"number": port}}}
        return {"path": prefix, "pathType": "Prefix", "backend": backend}

    host = env.host(namespace)
    paths = [path("/auth", "docker-auth", 5001), path("/v2", "docker-registry", 5000)]
    return {
        "apiVersion": "networking.k8s.io/v1",
        "kind": "Ingress",
        "metadata": {"name": "registry"},
        "spec": {
            "ingressClassName": env.lab["ingress_class"],
            "tls": [{"hosts": [host], "secretName": "regmirror-tls"}],
            "rules": [{"host": host, "http": {"paths": paths}}],
        },
    }
