"""The section ``storage`` of the configuration file."""

from typing import Annotated, Self
from urllib.parse import urlsplit

from pydantic import Field, model_validator

from regmirror.config.ca_bundle import CaBundle
from regmirror.config.encryption import is_exposed, is_inside_cluster, useless_insecure
from regmirror.config.fields import Bucket, Prefix, Url
from regmirror.config.problem import error_at
from regmirror.config.secret_references import SecretReference
from regmirror.config.section import Section


class AccessKey(Section):
    """The S3 access key of the registry's pods and of regmirror."""

    id: Annotated[
        SecretReference,
        Field(description="Where the access key ID is stored.", examples=[{"env": "AWS_ACCESS_KEY_ID"}]),
    ]
    secret: Annotated[
        SecretReference,
        Field(description="Where the secret access key is stored.", examples=[{"env": "AWS_SECRET_ACCESS_KEY"}]),
    ]


class S3Storage(Section):
    """The S3 bucket that stores cached blobs and manifests."""

    bucket: Annotated[Bucket, Field(description="Name of the bucket.", examples=["acme-mirror"])]
    region: Annotated[
        str,
        Field(
            min_length=1,
            description="Region of the bucket. Most S3-compatible stores accept any value.",
            examples=["eu-central-1"],
        ),
    ]
    endpoint: Annotated[
        Url | None,
        Field(description="URL of an S3-compatible store. Omit for AWS.", examples=["https://s3.example.com"]),
    ] = None
    ca_bundle: Annotated[
        CaBundle | None,
        Field(
            description="Certificates of the store's private CA, trusted in addition to the public CAs.",
            examples=[{"file": "company-ca.pem"}],
        ),
    ] = None
    path_style: Annotated[
        bool | None,
        Field(
            description="Address the bucket in the path of the URL instead of the host name. "
            "Default: true if endpoint is set.",
            examples=[True],
        ),
    ] = None
    access_key: Annotated[
        AccessKey | None, Field(description="Access key for the bucket. Omit if the pods have a cloud role (IRSA).")
    ] = None
    create_bucket: Annotated[bool, Field(description="Create the bucket if it does not exist.")] = False
    redirect: Annotated[
        bool,
        Field(
            description="Redirect clients to the store for blobs. Clients must be able to reach the store.",
            examples=[True],
        ),
    ] = False
    redirect_endpoint: Annotated[
        Url | None,
        Field(
            description="URL of the store for redirected clients, if not endpoint. Requires redirect: true.",
            examples=["https://s3.example.com"],
        ),
    ] = None
    insecure: Annotated[
        bool,
        Field(
            description="Accept http:// for endpoint and redirectEndpoint outside the cluster without a warning.",
        ),
    ] = False
    prefix: Annotated[
        Prefix,
        Field(description="Path in the bucket under which the mirror stores its data.", examples=["mirrors/acme"]),
    ] = ""

    @model_validator(mode="after")
    def _check_redirect(self) -> Self:
        if self.redirect_endpoint and not self.redirect:
            raise error_at(("redirectEndpoint",), "has no effect without redirect: true")
        return self

    @model_validator(mode="after")
    def _check_insecure(self) -> Self:
        if self.insecure and (problem := useless_insecure(self.endpoint, self.redirect_endpoint)):
            raise error_at(("insecure",), problem)
        return self

    @model_validator(mode="after")
    def _check_ca_bundle(self) -> Self:
        if self.ca_bundle and self.endpoint and self.endpoint.startswith("http:"):
            raise error_at(("caBundle",), "has no effect with an http:// endpoint")
        return self

    @property
    def key_prefix(self) -> str:
        """What the key of every object of the mirror begins with; ends with a slash unless it is empty."""
        return "".join(f"{part}/" for part in self.prefix.split("/") if part)

    @property
    def uses_path_style(self) -> bool:
        """Whether URLs have the bucket in the path; distribution 3 no longer derives it from the endpoint."""
        return self.endpoint is not None if self.path_style is None else self.path_style

    @property
    def is_inside_cluster(self) -> bool:
        """Whether the endpoint is the address of a Kubernetes Service, which only resolves inside the cluster."""
        return is_inside_cluster(self.endpoint)

    def may_redirect_to(self, url: str) -> bool:
        """Whether clients may be redirected to a URL for a blob: with ``redirect``, to the store, encrypted."""
        if not self.redirect or (is_exposed(url) and not self.insecure):
            return False
        host, store = urlsplit(url).hostname or "", self.redirect_endpoint or self.endpoint
        if store is None:
            return host.endswith((".amazonaws.com", ".amazonaws.com.cn"))
        return host in {urlsplit(store).hostname, f"{self.bucket}.{urlsplit(store).hostname}"}
