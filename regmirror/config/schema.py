"""The published JSON Schemas (2020-12): of the configuration file, and of the documents that commands print."""

import re
from datetime import timedelta
from typing import Any

from pydantic import BaseModel
from pydantic.json_schema import GenerateJsonSchema

from regmirror.config.durations import format_duration
from regmirror.config.model import API_VERSION, Mirror


def mirror_schema() -> dict[str, Any]:
    """The schema of regmirror.yaml."""
    return _published("Mirror", Mirror.model_json_schema(by_alias=True, schema_generator=_FileSchema))


def document_schema(model: type[BaseModel]) -> dict[str, Any]:
    """The schema of a document, from the model of its kind; every document has apiVersion and kind."""
    schema = model.model_json_schema(by_alias=True)
    # A model may give both as defaults, which Pydantic does not require.
    required = list(dict.fromkeys(["apiVersion", "kind", *schema.get("required", [])]))
    return _published(model.__name__, {**schema, "required": required})


def _published(kind: str, schema: dict[str, Any]) -> dict[str, Any]:
    name = re.sub(r"(?<!^)(?=[A-Z])", "-", kind).lower()
    return {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "$id": f"https://{API_VERSION}/{name}.schema.json",
        **schema,
    }


class _FileSchema(GenerateJsonSchema):
    """Writes default durations in the notation of the file, which Pydantic's own is not."""

    def encode_default(self, dft: Any) -> Any:
        """The default as it would be written in the file."""
        return format_duration(dft) if isinstance(dft, timedelta) else super().encode_default(dft)
