"""The benchmark's tables are those of its figures."""

from bench import results


def test_the_tables_are_those_of_the_files_with_figures() -> None:
    assert (results.DIRECTORY / "README.md").read_text() == results.document()


def test_every_file_with_figures_is_of_a_measurement() -> None:
    assert {file.stem for file in results.DIRECTORY.glob("*.json")} <= set(results.MEASUREMENTS)
