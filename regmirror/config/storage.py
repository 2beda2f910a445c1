"""The section ``storage`` of the configuration file."""

from typing import Annotated, Any, Literal, Self
from urllib.parse import urlsplit

from pydantic import Field, model_validator

from regmirror.config.ca_bundle import CaBundle
from regmirror.config.encryption import is_exposed, useless_insecure
from regmirror.config.fields import Bucket, Prefix, Url
from regmirror.config.filesystem import Filesystem
from regmirror.config.object_encryption import Encryption
from regmirror.config.problem import error_at
from regmirror.config.secret_references import SecretReference
from regmirror.config.section import Section
from regmirror.config.store_profiles import PROFILES, ProfileName, profile_problem
from regmirror.config.validation_messages import value_problem

StorageClass = Literal[
    "STANDARD", "STANDARD_IA", "ONEZONE_IA", "INTELLIGENT_TIERING", "GLACIER_IR", "REDUCED_REDUNDANCY", "NONE"
]
"""Those that the registry accepts (distribution v3.1.2) and that return objects at once."""


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
    """Where cached blobs and manifests are stored: in an S3 bucket, or on a volume."""

    bucket: Annotated[
        Bucket | None,
        Field(description="Name of the bucket. Required unless filesystem is set.", examples=["acme-mirror"]),
    ] = None
    profile: Annotated[
        ProfileName | None,
        Field(
            description="Kind of the store. It sets the region if it is the same everywhere, and refuses values that "
            "the store does not accept. Default: Amazon S3 without endpoint, else any store.",
            examples=["minio"],
        ),
    ] = None
    region: Annotated[
        str | None,
        Field(
            min_length=1,
            description="Region of the bucket. Required, unless profile knows it. Some stores accept any value, others "
            "only their own: Garage by default garage, Cloudflare R2 auto.",
            examples=["eu-central-1"],
        ),
    ] = None
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
        Field(
            description="Path in the bucket or volume under which the mirror stores its data.",
            examples=["mirrors/acme"],
        ),
    ] = ""
    encryption: Annotated[
        Encryption | None, Field(description="Encryption at rest. Omit it to leave encryption to the bucket.")
    ] = None
    storage_class: Annotated[
        StorageClass | None,
        Field(
            description="Storage class of new objects. NONE sends no class, for stores that refuse the header. "
            "Default: STANDARD.",
            examples=["INTELLIGENT_TIERING"],
        ),
    ] = None
    dual_stack: Annotated[
        bool, Field(description="Use the IPv4 and IPv6 endpoints of Amazon S3, which IPv6-only clusters need.")
    ] = False
    filesystem: Annotated[
        Filesystem | None,
        Field(description="Store blobs and manifests on a volume instead of in a bucket, for clusters without S3."),
    ] = None

    @model_validator(mode="before")
    @classmethod
    def _fill_in(cls, values: Any) -> Any:
        """The region and endpoint that a profile knows."""
        if isinstance(values, dict) and values.get("filesystem") and "storageClass" in values:
            raise error_at(("storageClass",), "is the class of objects in a bucket: set filesystem.storageClass")
        name = values.get("profile") if isinstance(values, dict) else None
        profile = next((profile for known, profile in PROFILES.items() if known == name), None)
        endpoint = (values.get("endpoint") or profile.endpoint) if profile else None
        # A malformed endpoint is left to the validation of its own type.
        is_url = endpoint is None or value_problem(Url, endpoint) is None
        if profile is None or not is_url or values.get("filesystem"):
            return values
        known = {"endpoint": endpoint, "region": profile.region_of(endpoint)}
        return {**values, **{key: value for key, value in known.items() if value and not values.get(key)}}

    @model_validator(mode="after")
    def _check_place(self) -> Self:
        if self.filesystem:
            for key in sorted(self.model_fields_set - {"filesystem", "prefix"}):
                # Loaded again, as for --namespace, a model has set all of its fields.
                if getattr(self, key) != type(self).model_fields[key].default:
                    alias = type(self).model_fields[key].alias or key
                    raise error_at((alias,), "has no effect with filesystem: remove one of both")
        elif self.bucket is None:
            raise error_at(("bucket",), "required key is missing; without an S3 store, set filesystem")
        elif self.region is None:
            raise error_at(("region",), "required key is missing; some profiles set it")
        return self

    @model_validator(mode="after")
    def _check_profile(self) -> Self:
        encryption = self.encryption.type if self.encryption else None
        if self.profile and (problem := profile_problem(self.profile, self.endpoint, self.region, encryption)):
            raise error_at((problem.key,), problem.message)
        if self.dual_stack and self.endpoint:
            raise error_at(("dualStack",), "has no effect with endpoint: only Amazon S3 has dual-stack endpoints")
        return self

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
    def place(self) -> str:
        """Where the data is, for messages: the name of the bucket or claim."""
        claim = self.filesystem.claim if self.filesystem else None
        return self.bucket or (f"PersistentVolumeClaim {claim}" if claim else "a volume for each upstream")

    @property
    def uses_path_style(self) -> bool:
        """Whether URLs have the bucket in the path; distribution 3 no longer derives it from the endpoint."""
        return self.endpoint is not None if self.path_style is None else self.path_style

    def may_redirect_to(self, url: str) -> bool:
        """Whether clients may be redirected to a URL for a blob: with ``redirect``, to the store, encrypted."""
        if not self.redirect or (is_exposed(url) and not self.insecure):
            return False
        host, store = urlsplit(url).hostname or "", self.redirect_endpoint or self.endpoint
        if store is None:
            return host.endswith((".amazonaws.com", ".amazonaws.com.cn"))
        return host in {urlsplit(store).hostname, f"{self.bucket}.{urlsplit(store).hostname}"}
