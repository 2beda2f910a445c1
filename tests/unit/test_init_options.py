"""init reads the environment variables that are commonly exported, and never the value of a secret."""

from __future__ import annotations

import pytest

from regmirror.config.init_options import AccountReference, allowed_patterns, default_probe_image, endpoint_url
from regmirror.config.variables import default_region, options_from_variables

NINE = {
    "AWS_ACCESS_KEY_ID": "canary-id",
    "AWS_SECRET_ACCESS_KEY": "canary-secret",
    "S3_REGION": "fra1",
    "S3_ENDPOINT": "https://fra1.example.com",
    "S3_BUCKET": "layers",
    "DOCKERHUB_USERNAME": "canary-name",
    "DOCKERHUB_ACCESS_TOKEN": "canary-token",
    "DOCKERHUB_ALLOWED": "mjpitz",
    "REDIS_PASSWORD": "canary-redis",
}


@pytest.mark.parametrize(
    ("text", "patterns"),
    [
        ("mjpitz", ["mjpitz/*"]),
        (" mjpitz , library/alpine,, acme/* ", ["mjpitz/*", "library/alpine", "acme/*"]),
        ("library", ["library/*"]),
        ("", []),
        (" , ", []),
    ],
)
def test_a_name_without_a_slash_means_the_whole_namespace(text: str, patterns: list[str]) -> None:
    assert allowed_patterns(text) == patterns


def test_elsewhere_the_whole_namespace_has_more_levels() -> None:
    assert allowed_patterns("acme, acme/tool, **", "https://ghcr.io") == ["acme/**", "acme/tool", "**"]


def test_every_variable_sets_its_option() -> None:
    options = options_from_variables(NINE)
    assert (options.bucket, options.region, options.endpoint) == ("layers", "fra1", "https://fra1.example.com")
    assert options.allowed == ["mjpitz/*"]
    assert options.access_key == AccountReference({"env": "AWS_ACCESS_KEY_ID"}, {"env": "AWS_SECRET_ACCESS_KEY"})
    assert options.credentials == AccountReference({"env": "DOCKERHUB_USERNAME"}, {"env": "DOCKERHUB_ACCESS_TOKEN"})
    assert options.redis_password == {"env": "REDIS_PASSWORD"}
    assert "canary" not in repr(options)


def test_without_variables_the_options_refer_to_the_s3_key_only() -> None:
    options = options_from_variables({})
    assert options.region == ""
    assert options.access_key is not None
    assert options.credentials is None
    assert options.redis_password is None


def test_a_cloud_role_needs_no_s3_key() -> None:
    assert options_from_variables(NINE, cloud_role=True).access_key is None


@pytest.mark.parametrize(
    ("environ", "region"),
    [
        ({}, "us-east-1"),
        ({"AWS_DEFAULT_REGION": "eu-west-1"}, "eu-west-1"),
        ({"AWS_DEFAULT_REGION": "eu-west-1", "AWS_REGION": "eu-central-1"}, "eu-central-1"),
        ({"AWS_REGION": ""}, "us-east-1"),
    ],
)
def test_the_default_region_is_that_of_the_aws_tools(environ: dict[str, str], region: str) -> None:
    assert default_region(environ) == region


@pytest.mark.parametrize(
    ("text", "url"),
    [
        ("fra1.example.com:9000", "https://fra1.example.com:9000"),
        ("fra1.example.com", "https://fra1.example.com"),
        ("minio:9000", "https://minio:9000"),
        ("http://minio:9000", "http://minio:9000"),
        ("nonsense", "nonsense"),
        ("", ""),
    ],
)
def test_a_host_name_as_endpoint_gets_the_scheme_https(text: str, url: str) -> None:
    assert endpoint_url(text) == url


def test_the_default_probe_image_is_one_that_clients_may_pull() -> None:
    hub = "https://registry-1.docker.io"
    assert default_probe_image(hub, ["library/*"]) == "library/alpine:3"
    assert default_probe_image(hub, ["acme/*"]) == ""
    assert default_probe_image("https://quay.io", ["library/*"]) == ""
