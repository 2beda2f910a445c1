"""The names of instances, and what instances share."""

from pathlib import Path

import pytest

from lab.errors import UsageError
from lab.instance import Instance


def test_two_instances_share_only_the_build_cache() -> None:
    first = Instance.from_environment({"HOME": "/root", "REGMIRROR_LAB_CACHE": "/cache"})
    other = Instance.from_environment({"REGMIRROR_LAB_CACHE": "/cache", "REGMIRROR_LAB_INSTANCE": "other"})
    assert first.cache == other.cache
    assert first.name != other.name
    assert not {first.state, first.run} & {other.state, other.run}


@pytest.mark.parametrize("name", ["..", "a/b", "Lab", "1lab", "a" * 25, "a b"])
def test_an_invalid_name_is_rejected(name: str) -> None:
    with pytest.raises(UsageError, match="REGMIRROR_LAB_INSTANCE"):
        Instance.from_environment({"REGMIRROR_LAB_INSTANCE": name})


def test_the_longest_socket_path_fits() -> None:
    longest = Instance.from_environment({"REGMIRROR_LAB_INSTANCE": "a" * 24})
    assert len(f"{longest.containerd_socket}.ttrpc") <= 107


def test_the_state_is_a_subdirectory_of_the_given_directory() -> None:
    given = Instance.from_environment({"REGMIRROR_LAB_STATE": "/home/somebody"})
    assert given.state == Path("/home/somebody/regmirror-lab")
