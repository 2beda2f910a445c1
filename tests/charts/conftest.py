"""Every test with the fixture `helm` runs with Helm 3 and with Helm 4."""

from __future__ import annotations

from pathlib import Path

import pytest

from .helm import Helm, find_helm

HERE = Path(__file__).parent


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    for item in items:
        if item.path.is_relative_to(HERE):
            item.add_marker(pytest.mark.helm)


def _helm_or_skip(major: int) -> Helm:
    helm = find_helm(major)
    if helm is None:
        pytest.skip(f"Helm {major} not found: set LAB_HELM{major} to its path, or add it to PATH as helm")
    return helm


@pytest.fixture(scope="session", params=[3, 4], ids=["helm3", "helm4"])
def helm(request: pytest.FixtureRequest) -> Helm:
    """Helm 3 and Helm 4, in turn."""
    return _helm_or_skip(request.param)


@pytest.fixture(scope="session")
def helm3() -> Helm:
    """Helm 3."""
    return _helm_or_skip(3)


@pytest.fixture(scope="session")
def helm4() -> Helm:
    """Helm 4."""
    return _helm_or_skip(4)
