"""The end-to-end test of changes under load knows every key of the file, and each of its changes is one."""

from __future__ import annotations

import copy
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import yaml

from regmirror.config.load import parse_mirror
from regmirror.config.model_keys import documented_keys
from tests import samples
from tests.e2e.file_changes import CHANGES, INTERRUPTING, REPRESENTATIVE, UNCHANGED


def test_every_key_is_changed_under_load_or_has_a_reason_not_to_be() -> None:
    keys = list(documented_keys())
    leaves = {key for key in keys if not any(other.startswith(f"{key}.") for other in keys)}
    known = [*CHANGES, *INTERRUPTING, *UNCHANGED]
    assert len(known) == len(set(known))
    assert leaves - set(known) == set()
    assert set(known) - set(keys) == set()
    assert set(REPRESENTATIVE) <= set(CHANGES)


def test_every_change_leads_to_a_valid_file_that_differs() -> None:
    target = SimpleNamespace(domain="example.com", certificate=Path("tls.crt"), key=Path("tls.key"))
    mirror: Any = SimpleNamespace(namespace="e2e-1", target=target, environment={}, kubectl=lambda *_: "")
    account = {"username": {"env": "NAME"}, "password": {"env": "TOKEN"}}
    upstream = {**samples.MINIMAL["upstreams"][0], "credentials": account}
    content = samples.document(
        auth={"tokenLifetime": "1m"},
        registry={"ttl": "0"},
        upstreams=[upstream],
        storage=dict(samples.MINIMAL["storage"]),
    )
    for key, change in {**CHANGES, **INTERRUPTING}.items():
        before = parse_mirror(yaml.safe_dump(content), "regmirror.yaml")
        content = copy.deepcopy(content)
        change(mirror, content)
        assert parse_mirror(yaml.safe_dump(content), "regmirror.yaml") != before, key
