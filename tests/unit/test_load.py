"""An invalid configuration file is reported with all its problems, each with line, key path and a fix."""

from __future__ import annotations

from pathlib import Path

import pytest

from regmirror.config.load import parse_mirror
from regmirror.desired.access import is_allowed
from regmirror.errors import ConfigurationError, ExitCode
from tests import samples

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
    mirror = samples.read_mirror(path)
    assert (mirror.host, mirror.namespace, mirror.upstreams[0].name) == (
        "mirror.example.com",
        "regmirror",
        "docker-hub",
    )


def test_all_problems_are_reported_at_once_in_the_order_of_the_file() -> None:
    text = GOOD.replace("mirror.example.com", "https://mirror.example.com").replace("region:", "regoin:") + (
        "auth:\n  replicas: many\n"
    )
    assert problems(text) == [
        "mirror.yaml has 3 problems:",
        '  line 3: host: write the bare host name, without a scheme: "mirror.example.com"',
        '  line 6: storage.regoin: unknown key; did you mean "region"?',
        "  line 11: auth.replicas: expected a whole number, without quotes",
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
            "line 11: ingress.issuer.sort: unknown key; known keys: name, kind, group",
        ),
        ("registry:\n", "line 10: registry: expected a mapping of keys to values"),
        ("registry: 5\n", "line 10: registry: expected a mapping of keys to values"),
        ("auth:\n  nodeSelector: fast\n", "line 11: auth.nodeSelector: expected a mapping of keys to values"),
        ("auth:\n  tolerations: all\n", "line 11: auth.tolerations: expected a list"),
        ("auth:\n  issuer: 5\n", "line 11: auth.issuer: expected a string: put it in quotes"),
        ("auth:\n  keySize: 1024\n", "line 11: auth.keySize: must be 2048, 3072 or 4096"),
        (
            "registry:\n  resources:\n    limit: {memory: 1Gi}\n",
            "line 12: registry.resources.limit: must be 'requests' or 'limits'",
        ),
        (
            "registry:\n  resources:\n    limits: {memory: [1]}\n",
            "line 12: registry.resources.limits.memory: [1] is not a quantity such as 250m, 0.5 or 128Mi",
        ),
        (
            "auth:\n  tokenLifetime: 2h\n",
            "line 11: auth.tokenLifetime: must be from 1m (older clients assume it) to 1h (tokens cannot be revoked)",
        ),
        (
            "registry:\n  replicas: 2\n",
            "line 11: registry.replicas: more than one replica requires ttl: 0, because replicas overwrite each "
            "other's expiry schedule (scheduler-state.json in the bucket)",
        ),
        (
            "ingress:\n  tlsSecret: null\n  issuer: {name: le}\n",
            "line 12: ingress.issuer: requires tlsSecret, the Secret in which cert-manager stores the certificate",
        ),
        ("redis: {image: 2026-13-45}\n", "line 10: redis.image: not a valid date: month must be in 1..12"),
        (f"redis: {{image: {'9' * 5000}}}\n", "line 10: redis.image: not a valid number"),
        ("redis: {image: !!bool maybe}\n", "line 10: redis.image: YAML tags are not allowed"),
        ("redis: !!set {image}\n", "line 10: redis: YAML tags are not allowed"),
        ('redis: {image: "\\ud800"}\n', "line 10: redis.image: character U+D800 is not allowed"),
        (f"redis: {'[' * 60}{']' * 60}\n", f"line 10: redis{'[0]' * 50}: nested too deeply"),
        ("auth:\n  replicas: 21\n", "line 11: auth.replicas: must be at most 20"),
        ("auth:\n  replicas: 0\n", "line 11: auth.replicas: must be at least 1"),
        ('auth:\n  replicas: "2"\n', "line 11: auth.replicas: expected a whole number, without quotes"),
        ('auth:\n  issuer: ""\n', "line 11: auth.issuer: must not be empty"),
        (
            'registry:\n  manifestCache: {enabled: "true"}\n',
            "line 11: registry.manifestCache.enabled: expected true or false, without quotes",
        ),
        (
            'registry:\n  image: "Registry:UP:x"\n',
            'line 11: registry.image: "Registry:UP:x" is not a valid image name '
            "such as docker.io/library/registry:3.1.2",
        ),
        (
            "redis:\n  maxMemory: 128Mi\n",
            'line 11: redis.maxMemory: "128Mi" is not a memory size such as 128mb; the units are kb, mb and gb',
        ),
        ("1: 2\n", "line 10: [1]: keys must be strings"),
        ("kind: Mirror\n", "line 10: kind: duplicate key"),
        ("redis:\n  image: a:1\n  image: a:1\n", "line 12: redis.image: duplicate key"),
        (
            "registry:\n  tolerations: &all\n    - &one {key: *all}\n",
            "line 11: registry.tolerations[0].key: refers to itself",
        ),
    ],
)
def test_a_problem_names_its_line_its_key_and_the_way_out(addition: str, problem: str) -> None:
    assert only_problem(GOOD + addition) == problem


