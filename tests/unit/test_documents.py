"""Every document has a schema in which each field is described, and a golden file that the schema accepts."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
import yaml

from regmirror.access.report import AccessTestReport, WhyReport
from regmirror.cli.explanation import Explanation, TopicList
from regmirror.client_config.check.report import ClientCheck
from regmirror.config.documents import Document
from regmirror.destroy.report import DestroyReport
from regmirror.rotate.report import RotateCheck, RotatePlan, RotateReport
from regmirror.status.report import CertificateReport, StatusReport
from regmirror.support.report import SupportBundleReport
from regmirror.upgrade.report import UpgradeNotes

GOLDEN = Path(__file__).parents[1] / "golden" / "documents"
MODELS: list[type[Document]] = [
    ClientCheck,
    AccessTestReport,
    DestroyReport,
    Explanation,
    RotateCheck,
    RotatePlan,
    RotateReport,
    StatusReport,
    SupportBundleReport,
    TopicList,
    UpgradeNotes,
    WhyReport,
]


def fields(schema: dict[str, Any]) -> Iterator[tuple[str, dict[str, Any]]]:
    """Every field of a schema and of its parts."""
    for part in (schema, *schema.get("$defs", {}).values()):
        yield from part.get("properties", {}).items()


@pytest.mark.parametrize("model", MODELS)
def test_every_field_is_described(model: type[Document]) -> None:
    schema = model.model_json_schema(by_alias=True)
    assert [name for name, field in fields(schema) if not field.get("description")] == []


@pytest.mark.parametrize("model", MODELS)
def test_the_kind_is_the_name_of_the_model(model: type[Document]) -> None:
    document = yaml.safe_load((GOLDEN / f"{model.__name__}.yaml").read_text())
    assert list(document)[:2] == ["apiVersion", "kind"]
    assert document["kind"] == model.__name__
    assert model.model_validate(document).document() == document


def test_a_time_is_written_without_fractions_of_seconds() -> None:
    report = CertificateReport(not_after=datetime(2026, 11, 23, 12, 0, 0, 999, UTC), days_left=1)
    assert report.model_dump(mode="json", by_alias=True)["notAfter"] == "2026-11-23T12:00:00Z"
    assert CertificateReport.model_json_schema(by_alias=True)["properties"]["notAfter"]["format"] == "date-time"
