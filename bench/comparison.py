"""What the measurements share; each part starts when the first measurement needs it."""

import json
from contextlib import ExitStack
from functools import cached_property

from bench import bare, drayage, mirror, seed
from bench.environment import Environment
from bench.mirror import Mirror
from bench.sides import POD, PUBLIC, Peer, Side, of_peer
from bench.sizes import Sizes


class Comparison:
    """The mirror, and what it is compared with; the peers run until the stack is closed."""

    def __init__(self, env: Environment, sizes: Sizes, stack: ExitStack) -> None:
        self.env = env
        self.sizes = sizes
        self._stack = stack

    @cached_property
    def mirror(self) -> Mirror:
        """A mirror with defaults."""
        made = mirror.prepared(self.env)
        made.reaching("deploy")
        return made

    @cached_property
    def seed(self) -> str:
        """The namespace of the recipe's mirror."""
        made = seed.prepared(self.env)
        seed.deploy(self.env, made)
        return made

    @cached_property
    def store(self) -> str:
        """The address of a bare registry that images are pushed to."""
        return self._stack.enter_context(bare.serving(self.env))

    @cached_property
    def peers(self) -> list[Peer]:
        """Caches of the same upstream."""
        return [self._stack.enter_context(caching(self.env)) for caching in (drayage.caching, bare.caching)]

    @cached_property
    def public(self) -> Side:
        """The mirror through its public host: Ingress, TLS, HTTP/2 and tokens."""
        host = self.mirror.host
        return Side(PUBLIC, f"https://{host}", host)

    @cached_property
    def pod(self) -> Side:
        """The mirror at the pod that serves it: tokens only."""
        return self.at_pod(self.mirror)

    def at_pod(self, mirror: Mirror) -> Side:
        """A mirror at the pod of its registry."""
        words = ["-n", mirror.namespace, "get", "endpointslices", "-l", "app.kubernetes.io/component=registry"]
        (found,) = json.loads(self.env.kubectl(*words, "-o", "json"))["items"]
        address, port = found["endpoints"][0]["addresses"][0], found["ports"][0]["port"]
        return Side(POD, f"http://{address}:{port}", mirror.host)

    @property
    def sides(self) -> list[Side]:
        """The mirror, both ways, and the peers."""
        return [self.public, self.pod, *map(of_peer, self.peers)]
