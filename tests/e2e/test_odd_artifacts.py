"""Artifacts of every shape come through the mirror as they are at the upstream."""

import gzip
import hashlib
import json
import secrets
import shutil
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from lab import addresses
from lab.oci import INDEX, LAYER
from tests.e2e.deployed_mirror import DeployedMirror, Outcome, run
from tests.e2e.estargz import estargz
from tests.e2e.upstream_artifacts import EMPTY, Descriptor, Repository

pytestmark = pytest.mark.lab

SCHEMA2 = "application/vnd.docker.distribution.manifest.v2+json"
LIST = "application/vnd.docker.distribution.manifest.list.v2+json"
ZSTD = "application/vnd.oci.image.layer.v1.tar+zstd"
FOREIGN = "application/vnd.docker.image.rootfs.foreign.diff.tar.gzip"
UNKNOWN = "application/vnd.example"
EMPTY_LAYER = gzip.compress(bytes(1024), mtime=0)
"""A tar archive without files, as builders write it for an instruction that changes no file."""
ABSENT = {"mediaType": INDEX, "digest": f"sha256:{'f' * 64}", "size": 2}
ANNOTATIONS = {"org.opencontainers.image.title": "Größe \u2265 1 \U0001f433 \u93e1", "example/markup": "<&>\u2028"}
CHART = "apiVersion: v2\nname: chart\nversion: 1.0.0+build5\n"


@dataclass(frozen=True)
class Artifact:
    """What is pushed under a tag; ``is_whole`` is False if not everything that it names exists at the upstream."""

    push: Callable[[Repository, str], Descriptor]
    tag: str = "1"
    path: str = "library"
    is_whole: bool = True


def platforms(repository: Repository, tag: str, number: int, kind: str = INDEX) -> Descriptor:
    child: dict[str, Any] = {"mediaType": SCHEMA2} if kind == LIST else {}
    images = [repository.image(str(each), **child) for each in range(number)]
    platform = [{"architecture": "amd64", "os": "linux", "os.version": str(each)} for each in range(number)]
    return repository.index([{**image, "platform": on} for image, on in zip(images, platform, strict=True)], tag, kind)


def with_attestations(repository: Repository, tag: str) -> Descriptor:
    """As BuildKit writes them."""
    image, attestation = repository.image("image"), repository.image("attestation")
    annotations = {
        "vnd.docker.reference.digest": image["digest"],
        "vnd.docker.reference.type": "attestation-manifest",
    }
    unknown = {"architecture": "unknown", "os": "unknown"}
    return repository.index([image, {**attestation, "platform": unknown, "annotations": annotations}], tag)


def padded(size: int) -> Callable[[Repository, str], Descriptor]:
    return lambda repository, tag: repository.image(tag, annotations={"padding": "x" * size})


def with_layer(content: bytes, kind: str = LAYER) -> Callable[[Repository, str], Descriptor]:
    return lambda repository, tag: repository.image(tag, layers=[repository.blob(content, kind)])


def with_config(kind: str) -> Callable[[Repository, str], Descriptor]:
    return lambda repository, tag: repository.image(tag, config=repository.blob(b'{"example": 1}', kind))


def with_unknown_child(repository: Repository, tag: str) -> Descriptor:
    """An index that names a thing that is neither a manifest nor an index, next to an image."""
    return repository.index([repository.image(), repository.blob(b"thing", f"{UNKNOWN}.thing")], tag)


def duplicate_layers(repository: Repository, tag: str) -> Descriptor:
    return repository.image(tag, layers=[repository.blob(b"twice")] * 2)


def of_windows(repository: Repository, tag: str) -> Descriptor:
    """A layer that clients fetch from elsewhere, which the upstream does not have."""
    elsewhere = {"digest": ABSENT["digest"], "size": 2, "mediaType": FOREIGN, "urls": ["https://example.com/layer"]}
    return repository.image(tag, mediaType=SCHEMA2, layers=[elsewhere, repository.blob(b"own")])


