"""A bad configuration file is told all its problems at once, each with line, key path and the way out."""

from __future__ import annotations

from pathlib import Path

import pytest

from regmirror.config.load import load_mirror, parse_mirror
from regmirror.desired.access import is_allowed
from regmirror.errors import ConfigurationError, ExitCode

GOOD = """\
apiVersion: regmirror.dev/v1alpha1
kind: Mirror
host: mirror.example.com
storage:
  bucket: layers
  region: eu-central-1
upstreams:
  - name: docker-hub
    anonymousPull: [library/*]
"""


def problems(text: str) -> list[str]:
    with pytest.raises(ConfigurationError) as caught:
        parse_mirror(text, "mirror.yaml")
    assert caught.value.exit_code is ExitCode.USAGE
    return caught.value.message.splitlines()


def only_problem(text: str) -> str:
    heading, problem = problems(text)
    assert heading == "mirror.yaml has 1 problem:"
    return problem.strip()


def test_a_good_file_is_read(tmp_path: Path) -> None:
    path = tmp_path / "mirror.yaml"
    path.write_text(GOOD)
    mirror = load_mirror(path)
    assert (mirror.host, mirror.namespace, mirror.upstreams[0].name) == (
        "mirror.example.com",
        "regmirror",
        "docker-hub",
    )


def test_several_problems_are_told_at_once_in_the_order_of_the_file() -> None:
    text = GOOD.replace("mirror.example.com", "https://mirror.example.com").replace("region:", "regoin:") + (
        "auth:\n  replicas: many\n"
    )
    assert problems(text) == [
        "mirror.yaml has 4 problems:",
        '  line 3: host: write the bare host name, without a scheme: "mirror.example.com"',
        "  line 4: storage.region: this key is missing",
        '  line 6: storage.regoin: unknown key; did you mean "region"?',
        "  line 11: auth.replicas: Input should be a valid integer, unable to parse string as an integer",
    ]


@pytest.mark.parametrize(
    ("addition", "problem"),
    [
        ("redsi: {}\n", 'line 10: redsi: unknown key; did you mean "redis"?'),
        ("registry:\n  tttl: 0\n", 'line 11: registry.tttl: unknown key; did you mean "ttl"?'),
        (
            "redis:\n  passwordReference: {env: A}\n",
            'line 11: redis.passwordReference: unknown key; did you mean "password"?',
        ),
        ("redis:\n  max_memory: 1gb\n", 'line 11: redis.max_memory: unknown key; did you mean "maxMemory"?'),
        (
            "ingress:\n  issuer: {name: le, sort: Issuer}\n",
            "line 11: ingress.issuer.sort: unknown key; known here: name, kind",
        ),
        ("registry:\n", "line 10: registry: keys and values were expected here"),
        ("registry: 5\n", "line 10: registry: keys and values were expected here"),
        ("auth:\n  nodeSelector: fast\n", "line 11: auth.nodeSelector: keys and values were expected here"),
        ("auth:\n  tolerations: all\n", "line 11: auth.tolerations: a list was expected here"),
        ("auth:\n  issuer: 5\n", "line 11: auth.issuer: a string was expected here: put it in quotes"),
        ("auth:\n  keySize: 1024\n", "line 11: auth.keySize: Input should be 2048, 3072 or 4096"),
        (
            "registry:\n  resources:\n    limit: {memory: 1Gi}\n",
            "line 12: registry.resources.limit: Input should be 'requests' or 'limits'",
        ),
        (
            "registry:\n  resources:\n    limits: {memory: [1]}\n",
            "line 12: registry.resources.limits.memory: [1] is not a quantity such as 250m, 0.5 or 128Mi",
        ),
        (
            "auth:\n  tokenLifetime: 2h\n",
            "line 10: auth: tokenLifetime must be from 1m (older clients assume a minute) "
            "to 1h (no token is revocable)",
        ),
        (
            "registry:\n  replicas: 2\n",
            "line 10: registry: several replicas would overwrite each other's expiry schedule "
            "(scheduler-state.json in the bucket): set ttl: 0 with more than one replica, or replicas: 1",
        ),
        (
            "ingress:\n  tlsSecret: null\n  issuer: {name: le}\n",
            "line 10: ingress: issuer has no Secret to fill: give tlsSecret a name, or leave issuer out",
        ),
        ("redis: {image: 2026-13-45}\n", "line 10: redis.image: this is no date: month must be in 1..12"),
        (f"redis: {{image: {'9' * 5000}}}\n", "line 10: redis.image: this is no number that can be read"),
        ("redis: {image: !!bool maybe}\n", "line 10: redis.image: write this without a tag"),
        ("redis: !!set {image}\n", "line 10: redis: write this without a tag"),
        ('redis: {image: "\\ud800"}\n', "line 10: redis.image: this is not text: it has the character U+D800"),
        (f"redis: {'[' * 60}{']' * 60}\n", f"line 10: redis{'[0]' * 50}: this is nested too deeply"),
        ("1: 2\n", "line 10: [1]: Keys should be strings"),
        ("kind: Mirror\n", "line 10: kind: this key stands twice"),
        ("redis:\n  image: a:1\n  image: a:1\n", "line 12: redis.image: this key stands twice"),
        (
            "registry:\n  tolerations: &all\n    - &one {key: *all}\n",
            "line 11: registry.tolerations[0].key: this refers to itself",
        ),
    ],
)
def test_a_problem_names_its_line_its_key_and_the_way_out(addition: str, problem: str) -> None:
    assert only_problem(GOOD + addition) == problem


