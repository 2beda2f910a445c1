"""redis.conf: any password survives it, and nothing is kept on disk."""

from __future__ import annotations

import pytest
from hypothesis import example, given
from hypothesis import strategies as st
from pydantic import SecretStr

from regmirror.desired.redis_config import redis_config, redis_database
from tests import samples

_ESCAPES = {"n": b"\n", "r": b"\r", "t": b"\t", "b": b"\b", "a": b"\a"}


def split_arguments(line: str) -> list[bytes]:
    """The words of a line of redis.conf. Source: sdssplitargs of redis' sds.c, for bare and double-quoted words."""
    words: list[bytes] = []
    rest = line.strip(" \t")
    while rest:
        if rest[0] == '"':
            word, rest = _quoted(rest[1:])
            assert rest[:1] in {"", " "}, "a closing quote must end the word"
        else:
            bare, _, rest = rest.partition(" ")
            word = bare.encode()
        words.append(word)
        rest = rest.lstrip(" ")
    return words


def _quoted(text: str) -> tuple[bytes, str]:
    word = b""
    position = 0
    while text[position] != '"':
        if text[position] != "\\":
            word += text[position].encode()
            position += 1
        elif text[position + 1] == "x":
            word += bytes.fromhex(text[position + 2 : position + 4])
            position += 4
        else:
            word += _ESCAPES.get(text[position + 1], text[position + 1].encode())
            position += 2
    return word, text[position + 1 :]


def settings(password: str, **redis: str) -> dict[bytes, bytes]:
    text = redis_config(samples.mirror(redis=redis), samples.mirror_secrets(redis_password=SecretStr(password)))
    lines = [split_arguments(line) for line in text.splitlines() if not line.startswith("#")]
    assert all(len(words) == 2 for words in lines)
    return {words[0]: words[1] for words in lines}


@given(st.text(min_size=1))
@example('"')
@example("\\x41")
@example("a b # c\n'd'")
@example("ä€😀")
@example("\x00")
def test_any_password_survives(password: str) -> None:
    assert settings(password)[b"requirepass"] == password.encode()


def test_the_oldest_entries_go_and_nothing_is_kept_on_disk() -> None:
    assert settings("secret", maxMemory="1gb") == {
        b"requirepass": b"secret",
        b"maxmemory": b"1gb",
        b"maxmemory-policy": b"allkeys-lru",
        b"save": b"",
        b"appendonly": b"no",
        b"databases": b"4096",
    }


def test_another_order_of_upstreams_is_another_file() -> None:
    """Databases go by position: Redis must start anew before a registry reads another's."""
    two = samples.mirror(upstreams=samples.TWO_UPSTREAMS)
    turned = two.model_copy(update={"upstreams": two.upstreams[::-1]})
    assert redis_config(two, samples.mirror_secrets()) != redis_config(turned, samples.mirror_secrets())


@pytest.mark.parametrize(
    "change", [{"prefix": "elsewhere"}, {"bucket": "another"}, {"endpoint": "https://s3.example.com"}]
)
def test_another_place_in_the_store_has_another_database(change: dict[str, str]) -> None:
    """Pods of both places run during a rollout, and Redis would tell one what only the other has."""
    place = {"bucket": "layers", "region": "here"}
    before, after = samples.mirror(storage=place), samples.mirror(storage=place | change)
    assert redis_database(before, before.upstreams[0]) != redis_database(after, after.upstreams[0])


def test_every_database_exists() -> None:
    names = [f"u{number}" for number in range(64)]
    upstreams = [{**samples.TWO_UPSTREAMS[1], "name": name, "host": f"{name}.example.com"} for name in names]
    mirror = samples.mirror(upstreams=upstreams)
    numbers = {redis_database(mirror, upstream) for upstream in mirror.upstreams}
    assert len(numbers) == len(names)
    assert max(numbers) < int(settings("secret")[b"databases"])
