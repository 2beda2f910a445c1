"""The environment variables that ``init`` reads, under the names that are commonly exported."""

from collections.abc import Mapping

from regmirror.config.images import DOCKER_HUB
from regmirror.config.init_options import (
    DOCKER_HUB_NAME,
    AccountReference,
    InitOptions,
    allowed_patterns,
    endpoint_url,
    is_docker_hub,
    upstream_name,
)

S3_KEY_VARIABLES = ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY")


def options_from_variables(
    environ: Mapping[str, str], *, cloud_role: bool = False, upstream_url: str = DOCKER_HUB, name: str = ""
) -> InitOptions:
    """The options that are set in the environment; secrets are not read, only referred to.

    The account at Docker Hub is left out for another upstream, unless its ``name`` is that of Docker Hub. The options
    refer to the variables of the S3 key even if they are not set yet: nearly every mirror needs a key.
    """
    name = name or upstream_name(upstream_url)
    is_hub = is_docker_hub(upstream_url) or name == DOCKER_HUB_NAME
    return InitOptions(
        host="",
        bucket=environ.get("S3_BUCKET", ""),
        region=environ.get("S3_REGION", ""),
        endpoint=endpoint_url(environ.get("S3_ENDPOINT", "")),
        allowed=allowed_patterns(environ.get("DOCKERHUB_ALLOWED", "")),
        access_key=None if cloud_role else _account(*S3_KEY_VARIABLES),
        upstream_name=name,
        upstream_url=upstream_url,
        credentials=_account("DOCKERHUB_USERNAME", "DOCKERHUB_ACCESS_TOKEN")
        if environ.get("DOCKERHUB_USERNAME") and is_hub
        else None,
        redis_password={"env": "REDIS_PASSWORD"} if environ.get("REDIS_PASSWORD") else None,
    )


def default_region(environ: Mapping[str, str]) -> str:
    """The region of a bucket if none is chosen."""
    return environ.get("AWS_REGION") or environ.get("AWS_DEFAULT_REGION") or "us-east-1"


def _account(name: str, password: str) -> AccountReference:
    return AccountReference({"env": name}, {"env": password})
