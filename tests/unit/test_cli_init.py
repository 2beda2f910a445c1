"""init writes a valid configuration file without any secret, or nothing at all."""

from __future__ import annotations

import os
from pathlib import Path

import pytest
from typer.testing import CliRunner, Result

from regmirror.cli import init_run
from regmirror.cli.app import app
from regmirror.cli.cluster_offers import ClusterOffers
from regmirror.config.model import Mirror
from tests import samples
from tests.unit.test_init_options import NINE

FILE = Path("regmirror.yaml")
ENOUGH = ("--host", "mirror.example.com", "--allow", "library/alpine", "--bucket", "layers")
ONE_CLASS = ClusterOffers("production", ("traefik",))


@pytest.fixture(autouse=True)
def _empty_directory(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    variables = (*NINE, "AWS_REGION", "AWS_DEFAULT_REGION")
    for name in (*variables, *(name for name in os.environ if name.startswith("REGMIRROR_"))):
        monkeypatch.delenv(name, raising=False)
    offer(monkeypatch, ClusterOffers(error="no cluster"))


def offer(monkeypatch: pytest.MonkeyPatch, offers: ClusterOffers) -> None:
    monkeypatch.setattr(init_run, "cluster_offers", lambda *_: offers)


def init(*options: str, **environ: str) -> Result:
    return CliRunner().invoke(app, ["init", "--yes", *options], env=environ)


def written(*options: str, **environ: str) -> Mirror:
    result = init(*options, **environ)
    assert result.exit_code == 0, result.stderr
    assert result.stdout == ""
    return samples.read_mirror(FILE)


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


@pytest.mark.parametrize("variable", ["AWS_REGION", "AWS_DEFAULT_REGION", "S3_REGION"])
def test_the_region_is_that_of_the_environment(variable: str) -> None:
    assert written(*ENOUGH, **{variable: "eu-central-1"}).storage.region == "eu-central-1"


def test_a_default_region_is_mentioned() -> None:
    assert "The bucket's region is us-east-1" in init(*ENOUGH).stderr
    assert "region" not in init(*ENOUGH, "--region=here", "--force").stderr


def test_every_option_sets_its_key() -> None:
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
        "--front-image=n:1",
        "--fetcher-image=p:1",
        "--namespace=mirrors",
    )
    (upstream,) = mirror.upstreams
    assert mirror.storage.create_bucket
    assert mirror.storage.access_key is None
    assert (upstream.url, upstream.probe_image) == ("https://quay.io", "library/alpine:3")
    assert upstream.anonymous_pull == ["library/alpine", "acme/**", "library/nginx"]
    assert mirror.ingress.issuer is not None
    assert (mirror.ingress.class_name, mirror.ingress.issuer.name, mirror.ingress.tls_secret) == (
        "traefik",
        "letsencrypt",
        "wild",
    )
    assert (mirror.registry.image, mirror.auth.image, mirror.redis.image) == ("r:1", "a:1", "d:1")
    assert mirror.front.image == "n:1"
    assert mirror.namespace == "mirrors"


def test_plain_http_is_accepted_where_it_is_used() -> None:
    store, hub = "--endpoint=http://s3.example.com", "--upstream=http://hub.example.com"
    for options, accepted in {
        (store, hub): (False, False),
        (store, hub, "--insecure"): (True, True),
        (store, "--insecure"): (True, False),
        (hub, "--insecure"): (False, True),
    }.items():
        mirror = written(*ENOUGH, "--force", *options)
        assert (mirror.storage.insecure, mirror.upstreams[0].insecure) == accepted


def test_verify_pulls_alpine_if_clients_may_pull_it() -> None:
    assert written(*ENOUGH).upstreams[0].probe_image == "library/alpine:3"
    other = written("--force", "--host=m.example.com", "--bucket=layers", "--allow=acme")
    assert other.upstreams[0].probe_image is None


def test_the_only_ingress_class_of_the_cluster_is_used(monkeypatch: pytest.MonkeyPatch) -> None:
    offer(monkeypatch, ONE_CLASS)
    assert written(*ENOUGH).ingress.class_name == "traefik"
    assert "Ingress class: traefik (the only one in context production)" in init(*ENOUGH, "--force").stderr


