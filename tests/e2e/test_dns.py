"""The real external-dns proposes exactly the records of a mirror, whichever of its prefixes it reads."""

from __future__ import annotations

import json
import os
import shutil
from functools import partial
from typing import TYPE_CHECKING, Any

import pytest

from tests.e2e.deployed_mirror import DeployedMirror, run
from tests.e2e.waiting import await_value

if TYPE_CHECKING:
    from collections.abc import Callable

pytestmark = [
    pytest.mark.lab,
    pytest.mark.skipif(shutil.which("external-dns") is None, reason="external-dns is built only with REGMIRROR_LONG"),
]

PREFIXES = ("external-dns.kubernetes.io/", "external-dns.alpha.kubernetes.io/")


def records(mirror: DeployedMirror, source: str, prefix: str) -> list[dict[str, Any]]:
    """The records that external-dns would create for the namespace of the mirror."""
    words = ["external-dns", "--provider=inmemory", "--registry=noop", f"--inmemory-zone={mirror.target.domain}"]
    words += [f"--kubeconfig={os.environ['KUBECONFIG']}"]
    words += [f"--namespace={mirror.namespace}", f"--source={source}", f"--annotation-prefix={prefix}"]
    outcome = run(words, mirror.directory, {})
    assert outcome.code == 0, outcome.stderr
    found: list[dict[str, Any]] = json.loads(outcome.stdout) or []
    keys = ("dnsName", "recordType", "targets", "recordTTL")
    return [{key: record.get(key) for key in keys} for record in found]


@pytest.mark.parametrize("written", PREFIXES)
def test_external_dns_proposes_exactly_the_host_of_the_mirror(
    written: str, new_mirror: Callable[[], DeployedMirror]
) -> None:
    mirror = new_mirror()
    expected = {"dnsName": mirror.host, "recordType": "A", "targets": [mirror.target.address], "recordTTL": 60}
    annotations = {f"{written}ttl": "60"}
    mirror.change_file(ingress={"annotations": annotations})
    assert mirror.deploy().code == 0
    for prefix in PREFIXES:
        # Traefik writes its address into the status of the Ingress a moment later.
        await_value(partial(records, mirror, "ingress", prefix), lambda found: found == [expected])
    if mirror.target.lab is None:
        return
    mirror.change_file(ingress={"gateway": {"parentRefs": [mirror.target.lab["gateway"]]}})
    assert mirror.deploy().code == 0
    for prefix in PREFIXES:
        assert records(mirror, "gateway-httproute", prefix) == [expected]
