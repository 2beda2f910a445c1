"""The logins of people who signed in: entries in docker_auth's database, which end with their removal."""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from socket import socket

from regmirror.config.model import Mirror
from regmirror.desired import names
from regmirror.desired.secret_contents import secret_data
from regmirror.errors import AccountError, ClusterError
from regmirror.ports.cluster import POD, SECRET, Cluster
from regmirror.users.report import SignOutReport
from regmirror.workloads.redis_protocol import ask, count
from regmirror.workloads.rollout import is_ready

_LOGIN = "t:"
"""Before the name in the key of a login (docker_auth 1.14.0 ``auth_server/authn/tokendb_redis.go``)."""


def sign_out(cluster: Cluster, mirror: Mirror, people: Sequence[str]) -> SignOutReport:
    """End the logins of these people, or of everyone if there are none. Raises AccountError, ClusterError.

    A person who still belongs to the provider's organization can sign in again.
    """
    if mirror.access.sign_in is None:
        raise AccountError(
            "nobody signs in to this mirror: the file has no access.signIn",
            hint="accounts of regmirror user are removed with: regmirror user remove NAME",
        )
    with _database(cluster) as connection:
        ended = [name for name in people if count(connection, "DEL", f"{_LOGIN}{name}")]
        number = len(ended) if people else _end_all(connection)
    return SignOutReport(
        host=mirror.endpoint,
        namespace=cluster.namespace,
        context=cluster.context,
        ended=ended,
        unknown=[name for name in people if name not in ended],
        logins_ended=number,
    )


@contextmanager
def _database(cluster: Cluster) -> Iterator[socket]:
    """A session with the database; raises ClusterError if there is none."""
    pods = cluster.select(POD, selector=f"app.kubernetes.io/instance={names.SIGN_IN}")
    ready = [pod for pod in pods if is_ready(pod)]
    if not ready:
        raise ClusterError("the database of logins has no ready pod", hint="regmirror status")
    password = secret_data(cluster.get(SECRET, names.SIGN_IN_SECRET) or {}).get("password", b"").decode()
    with cluster.connect(ready[0]["metadata"]["name"], names.REDIS_PORT) as connection:
        if ask(connection, "AUTH", password) != "+OK":
            raise ClusterError(
                f"the database of logins refuses the password in the Secret {names.SIGN_IN_SECRET}",
                hint=f"kubectl -n {cluster.namespace} rollout restart deployment/{names.SIGN_IN}",
            )
        yield connection


def _end_all(connection: socket) -> int:
    """How many logins there were; the database has nothing else."""
    logins = count(connection, "DBSIZE")
    if (answer := ask(connection, "FLUSHALL")) != "+OK":
        raise ClusterError(f"the database of logins answers {answer[1:]} to FLUSHALL")
    return logins