@pytest.mark.parametrize(
    ("offers", "warning"),
    [
        (
            ClusterOffers(error="no kubeconfig"),
            "‼ cannot detect the Ingress class (no kubeconfig); ingress.className is not set, so deploy uses",
        ),
        (ClusterOffers("c"), "‼ the cluster has no IngressClass: install an Ingress controller before deploy"),
        (ClusterOffers("c", ("nginx", "traefik")), "‼ no default IngressClass: set --ingress-class to one of nginx"),
        (ClusterOffers("c", ("nginx", "traefik"), "nginx"), ""),
    ],
)
def test_without_a_single_ingress_class_the_file_has_none(
    monkeypatch: pytest.MonkeyPatch, offers: ClusterOffers, warning: str
) -> None:
    offer(monkeypatch, offers)
    result = init(*ENOUGH)
    assert "className" not in FILE.read_text()
    assert warning in result.stderr
    assert ("‼" in result.stderr) == bool(warning)


def test_the_only_gateway_of_a_cluster_without_ingress_classes_is_used(monkeypatch: pytest.MonkeyPatch) -> None:
    offer(monkeypatch, ClusterOffers("production", gateways=("gateways/public/https",)))
    mirror = written(*ENOUGH)
    assert mirror.ingress.gateway is not None
    assert mirror.ingress.gateway.parent_refs == [{"namespace": "gateways", "name": "public", "sectionName": "https"}]
    result = init(*ENOUGH, "--force")
    assert "Gateway: gateways/public/https (the only one in context production, without IngressClass)" in result.stderr
    assert "create secret tls" not in result.stderr


def test_a_gateway_is_not_used_where_there_is_an_ingress_class(monkeypatch: pytest.MonkeyPatch) -> None:
    offer(monkeypatch, ClusterOffers("production", ("traefik",), gateways=("gateways/public/https",)))
    assert written(*ENOUGH).ingress.gateway is None


@pytest.mark.parametrize(
    ("options", "warning"),
    [
        ((), "‼ no IngressClass: set --gateway to one of a/b/https, c/d/https"),
        (("--issuer=le",), "or use --gateway instead of a certificate: a/b/https, c/d/https"),
    ],
)
def test_several_gateways_are_named(monkeypatch: pytest.MonkeyPatch, options: tuple[str, ...], warning: str) -> None:
    offer(monkeypatch, ClusterOffers("c", gateways=("a/b/https", "c/d/https")))
    assert warning in init(*ENOUGH, *options).stderr
    assert samples.read_mirror(FILE).ingress.gateway is None


def test_a_gateway_can_be_given() -> None:
    mirror = written(*ENOUGH, "--gateway=gateways/public")
    assert mirror.ingress.gateway is not None
    assert mirror.ingress.gateway.parent_refs == [{"namespace": "gateways", "name": "public"}]


@pytest.mark.parametrize(
    ("options", "problem"),
    [
        (("--gateway=public",), '--gateway: "public" is not the name of a Gateway: write NAMESPACE/NAME'),
        (("--gateway=a/b/c/d",), "--gateway: "),
        (("--gateway=a/B",), "--gateway: "),
        (
            ("--gateway=a/b", "--issuer=le"),
            "--gateway: remove --issuer: a Gateway has no class and its own certificate",
        ),
        (("--gateway=a/b", "--ingress-class=x"), "--gateway: remove --ingress-class"),
    ],
)
def test_a_gateway_with_what_it_has_no_use_for_is_refused(options: tuple[str, ...], problem: str) -> None:
    assert problem in refused(*ENOUGH, *options)


def test_it_ends_with_the_next_commands() -> None:
    result = init(*ENOUGH, AWS_ACCESS_KEY_ID="set")
    assert result.stderr.endswith(
        "Next:\n"
        "  export AWS_SECRET_ACCESS_KEY=...\n"
        "  kubectl create namespace regmirror --dry-run=client -o yaml | kubectl apply -f -\n"
        "  kubectl create secret tls regmirror-tls -n regmirror --cert=tls.crt --key=tls.key"
        "  # unless the Secret exists\n"
        "  regmirror deploy\n"
    )


def test_the_next_commands_repeat_the_options(tmp_path: Path) -> None:
    path = tmp_path / "other mirror.yaml"
    options = ("--file", str(path), "-n", "mirrors", "--context", "production", "--kubeconfig", "kube.yaml")
    result = init(*ENOUGH, *options)
    cluster = "--kubeconfig kube.yaml --context production"
    deploy = f"regmirror deploy -f '{path}' {cluster} -n mirrors"
    assert result.stderr.endswith(f"\n  {deploy}\n")
    assert f"  kubectl {cluster} create namespace mirrors --dry-run=client" in result.stderr
    assert path.exists()


