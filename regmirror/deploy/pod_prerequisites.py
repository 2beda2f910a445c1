"""What the cluster must provide for the pods of a mirror: user IDs that it allows, and named ServiceAccounts."""

from collections.abc import Mapping

from regmirror.config.model import Mirror
from regmirror.errors import ConfigurationError, PermissionDeniedError
from regmirror.ports.cluster import NAMESPACE, SECURITY_CONTEXT_CONSTRAINTS, SERVICE_ACCOUNT, Cluster
from regmirror.steps.step import Done


def check_pods(mirror: Mirror, cluster: Cluster) -> Done:
    """Check both; raises ConfigurationError or ClusterError."""
    _check_security(mirror, cluster)
    detail = f"{mirror.pod_security or 'fixed'} user IDs"
    named = named_service_accounts(mirror)
    if not named:
        return Done(detail)
    accounts = f"ServiceAccount {', '.join(dict.fromkeys(named.values()))}"
    try:
        _check_accounts(named, cluster)
    except PermissionDeniedError:
        return Done(f"{detail}; {accounts} not checked: no permission", skipped=True)
    return Done(f"{detail}, {accounts}")


def _check_security(mirror: Mirror, cluster: Cluster) -> None:
    """OpenShift assigns user IDs, and refuses others unless an administrator allows them."""
    if mirror.pod_security is None and cluster.serves(SECURITY_CONTEXT_CONSTRAINTS):
        raise ConfigurationError(
            "podSecurity: the SecurityContextConstraints of this cluster refuse the user IDs of the pods by default",
            hint="set podSecurity: assigned; or podSecurity: fixed, if the pods' ServiceAccounts may use nonroot-v2",
        )


def _check_accounts(named: Mapping[str, str], cluster: Cluster) -> None:
    """A pod whose ServiceAccount does not exist is never created."""
    for key, name in named.items():
        if cluster.get(SERVICE_ACCOUNT, name) is None:
            raise _missing(key, name, cluster)


def named_service_accounts(mirror: Mirror) -> dict[str, str]:
    """The ServiceAccounts that must exist, by the key that names them."""
    components = {"registry": mirror.registry, "auth": mirror.auth, "redis": mirror.redis}
    accounts = {key: component.service_account for key, component in components.items()}
    return {
        f"{key}.serviceAccount": account.name
        for key, account in accounts.items()
        if account and account.name and not account.create
    }


def _missing(key: str, name: str, cluster: Cluster) -> ConfigurationError:
    kubectl = f"kubectl -n {cluster.namespace}"
    first = "" if cluster.get(NAMESPACE, cluster.namespace) else f"kubectl create namespace {cluster.namespace}; "
    return ConfigurationError(
        f"{key}: namespace {cluster.namespace} has no ServiceAccount {name}",
        hint=f"{first}{kubectl} create serviceaccount {name}; or set create: true",
    )
