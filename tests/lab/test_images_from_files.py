"""An image made from files is readable by every OCI client, and has the same bytes on every machine."""

import gzip
import hashlib
import io
import json
import tarfile
from pathlib import Path
from typing import Any

import pytest

from lab.oci import Entry, Image, layout

ENTRIES = (Entry("bin", mode=0o755), Entry("bin/tool", b"\x7fELF", mode=0o755), Entry("bin/also", target="tool"))
IMAGE = Image(ENTRIES, {"Entrypoint": ["/bin/tool"]})


def blob(files: dict[str, bytes], descriptor: dict[str, Any]) -> bytes:
    content = files[f"blobs/{descriptor['digest'].replace(':', '/')}"]
    assert descriptor["size"] == len(content)
    assert descriptor["digest"] == f"sha256:{hashlib.sha256(content).hexdigest()}"
    return content


def test_every_descriptor_matches_its_blob() -> None:
    files = layout([IMAGE]).files
    top = json.loads(files["index.json"])["manifests"][0]
    manifest = json.loads(blob(files, top))
    configuration = json.loads(blob(files, manifest["config"]))
    unpacked = gzip.decompress(blob(files, manifest["layers"][0]))
    assert configuration["rootfs"]["diff_ids"] == [f"sha256:{hashlib.sha256(unpacked).hexdigest()}"]
    assert configuration["config"] == {"Entrypoint": ["/bin/tool"]}
    with tarfile.open(fileobj=io.BytesIO(unpacked)) as layer:
        assert [(member.name, oct(member.mode), member.type) for member in layer] == [
            ("bin", "0o755", tarfile.DIRTYPE),
            ("bin/tool", "0o755", tarfile.REGTYPE),
            ("bin/also", "0o777", tarfile.SYMTYPE),
        ]
        content = layer.extractfile("bin/tool")
        assert content is not None
        assert content.read() == b"\x7fELF"


def test_several_platforms_are_in_an_index_with_one_digest() -> None:
    made = layout([IMAGE, Image(ENTRIES, {}, "arm64")])
    top = json.loads(made.files["index.json"])["manifests"][0]
    assert top["digest"] == made.digest
    inner = json.loads(blob(made.files, top))["manifests"]
    assert [manifest["platform"]["architecture"] for manifest in inner] == ["amd64", "arm64"]


def test_the_layout_contains_the_name_for_containerd() -> None:
    top = json.loads(layout([IMAGE], "example.test/tool:1").files["index.json"])["manifests"][0]
    assert top["annotations"] == {"io.containerd.image.name": "example.test/tool:1"}


def test_the_same_files_give_the_same_archive(tmp_path: Path) -> None:
    for name in ("first", "second"):
        layout([IMAGE], "example.test/tool:1").write_archive(tmp_path / name)
    assert (tmp_path / "first").read_bytes() == (tmp_path / "second").read_bytes()


@pytest.mark.parametrize(
    "changed", [Entry("bin/tool", b"other", mode=0o755), Entry("bin/tool", b"\x7fELF", mode=0o644)]
)
def test_a_different_content_or_mode_gives_a_different_digest(changed: Entry) -> None:
    assert layout([Image((changed,), {})]).digest != layout([Image((ENTRIES[1],), {})]).digest
