"""The kinds of the Prometheus Operator in the lab: their definitions only, so that the API server validates objects."""

from pathlib import Path

from lab import module_files
from lab.cluster import Cluster
from lab.components import PROMETHEUS_OPERATOR

_DEFINITIONS = "/apis/apiextensions.k8s.io/v1/customresourcedefinitions"
_KINDS = ("podmonitors", "prometheusrules")


def create(cluster: Cluster) -> None:
    """Creates the definitions, and waits until the API server serves them."""
    for definition in definitions(cluster.instance.cache):
        cluster.create(_DEFINITIONS, definition.read_bytes())
    served = [f"/apis/monitoring.coreos.com/v1/{kind}" for kind in _KINDS]
    cluster.wait_until("the API server to serve the Operator's kinds", lambda: all(map(cluster.healthy, served)))


def definitions(cache_directory: Path) -> list[Path]:
    """The custom resource definitions of the kinds that regmirror uses, as YAML files."""
    directory = module_files.entry(PROMETHEUS_OPERATOR, cache_directory)
    return sorted(file for kind in _KINDS for file in directory.glob(f"*_{kind}.yaml"))
