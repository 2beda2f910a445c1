"""etcd and the three programs of Kubernetes' control plane, as steps of `up`."""

from lab import addresses, http
from lab.cluster import Cluster
from lab.credentials import write_secret
from lab.steps import Step


def steps(cluster: Cluster) -> list[Step]:
    """etcd and the API server start at once (it waits for etcd), the others when the API server is ready."""
    return [
        Step("etcd", lambda: _etcd(cluster)),
        Step("api-server", lambda: _api_server(cluster), title="API server ready"),
        Step("controller-manager", lambda: _controller_manager(cluster), after=("api-server",)),
        Step("scheduler", lambda: _scheduler(cluster), after=("api-server",)),
    ]


def _etcd(cluster: Cluster) -> None:
    """Starts etcd without fsync: the lab's data need not survive a power failure."""
    cluster.processes.start(
        "etcd",
        [
            "etcd",
            "--name=lab",
            "--unsafe-no-fsync",
            f"--data-dir={cluster.instance.state / 'etcd'}",
            f"--listen-client-urls={addresses.ETCD}",
            f"--advertise-client-urls={addresses.ETCD}",
            f"--listen-peer-urls={addresses.ETCD_PEERS}",
            f"--initial-advertise-peer-urls={addresses.ETCD_PEERS}",
            f"--initial-cluster=lab={addresses.ETCD_PEERS}",
        ],
    )
    cluster.processes.wait_until("etcd", lambda: http.answers(f"{addresses.ETCD}/readyz"))


def _api_server(cluster: Cluster) -> None:
    certificates = cluster.certificates
    tokens = cluster.instance.state / "tokens.csv"
    write_secret(tokens, f'{cluster.credentials.api_token},lab-administrator,1,"system:masters"\n')
    cluster.processes.start(
        "kube-apiserver",
        [
            "kube-apiserver",
            f"--etcd-servers={addresses.ETCD}",
            f"--advertise-address={addresses.NODE_ADDRESS}",
            f"--service-cluster-ip-range={addresses.SERVICE_SUBNET}",
            f"--tls-cert-file={certificates.certificate('api-server')}",
            f"--tls-private-key-file={certificates.key('api-server')}",
            f"--service-account-issuer=https://kubernetes.default.svc.{addresses.CLUSTER_DOMAIN}",
            f"--service-account-key-file={certificates.key('service-accounts')}",
            f"--service-account-signing-key-file={certificates.key('service-accounts')}",
            f"--token-auth-file={tokens}",
            "--authorization-mode=RBAC",
            "--allow-privileged",
            # For logs, exec and port-forward: DNS does not know the node's name.
            "--kubelet-preferred-address-types=InternalIP",
        ],
    )
    cluster.processes.wait_until("kube-apiserver", lambda: cluster.healthy("/readyz"))


def _controller_manager(cluster: Cluster) -> None:
    cluster.processes.start(
        "kube-controller-manager",
        [
            "kube-controller-manager",
            f"--kubeconfig={cluster.instance.kubeconfig}",
            f"--service-account-private-key-file={cluster.certificates.key('service-accounts')}",
            f"--root-ca-file={cluster.certificates.authority}",
            "--leader-elect=false",
            "--bind-address=127.0.0.1",
        ],
    )
    # It creates the service account that the first pod needs.
    default = "/api/v1/namespaces/default/serviceaccounts/default"
    cluster.processes.wait_until("kube-controller-manager", lambda: cluster.healthy(default))


def _scheduler(cluster: Cluster) -> None:
    cluster.processes.start(
        "kube-scheduler",
        [
            "kube-scheduler",
            f"--kubeconfig={cluster.instance.kubeconfig}",
            "--leader-elect=false",
            "--bind-address=127.0.0.1",
        ],
    )