def test_a_key_that_is_not_a_string_is_refused() -> None:
    assert problems(GOOD + "? [a, b]\n: c\n") == [
        "mirror.yaml is not valid YAML: line 10, column 3: a mapping or a list cannot be a key: put text in braces, "
        "such as {{ NAME }}, in quotes"
    ]


@pytest.mark.parametrize(
    ("upstreams", "problem"),
    [
        ("[]", "line 7: upstreams: must have at least one entry"),
        (
            "[{name: redis, anonymousPull: []}]",
            '"redis" is reserved for a release of the mirror itself: choose another name',
        ),
        ("[{name: hub, anonymousPull: [a/b, alpine]}]", 'line 7: upstreams[0].anonymousPull: "alpine" matches no repo'),
        ("[{name: hub, anonymousPull: [alpine]}]", '"library/alpine" for an official image'),
        (
            f"[{{name: {'a' * 44}, anonymousPull: []}}]",
            "line 7: upstreams[0].name: the name is longer than 43 characters",
        ),
        (
            "[{name: hub, anonymousPull: []}, {name: hub, host: b.example.com, anonymousPull: []}]",
            "line 7: upstreams[1].name: the upstream hub has the same name, hub: set another name",
        ),
        (
            "[{name: hub, anonymousPull: []}, {name: quay, anonymousPull: []}]",
            "line 7: upstreams[1].host: the upstream hub has the same host, mirror.example.com: set another host",
        ),
        (
            "[{name: hub, anonymousPull: [library/*], probeImage: acme/tool:1}]",
            "line 7: upstreams[0].probeImage: anonymousPull does not allow acme/tool",
        ),
        (
            "[{name: hub, anonymousPull: [acme/**], deny: [acme/x-*], probeImage: 'acme/x-1:1'}]",
            "line 7: upstreams[0].probeImage: deny[0] refuses acme/x-1 (acme/x-*)",
        ),
        (
            "[{name: hub, anonymousPull: [acme/*], deny: [tool]}]",
            'line 7: upstreams[0].deny: "tool" matches no repository',
        ),
        ("[{name: hub, anonymousPull: [acme**]}]", 'upstreams[0].anonymousPull[0]: "acme**": ** must be a whole part'),
        (
            "[{name: hub, anonymousPull: [library/*], probeImage: 'https://a/b'}]",
            'line 7: upstreams[0].probeImage: "https://a/b" is not an image name such as library/alpine:3',
        ),
    ],
)
def test_invalid_upstreams_are_refused(upstreams: str, problem: str) -> None:
    text = GOOD.split("upstreams:")[0] + f"upstreams: {upstreams}\n"
    assert problem in only_problem(text)


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("", "is empty"),
        ("- a\n", "is not a mapping of keys to values"),
        ("just words\n", "is not a mapping of keys to values"),
        (
            "a: [1\n",
            "is not valid YAML: line 2, column 1: the file ends too early: a bracket, brace or quote is not closed",
        ),
        ("a:\n\t- b\n", "is not valid YAML: line 2, column 1: a tab is used for indentation: use spaces"),
        ("a: 1\n---\nb: 2\n", "is not valid YAML: line 2, column 1: but found another document"),
        ("a: \x00\n", "is not valid YAML: special characters are not allowed"),
        ("[" * 5000, "is not valid YAML: nested too deeply"),
    ],
)
def test_a_text_that_is_not_a_yaml_mapping_is_refused(text: str, words: str) -> None:
    (message,) = problems(text)
    assert message.startswith("mirror.yaml")
    assert words in message


def test_the_error_of_a_missing_file_says_how_to_create_it(tmp_path: Path) -> None:
    with pytest.raises(ConfigurationError, match=r"cannot read .*mirror\.yaml: no such file") as caught:
        samples.read_mirror(tmp_path / "mirror.yaml")
    assert caught.value.hint == "name an existing file with --file FILE, or create one: regmirror init"


def test_a_file_that_cannot_be_read_is_an_error(tmp_path: Path) -> None:
    with pytest.raises(ConfigurationError, match=r"cannot read .*: Is a directory"):
        samples.read_mirror(tmp_path)
    (tmp_path / "latin").write_bytes(b"host: \xe9")
    with pytest.raises(ConfigurationError, match=r"cannot read .*: not UTF-8 text"):
        samples.read_mirror(tmp_path / "latin")


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
def test_a_secret_in_the_file_is_never_repeated(password: str) -> None:
    with pytest.raises(ConfigurationError) as caught:
        parse_mirror(f"{GOOD}redis:\n  password: {password}\n", "mirror.yaml")
    assert "hunter2" not in caught.value.message + str(caught.value.hint)
    assert "line 11" in caught.value.message or "line 12" in caught.value.message


