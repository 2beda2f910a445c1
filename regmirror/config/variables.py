"""The environment variables that ``init`` knows, by the names under which people already export them."""

from collections.abc import Mapping

from regmirror.config.init_options import AccountReference, InitOptions, allowed_patterns


def answers_from_variables(environ: Mapping[str, str], *, cloud_role: bool = False) -> InitOptions:
    """What the variables tell; secrets stay where they are and are only referred to.

    The S3 key is referred to even where it is not set yet: nearly every deployment has one.
    """
    return InitOptions(
        host="",
        bucket=environ.get("S3_BUCKET", ""),
        region=environ.get("S3_REGION", "") or "us-east-1",
        endpoint=environ.get("S3_ENDPOINT", ""),
        allowed=allowed_patterns(environ.get("DOCKERHUB_ALLOWED", "")),
        access_key=None if cloud_role else _account("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"),
        credentials=_account("DOCKERHUB_USERNAME", "DOCKERHUB_ACCESS_TOKEN")
        if environ.get("DOCKERHUB_USERNAME")
        else None,
        redis_password={"env": "REDIS_PASSWORD"} if environ.get("REDIS_PASSWORD") else None,
    )


def _account(name: str, password: str) -> AccountReference:
    return AccountReference({"env": name}, {"env": password})
