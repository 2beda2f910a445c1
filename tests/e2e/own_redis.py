"""A Redis of the cluster's owner: with TLS and a user, and watched by a Sentinel."""

import base64
from datetime import UTC, datetime, timedelta
from typing import Any

import yaml
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

from regmirror.config.components import RedisComponent
from tests.e2e.deployed_mirror import DeployedMirror

NAME = "own-redis"
USER, PASSWORD = "mirror-user", "e2e canary \\ 'own' password"
RULES = "~blobs::* ~repository::* +@read +@write +@connection +@transaction"
"""Those of docs/guides/existing-redis.md."""
_DIRECTORY = "/etc/own-redis"


def start(mirror: DeployedMirror) -> bytes:
    """Start it in the mirror's namespace; returns the certificate of its CA."""
    name = f"{NAME}.{mirror.namespace}.svc"
    authority, certificate, key = _certificates(name)
    config = f"""\
port 0
tls-port 6380
tls-cert-file {_DIRECTORY}/tls.crt
tls-key-file {_DIRECTORY}/tls.key
tls-ca-cert-file {_DIRECTORY}/ca.crt
tls-auth-clients no
maxmemory 64mb
maxmemory-policy allkeys-lru
save ""
user default off
user {USER} on #{_digest(PASSWORD)} {RULES}
"""
    files = {"redis.conf": config.encode(), "tls.crt": certificate, "tls.key": key, "ca.crt": authority}
    objects = [
        _secret(NAME, files),
        _pod(mirror, NAME, ["redis-server", f"{_DIRECTORY}/redis.conf"]),
        _service(NAME, 6380),
    ]
    _create(mirror, objects)
    return authority


def start_with_sentinel(mirror: DeployedMirror, name: str, password: str) -> None:
    """Start a Redis without TLS and one Sentinel, which knows it as the primary ``main``."""
    service = f"{name}.{mirror.namespace}.svc"
    sentinel = f"""\
port 26379
sentinel resolve-hostnames yes
sentinel announce-hostnames yes
sentinel monitor main {service} 6379 1
sentinel auth-pass main {password}
"""
    redis = f'requirepass {password}\nmaxmemory 64mb\nmaxmemory-policy allkeys-lru\nsave ""\n'
    files = {"redis.conf": redis.encode(), "sentinel.conf": sentinel.encode()}
    _create(mirror, [_secret(name, files), _pod(mirror, name, ["redis-server", f"{_DIRECTORY}/redis.conf"])])
    _create(mirror, [_service(name, 6379)])
    # A Sentinel writes to its configuration file.
    watch = f"cat {_DIRECTORY}/sentinel.conf > /data/s.conf && exec redis-server /data/s.conf --sentinel"
    pod = _pod(mirror, f"{name}-sentinel", ["sh", "-c", watch], secret=name)
    _create(mirror, [pod, _service(f"{name}-sentinel", 26379)])


def _create(mirror: DeployedMirror, objects: list[dict[str, Any]]) -> None:
    mirror.kubectl("apply", "-f", "-", stdin=yaml.safe_dump_all(objects))
    for pod in (found for found in objects if found["kind"] == "Pod"):
        mirror.kubectl("wait", "--for=condition=Ready", f"pod/{pod['metadata']['name']}", "--timeout=60s")


def _pod(mirror: DeployedMirror, name: str, command: list[str], secret: str = "") -> dict[str, Any]:
    lab = mirror.target.lab
    image = lab["images"]["redis"] if lab else RedisComponent().image
    limited = {"allowPrivilegeEscalation": False, "capabilities": {"drop": ["ALL"]}}
    container = {
        "name": "redis",
        "image": image,
        "command": command,
        "workingDir": "/data",
        "securityContext": limited,
        "volumeMounts": [{"name": "config", "mountPath": _DIRECTORY}, {"name": "data", "mountPath": "/data"}],
    }
    shared = {"runAsNonRoot": True, "runAsUser": 999, "fsGroup": 999, "seccompProfile": {"type": "RuntimeDefault"}}
    volumes = [
        {"name": "config", "secret": {"secretName": secret or name, "defaultMode": 0o440}},
        {"name": "data", "emptyDir": {}},
    ]
    spec = {"containers": [container], "securityContext": shared, "volumes": volumes}
    return {"apiVersion": "v1", "kind": "Pod", "metadata": {"name": name, "labels": {"app": name}}, "spec": spec}


def _service(name: str, port: int) -> dict[str, Any]:
    spec = {"selector": {"app": name}, "ports": [{"port": port}]}
    return {"apiVersion": "v1", "kind": "Service", "metadata": {"name": name}, "spec": spec}


def _secret(name: str, files: dict[str, bytes]) -> dict[str, Any]:
    data = {key: base64.b64encode(content).decode() for key, content in files.items()}
    return {"apiVersion": "v1", "kind": "Secret", "metadata": {"name": name}, "data": data}


def _digest(password: str) -> str:
    digest = hashes.Hash(hashes.SHA256())
    digest.update(password.encode())
    return digest.finalize().hex()


def _certificates(host: str) -> tuple[bytes, bytes, bytes]:
    """A CA, and the certificate and key of a host that it signed, as PEM."""
    authority, leaf = ec.generate_private_key(ec.SECP256R1()), ec.generate_private_key(ec.SECP256R1())
    issuer = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "own CA")])
    root = _unsigned(issuer, issuer, authority.public_key()).add_extension(
        x509.BasicConstraints(ca=True, path_length=None), critical=True
    )
    names = x509.SubjectAlternativeName([x509.DNSName(host)])
    server = _unsigned(x509.Name([]), issuer, leaf.public_key()).add_extension(names, critical=True)
    signed = [builder.sign(authority, hashes.SHA256()) for builder in (root, server)]
    encoded = [certificate.public_bytes(serialization.Encoding.PEM) for certificate in signed]
    key = leaf.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )
    return encoded[0], encoded[1], key


def _unsigned(subject: x509.Name, issuer: x509.Name, key: ec.EllipticCurvePublicKey) -> x509.CertificateBuilder:
    now = datetime.now(UTC)
    return (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(issuer)
        .public_key(key)
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - timedelta(hours=1))
        .not_valid_after(now + timedelta(days=1))
    )
