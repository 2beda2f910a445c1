"""The S3 server of the lab: its buckets, and an Ingress through which clients reach it like the mirror."""

from typing import Any

import boto3
from botocore.config import Config

from bench import ingress
from bench.environment import Environment
from lab import addresses

NAME = "s3"


def host(env: Environment, namespace: str) -> str:
    """The public host of the S3 server."""
    return ingress.host(env, namespace, NAME)


def expose(env: Environment, namespace: str) -> None:
    """Create an Ingress for the S3 server, which runs outside the cluster."""
    ingress.expose(env, namespace, NAME, addresses.S3_PORT)


def presigned(env: Environment, namespace: str, digest: str) -> str:
    """The URL of a blob of the mirror at the S3 server, through its Ingress."""
    client = _client(env, f"https://{host(env, namespace)}")
    algorithm, _, hexadecimal = digest.partition(":")
    key = f"docker-hub/docker/registry/v2/blobs/{algorithm}/{hexadecimal[:2]}/{hexadecimal}/data"
    url: str = client.generate_presigned_url("get_object", Params={"Bucket": namespace, "Key": key}, ExpiresIn=3600)
    return url


def create_bucket(env: Environment, name: str) -> None:
    """Create a bucket."""
    _client(env, env.lab["s3"]["endpoint"]).create_bucket(Bucket=name)


def _client(env: Environment, endpoint: str) -> Any:
    s3 = env.lab["s3"]
    return boto3.client(
        "s3",
        endpoint_url=endpoint,
        region_name=s3["region"],
        aws_access_key_id=s3["access_key"],
        aws_secret_access_key=s3["secret_key"],
        config=Config(signature_version="s3v4", s3={"addressing_style": "path"}),
    )
