"""The values of the container that shows metrics."""

from typing import Any

from regmirror.config.fields import image_parts
from regmirror.config.model import Mirror


def metrics_values(mirror: Mirror, **settings: str) -> dict[str, Any]:
    """The variables of the template front.yaml.j2; ``settings`` are the values that only one chart has."""
    return {
        "enabled": mirror.monitoring.metrics,
        "image": image_parts(mirror.fetcher.image),
        "settings": settings,
    }
