"""What is known about S3 stores by their names: region, endpoint, and what they do not have. Data only."""

import re
from dataclasses import dataclass
from typing import Final, Literal
from urllib.parse import urlsplit

ProfileName = Literal["aws", "r2", "b2", "garage", "ceph", "seaweedfs", "versitygw", "minio", "gcs"]
EncryptionType = Literal["SSE-S3", "KMS"]

_BOTH: Final[tuple[EncryptionType, ...]] = ("SSE-S3", "KMS")


@dataclass(frozen=True, slots=True)
class StoreProfile:
    """One kind of store.

    ``hosts`` matches the host of every valid endpoint, and its group ``region`` is the region of the bucket. Without
    ``hosts``, the store runs anywhere.
    """

    title: str
    region: str | None = None
    """The default; None if the file has to say it, or the endpoint does."""
    is_region_fixed: bool = False
    endpoint: str | None = None
    """The default."""
    is_endpoint_required: bool = True
    example: str = ""
    """An endpoint, for messages."""
    hosts: str = ""
    encryption: tuple[EncryptionType, ...] = ()
    """What the store encrypts with on request."""

    def region_of(self, endpoint: str | None) -> str | None:
        """The region of a bucket at an endpoint, if the profile knows it."""
        match = re.fullmatch(self.hosts, urlsplit(endpoint or "").hostname or "") if self.hosts else None
        return (match.groupdict().get("region") if match else None) or self.region

    def endpoint_problem(self, endpoint: str | None) -> str | None:
        """What is wrong with an endpoint; None if it is valid."""
        if endpoint is None:
            return f"is required for {self.title}, such as {self.example}" if self.is_endpoint_required else None
        parts = urlsplit(endpoint)
        if self.hosts and not (parts.scheme == "https" and re.fullmatch(self.hosts, parts.hostname or "")):
            return f"is not an endpoint of {self.title}, such as {self.example}"
        return None


PROFILES: Final[dict[ProfileName, StoreProfile]] = {
    "aws": StoreProfile(
        "Amazon S3",
        is_endpoint_required=False,
        example="https://s3.eu-central-1.amazonaws.com; omit it unless a VPC endpoint needs it",
        # The region is not taken from the name: that of a VPC endpoint has it at another place.
        hosts=r"(.+\.)?s3[a-z0-9.-]*\.amazonaws\.com(\.cn)?",
        encryption=_BOTH,
    ),
    "r2": StoreProfile(
        "Cloudflare R2",
        region="auto",
        is_region_fixed=True,
        example="https://ACCOUNT.r2.cloudflarestorage.com",
        hosts=r"[a-z0-9-]+(\.[a-z0-9-]+)?\.r2\.cloudflarestorage\.com",
    ),
    "b2": StoreProfile(
        "Backblaze B2",
        is_region_fixed=True,
        example="https://s3.us-west-004.backblazeb2.com",
        hosts=r"s3\.(?P<region>[a-z0-9-]+)\.backblazeb2\.com",
        encryption=("SSE-S3",),
    ),
    "gcs": StoreProfile(
        "Google Cloud Storage",
        region="auto",
        endpoint="https://storage.googleapis.com",
        example="https://storage.googleapis.com",
        hosts=r"storage(\.[a-z0-9-]+\.rep)?\.googleapis\.com",
    ),
    "garage": StoreProfile("Garage", region="garage", example="http://garage.storage.svc.cluster.local:3900"),
    "ceph": StoreProfile(
        "Ceph", region="us-east-1", example="http://rook-ceph-rgw-store.rook-ceph.svc.cluster.local", encryption=_BOTH
    ),
    "seaweedfs": StoreProfile(
        "SeaweedFS",
        region="us-east-1",
        example="http://seaweedfs-s3.storage.svc.cluster.local:8333",
        encryption=_BOTH,
    ),
    "versitygw": StoreProfile(
        "Versity S3 Gateway", region="us-east-1", example="http://versitygw.storage.svc.cluster.local:7070"
    ),
    "minio": StoreProfile(
        "MinIO", region="us-east-1", example="http://minio.storage.svc.cluster.local:9000", encryption=_BOTH
    ),
}


def profile_of(endpoint: str) -> ProfileName | None:
    """The profile of a service at this endpoint; None for stores that run anywhere."""
    services = {name: profile for name, profile in PROFILES.items() if profile.hosts and profile.is_endpoint_required}
    return next((name for name, profile in services.items() if profile.endpoint_problem(endpoint) is None), None)


@dataclass(frozen=True, slots=True)
class ProfileProblem:
    """A value that a store does not accept."""

    key: str
    message: str


def profile_problem(
    name: ProfileName, endpoint: str | None, region: str | None, encryption: EncryptionType | None
) -> ProfileProblem | None:
    """The first value that a store does not accept; None if it accepts all."""
    profile = PROFILES[name]
    if problem := profile.endpoint_problem(endpoint):
        return ProfileProblem("endpoint", problem)
    expected = profile.region_of(endpoint)
    if profile.is_region_fixed and region != expected:
        return ProfileProblem("region", f"must be {expected} for {profile.title} at this endpoint: remove the key")
    if encryption and encryption not in profile.encryption:
        way_out = f"use {' or '.join(profile.encryption)}" if profile.encryption else "remove the key"
        return ProfileProblem("encryption", f"{profile.title} does not offer {encryption}: {way_out}")
    return None
