"""Reads the scrape ports of a mirror's pods, as Prometheus does."""

import urllib.request

from regmirror.desired import names
from regmirror.distribution.metrics import Sample, parse_metrics
from tests.e2e.deployed_mirror import DeployedMirror

Series = dict[str, float]
"""Values by name and the values of labels: ``requests_total tag hit``."""


def addresses(mirror: DeployedMirror, component: str) -> list[str]:
    """The addresses of the pods of a component."""
    pods = mirror.objects("pods", "-l", f"app.kubernetes.io/component={component}")
    return [pod["status"]["podIP"] for pod in pods]


def page(address: str, path: str = "/metrics") -> str:
    """A page of the scrape port; raises urllib.error.HTTPError."""
    with urllib.request.urlopen(f"http://{address}:{names.METRICS_PORT}{path}", timeout=30) as answer:
        return str(answer.read().decode())


def scraped(mirror: DeployedMirror, component: str) -> Series:
    """The metrics of the only pod of a component."""
    (address,) = addresses(mirror, component)
    return {key_of(sample): sample.value for sample in parse_metrics(page(address))}


def key_of(sample: Sample) -> str:
    """The name without its prefix, and the values of all labels but the upstream."""
    labels = [value for name, value in sample.labels.items() if name != "upstream"]
    return " ".join([sample.name.removeprefix("regmirror_"), *labels])


def increases(before: Series, after: Series) -> Series:
    """What has changed, of the counters of requests, layers and manifests."""
    counted = ("requests_total", "response_bytes_total", "upstream_fetches_total", "upstream_bytes_total")
    changed = {key: value - before.get(key, 0) for key, value in after.items() if key.split()[0] in counted}
    return {key: value for key, value in changed.items() if value}
