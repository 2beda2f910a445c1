"""The JSON Schema of the configuration file, as it is published."""

from typing import Any

from regmirror.config.model import API_VERSION, Mirror


def mirror_schema() -> dict[str, Any]:
    """JSON Schema (2020-12) of regmirror.yaml, with the keys as they stand in the file."""
    schema = Mirror.model_json_schema(by_alias=True)
    return {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "$id": f"https://{API_VERSION}/mirror.schema.json",
        **schema,
    }
