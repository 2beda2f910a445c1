"""Publishes the metrics of a verification in the cluster, where the mirror's metrics port shows them."""

from regmirror.desired import names
from regmirror.errors import ConfigurationError
from regmirror.ports.cluster import CONFIG_MAP, CRON_JOB, Cluster


def publish(cluster: Cluster, metrics: str) -> None:
    """Write the ConfigMap with the metrics. The CronJob owns it, so that the cluster removes both together.

    Raises ConfigurationError if there is no such CronJob, or ClusterError.
    """
    job = cluster.get(CRON_JOB, names.VERIFICATION)
    if job is None:
        raise ConfigurationError(
            f"--publish: namespace {cluster.namespace} has no CronJob {names.VERIFICATION}",
            hint="add the section verification to the configuration file, then: regmirror deploy",
        )
    owner = {
        "apiVersion": CRON_JOB.api_version,
        "kind": CRON_JOB.kind,
        "name": names.VERIFICATION,
        "uid": job["metadata"]["uid"],
    }
    metadata = {
        "name": names.VERIFICATION_RESULT,
        "namespace": cluster.namespace,
        "labels": names.labels("verification"),
        "ownerReferences": [owner],
    }
    cluster.apply(
        {
            "apiVersion": CONFIG_MAP.api_version,
            "kind": CONFIG_MAP.kind,
            "metadata": metadata,
            "data": {names.VERIFICATION_METRICS: metrics},
        }
    )
