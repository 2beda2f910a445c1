"""A support bundle of a running mirror: searches for canary values in every encoding."""

import base64
import binascii
import gzip
import json
import re
import stat
import tarfile
import zlib
from collections.abc import Callable, Iterator
from contextlib import suppress
from pathlib import Path

import pytest

from tests.e2e.deployed_mirror import DeployedMirror

pytestmark = pytest.mark.lab

REDIS_CANARY = "canary-redis-77b1e0d5"
HUB_CANARY = "canary-hub-31c9fa84"
OTHER_CANARY = "canary-other-c04e5b2f"
BASE64 = re.compile(rb"[A-Za-z0-9+/_-]{16,}={0,2}")
_GZIP = 31
"""The zlib window size that selects the gzip format."""


@pytest.fixture(scope="module")
def mirror(new_mirror: Callable[[], DeployedMirror]) -> DeployedMirror:
    """A mirror with canaries as passwords, and with other objects in the namespace that contain canaries."""
    made = new_mirror()
    made.environment.update(REDIS_PASSWORD=REDIS_CANARY, DOCKERHUB_USERNAME="canary", DOCKERHUB_ACCESS_TOKEN=HUB_CANARY)
    assert made.init().code == 0
    deployed = made.deploy()
    assert deployed.code == 0, deployed.stderr
    made.kubectl("create", "secret", "generic", "other", f"--from-literal=word={OTHER_CANARY}")
    made.kubectl("create", "configmap", "other", f"--from-literal=word=x{OTHER_CANARY}x")
    pod = next(pod for pod in made.objects("pods") if "docker-hub" in pod["metadata"]["name"])
    encoded = base64.b64encode(f"user:{HUB_CANARY}".encode()).decode()
    made.kubectl("annotate", "pod", pod["metadata"]["name"], f"example.com/note={REDIS_CANARY} {encoded}")
    return made


@pytest.fixture(scope="module")
def archive(mirror: DeployedMirror) -> Path:
    """The bundle."""
    words = ["--output-file", "bundle.tar.gz", *mirror.target.resolve(mirror.host)]
    outcome = mirror.regmirror("support-bundle", *words, "-o", "json")
    assert outcome.code == 0, outcome.stderr
    assert outcome.stderr.count("\n") == 1, outcome.stderr
    return mirror.directory / str(outcome.document["path"])


@pytest.fixture(scope="module")
def files(archive: Path) -> dict[str, bytes]:
    """Its files by their paths below the top directory."""
    with tarfile.open(archive) as opened:
        found = {member.name: opened.extractfile(member) for member in opened}
        return {name.partition("/")[2]: stream.read() for name, stream in found.items() if stream}


@pytest.fixture(scope="module")
def canaries(mirror: DeployedMirror) -> list[bytes]:
    """Every secret value of the mirror, including a line of its private key."""
    key = next(s for s in mirror.objects("secrets") if s["metadata"]["name"] == "regmirror-signing")
    line = base64.b64decode(key["data"]["tls.key"]).splitlines()[5]
    texts = [REDIS_CANARY, HUB_CANARY, OTHER_CANARY, mirror.environment["AWS_SECRET_ACCESS_KEY"]]
    return [*(text.encode() for text in texts), line]


def forms(content: bytes, depth: int = 3) -> Iterator[bytes]:
    """The content, and recursively what is compressed or encoded in it."""
    yield content
    if depth == 0:
        return
    if content.startswith(b"\x1f\x8b"):
        with suppress(zlib.error):
            yield from forms(zlib.decompressobj(_GZIP).decompress(content), depth - 1)
    for match in BASE64.findall(content):
        text = match.rstrip(b"=").translate(bytes.maketrans(b"-_", b"+/"))
        for start in range(4):
            with suppress(binascii.Error):
                yield from forms(base64.b64decode(text[start:] + b"=" * (-len(text[start:]) % 4)), depth - 1)


def test_it_contains_no_canary_in_any_encoding(archive: Path, files: dict[str, bytes], canaries: list[bytes]) -> None:
    seen = [form for content in (archive.read_bytes(), *files.values()) for form in forms(content)]
    assert [canary[:12] for canary in canaries for form in seen if canary in form] == []


def test_the_search_finds_encoded_canaries(canaries: list[bytes]) -> None:
    canary = canaries[0]
    hidden = base64.b64encode(base64.b64encode(gzip.compress(b"x" + canary)))
    assert any(canary in form for form in forms(b"text " + hidden + b" text"))
    assert any(canary in form for form in forms(base64.urlsafe_b64encode(b"12" + canary)))


def test_it_contains_everything_for_troubleshooting(files: dict[str, bytes], mirror: DeployedMirror) -> None:
    kinds = ("Deployment", "Pod", "Service", "Ingress", "Event", "Secret", "ConfigMap")
    assert {f"objects/{kind}.yaml" for kind in kinds} <= files.keys()
    logs = {path.split("/")[2] for path in files if path.startswith("logs/")}
    assert {"auth.log", "redis.log", "registry.log"} <= logs
    assert files["regmirror.yaml"].decode() == mirror.file.read_text()
    # The Docker Hub stand-in does not accept the canary account: some checks fail, and the bundle reports that.
    results = {check["id"]: check["result"] for check in json.loads(files["verify.json"])["checks"]}
    assert results["token-accepted"] == "success"
    assert "error" in results.values()
    assert json.loads(files["status.json"])["serving"] is True
    assert len(json.loads(files["values.json"])) == 4
    versions = json.loads(files["versions.json"])
    assert not any("unknown" in version for version in versions.values())
    assert b"the values of" in files["OMITTED.txt"]


def test_only_its_owner_can_read_it(archive: Path) -> None:
    assert stat.S_IMODE(archive.stat().st_mode) == 0o600