def test_a_key_that_is_no_word_is_refused() -> None:
    assert problems(GOOD + "? [a, b]\n: c\n") == [
        "mirror.yaml is not valid YAML: line 10, column 3: found unhashable key"
    ]


@pytest.mark.parametrize(
    ("upstreams", "problem"),
    [
        ("[]", "line 7: upstreams: List should have at least 1 item after validation, not 0"),
        (
            "[{name: redis, anonymousPull: []}]",
            "an upstream cannot be named redis: that is one of the mirror's own releases",
        ),
        ("[{name: hub, anonymousPull: [a/b, alpine]}]", 'line 7: upstreams[0].anonymousPull: "alpine" matches no repo'),
        ("[{name: hub, anonymousPull: [alpine]}]", '"library/alpine" for an official image'),
        (
            f"[{{name: {'a' * 44}, anonymousPull: []}}]",
            "line 7: upstreams[0].name: the name is longer than 43 characters",
        ),
        (
            "[{name: hub, anonymousPull: []}, {name: hub, host: b.example.com, anonymousPull: []}]",
            "two upstreams have the same name: hub",
        ),
        (
            "[{name: hub, anonymousPull: []}, {name: quay, anonymousPull: []}]",
            "two upstreams have the same host: mirror.example.com",
        ),
    ],
)
def test_upstreams_must_be_told_apart(upstreams: str, problem: str) -> None:
    text = GOOD.split("upstreams:")[0] + f"upstreams: {upstreams}\n"
    assert problem in only_problem(text)


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("", "holds no mapping of keys to values"),
        ("- a\n", "holds no mapping of keys to values"),
        ("just words\n", "holds no mapping of keys to values"),
        ("a: [1\n", "is not valid YAML: line 2, column 1: expected ',' or ']', but got '<stream end>'"),
        ("a:\n\t- b\n", "is not valid YAML: line 2, column 1: found character that cannot start any token"),
        ("a: 1\n---\nb: 2\n", "is not valid YAML: line 2, column 1: but found another document"),
        ("a: \x00\n", "is not valid YAML: special characters are not allowed"),
        ("[" * 5000, "is nested too deeply"),
    ],
)
def test_what_is_no_yaml_mapping_is_told_so(text: str, words: str) -> None:
    (message,) = problems(text)
    assert message.startswith("mirror.yaml")
    assert words in message


def test_a_missing_file_says_how_to_create_it(tmp_path: Path) -> None:
    with pytest.raises(ConfigurationError, match=r"there is no file .*mirror\.yaml") as caught:
        load_mirror(tmp_path / "mirror.yaml")
    assert caught.value.hint == "create it: regmirror init"


def test_a_file_that_cannot_be_read_is_told_so(tmp_path: Path) -> None:
    with pytest.raises(ConfigurationError, match="cannot be read: Is a directory"):
        load_mirror(tmp_path)
    (tmp_path / "latin").write_bytes(b"host: \xe9")
    with pytest.raises(ConfigurationError, match="cannot be read: it is not UTF-8 text"):
        load_mirror(tmp_path / "latin")


@pytest.mark.parametrize(
    "password",
    [
        "hunter2",
        '"hunter2',
        "*hunter2",
        "!hunter2 x",
        '!hunter2"s x',
        "{value: hunter2}",
        '{env: "hunter2 "}',
        "[hunter2]",
        "{env: A, file: hunter2}",
        "@hunter2",
        "hunter2: x",
        "{hunter2",
    ],
)
def test_a_secret_put_into_the_file_is_never_repeated(password: str) -> None:
    with pytest.raises(ConfigurationError) as caught:
        parse_mirror(f"{GOOD}redis:\n  password: {password}\n", "mirror.yaml")
    assert "hunter2" not in caught.value.message + str(caught.value.hint)
    assert "line 11" in caught.value.message or "line 12" in caught.value.message


def test_a_bomb_of_aliases_is_refused_at_once() -> None:
    layers = ["a: &a [x, x, x, x, x, x, x, x, x]"]
    for before, name in zip("abcdefgh", "bcdefghi", strict=True):
        layers.append(f"{name}: &{name} [{', '.join([f'*{before}'] * 9)}]")
    assert only_problem("\n".join(layers)) == "line 1: the file: its aliases repeat too much"


def test_an_alias_may_repeat_what_two_components_share() -> None:
    text = GOOD + "auth: {tolerations: &all [{key: dedicated}]}\nredis: {tolerations: *all}\n"
    mirror = parse_mirror(text, "mirror.yaml")
    assert mirror.redis.tolerations == mirror.auth.tolerations == [{"key": "dedicated"}]


def test_a_text_may_be_marked_as_one() -> None:
    assert parse_mirror(GOOD + "auth: {issuer: !!str 5}\n", "mirror.yaml").auth.issuer == "5"


def test_registries_other_than_docker_hub_have_names_without_a_slash() -> None:
    text = GOOD.split("upstreams:")[0] + (
        "upstreams: [{name: kubernetes, url: 'https://registry.k8s.io', anonymousPull: [pause, '*', coredns/*]}]\n"
    )
    (upstream,) = parse_mirror(text, "mirror.yaml").upstreams
    allowed = ["pause", "etcd", "coredns/coredns", "ingress-nginx/controller", "coredns/a/b"]
    assert [name for name in allowed if is_allowed(upstream, name)] == ["pause", "etcd", "coredns/coredns"]
