"""The schemas of the API server: those of Kubernetes from its Python client, others from custom resource definitions.

Rules in CEL are not evaluated; tests/e2e/test_examples_in_cluster.py asks a real API server.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any

import yaml
from kubernetes.client import models
from pydantic import BaseModel, ValidationError

Object = dict[str, Any]
TYPES: dict[str, type | tuple[type, ...]] = {
    "object": dict,
    "array": list,
    "string": str,
    "integer": int,
    "boolean": bool,
    "number": (int, float),
}


def kubernetes_model(manifest: Object) -> type[BaseModel] | None:
    """The model of a kind of Kubernetes, which its project generates from its OpenAPI document; None for others."""
    group, _, version = manifest["apiVersion"].rpartition("/")
    if "." in group and not group.endswith(".k8s.io"):
        return None
    model: type[BaseModel] | None = getattr(models, f"{version.capitalize()}{manifest['kind']}", None)
    return model


def kubernetes_faults(manifest: Object) -> list[str]:
    """Unknown and missing fields, and values of the wrong type, of an object of Kubernetes."""
    model = kubernetes_model(manifest)
    assert model is not None, f"{manifest['kind']} is not a kind of Kubernetes"
    try:
        model.model_validate(manifest, strict=True, extra="forbid", by_alias=True, by_name=False)
    except ValidationError as error:
        return [f"{'.'.join(map(str, fault['loc']))}: {fault['msg']}" for fault in error.errors()]
    return []


def custom_schemas(definitions: Iterable[Path]) -> dict[tuple[str, str], Object]:
    """The schema of each version that the definitions serve, by apiVersion and kind."""
    found = {}
    for path in definitions:
        spec = yaml.safe_load(path.read_text())["spec"]
        for version in spec["versions"]:
            if version["served"]:
                api_version = f"{spec['group']}/{version['name']}"
                found[api_version, spec["names"]["kind"]] = version["schema"]["openAPIV3Schema"]
    return found


def custom_faults(value: Any, schema: Object, path: str = "") -> Iterator[str]:
    """Unknown and missing fields, and values of the wrong type or form, of an object with a structural schema."""
    kind = schema.get("type")
    if schema.get("x-kubernetes-int-or-string"):
        if not isinstance(value, int | str):
            yield f"{path} is {value!r}"
    elif kind and (not isinstance(value, TYPES[kind]) or (isinstance(value, bool) and kind != "boolean")):
        yield f"{path} is {value!r}, not of type {kind}"
    elif kind == "object":
        yield from _faults_of_object(value, schema, path)
    elif kind == "array":
        for index, item in enumerate(value):
            yield from custom_faults(item, schema.get("items", {}), f"{path}[{index}]")
    elif value not in schema.get("enum", [value]) or not re.search(schema.get("pattern", ""), str(value)):
        yield f"{path} is {value!r}"


def _faults_of_object(value: Object, schema: Object, path: str) -> Iterator[str]:
    properties, others = schema.get("properties", {}), schema.get("additionalProperties")
    yield from (f"{path}.{key} is missing" for key in schema.get("required", []) if key not in value)
    # The definitions leave the metadata, and what they do not describe, to the API server.
    is_open = not properties or schema.get("x-kubernetes-preserve-unknown-fields")
    for key, inner in value.items():
        if key in properties:
            yield from custom_faults(inner, properties[key], f"{path}.{key}")
        elif isinstance(others, dict):
            yield from custom_faults(inner, others, f"{path}.{key}")
        elif not is_open:
            yield f"{path}.{key} is unknown"