def with_subject(repository: Repository, tag: str) -> Descriptor:
    """An artifact without content that refers to an image (OCI image specification 1.1)."""
    empty = repository.blob(b"{}", EMPTY)
    fields: dict[str, Any] = {"artifactType": "example/signature", "config": empty, "layers": [empty]}
    return repository.image(tag, subject=repository.image("subject"), **fields)


def of_cosign(repository: Repository, tag: str) -> Descriptor:
    """A signature as cosign writes it without referrers, whose tag has the digest of the image."""
    payload = repository.blob(b"{}", "application/vnd.dev.cosign.simplesigning.v1+json")
    return repository.image(tag, layers=[payload])


ARTIFACTS = {
    "Docker manifest": Artifact(lambda repository, tag: repository.image(tag, mediaType=SCHEMA2)),
    "Docker manifest list": Artifact(lambda repository, tag: platforms(repository, tag, 2, LIST)),
    "30 platforms": Artifact(lambda repository, tag: platforms(repository, tag, 30)),
    # An overlay has at most 127.
    "120 layers": Artifact(lambda repository, tag: repository.image(tag, number=120)),
    "6 path segments": Artifact(lambda repository, tag: repository.image(tag), path="acme/a/b/c/d"),
    "mixed tag": Artifact(lambda repository, tag: repository.image(tag), "V1.0-RC_1.Final"),
    "underscore tag": Artifact(lambda repository, tag: repository.image(tag), "_underscore"),
    "longest tag": Artifact(lambda repository, tag: repository.image(tag), "x" * 128),
    "attestations": Artifact(with_attestations),
    "cosign signature": Artifact(of_cosign, f"sha256-{'a' * 64}.sig"),
    "artifact with a subject": Artifact(with_subject),
    "zstd layer": Artifact(with_layer(b"zstd", ZSTD)),
    "eStargz layer": Artifact(with_layer(estargz({"file": b"content"}))),
    "empty layer": Artifact(with_layer(EMPTY_LAYER)),
    "layer of 0 bytes": Artifact(with_layer(b"")),
    "layer of an unknown type": Artifact(with_layer(b"layer", f"{UNKNOWN}.layer")),
    "configuration of an unknown type": Artifact(with_config(f"{UNKNOWN}.config+json")),
    "child of an unknown type": Artifact(with_unknown_child),
    "no layers": Artifact(lambda repository, tag: repository.image(tag, layers=[])),
    "duplicate layers": Artifact(duplicate_layers),
    "without a media type": Artifact(lambda repository, tag: repository.image(tag, mediaType=None)),
    "manifest of 2 MB": Artifact(padded(2_000_000)),
    # What a registry must accept: OCI distribution specification 1.1, "Pushing Manifests".
    "manifest of nearly 4 MiB": Artifact(padded(4 * 1024**2 - 1000)),
    "annotations in all alphabets": Artifact(lambda repository, tag: repository.image(tag, annotations=ANNOTATIONS)),
    "index in an index": Artifact(lambda repository, tag: repository.index([platforms(repository, "inner", 1)], tag)),
    "missing child": Artifact(
        lambda repository, tag: repository.index([repository.image(), ABSENT], tag), is_whole=False
    ),
    # Clients fetch a layer from elsewhere, where the lab has nothing.
    "Windows layer": Artifact(of_windows, is_whole=False),
}


@pytest.fixture(scope="module")
def mirror(new_mirror: Callable[[], DeployedMirror]) -> Iterator[DeployedMirror]:
    """A mirror that everyone may pull everything of acme from."""
    mirror = new_mirror()
    if mirror.target.lab is None:
        pytest.skip("only the lab has an upstream that a test can fill")
    mirror.change_upstream(anonymousPull=["library/*", "acme/**"])
    outcome = mirror.deploy()
    assert outcome.code == 0, outcome.stderr
    yield mirror


