"""What makes pods roll: a Secret whose content was not in place, whoever had changed it."""

from __future__ import annotations

import copy
from datetime import timedelta
from typing import Any

from regmirror.desired import names
from regmirror.desired.secret_versions import annotate_versions, combined_version
from regmirror.desired.secrets import Manifest, secret_manifests
from tests import samples

LATER = samples.NOW + timedelta(microseconds=1)


def applied() -> list[Manifest]:
    return annotate_versions(secret_manifests(samples.mirror(), samples.mirror_secrets()), {}, samples.NOW)


def live(manifests: list[Manifest]) -> dict[str, Any]:
    return {manifest["metadata"]["name"]: copy.deepcopy(manifest) for manifest in manifests}


def test_content_in_place_keeps_its_version() -> None:
    first = applied()
    assert annotate_versions(secret_manifests(samples.mirror(), samples.mirror_secrets()), live(first), LATER) == first


def test_content_changed_in_the_cluster_gets_a_new_version_though_it_is_put_back() -> None:
    first = applied()
    found = live(first)
    found[names.BUNDLE_SECRET]["data"]["bundle.crt"] = "b3RoZXI="
    again = annotate_versions(first, found, LATER)
    assert changed(first, again) == [names.BUNDLE_SECRET]
    assert combined_version(first) != combined_version(again)


def test_deleted_secret_gets_a_new_version() -> None:
    first = applied()
    found = live(first)
    del found[names.AUTH_SECRET]
    assert changed(first, annotate_versions(first, found, LATER)) == [names.AUTH_SECRET]


def test_what_others_add_to_a_secret_changes_nothing() -> None:
    first = applied()
    found = live(first)
    found[names.AUTH_SECRET]["data"]["note"] = "aGVsbG8="
    found[names.AUTH_SECRET]["metadata"]["annotations"]["example.com/note"] = "hello"
    assert annotate_versions(first, found, LATER) == first


def changed(before: list[Manifest], after: list[Manifest]) -> list[str]:
    return [new["metadata"]["name"] for old, new in zip(before, after, strict=True) if old != new]
