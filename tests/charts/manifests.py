"""Finds objects and their parts in the manifests of a chart."""

from __future__ import annotations

from typing import Any

from .helm import Helm, Manifest


def one(manifests: list[Manifest], kind: str) -> Manifest:
    """The only manifest of its kind."""
    (manifest,) = [manifest for manifest in manifests if manifest["kind"] == kind]
    return manifest


def deployment(helm: Helm, chart: str, values: dict[str, Any] | None = None) -> Manifest:
    """The chart's Deployment."""
    return one(helm.render(chart, values), "Deployment")


def pod(helm: Helm, chart: str, values: dict[str, Any] | None = None) -> Manifest:
    """The pod template of the Deployment: metadata and spec."""
    return dict(deployment(helm, chart, values)["spec"]["template"])


def container(helm: Helm, chart: str, values: dict[str, Any] | None = None) -> Manifest:
    """The pod's first container, which runs the program that the chart is named after."""
    return dict(pod(helm, chart, values)["spec"]["containers"][0])


def mounts(pod_spec: Manifest) -> dict[str, Manifest]:
    """The mount paths of the pod's first container, each with its volume."""
    volumes = {volume["name"]: volume for volume in pod_spec["volumes"]}
    first = pod_spec["containers"][0]
    return {mount["mountPath"]: volumes[mount["name"]] for mount in first["volumeMounts"]}
