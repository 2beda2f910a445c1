"""What the configuration allows is judged as docker_auth judges it: by Go's path.Match."""

from __future__ import annotations

import pytest
from hypothesis import assume, example, given
from hypothesis import strategies as st

from regmirror.config.patterns import matches
from regmirror.desired.access import is_allowed
from tests import samples


def path_match(pattern: str, name: str) -> bool:
    """Go's path.Match for * and ?, said a second time: by trying what each character may stand for.

    Source: https://pkg.go.dev/path#Match.
    """
    if not pattern:
        return not name
    head, rest = pattern[0], pattern[1:]
    if head == "*":
        return path_match(rest, name) or (name != "" and name[0] != "/" and path_match(pattern, name[1:]))
    return name != "" and (name[0] == head or (head == "?" and name[0] != "/")) and path_match(rest, name[1:])


FEW = st.text(alphabet="ab/.-", max_size=7)


@given(pattern=st.text(alphabet="ab/.-*?", max_size=6), name=FEW)
@example(pattern="library/*", name="library/alpine")
@example(pattern="*", name="library/alpine")
@example(pattern="a.b", name="a-b")
def test_a_pattern_matches_what_go_says(pattern: str, name: str) -> None:
    assume("**" not in pattern.split("/"))
    assert matches(pattern, name) == path_match(pattern, name)


@given(name=FEW, data=st.data())
def test_a_name_is_matched_by_itself_with_wildcards_put_in(name: str, data: st.DataObject) -> None:
    pattern = "".join(
        character if character == "/" else data.draw(st.sampled_from([character, "?", "*"])) for character in name
    )
    assert matches(pattern, name)


@given(name=st.text(max_size=8))
def test_no_wildcard_stands_for_a_slash(name: str) -> None:
    assert matches("*", name) == ("/" not in name)
    assert matches("?", name) == (len(name) == 1 and name != "/")


@pytest.mark.parametrize(
    ("repository", "allowed"),
    [
        ("library/alpine", True),
        ("acme/tool", True),
        ("acme/other", False),
        ("library/alpine/deep", False),
        ("alpine", False),
        ("library/", True),
    ],
)
def test_a_repository_is_allowed_by_any_of_the_patterns(repository: str, allowed: bool) -> None:
    assert is_allowed(samples.mirror().upstreams[0], repository) is allowed
