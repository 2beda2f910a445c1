"""What the tests of rotations share: a mirror to rotate, keys as an attacker has them."""

import base64
import json
import secrets
from datetime import UTC, datetime, timedelta

import yaml

from regmirror.adapters.http import Urllib3Http, parse_resolve
from regmirror.distribution.client import RegistryClient
from regmirror.signing.key_pair import KeyPair, generate_private_key, self_signed
from regmirror.signing.tokens import Access, Claims, sign_token
from tests.e2e.deployed_mirror import Deployment

REPOSITORY = "library/demo"


def short_lived(mirror: Deployment, replicas: int = 1) -> Deployment:
    """Have tokens that live for a minute, and a key that is quickly made."""
    content = yaml.safe_load(mirror.file.read_text())
    content["auth"] |= {"tokenLifetime": "1m", "keySize": 2048, "replicas": min(replicas, 2)}
    content["registry"] |= {"replicas": replicas, "ttl": "0"}
    mirror.file.write_text(yaml.safe_dump(content))
    return mirror


def put_expired_key(mirror: Deployment) -> None:
    """Have a key in the cluster, which deploy finds and keeps, whose certificate ended yesterday."""
    begin = datetime.now(UTC) - timedelta(days=366)
    pair = self_signed(generate_private_key(2048), "expired", begin, timedelta(days=365), 1)
    files = {"cert": mirror.directory / "expired.crt", "key": mirror.directory / "expired.key"}
    for file, content in zip(files.values(), (pair.certificate_pem, pair.key_pem), strict=True):
        file.write_bytes(content)
    options = [f"--{name}={file}" for name, file in files.items()]
    mirror.kubectl("create", "secret", "tls", "regmirror-signing", *options)


def signing_key(mirror: Deployment) -> KeyPair:
    """The key pair in the cluster, as whoever has stolen it would have it."""
    data = json.loads(mirror.kubectl("get", "secret", "regmirror-signing", "-o", "json"))["data"]
    return KeyPair(*(base64.b64decode(data[name]) for name in ("tls.crt", "tls.key")))


def status_of_forged(mirror: Deployment, key: KeyPair) -> int:
    """What the mirror answers to a token that an attacker has signed just now."""
    access = (Access("repository", REPOSITORY, ("pull",)),)
    lifetime = timedelta(minutes=5)
    claims = Claims("regmirror", mirror.host, "", access, datetime.now(UTC), lifetime, secrets.token_hex(4))
    addresses = [f"{mirror.host}:443:{mirror.setting.address}"] if mirror.setting.address else []
    http = Urllib3Http(parse_resolve(addresses), mirror.setting.authority)
    client = RegistryClient(http, f"https://{mirror.host}")
    return client.request("GET", f"/v2/{REPOSITORY}/tags/list", sign_token(claims, key.private_key)).status