def test_a_bomb_of_aliases_is_refused_at_once() -> None:
    layers = ["a: &a [x, x, x, x, x, x, x, x, x]"]
    for before, name in zip("abcdefgh", "bcdefghi", strict=True):
        layers.append(f"{name}: &{name} [{', '.join([f'*{before}'] * 9)}]")
    assert only_problem("\n".join(layers)) == "line 1: the file: aliases expand to too many values"


def test_an_alias_may_repeat_what_two_components_share() -> None:
    text = GOOD + "auth: {tolerations: &all [{key: dedicated}]}\nredis: {tolerations: *all}\n"
    mirror = parse_mirror(text, "mirror.yaml")
    assert mirror.redis.tolerations == mirror.auth.tolerations == [{"key": "dedicated"}]


def test_the_tag_of_a_string_is_allowed() -> None:
    assert parse_mirror(GOOD + "auth: {issuer: !!str 5}\n", "mirror.yaml").auth.issuer == "5"


def test_registries_other_than_docker_hub_have_names_without_a_slash() -> None:
    text = GOOD.split("upstreams:")[0] + (
        "upstreams: [{name: kubernetes, url: 'https://registry.k8s.io', anonymousPull: [pause, '*', coredns/*]}]\n"
    )
    (upstream,) = parse_mirror(text, "mirror.yaml").upstreams
    allowed = ["pause", "etcd", "coredns/coredns", "ingress-nginx/controller", "coredns/a/b"]
    assert [name for name in allowed if is_allowed(upstream, name)] == ["pause", "etcd", "coredns/coredns"]


@pytest.mark.parametrize(
    ("text", "hint"),
    [
        (GOOD.replace("eu-central-1", "[]"), "regmirror explain storage.region"),
        (GOOD.replace("library/*", "Library/*"), "regmirror explain upstreams.anonymousPull"),
        (GOOD.replace("region:", "regoin:"), "regmirror explain storage"),
        (GOOD + "redis: {password: hunter2}\n", "regmirror explain redis.password"),
        (GOOD + "redsi: {}\n", None),
        ("a: [1\n", None),
    ],
)
def test_the_hint_explains_the_first_key(text: str, hint: str | None) -> None:
    with pytest.raises(ConfigurationError) as caught:
        parse_mirror(text, "mirror.yaml")
    assert caught.value.hint == hint


def test_two_upstreams_with_the_same_host_are_reported_at_the_second() -> None:
    text = GOOD + "  - name: quay\n    url: https://quay.io\n    anonymousPull: [prometheus/*]\n"
    assert only_problem(text).startswith("line 10: upstreams[1].host: ")


def test_a_tab_after_spaces_is_reported_too() -> None:
    (message,) = problems(GOOD + "redis:\n  image: a:1\n  \tmaxMemory: 1gb\n")
    assert message == "mirror.yaml is not valid YAML: line 12, column 3: a tab is used for indentation: use spaces"


@pytest.mark.parametrize(
    ("tls_secret", "upstream", "problem"),
    [
        ("regmirror-signing", "hub", "the Secret regmirror-signing is one of the mirror's own"),
        ("regmirror-signing-next", "hub", "the Secret regmirror-signing-next is one of the mirror's own"),
        ("regmirror-hub-credential", "hub", "the Secret regmirror-hub-credential is one of the mirror's own"),
        (
            "regmirror",
            "signing\n    host: a.example.com",
            "the Secret regmirror-signing for the host of upstream signing",
        ),
        (
            "regmirror-auth",
            "config\n    host: a.example.com",
            "the Secret regmirror-auth-config for the host of upstream",
        ),
    ],
)
def test_the_tls_secret_is_none_of_the_mirrors_own(tls_secret: str, upstream: str, problem: str) -> None:
    text = GOOD.replace("docker-hub", upstream) + f"ingress:\n  tlsSecret: {tls_secret}\n"
    assert f"ingress.tlsSecret: {problem}" in only_problem(text)


def test_the_tls_secret_of_an_upstream_is_none_of_the_mirrors_own() -> None:
    text = GOOD.replace("  - name: docker-hub\n", "  - name: docker-hub\n    tlsSecret: regmirror-ca\n")
    assert "upstreams[0].tlsSecret: the Secret regmirror-ca is one of the mirror's own" in only_problem(text)


