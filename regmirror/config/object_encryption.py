"""The section ``storage.encryption`` of the configuration file."""

from typing import Annotated, Self

from pydantic import Field, model_validator

from regmirror.config.problem import error_at
from regmirror.config.section import Section
from regmirror.config.store_profiles import EncryptionType


class Encryption(Section):
    """Encryption at rest, requested for every object. Buckets whose policy requires such a header need it."""

    type: Annotated[
        EncryptionType,
        Field(
            description="SSE-S3 for keys of the store (AES256), or KMS for a key of a key management service.",
            examples=["KMS"],
        ),
    ]
    kms_key: Annotated[
        str | None,
        Field(
            min_length=1,
            description="ID or ARN of the key. Required with KMS.",
            examples=["arn:aws:kms:eu-central-1:123456789012:key/ID"],
        ),
    ] = None

    @model_validator(mode="after")
    def _check_key(self) -> Self:
        if self.type == "KMS" and self.kms_key is None:
            raise error_at(("kmsKey",), "is required with KMS: the registry would request SSE-S3 without it")
        if self.type == "SSE-S3" and self.kms_key is not None:
            raise error_at(("kmsKey",), "has no effect with SSE-S3: set type: KMS")
        return self
