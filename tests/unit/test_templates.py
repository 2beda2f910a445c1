"""No value can break out of its place in a template, whatever it holds."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
import yaml
from hypothesis import example, given, settings
from hypothesis import strategies as st

from regmirror.config.init_options import AccountReference, InitOptions, completed
from regmirror.config.load import parse_mirror
from regmirror.desired.assets import asset_directory, chart_directory
from regmirror.desired.templates import render_text, render_values, yaml_literal
from regmirror.errors import TemplateError

HARD = (
    '"',
    "'",
    "a: b # c",
    "\n- x\n...\n---\n",
    "{{ 7 * 7 }}{% raw %}{# x #}",
    "*alias",
    "!tag",
    "no",
    "1e5",
    "é😀\u2028\x85\ufeff",
    "\x00\x1b",
)
PLAIN = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(), inner, max_size=3),
    max_leaves=8,
)


def workload(**changes: Any) -> dict[str, Any]:
    return {
        "image": {"repository": "registry", "tag": "3", "digest": ""},
        "image_pull_secrets": [],
        "secret_versions": "00",
        "resources": None,
        "node_selector": {},
        "tolerations": [],
        "affinity": {},
        "spread_constraints": [],
        "priority_class": "",
        "pod_annotations": {},
        "pod_labels": {},
        "pod_security": "fixed",
        "service_account": {"create": False, "name": "", "annotations": {}},
        "policy": {"enabled": False},
        "data": {},
        "config_secret": "config",
        **changes,
    }


@given(PLAIN)
@example({"\n": None})
@example(["a\u2028b"])
def test_any_plain_value_is_one_line_that_reads_back_the_same(value: Any) -> None:
    text = yaml_literal(value)
    assert "\n" not in text
    assert yaml.safe_load(f"before: 1\nkey: {text}\nafter: [{text}]\n") == {"before": 1, "key": value, "after": [value]}


@settings(max_examples=50)
@given(st.text())
@example(HARD[0])
@example(HARD[3])
@example(HARD[4])
@example(HARD[9])
def test_any_string_survives_a_template_of_values(text: str) -> None:
    annotations = {text: text}
    context = workload(
        image={"repository": text, "tag": text, "digest": text},
        image_pull_secrets=[text, "second"],
        node_selector=annotations,
        tolerations=[annotations],
        config_secret=text,
    )
    values = render_values("redis.yaml.j2", context)
    assert values["image"] == {"repository": text, "tag": text, "digest": text}
    assert values["imagePullSecrets"] == [{"name": text}, {"name": "second"}]
    assert values["nodeSelector"] == annotations
    assert values["tolerations"] == [annotations]
    assert values["config"] == {"secretName": text}


@pytest.mark.parametrize("text", HARD)
def test_any_string_survives_the_file_of_init(text: str) -> None:
    reference = {"file": text}
    options = InitOptions(
        host="mirror.example.com",
        bucket=f"bucket{text}",
        region=f"here{text}",
        allowed=["library/*"],
        access_key=AccountReference(reference, reference),
        probe_image=f"image{text}",
        tls_secret=f"secret{text}",
    )
    mirror = yaml.safe_load(render_text("regmirror.yaml.j2", options.context()))
    assert mirror["storage"]["bucket"] == f"bucket{text}"
    assert mirror["storage"]["region"] == f"here{text}"
    assert mirror["storage"]["accessKey"] == {"id": reference, "secret": reference}
    assert mirror["upstreams"][0]["probeImage"] == f"image{text}"
    assert mirror["ingress"]["tlsSecret"] == f"secret{text}"


def test_the_file_of_init_with_every_option_is_valid() -> None:
    account = AccountReference({"env": "NAME"}, {"env": "PASSWORD"})
    options = InitOptions(
        host="mirror.example.com",
        bucket="layers",
        region="here",
        allowed=["library/*", "acme/tool"],
        namespace="mirrors",
        endpoint="https://s3.example.com",
        create_bucket=True,
        access_key=account,
        upstream_name="quay",
        upstream_url="https://quay.io",
        credentials=account,
        redis_password={"env": "REDIS_PASSWORD"},
        https_proxy={"env": "PROXY_URL"},
        probe_image="library/alpine:3",
        class_name="traefik",
        issuer="letsencrypt",
        tls_secret="wild",
        images={"registry": "r:1", "auth": "a:1", "redis": "d:1", "front": "f:1"},
    )
    mirror = parse_mirror(render_text("regmirror.yaml.j2", options.context()), "init")
    (upstream,) = mirror.upstreams
    assert (upstream.name, upstream.url, upstream.anonymous_pull) == ("quay", "https://quay.io", options.allowed)
    images = (mirror.registry.image, mirror.auth.image, mirror.redis.image, mirror.front.image)
    assert images == ("r:1", "a:1", "d:1", "f:1")
    assert mirror.storage.create_bucket
    assert mirror.storage.access_key is not None
    assert mirror.redis.password is not None
    assert mirror.ingress.issuer is not None
    assert (mirror.ingress.class_name, mirror.ingress.tls_secret) == ("traefik", "wild")


def test_the_file_of_init_with_the_fewest_options_is_valid() -> None:
    options = completed(InitOptions(host="mirror.example.com", bucket="layers", region="", allowed=["acme/*"]), "here")
    mirror = parse_mirror(render_text("regmirror.yaml.j2", options.context()), "init")
    assert mirror.storage.access_key is None
    assert mirror.ingress.tls_secret == "regmirror-tls"


def test_a_variable_that_is_not_given_is_an_error() -> None:
    context = workload()
    del context["config_secret"]
    with pytest.raises(TemplateError, match=r"redis\.yaml\.j2 does not render: 'config_secret' is undefined"):
        render_values("redis.yaml.j2", context)


def test_a_value_that_yaml_cannot_write_is_an_error() -> None:
    with pytest.raises(TemplateError, match=r"redis\.yaml\.j2 does not render"):
        render_values("redis.yaml.j2", workload(node_selector=Path()))


def test_a_template_that_is_not_there_is_an_error() -> None:
    with pytest.raises(TemplateError, match=r"absent\.yaml\.j2 does not render"):
        render_values("absent.yaml.j2", {})


def test_the_templates_and_charts_are_found() -> None:
    assert (asset_directory("templates") / "redis.yaml.j2").is_file()
    assert (chart_directory("redis") / "Chart.yaml").is_file()
    with pytest.raises(TemplateError, match="has no absent") as caught:
        asset_directory("absent")
    assert caught.value.hint == "install regmirror again"
