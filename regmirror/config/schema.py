"""The JSON Schema of the configuration file, as it is published."""

from datetime import timedelta
from typing import Any

from pydantic.json_schema import GenerateJsonSchema

from regmirror.config.durations import format_duration
from regmirror.config.model import API_VERSION, Mirror


def mirror_schema() -> dict[str, Any]:
    """JSON Schema (2020-12) of regmirror.yaml, with the keys as they stand in the file."""
    schema = Mirror.model_json_schema(by_alias=True, schema_generator=_FileSchema)
    return {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "$id": f"https://{API_VERSION}/mirror.schema.json",
        **schema,
    }


class _FileSchema(GenerateJsonSchema):
    """Writes defaults as the file does: Pydantic's own notation of a duration is one that the file does not know."""

    def encode_default(self, dft: Any) -> Any:
        """The default as it would stand in the file."""
        return format_duration(dft) if isinstance(dft, timedelta) else super().encode_default(dft)