def test_with_an_issuer_no_secret_has_to_be_created() -> None:
    result = init(*ENOUGH, "--issuer=letsencrypt", "--cloud-role")
    assert result.stderr.endswith("Next:\n  regmirror deploy\n")


def test_every_missing_option_is_reported_at_once() -> None:
    message = refused()
    for name in ("--host (or REGMIRROR_HOST)", "--bucket (or S3_BUCKET)", "--allow (or DOCKERHUB_ALLOWED)"):
        assert f"\n  {name}: required\n" in message
    assert "answer questions in a terminal: regmirror init" in message
    assert "--host" not in refused("--host=m.example.com", "--allow=a")


def test_without_a_terminal_nothing_is_asked() -> None:
    result = CliRunner().invoke(app, ["init"])
    assert result.exit_code == 2
    assert "--host (or REGMIRROR_HOST): required" in result.stderr


def test_an_existing_file_is_kept() -> None:
    FILE.write_text("mine")
    message = refused(*ENOUGH)
    assert "regmirror.yaml already exists" in message
    assert "Try: add --force to replace it, or write another file with --file" in message
    assert FILE.read_text() == "mine"
    assert written(*ENOUGH, "--force").host == "mirror.example.com"


@pytest.mark.parametrize(
    ("option", "problem"),
    [
        (
            "--host=https://mirror.example.com",
            '--host (or REGMIRROR_HOST): write the bare host name, without a scheme: "mirror.example.com"',
        ),
        ("--host=mirror.example.com:443", "--host (or REGMIRROR_HOST): write the bare host name"),
        ("--bucket=b", '--bucket (or S3_BUCKET): "b" is not a valid bucket name: use 3 to 63 lowercase letters'),
        ("--endpoint=ftp://s3.example.com", '--endpoint (or S3_ENDPOINT): "ftp://s3.example.com" is not a URL'),
        ("--endpoint=nonsense", '--endpoint (or S3_ENDPOINT): "nonsense" is not a URL'),
        ("--allow=library/Alpine", '--allow (or DOCKERHUB_ALLOWED): "library/Alpine" is not a repository pattern'),
        ("--registry-image=registry", '--registry-image: "registry" has no tag or digest'),
        ("--front-image=Nginx:1", '--front-image: "Nginx:1" is not a valid image name'),
        ("--namespace=Mirrors", '--namespace: "Mirrors" is not a valid name'),
        ("--probe-image=acme/tool:1", "--probe-image: acme/tool does not match library/alpine, which clients may pull"),
        ("--region=a\x1b", "storage.region: character U+001B is not allowed"),
    ],
)
def test_an_invalid_option_is_named_and_nothing_is_written(option: str, problem: str) -> None:
    message = refused(*ENOUGH, option)
    assert "cannot write regmirror.yaml:\n" in message
    assert problem in message
    assert "line " not in message


@pytest.mark.parametrize("place", ["absent/mirror.yaml", "folder", "file/mirror.yaml"])
def test_a_file_that_cannot_be_written_leaves_nothing_behind(place: str) -> None:
    Path("folder").mkdir()
    Path("file").touch()
    assert f"cannot write {place}: " in refused(*ENOUGH, "--force", "--file", place)


def test_the_file_names_no_schema_and_no_page_that_does_not_exist() -> None:
    init(*ENOUGH)
    text = FILE.read_text()
    assert "$schema" not in text
    assert "docs/" not in text
    assert "regmirror explain storage.bucket" in text


def test_a_cluster_without_a_store_gets_volumes() -> None:
    options = ("--host", "mirror.example.com", "--allow", "library")
    mirror = written(*options, "--volume-size", "50Gi")
    assert mirror.storage.filesystem is not None
    assert (mirror.storage.filesystem.size, mirror.storage.bucket) == ("50Gi", None)
    assert "--volume-size: cannot be combined with --bucket" in init(*ENOUGH, "--volume-size", "50Gi", "--force").stderr


@pytest.mark.parametrize(
    ("options", "expected"),
    [
        (("--endpoint", "https://acme.r2.cloudflarestorage.com"), ("r2", "auto")),
        (("--endpoint", "https://s3.us-west-004.backblazeb2.com"), ("b2", "us-west-004")),
        (("--endpoint", "http://garage:3900", "--storage-profile", "garage"), ("garage", "garage")),
        (("--endpoint", "https://s3.example.com"), (None, "us-east-1")),
        ((), (None, "us-east-1")),
    ],
)
def test_the_region_of_a_known_store_is_not_asked_for(
    options: tuple[str, ...], expected: tuple[str | None, str]
) -> None:
    storage = written(*ENOUGH, *options).storage
    assert (storage.profile, storage.region) == expected


