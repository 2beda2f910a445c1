"""Label selectors of Kubernetes: which of their requirements some labels do not meet."""

from collections.abc import Iterator, Mapping

from regmirror.ports.cluster import Object


def unmet_requirements(selector: Object, labels: Mapping[str, str]) -> Iterator[str]:
    """In words; none if the selector selects the labels. Source: apimachinery, meta/v1 ``LabelSelector``."""
    for key, value in (selector.get("matchLabels") or {}).items():
        if labels.get(key) != value:
            yield f"the label {key}={value}"
    for rule in selector.get("matchExpressions") or []:
        key, values = rule["key"], rule.get("values") or []
        is_met = {
            "In": labels.get(key) in values,
            "NotIn": labels.get(key) not in values,
            "Exists": key in labels,
            "DoesNotExist": key not in labels,
        }
        if not is_met.get(rule["operator"], True):
            yield f"the label {key} {rule['operator']} {', '.join(values)}".rstrip()


def namespace_labels(namespace: Object) -> dict[str, str]:
    """The labels of a namespace, with the one that Kubernetes sets itself."""
    metadata = namespace["metadata"]
    return {"kubernetes.io/metadata.name": metadata["name"], **(metadata.get("labels") or {})}
