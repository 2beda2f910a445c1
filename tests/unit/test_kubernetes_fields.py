"""Quantities are read as Kubernetes reads them."""

import pytest

from regmirror.config.kubernetes_fields import quantity_value


@pytest.mark.parametrize(
    ("quantity", "value"),
    [
        ("8Gi", 8 * 1024**3),
        ("1.5Ki", 1536),
        ("1Ei", 1024**6),
        ("1E", 10**18),
        ("3k", 3000),
        ("2e3", 2000),
        ("2E3", 2000),
        ("500m", 0),
        ("0", 0),
        (7, 7),
        (2.5, 2),
    ],
)
def test_a_quantity_in_its_base_unit(quantity: str | int | float, value: int) -> None:
    assert quantity_value(quantity) == value
