"""init writes a valid configuration without any secret, or nothing at all."""

from __future__ import annotations

import os
from pathlib import Path

import pytest
from typer.testing import CliRunner, Result

from regmirror.cli.app import app
from regmirror.config.load import load_mirror
from regmirror.config.model import Mirror
from tests.unit.test_answers import NINE

FILE = Path("regmirror.yaml")
ENOUGH = ("--host", "mirror.example.com", "--allow", "library/alpine", "--bucket", "layers")


@pytest.fixture(autouse=True)
def _empty_place(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    for name in (*NINE, *(name for name in os.environ if name.startswith("REGMIRROR_"))):
        monkeypatch.delenv(name, raising=False)


def init(*options: str, **environ: str) -> Result:
    return CliRunner().invoke(app, ["init", "--yes", *options], env=environ)


def written(*options: str, **environ: str) -> Mirror:
    result = init(*options, **environ)
    assert result.exit_code == 0, result.stderr
    assert result.stdout == ""
    return load_mirror(FILE)


def refused(*options: str, **environ: str) -> str:
    before = sorted(Path().iterdir())
    result = init(*options, **environ)
    assert result.exit_code == 2
    assert result.stdout == ""
    assert sorted(Path().iterdir()) == before
    return result.stderr


def test_the_nine_variables_and_a_host_are_enough() -> None:
    mirror = written("--host", "mirror.example.com", **NINE)
    (upstream,) = mirror.upstreams
    assert (mirror.host, mirror.namespace) == ("mirror.example.com", "regmirror")
    assert (mirror.storage.bucket, mirror.storage.region) == ("layers", "fra1")
    assert mirror.storage.endpoint == "https://fra1.example.com"
    assert mirror.storage.access_key is not None
    assert upstream.anonymous_pull == ["mjpitz/*"]
    assert upstream.credentials is not None
    assert mirror.redis.password is not None
    assert "canary" not in FILE.read_text()


def test_options_win_over_variables() -> None:
    mirror = written(*ENOUGH, "--region", "here", "--endpoint", "http://minio:9000", **NINE)
    assert (mirror.storage.bucket, mirror.storage.region) == ("layers", "here")
    assert mirror.storage.endpoint == "http://minio:9000"
    assert mirror.upstreams[0].anonymous_pull == ["library/alpine"]


def test_every_option_finds_its_key() -> None:
    mirror = written(
        *ENOUGH,
        "--allow=acme,library/nginx",
        "--create-bucket",
        "--cloud-role",
        "--upstream=https://quay.io",
        "--probe-image=library/alpine:3",
        "--ingress-class=traefik",
        "--issuer=letsencrypt",
        "--tls-secret=wild",
        "--registry-image=r:1",
        "--auth-image=a:1",
        "--redis-image=d:1",
        "--namespace=mirrors",
    )
    (upstream,) = mirror.upstreams
    assert mirror.storage.create_bucket
    assert mirror.storage.access_key is None
    assert (upstream.url, upstream.probe_image) == ("https://quay.io", "library/alpine:3")
    assert upstream.anonymous_pull == ["library/alpine", "acme/*", "library/nginx"]
    assert mirror.ingress.issuer is not None
    assert (mirror.ingress.class_name, mirror.ingress.issuer.name, mirror.ingress.tls_secret) == (
        "traefik",
        "letsencrypt",
        "wild",
    )
    assert (mirror.registry.image, mirror.auth.image, mirror.redis.image) == ("r:1", "a:1", "d:1")
    assert mirror.namespace == "mirrors"


def test_it_tells_what_to_do_next() -> None:
    result = init(*ENOUGH, AWS_ACCESS_KEY_ID="set")
    assert "Before deploy, set: AWS_SECRET_ACCESS_KEY\n" in result.stderr
    assert "kubectl -n regmirror create secret tls regmirror-tls" in result.stderr
    assert result.stderr.endswith("Next: regmirror deploy\n")


def test_another_file_is_named_in_the_next_command(tmp_path: Path) -> None:
    path = tmp_path / "other.yaml"
    result = init(*ENOUGH, "--file", str(path))
    assert result.stderr.endswith(f"Next: regmirror deploy -f {path}\n")
    assert path.exists()


def test_all_that_is_missing_is_told_at_once() -> None:
    assert (
        "missing: the host name (--host or REGMIRROR_HOST), the bucket (--bucket or S3_BUCKET), "
        "what everyone may pull (--allow or DOCKERHUB_ALLOWED)" in refused()
    )
    assert "missing: the bucket (--bucket or S3_BUCKET)\n" in refused("--host=m.example.com", "--allow=a")


def test_without_a_terminal_nothing_is_asked() -> None:
    result = CliRunner().invoke(app, ["init"])
    assert result.exit_code == 2
    assert "missing: the host name" in result.stderr


def test_an_existing_file_is_kept() -> None:
    FILE.write_text("mine")
    assert "regmirror.yaml exists" in refused(*ENOUGH)
    assert FILE.read_text() == "mine"
    assert written(*ENOUGH, "--force").host == "mirror.example.com"


@pytest.mark.parametrize(
    ("option", "words"),
    [
        ("--host=https://mirror.example.com", 'host: write the bare host name, without a scheme: "mirror.example.com"'),
        ("--host=mirror.example.com:443", "host: write the bare host name, without a port"),
        ("--endpoint=ftp://s3.example.com", "storage.endpoint: "),
        ("--allow=library/Alpine", 'upstreams[0].anonymousPull[1]: "library/Alpine" is not a repository name'),
        ("--registry-image=registry", "registry.image: "),
        ("--namespace=Mirrors", "namespace: "),
    ],
)
def test_an_answer_that_is_wrong_writes_nothing(option: str, words: str) -> None:
    message = refused(*ENOUGH, option)
    assert "what was answered has 1 problem:" in message
    assert words in message


@pytest.mark.parametrize("place", ["absent/mirror.yaml", "folder", "file/mirror.yaml"])
def test_a_file_that_cannot_be_written_leaves_nothing_behind(place: str) -> None:
    Path("folder").mkdir()
    Path("file").touch()
    assert f"{place} cannot be written: " in refused(*ENOUGH, "--force", "--file", place)
