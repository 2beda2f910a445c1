"""The sides of a comparison: each is a way to pull from a registry."""

from dataclasses import dataclass

from bench.load import Request

PUBLIC, POD = "regmirror, public host", "regmirror, pod"


@dataclass(frozen=True)
class Peer:
    """A program that the mirror is compared with, as a process of the node."""

    name: str
    address: str
    process: int


@dataclass(frozen=True)
class Side:
    """A registry at a URL; clients get their tokens from `token_host`, if there is one."""

    name: str
    url: str
    token_host: str = ""

    def request(self, repository: str, path: str) -> Request:
        """The request for a path of a repository, such as blobs/DIGEST."""
        host = self.token_host
        token = f"https://{host}/auth?service={host}&scope=repository:{repository}:pull" if host else ""
        return Request(f"{self.url}/v2/{repository}/{path}", token)


def of_peer(peer: Peer) -> Side:
    """A peer, reached directly."""
    return Side(peer.name, f"http://{peer.address}")