@pytest.mark.parametrize("service", ["NodePort", "LoadBalancer"])
@pytest.mark.parametrize("certificate", ["--self-signed", "--issuer=letsencrypt", "--tls-secret=wild"])
def test_a_service_of_its_own_is_written_with_any_certificate(service: str, certificate: str) -> None:
    mirror = written(*ENOUGH, f"--service={service}", "--port=30443", certificate)
    assert mirror.ingress.service is not None
    assert (mirror.ingress.service.type, mirror.port) == (service, 30443)
    assert mirror.ingress.self_signed is (certificate == "--self-signed")
    assert bool(mirror.ingress.issuer) is certificate.startswith("--issuer")


@pytest.mark.parametrize(
    ("options", "problem"),
    [
        ((*ENOUGH, "--service=LoadBalancer", "--gateway=a/b"), "--gateway: has no effect with --service"),
        ((*ENOUGH, "--service=LoadBalancer", "--ingress-class=x"), "--ingress-class: has no effect with --service"),
        ((*ENOUGH, "--service=NodePort"), "--service: the type NodePort also requires --port"),
        ((*ENOUGH, "--gateway=a/b", "--self-signed"), "--gateway: remove --self-signed"),
        (
            (*ENOUGH[:4], "--volume-size=1Gi", "--endpoint=https://s3.example.com"),
            "--endpoint (or S3_ENDPOINT): has no",
        ),
        ((*ENOUGH[:4], "--volume-size=1Gi", "--storage-profile=r2"), "--storage-profile: has no effect"),
        ((*ENOUGH[:4], "--volume-size=1Gi", "--create-bucket"), "--create-bucket: has no effect with --volume-size"),
        ((*ENOUGH[:4], "--volume-size=10"), "--volume-size: 10 is less than 1Mi: write a unit"),
    ],
)
def test_options_that_contradict_each_other_are_refused(options: tuple[str, ...], problem: str) -> None:
    assert problem in refused(*options)


@pytest.mark.parametrize(
    "option",
    [
        "--image-registry=https://bob:hunter2@registry.example.com",
        "--https-proxy=http://bob:hunter2@proxy.example.com:3128",
        "--endpoint=https://bob:hunter2@s3.example.com",
        "--upstream=https://bob:hunter2@quay.io",
        "--auth-image=https://bob:hunter2@quay.io/auth:1",
        "--host=https://bob:hunter2@mirror.example.com",
    ],
)
def test_a_password_in_an_option_is_never_repeated(option: str) -> None:
    message = refused(*ENOUGH, option)
    assert f"{option.partition('=')[0]}" in message
    assert "hunter2" not in message


@pytest.mark.parametrize(
    ("url", "name", "has_account"),
    [
        ("https://ghcr.io", "ghcr-io", False),
        ("https://registry.example.com:5000", "registry-example-com", False),
        (f"https://{'a' * 50}.example.com", "upstream", False),
        ("https://docker.io", "docker-hub", True),
    ],
)
def test_another_upstream_has_its_own_name_and_not_the_account_at_docker_hub(
    url: str, name: str, has_account: bool
) -> None:
    account = {"DOCKERHUB_USERNAME": "bob", "DOCKERHUB_ACCESS_TOKEN": "hunter2"}
    (upstream,) = written(*ENOUGH, f"--upstream={url}", **account).upstreams
    assert (upstream.name, bool(upstream.credentials)) == (name, has_account)
    named = ["--force", f"--upstream={url}", "--upstream-name=docker-hub"]
    (upstream,) = written(*ENOUGH, *named, **account).upstreams
    assert (upstream.name, bool(upstream.credentials)) == ("docker-hub", True)


def test_a_self_signed_mirror_does_not_become_a_route_of_the_only_gateway(monkeypatch: pytest.MonkeyPatch) -> None:
    offer(monkeypatch, ClusterOffers("production", gateways=("gateways/public",)))
    assert written(*ENOUGH).ingress.gateway is not None
    mirror = written(*ENOUGH, "--self-signed", "--force")
    assert (mirror.ingress.gateway, mirror.ingress.self_signed) == (None, True)
