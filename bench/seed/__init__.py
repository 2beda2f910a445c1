"""The recipe of 2020, which regmirror replaces: its steps as a script, its settings with today's names of the keys.

Its charts are gone: `chart/` has one as plain as they were. What registry 3 demands is put right (redis.addrs,
forcepathstyle, the kind of key id); all else is the recipe's, and that is the programs' defaults.
"""

import json
from pathlib import Path
from typing import Any

from bench import store
from bench.place import Place

HERE = Path(__file__).parent
ISSUER = "My Auth"


PROBES = {
    "redis": {"tcpSocket": {"port": "main"}, "initialDelaySeconds": 5, "periodSeconds": 5},
    "registry": {"httpGet": {"path": "/", "port": "main"}},
    "auth": {"httpGet": {"path": "/", "port": "main"}},
}
"""How the charts of the recipe ask whether a program is ready; where they name no period it is 10 s."""
EAGER = {"tcpSocket": {"port": "main"}, "periodSeconds": 1}
"""As often as can be, for what the order of the steps costs by itself."""


def prepared(place: Place, *, eager: bool = False) -> str:
    """A namespace with the host's certificate and the files that the script takes; gives its name."""
    name = place.namespace("seed")
    files = {
        "redis": _values(place, "redis", "requirepass seed\n", 6379, ["valkey-server", "/config/config"]),
        "registry": _registry(place, name, auth=False),
        "registry-with-auth": _registry(place, name, auth=True),
        "auth": _auth(place),
        "ingress": _ingress(place, name),
    }
    store.create_bucket(place, name)
    for file, content in files.items():
        if eager and "probe" in content:
            content["probe"] = EAGER
        (place.directory / name / f"{file}.json").write_text(json.dumps(content))
    return name


def deploy(place: Place, namespace: str) -> None:
    """Run the script; raises LabError."""
    place.run([str(HERE / "deploy.sh"), str(HERE / "chart"), namespace], namespace)


def _values(
    place: Place, image: str, config: str, port: int, command: list[str], credentials: str = ""
) -> dict[str, Any]:
    return {
        "image": place.lab["images"][image],
        "command": command,
        "port": port,
        "config": config,
        "probe": PROBES[image],
        "credentials": credentials,
    }


def _registry(place: Place, namespace: str, *, auth: bool) -> dict[str, Any]:
    s3, hub, host = place.lab["s3"], place.lab["hub"], place.host(namespace)
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
    return _values(place, "registry", json.dumps(config), 5000, command, "auth-credentials" if auth else "")


def _auth(place: Place) -> dict[str, Any]:
    pair = {"certificate": "/etc/docker-auth/ssl/tls.crt", "key": "/etc/docker-auth/ssl/tls.key"}
    config = {
        "server": {"addr": ":5001"},
        "token": {"issuer": ISSUER, "expiration": 900, **pair, "disable_legacy_key_id": True},
        "users": {"": {}},
        "acl": [{"match": {"account": "", "name": "library/*"}, "actions": ["pull"]}],
    }
    command = ["/docker_auth/auth_server", "--v=2", "--logtostderr", "/config/config"]
    return _values(place, "auth", json.dumps(config), 5001, command, "auth-credentials")


def _ingress(place: Place, namespace: str) -> dict[str, Any]:
    def path(prefix: str, service: str, port: int) -> dict[str, Any]:
        backend = {"service": {"name": service, "port": {"number": port}}}
        return {"path": prefix, "pathType": "Prefix", "backend": backend}

    host = place.host(namespace)
    paths = [path("/auth", "docker-auth", 5001), path("/v2", "docker-registry", 5000)]
    return {
        "apiVersion": "networking.k8s.io/v1",
        "kind": "Ingress",
        "metadata": {"name": "registry"},
        "spec": {
            "ingressClassName": place.lab["ingress_class"],
            "tls": [{"hosts": [host], "secretName": "regmirror-tls"}],
            "rules": [{"host": host, "http": {"paths": paths}}],
        },
    }
