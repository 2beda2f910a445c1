"""The time at which each Secret got its content: an annotation whose change restarts the pods that mount it.

A digest is not enough: if someone changes a Secret and restarts a pod, deploy restores the content, and the digest is
the same as before, so that the pod would keep the wrong content.
"""

from collections.abc import Mapping
from datetime import datetime

from regmirror.desired import names
from regmirror.desired.secrets import Manifest


def annotate_versions(manifests: list[Manifest], live: Mapping[str, Manifest], now: datetime) -> list[Manifest]:
    """The manifests with their version annotations: the live one if the content is the same, else a new one.

    ``live`` has the Secrets of the cluster by name; ``now`` is in UTC.
    """
    new = now.strftime("%Y%m%dT%H%M%S%fZ")
    return [
        _with_version(manifest, _kept_version(manifest, live.get(manifest["metadata"]["name"])) or new)
        for manifest in manifests
    ]


def combined_version(manifests: list[Manifest]) -> str:
    """One text for all these Secrets, which changes when any of their versions does."""
    return ":".join(manifest["metadata"]["annotations"][names.VERSION_ANNOTATION] for manifest in manifests)


def _kept_version(manifest: Manifest, live: Manifest | None) -> str | None:
    """The live version; None if there is none, or if the live content differs."""
    if live is None:
        return None
    content = live.get("data") or {}
    if any(content.get(key) != value for key, value in manifest["data"].items()):
        return None
    return (live["metadata"].get("annotations") or {}).get(names.VERSION_ANNOTATION)


def _with_version(manifest: Manifest, version: str) -> Manifest:
    metadata = manifest["metadata"]
    annotations = {**metadata.get("annotations", {}), names.VERSION_ANNOTATION: version}
    return {**manifest, "metadata": {**metadata, "annotations": annotations}}