@pytest.mark.parametrize(
    ("ingress", "problem"),
    [
        ("issuer: {name: le}, selfSigned: true", "ingress.selfSigned: cannot be combined with issuer"),
        ("tlsSecret: null, selfSigned: true", "ingress.selfSigned: requires tlsSecret"),
        (
            "selfSigned: true, annotations: {cert-manager.io/issuer: le}",
            "ingress.selfSigned: cannot be combined with the annotation cert-manager.io/issuer",
        ),
        (
            "issuer: {name: le}, annotations: {cert-manager.io/duration: 720h}",
            "ingress.issuer: cannot be combined with the annotation cert-manager.io/duration",
        ),
        ("issuer: {name: le, kind: clusterissuer}", "ingress.issuer.kind: expected the kind of an issuer"),
        ("issuer: {name: le, group: Not-A-Group}", "ingress.issuer.group: "),
    ],
)
def test_a_certificate_has_one_source(ingress: str, problem: str) -> None:
    assert problem in only_problem(GOOD + f"ingress: {{{ingress}}}\n")


@pytest.mark.parametrize("tls_secret", ["regmirror-tls", "regmirror", "regmirror-other-config"])
def test_other_names_of_the_tls_secret_are_accepted(tls_secret: str) -> None:
    text = GOOD + f"ingress:\n  tlsSecret: {tls_secret}\n"
    assert parse_mirror(text, "mirror.yaml").ingress.tls_secret == tls_secret


@pytest.mark.parametrize(
    ("key", "value"),
    [
        ("imageRegistry", "https://bob:hunter2@registry.example.com"),
        ("imageRegistry", "bob:hunter2@registry.example.com/mirror"),
        ("host", "bob:hunter2@mirror.example.com"),
        ("host", "https://bob:hunter2@mirror.example.com"),
        ("registry", "{image: 'https://bob:hunter2@registry.example.com/registry:3.1.2'}"),
        ("registry", "{image: 'bob:hunt@hunter2@registry.example.com/registry:3.1.2'}"),
        ("egress", "{httpsProxy: 'http://bob:hunter2@proxy.example.com:3128'}"),
        ("egress", "{httpsProxy: 'http://p:3128', noProxy: ['https://bob:hunter2@s3.example.com']}"),
        ("redis", "{external: {addresses: ['redis://:hunter2@redis:6379']}}"),
        ("auth", "{external: {realm: 'https://bob:hunter2@a/auth', issuer: a, certificate: {file: c}}}"),
    ],
)
def test_a_password_in_an_address_is_never_repeated(key: str, value: str) -> None:
    text = GOOD.replace("host: mirror.example.com", f"host: {value}") if key == "host" else f"{GOOD}{key}: {value}\n"
    with pytest.raises(ConfigurationError) as caught:
        parse_mirror(text, "mirror.yaml")
    assert key in caught.value.message
    assert "hunter2" not in caught.value.message + str(caught.value.hint)


def test_the_digest_of_an_image_is_no_password() -> None:
    with pytest.raises(ConfigurationError, match='"Registry:3@sha256:12" is not a valid image name'):
        parse_mirror(f"{GOOD}registry: {{image: 'Registry:3@sha256:12'}}\n", "mirror.yaml")


@pytest.mark.parametrize(
    ("url", "is_itself"),
    [("https://mirror.example.com", True), ("https://mirror.example.com:5000", False)],
)
def test_a_mirror_is_not_its_own_upstream(url: str, is_itself: bool) -> None:
    upstreams = [{"name": "one", "url": url, "anonymousPull": ["acme/*"]}]
    if not is_itself:
        assert samples.mirror(upstreams=upstreams).upstreams[0].url == url
        return
    with pytest.raises(ConfigurationError, match=r"upstreams\[0\]\.url: .* is this mirror itself"):
        samples.mirror(upstreams=upstreams)


@pytest.mark.parametrize("key", [".dockerconfigjson", ".dockercfg", "config.json"])
def test_a_file_of_docker_is_neither_a_user_name_nor_a_password(key: str) -> None:
    account = {part: {"secret": {"name": "pull", "key": key}} for part in ("username", "password")}
    upstreams = [{"name": "one", "anonymousPull": ["acme/*"], "credentials": account}]
    with pytest.raises(ConfigurationError, match=r"username\.secret\.key: .* name a key that holds the username only"):
        samples.mirror(upstreams=upstreams)


@pytest.mark.parametrize(
    ("name", "refused"),
    [("regmirror-docker-hub-credential", True), ("regmirror-redis-config", True), ("regmirror-account", False)],
)
def test_a_secret_that_deploy_writes_is_no_source_of_a_secret(name: str, refused: bool) -> None:
    account = {part: {"secret": {"name": name, "key": part}} for part in ("username", "password")}
    upstreams = [{"name": "docker-hub", "anonymousPull": ["acme/*"], "credentials": account}]
    if not refused:
        assert samples.mirror(upstreams=upstreams).upstreams[0].credentials is not None
        return
    with pytest.raises(ConfigurationError, match=rf"credentials\.username\.secret\.name: the Secret {name} is one of"):
        samples.mirror(upstreams=upstreams)
