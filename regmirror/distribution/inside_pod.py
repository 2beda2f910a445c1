"""HTTP requests to a port inside a pod, through a port-forward; this includes ports that listen on loopback only."""

from collections.abc import Mapping
from http.client import HTTPException, HTTPResponse

from regmirror.errors import ClusterError
from regmirror.ports.cluster import Cluster
from regmirror.ports.http import Answer


def get_inside_pod(
    cluster: Cluster, pod: str, port: int, path: str, headers: Mapping[str, str] | None = None
) -> Answer:
    """GET ``path`` from a port of a pod; raises ClusterError if there is no complete answer."""
    sent = {"Host": "localhost", "Connection": "close", **(headers or {})}
    question = "\r\n".join([f"GET {path} HTTP/1.1", *(f"{name}: {value}" for name, value in sent.items()), "", ""])
    try:
        with cluster.connect(pod, port) as connection:
            connection.sendall(question.encode())
            response = HTTPResponse(connection)
            response.begin()
            found = {name.lower(): value for name, value in response.getheaders()}
            return Answer(response.status, found, response.read())
    except (HTTPException, OSError) as error:
        cause = " ".join(str(error).split()) or type(error).__name__
        raise ClusterError(f"no answer from port {port} of pod {pod}: {cause}") from error