def crane(mirror: DeployedMirror, directory: Path, *words: str) -> Outcome:
    return run(["crane", *words], directory, {"SSL_CERT_FILE": str(mirror.target.authority)})


def blobs(layout: Path) -> set[str]:
    """The digests of an OCI image layout, each of which is compared with its content."""
    files = list(layout.glob("blobs/sha256/*"))
    assert all(hashlib.sha256(file.read_bytes()).hexdigest() == file.name for file in files)
    return {file.name for file in files}


@pytest.mark.parametrize("kind", ARTIFACTS)
def test_an_artifact_is_the_same_as_at_the_upstream(mirror: DeployedMirror, tmp_path: Path, kind: str) -> None:
    artifact = ARTIFACTS[kind]
    repository = Repository(f"{artifact.path}/odd-{secrets.token_hex(4)}")
    digest = artifact.push(repository, artifact.tag)["digest"]
    through, direct = (f"{host}/{repository.name}:{artifact.tag}" for host in (mirror.host, addresses.HUB_STORAGE))
    found = crane(mirror, tmp_path, "digest", through)
    assert (found.code, found.stdout.strip()) == (0, digest), found.stderr
    pulled = {
        name: crane(mirror, tmp_path, "pull", "--format=oci", *options, image, name).code
        for name, image, options in (("mirror", through, ()), ("upstream", direct, ("--insecure",)))
    }
    assert pulled["mirror"] == pulled["upstream"]
    assert (pulled["mirror"] == 0) is artifact.is_whole
    if artifact.is_whole:
        assert blobs(tmp_path / "mirror") == blobs(tmp_path / "upstream") >= {digest.removeprefix("sha256:")}


@pytest.mark.parametrize("kind", ["artifact with a subject", "index in an index", "30 platforms"])
def test_oras_copies_an_artifact_with_all_that_it_names(mirror: DeployedMirror, tmp_path: Path, kind: str) -> None:
    if shutil.which("oras") is None:
        pytest.skip("oras is missing")
    repository = Repository(f"library/odd-{secrets.token_hex(4)}")
    digest = ARTIFACTS[kind].push(repository, "1")["digest"]
    source = [f"--from-ca-file={mirror.target.authority}", f"{mirror.host}/{repository.name}:1"]
    copied = run(["oras", "copy", "--recursive", *source, "--to-oci-layout", "copy:1"], tmp_path, {})
    assert copied.code == 0, copied.stderr
    index = json.loads((tmp_path / "copy/index.json").read_text())
    assert digest in [manifest["digest"] for manifest in index["manifests"]]


@pytest.mark.parametrize("helm", ["helm", "helm3"])
@pytest.mark.parametrize("wanted", ["1.0.0+build5", "~1.0"])
def test_helm_pulls_a_chart(mirror: DeployedMirror, tmp_path: Path, helm: str, wanted: str) -> None:
    if shutil.which(helm) is None:
        pytest.skip(f"{helm} is missing")
    (tmp_path / "chart").mkdir()
    (tmp_path / "chart/Chart.yaml").write_text(CHART)
    path = f"acme/odd-{secrets.token_hex(4)}"
    package = "chart-1.0.0+build5.tgz"
    for words in (["package", "chart"], ["push", "--plain-http", package, f"oci://{addresses.HUB_STORAGE}/{path}"]):
        done = run(["helm", *words], tmp_path, {})
        assert done.code == 0, done.stderr
    options = ["--version", wanted, "--ca-file", str(mirror.target.authority), "--destination", "pulled"]
    (tmp_path / "pulled").mkdir()
    pulled = run([helm, "pull", f"oci://{mirror.host}/{path}/chart", *options], tmp_path, {})
    assert pulled.code == 0, pulled.stderr
    assert (tmp_path / "pulled" / package).read_bytes() == (tmp_path / package).read_bytes()
