"""The nine variables that people export already become the answers of init, without any secret's value."""

from __future__ import annotations

import pytest

from regmirror.config.init_options import AccountReference, allowed_patterns
from regmirror.config.variables import answers_from_variables

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
def test_bare_names_mean_everything_of_a_namespace(text: str, patterns: list[str]) -> None:
    assert allowed_patterns(text) == patterns


def test_the_nine_variables_are_understood() -> None:
    answers = answers_from_variables(NINE)
    assert (answers.bucket, answers.region, answers.endpoint) == ("layers", "fra1", "https://fra1.example.com")
    assert answers.allowed == ["mjpitz/*"]
    assert answers.access_key == AccountReference({"env": "AWS_ACCESS_KEY_ID"}, {"env": "AWS_SECRET_ACCESS_KEY"})
    assert answers.credentials == AccountReference({"env": "DOCKERHUB_USERNAME"}, {"env": "DOCKERHUB_ACCESS_TOKEN"})
    assert answers.redis_password == {"env": "REDIS_PASSWORD"}
    assert "canary" not in repr(answers)


def test_without_variables_only_the_s3_key_is_referred_to() -> None:
    answers = answers_from_variables({})
    assert answers.region == "us-east-1"
    assert answers.access_key is not None
    assert answers.credentials is None
    assert answers.redis_password is None


def test_a_cloud_role_needs_no_s3_key() -> None:
    assert answers_from_variables(NINE, cloud_role=True).access_key is None


def test_an_endpoint_without_a_scheme_is_one_by_https() -> None:
    answers = answers_from_variables({**NINE, "S3_ENDPOINT": "fra1.example.com:9000"})
    assert answers.context()["endpoint"] == "https://fra1.example.com:9000"
