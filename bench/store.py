"""The S3 server of the lab: its buckets, and an Ingress by which clients reach it as they reach the mirror."""

from typing import Any

import boto3
from botocore.config import Config

from bench.place import Place
from lab import addresses

NAME = "s3"


def host(place: Place, namespace: str) -> str:
    """The public host of the S3 server."""
    return f"s3-{place.host(namespace)}"


def expose(place: Place, namespace: str) -> None:
    """Put the S3 server, which runs beside the cluster, behind the cluster's Ingress controller."""
    port = {"name": "http", "port": addresses.S3_PORT, "protocol": "TCP"}
    backend = {"service": {"name": NAME, "port": {"name": "http"}}}
    path = {"path": "/", "pathType": "Prefix", "backend": backend}
    public = host(place, namespace)
    place.apply(
        _object("v1", "Service", namespace, spec={"ports": [port]}),
        _object(
            "discovery.k8s.io/v1",
            "EndpointSlice",
            namespace,
            metadata={"labels": {"kubernetes.io/service-name": NAME}},
            addressType="IPv4",
            ports=[port],
            endpoints=[{"addresses": [addresses.NODE_ADDRESS], "conditions": {"ready": True}}],
        ),
        _object(
            "networking.k8s.io/v1",
            "Ingress",
            namespace,
            spec={
                "ingressClassName": place.lab["ingress_class"],
                "tls": [{"hosts": [public], "secretName": "regmirror-tls"}],
                "rules": [{"host": public, "http": {"paths": [path]}}],
            },
        ),
    )


def presigned(place: Place, namespace: str, digest: str) -> str:
    """The URL at which the S3 server itself gives a blob of the mirror's, through its Ingress."""
    client = _client(place, f"https://{host(place, namespace)}")
    algorithm, _, hexadecimal = digest.partition(":")
    key = f"docker-hub/docker/registry/v2/blobs/{algorithm}/{hexadecimal[:2]}/{hexadecimal}/data"
    url: str = client.generate_presigned_url("get_object", Params={"Bucket": namespace, "Key": key}, ExpiresIn=3600)
    return url


def create_bucket(place: Place, name: str) -> None:
    """A bucket, for what does not make its own."""
    _client(place, place.lab["s3"]["endpoint"]).create_bucket(Bucket=name)


def _client(place: Place, endpoint: str) -> Any:
    s3 = place.lab["s3"]
    return boto3.client(
        "s3",
        endpoint_url=endpoint,
        region_name=s3["region"],
        aws_access_key_id=s3["access_key"],
        aws_secret_access_key=s3["secret_key"],
        config=Config(signature_version="s3v4", s3={"addressing_style": "path"}),
    )


def _object(version: str, kind: str, namespace: str, **parts: Any) -> dict[str, Any]:
    metadata = {"name": NAME, "namespace": namespace} | parts.pop("metadata", {})
    return {"apiVersion": version, "kind": kind, "metadata": metadata, **parts}
