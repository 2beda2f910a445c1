"""What was put recently is found, up to a number of values."""

from fetcher.recent import Recent


def test_only_so_many_values_are_kept_and_the_oldest_goes_first() -> None:
    recent: Recent[int] = Recent(seconds=60, limit=2)
    for number in (1, 2, 1, 3):
        recent.put(str(number), number)
    assert [recent.get(key) for key in ("1", "2", "3")] == [1, None, 3]


def test_a_value_is_valid_for_its_time() -> None:
    recent: Recent[int] = Recent(seconds=0, limit=2)
    recent.put("1", 1)
    assert recent.get("1") is None
