"""Statistics and tables of the benchmark."""

from bench.figures import ratio, shown, spread, table


def test_runs_are_shown_with_median_minimum_and_maximum() -> None:
    assert spread([3.0, 1.0, 200.0]) == {"min": 1.0, "median": 3.0, "max": 200.0}
    assert shown(spread([1234.5678, 0.123456, 1234.5678])) == "1,235 (0.123–1,235)"


def test_a_ratio_divides_the_first_median_by_the_second() -> None:
    assert ratio(spread([2.0, 3.0, 9.0]), spread([6.0])) == 0.5


def test_a_table_is_markdown_with_right_aligned_numbers() -> None:
    assert table(["what", "ms"], [("start", "1.5")]) == "| what | ms |\n| --- | ---: |\n| start | 1.5 |\n"
