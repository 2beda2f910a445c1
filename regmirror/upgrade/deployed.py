"""Which version of regmirror has deployed the mirror: its charts bear the version, and label what they make."""

from regmirror.desired import names
from regmirror.errors import ConfigurationError
from regmirror.ports.cluster import DEPLOYMENT, Cluster


def deployed_version(cluster: Cluster) -> str:
    """The version; raises ConfigurationError where there is no mirror, ClusterError where the cluster fails."""
    found = cluster.get(DEPLOYMENT, names.AUTH)
    if found is None:
        raise ConfigurationError(
            f"namespace {cluster.namespace} of context {cluster.context} has no mirror", hint="say it by --from 0.1.0"
        )
    chart = (found["metadata"].get("labels") or {}).get("helm.sh/chart", "")
    if not chart.startswith("auth-"):
        raise ConfigurationError(
            f"the Deployment {names.AUTH} does not say which version made it", hint="say it by --from 0.1.0"
        )
    return str(chart.removeprefix("auth-"))
