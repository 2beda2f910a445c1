"""Files of any shape on a machine are findings at most, and never end a check with an exception."""

from __future__ import annotations

import json
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st

from regmirror.client_config.check.catalog import CHECKERS, find_checker
from regmirror.client_config.check.inspection import Inspection, run_check
from regmirror.client_config.toml_template import toml_literal
from tests import samples
from tests.unit.client_machines import CONFIG, OPTIONS, machine_of

VOCABULARY = """
version plugins imports io.containerd.cri.v1.images io.containerd.grpc.v1.cri registry config_path mirrors host
server ca header Authorization capabilities skip_verify registry-mirrors insecure-registries features auths credHelpers
containerd-snapshotter docker.io mirror.example.com mirror prefix location endpoint configs auth username password tls
ca_file crio image global_auth_file unqualified-search-registries http insecure
"""
KEYS = VOCABULARY.split()
WORDS = ["", "Basic", "Basic x", "/etc/x", "../..", *KEYS]
SCALARS = st.one_of(st.booleans(), st.integers(0, 4), st.sampled_from(WORDS))
VALUES = st.recursive(
    SCALARS,
    lambda inner: st.lists(inner, max_size=2) | st.dictionaries(st.sampled_from(KEYS), inner, max_size=4),
    max_leaves=12,
)
DOCUMENTS = st.dictionaries(st.sampled_from(KEYS), VALUES, max_size=5)


def inline_toml(value: Any) -> str:
    if isinstance(value, dict):
        return "{" + ", ".join(f"{toml_literal(key)} = {inline_toml(inner)}" for key, inner in value.items()) + "}"
    if isinstance(value, list):
        return "[" + ", ".join(map(inline_toml, value)) + "]"
    return json.dumps(value)


def as_text(path: str, document: dict[str, Any]) -> str:
    if path.endswith((".json", ".yaml")):
        return json.dumps(document)
    return "".join(f"{toml_literal(key)} = {inline_toml(value)}\n" for key, value in document.items())


@given(st.sampled_from(sorted(CHECKERS)), st.lists(DOCUMENTS, min_size=4, max_size=4))
@settings(max_examples=300, deadline=None)
def test_a_check_ends_with_findings(runtime: str, documents: list[dict[str, Any]]) -> None:
    machine = machine_of(runtime)
    paths = [path for path, content in machine.files.items() if content and "CERTIFICATE" not in content]
    assert paths, "the machine has no files to change"
    for path, document in zip([*paths, CONFIG], documents, strict=False):
        machine.files[path] = as_text(path, document)
    inspection = Inspection(runtime, OPTIONS, machine, samples.NOW, private_ca=True)
    for finding in run_check(find_checker(runtime), inspection):
        assert finding.fix
