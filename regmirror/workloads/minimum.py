"""The oldest Kubernetes that can run the mirror's pods as they are."""

MINIMUM_KUBERNETES = (1, 30)
"""The first version with the sleep action of preStop, which every rollout without a failed pull needs."""
