"""Shared by the tests of rotations: a mirror with short-lived tokens, and forged tokens."""

import base64
import json
import secrets
from datetime import UTC, datetime, timedelta

import yaml

from regmirror.adapters.http import Urllib3Http, parse_resolve
from regmirror.distribution.client import RegistryClient
from regmirror.signing.key_pair import KeyPair, generate_private_key, self_signed
from regmirror.signing.tokens import Access, Claims, sign_token
from tests.e2e.deployed_mirror import DeployedMirror

REPOSITORY = "library/demo"


def short_lived(mirror: DeployedMirror, replicas: int = 1) -> DeployedMirror:
    """Configure tokens that are valid for a minute, and a key that is generated quickly."""
    content = yaml.safe_load(mirror.file.read_text())
    content["auth"] |= {"tokenLifetime": "1m", "keySize": 2048, "replicas": min(replicas, 2)}
    content["registry"] |= {"replicas": replicas, "ttl": "0"}
    mirror.file.write_text(yaml.safe_dump(content))
    return mirror


def put_expired_key(mirror: DeployedMirror) -> None:
    """Create a key with an expired certificate in the cluster, which deploy keeps."""
    begin = datetime.now(UTC) - timedelta(days=366)
    pair = self_signed(generate_private_key(2048), "expired", begin, timedelta(days=365), 1)
    files = {"cert": mirror.directory / "expired.crt", "key": mirror.directory / "expired.key"}
    for file, content in zip(files.values(), (pair.certificate_pem, pair.key_pem), strict=True):
        file.write_bytes(content)
    options = [f"--{name}={file}" for name, file in files.items()]
    mirror.kubectl("create", "secret", "tls", "regmirror-signing", *options)


def signing_key(mirror: DeployedMirror) -> KeyPair:
    """The key pair in the cluster."""
    data = json.loads(mirror.kubectl("get", "secret", "regmirror-signing", "-o", "json"))["data"]
    return KeyPair(*(base64.b64decode(data[name]) for name in ("tls.crt", "tls.key")))


def forged_token_status(mirror: DeployedMirror, key: KeyPair) -> int:
    """The status with which the mirror answers a new token that is signed with this key."""
    access = (Access("repository", REPOSITORY, ("pull",)),)
    lifetime = timedelta(minutes=5)
    claims = Claims("regmirror", mirror.host, "", access, datetime.now(UTC), lifetime, secrets.token_hex(4))
    addresses = [f"{mirror.host}:443:{mirror.target.address}"] if mirror.target.address else []
    http = Urllib3Http(parse_resolve(addresses), mirror.target.authority)
    client = RegistryClient(http, f"https://{mirror.host}")
    return client.request("GET", f"/v2/{REPOSITORY}/tags/list", sign_token(claims, key.private_key)).status
