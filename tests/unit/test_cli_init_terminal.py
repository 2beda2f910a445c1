"""init in a terminal asks for what is missing, and keeps typed secrets off the screen and out of the configuration."""

from __future__ import annotations

import os
import stat
from pathlib import Path

from regmirror.cli.init_questions import PROXY_VARIABLES
from regmirror.config.model import Mirror
from tests import samples
from tests.unit.terminal_session import Conversation, converse
from tests.unit.test_init_options import NINE

NOT_FROM_OUTSIDE = (*NINE, "AWS_REGION", "AWS_DEFAULT_REGION", *PROXY_VARIABLES)
S3_KEY = [("S3 access key ID", "canary-id"), ("S3 secret access key (not shown)", "canary-secret")]
CERTIFICATE = [("cert-manager ClusterIssuer", ""), ("Secret with the TLS certificate [regmirror-tls]", "")]


def init(directory: Path, *options: str, answers: list[tuple[str, str]], **environ: str) -> Conversation:
    known = {
        name: value
        for name, value in os.environ.items()
        if name not in NOT_FROM_OUTSIDE and not name.startswith("REGMIRROR_")
    }
    command = ["-m", "regmirror", "init", "--kubeconfig", "absent", *options]
    return converse(command, answers, directory, known | {"TERM": "dumb", "COLUMNS": "200"} | environ)


def written(directory: Path) -> Mirror:
    return samples.read_mirror(directory / "regmirror.yaml")


def test_every_answer_has_its_place_in_the_file(tmp_path: Path) -> None:
    answers = [
        ("Public host name of the mirror", "mirror.example.com"),
        ("that everyone may pull", "mjpitz, library/alpine"),
        ("Image that regmirror verify pulls [library/alpine:3]", ""),
        ("S3 bucket", "layers"),
        ("S3 endpoint", "s3.example.com"),
        ("S3 region [eu-west-1]", ""),
        ("Create the bucket on deploy if it does not exist? [y/N]", "y"),
        *S3_KEY,
        ("User name at Docker Hub (leave empty to pull anonymously)", "hub-user"),
        ("Access token or password at Docker Hub (not shown)", "canary-token"),
        ("cert-manager ClusterIssuer", "letsencrypt"),
    ]
    done = init(tmp_path, answers=answers, AWS_REGION="eu-west-1")
    assert done.code == 0, done.screen
    assert done.output == ""
    assert "cannot detect the Ingress class (there is no kubeconfig file absent)" in done.screen
    mirror = written(tmp_path)
    (upstream,) = mirror.upstreams
    assert (mirror.host, mirror.storage.bucket, mirror.storage.region) == ("mirror.example.com", "layers", "eu-west-1")
    assert mirror.storage.endpoint == "https://s3.example.com"
    assert mirror.storage.create_bucket
    assert upstream.anonymous_pull == ["mjpitz/*", "library/alpine"]
    assert upstream.probe_image == "library/alpine:3"
    assert mirror.ingress.issuer is not None
    assert mirror.ingress.issuer.name == "letsencrypt"


def test_an_invalid_answer_is_asked_again_and_no_other(tmp_path: Path) -> None:
    answers = [
        ("Public host name of the mirror", "https://foo"),
        ("× write the bare host name", "Foo_Bar"),
        ('× "Foo_Bar" is not a fully qualified host name', "mirror.example.com"),
        ("that everyone may pull", ""),
        ("× an answer is required", "acme"),
        ("Image that regmirror verify pulls (leave empty for none)", "library/alpine:3"),
        ("× library/alpine does not match acme/*, which clients may pull", ""),
        ("S3 bucket", "my_Bucket!"),
        ('× "my_Bucket!" is not a valid bucket name', "layers"),
        ("S3 endpoint", "nonsense"),
        ('× "nonsense" is not a URL: write', ""),
        ("S3 region [us-east-1]", "eu-central-1"),
        ("[y/N]", "maybe"),
        ("× answer y or n", ""),
        ("S3 access key ID", ""),
        ("User name at Docker Hub", "hub-user"),
        ("Access token or password at Docker Hub (not shown)", ""),
        ("Access token or password at Docker Hub (not shown)", "canary-token"),
        *CERTIFICATE,
    ]
    done = init(tmp_path, answers=answers)
    assert done.code == 0, done.screen
    assert done.screen.count("× an answer is required") == 2
    assert "line " not in done.screen
    mirror = written(tmp_path)
    assert (mirror.host, mirror.storage.bucket, mirror.storage.region) == (
        "mirror.example.com",
        "layers",
        "eu-central-1",
    )
    assert mirror.storage.endpoint is None
    assert not mirror.storage.create_bucket


def test_typed_secrets_are_in_files_that_only_their_owner_can_read(tmp_path: Path) -> None:
    options = (
        "--host=m.example.com",
        "--allow=a",
        "--bucket=layers",
        "--endpoint=http://s3:9000",
        "--region=here",
        "--create-bucket",
        "--probe-image=a/b",
        "--tls-secret=wild",
    )
    done = init(tmp_path, *options, answers=[*S3_KEY, ("User name at Docker Hub", "")])
    assert done.code == 0, done.screen
    folder = tmp_path / "regmirror.secrets"
    files = {path.name: path.read_text() for path in folder.iterdir()}
    assert files == {".gitignore": "*\n", "s3-id": "canary-id", "s3-secret": "canary-secret"}
    assert stat.S_IMODE(folder.stat().st_mode) == 0o700
    assert {stat.S_IMODE((folder / name).stat().st_mode) for name in ("s3-id", "s3-secret")} == {0o600}
    assert "The secrets that you typed are in regmirror.secrets/" in done.screen
    assert "canary-secret" not in done.screen
    assert "canary" not in (tmp_path / "regmirror.yaml").read_text()
    assert written(tmp_path).upstreams[0].credentials is None


def test_with_everything_given_nothing_is_asked(tmp_path: Path) -> None:
    options = ("--host=m.example.com", "--probe-image=mjpitz/tool:1", "--create-bucket", "--tls-secret=wild")
    done = init(tmp_path, *options, answers=[], **NINE)
    assert done.code == 0, done.screen
    assert not (tmp_path / "regmirror.secrets").exists()


def test_leaving_at_a_question_writes_nothing_and_says_so(tmp_path: Path) -> None:
    options = ("--host=m.example.com", "--allow=a", "--bucket=layers", "--endpoint=http://s3:9000", "--region=here")
    answers = [("verify pulls", ""), ("[y/N]", ""), *S3_KEY, ("User name at Docker Hub", "\x04")]
    done = init(tmp_path, *options, "-f", "other.yaml", answers=answers)
    assert done.code == 130
    assert "Error RM702: interrupted; no file was written" in done.screen
    assert "Try: regmirror init -f other.yaml --kubeconfig absent" in done.screen
    assert "Traceback" not in done.screen
    assert list(tmp_path.iterdir()) == []
