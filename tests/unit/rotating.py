"""A mirror deployed in memory whose pods are programs, and rotations of it."""

from __future__ import annotations

import asyncio
import base64
import json
from collections.abc import Coroutine
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any, TypeVar

from regmirror.config.model import Mirror
from regmirror.config.secret_references import SecretResolver
from regmirror.deploy.resolve_secrets import read_key_pair, read_secret
from regmirror.deploy.run import deploy_mirror
from regmirror.deploy.steps import DeployOptions
from regmirror.desired import names
from regmirror.desired.secrets import signing_secret
from regmirror.ports.cluster import SECRET
from regmirror.ports.http import Answer
from regmirror.rotate.due import Threshold
from regmirror.rotate.options import RotationOptions
from regmirror.rotate.plan import Action
from regmirror.rotate.report import RotateReport
from regmirror.rotate.run import Rotation
from regmirror.rotate.state import id_of
from regmirror.signing.bundle import trusted_keys
from regmirror.signing.key_pair import KeyPair, generate_private_key, self_signed
from regmirror.signing.tokens import Claims, decode_token, sign_token
from tests import samples
from tests.fakes.connections import FakeConnections
from tests.fakes.helm import FakeHelm
from tests.fakes.http import FakeHttp, Request
from tests.fakes.progress import RecordedProgress
from tests.fakes.rolling import DrainsWhenListedCluster
from tests.fakes.time import FakeTime

T = TypeVar("T")

TRAEFIK = {
    "apiVersion": "networking.k8s.io/v1",
    "kind": "IngressClass",
    "metadata": {"name": "traefik"},
    "spec": {"controller": "traefik.io/ingress-controller"},
}
FORCED = RotationOptions(Threshold(elapsed=0.66), force=True, pair=samples.key_pair(2))
NOT_YET = RotationOptions(Threshold(elapsed=0.66), key_size=2048)


@dataclass
class RotationHarness:
    """A deployed mirror; ``pull`` shows what its clients see."""

    mirror: Mirror = field(
        default_factory=lambda: samples.mirror(
            auth={"keySize": 2048}, ingress={"className": "traefik", "tlsSecret": None}
        )
    )
    time: FakeTime = field(default_factory=FakeTime)
    progress: RecordedProgress = field(default_factory=RecordedProgress)
    actions: list[Action] = field(default_factory=list)
    issued: list[str] = field(default_factory=list)
    """Tokens that clients hold."""
    cluster: DrainsWhenListedCluster = field(init=False)
    helm: FakeHelm = field(init=False)

    def __post_init__(self) -> None:
        self.cluster = DrainsWhenListedCluster(lambda: self.time.now)
        self.cluster.put(TRAEFIK)
        # deploy keeps an existing key: creating one takes longer than everything else.
        self.cluster.put(signing_secret(self.mirror, samples.key_pair(1)))
        self.helm = FakeHelm(self.cluster)
        self.deploy()
        self.issued += self.cluster.tokens()

    def deploy(self) -> dict[str, Any]:
        """Run ``deploy`` on it; returns its report as a document."""
        options = DeployOptions(skip_bucket=True, skip_verify=True)
        deployment = deploy_mirror(self.connections(), self.progress, timedelta(seconds=10), options, self.time.clock())
        return asyncio.run(deployment).document()

    def connections(self, cluster: Any = None, helm: Any = None) -> FakeConnections:
        """The connections of a command; with another cluster or Helm if given."""
        resolver = SecretResolver({}, Path(), lambda name, key: read_secret(self.cluster, name, key))
        http = FakeHttp({f"https://{samples.HOST}": self.public_host})
        return FakeConnections(self.mirror, cluster or self.cluster, helm or self.helm, http, resolver)

    def rotation(self, options: RotationOptions = FORCED, cluster: Any = None, helm: Any = None) -> Rotation:
        """A run of ``rotate-cert``, with another cluster or Helm if given."""
        return Rotation(
            self.connections(cluster, helm),
            self.progress,
            self.actions.append,
            timedelta(seconds=10),
            options,
            clock=self.time.clock(),
        )

    def public_host(self, request: Request) -> Answer:
        """Answers as the Ingress does, from any pod of docker_auth or the registry."""
        if request.path == "/auth":
            return Answer(200, {}, json.dumps({"token": self.cluster.tokens()[0]}).encode())
        token = request.headers.get("Authorization", "").removeprefix("Bearer ")
        if token and all(self.cluster.accepted(token)):
            return Answer(200, {}, b"{}")
        challenge = f'Bearer realm="https://{samples.HOST}/auth",service="{samples.HOST}"'
        return Answer(401, {"WWW-Authenticate": challenge}, b"")

    def rotate(self, options: RotationOptions = FORCED, **others: Any) -> RotateReport:
        """Run a rotation to its end."""
        return run(self.rotation(options, **others).run())

    @property
    def signing(self) -> KeyPair:
        """The key pair in the signing Secret."""
        pair = read_key_pair(self.cluster, names.SIGNING_SECRET)
        assert pair is not None
        return pair

    @property
    def key(self) -> str:
        """The id of the key in the signing Secret."""
        return id_of(self.signing)

    @property
    def next_key(self) -> str | None:
        """The id of the key that a rotation introduces."""
        pair = read_key_pair(self.cluster, names.NEXT_SIGNING_SECRET)
        return id_of(pair) if pair else None

    @property
    def trusted(self) -> set[str]:
        """The keys of the bundle."""
        return set(trusted_keys(read_secret(self.cluster, names.BUNDLE_SECRET, "bundle.crt") or b""))

    def pull(self) -> bool:
        """Whether a token from any docker_auth pod is accepted by every registry pod."""
        tokens = self.cluster.tokens()
        answers = [answer for token in tokens for answer in self.cluster.accepted(token)]
        return bool(answers) and all(answers)

    def token_of(self, pair: KeyPair) -> str:
        """A token that is signed with a key."""
        claims = Claims("regmirror", samples.HOST, "", (), self.time.now, timedelta(minutes=5), "id")
        return sign_token(claims, pair.private_key)

    def all_tokens_accepted(self) -> bool:
        """Whether every registry pod accepts every token that docker_auth has issued and that has not expired."""
        valid = [token for token in self.issued if not self.is_over(token)]
        return all(answer for token in valid for answer in self.cluster.accepted(token))

    def is_over(self, token: str) -> bool:
        """Whether a token has expired."""
        return bool(decode_token(token).claims["exp"] < self.time.now.timestamp())

    @staticmethod
    def id_of_sample(serial: int) -> str:
        """The id of a key pair that the tests share."""
        return id_of(samples.key_pair(serial))

    def put_signing(self, pair: KeyPair) -> None:
        """Put another key pair into the signing Secret, and nowhere else."""
        found = self.cluster.get(SECRET, names.SIGNING_SECRET)
        assert found is not None
        data = {"tls.crt": pair.certificate_pem, "tls.key": pair.key_pem}
        self.cluster.put(found | {"data": {key: base64.b64encode(value).decode() for key, value in data.items()}})


def run(work: Coroutine[Any, Any, T]) -> T:
    return asyncio.run(work)


def pair_of(bits: int = 2048, *, begins: datetime = samples.NOW, days: int = 90) -> KeyPair:
    """A key pair as a user may have created it."""
    return self_signed(generate_private_key(bits), "own", begins - timedelta(hours=1), timedelta(days=days), 7)


def with_options(**changes: Any) -> RotationOptions:
    """The usual options of the tests, changed."""
    return replace(FORCED, **changes)


_CHANGES = {"apply", "create", "replace", "delete", "upgrade"}


class KilledError(BaseException):
    """The process was killed: none of its code runs any longer."""


@dataclass
class KillableProcess:
    """A process that is killed before a call to the cluster or to Helm, once it has made ``allowed_calls`` calls.

    Being killed before a call that only reads leaves the same cluster as before the next change, so only changes count
    unless ``reads_count``.
    """

    allowed_calls: int
    reads_count: bool = False
    calls: int = 0

    def call(self, name: str) -> None:
        """Raises KilledError once all allowed calls are used."""
        counts = name in _CHANGES or self.reads_count
        if self.calls > self.allowed_calls or (counts and self.calls == self.allowed_calls):
            self.calls = self.allowed_calls + 1
            raise KilledError
        self.calls += counts


@dataclass
class KillableConnection:
    """A cluster or a Helm as a killable process uses it."""

    target: Any
    process: KillableProcess

    def __getattr__(self, name: str) -> Any:
        attribute = getattr(self.target, name)
        if not callable(attribute):
            return attribute

        def call(*arguments: Any, **options: Any) -> Any:
            self.process.call(name)
            return attribute(*arguments, **options)

        return call


def rotate_until_killed(
    env: RotationHarness, allowed_calls: int, options: RotationOptions = FORCED, *, reads_count: bool = False
) -> bool:
    """Run a rotation in a process that is killed after so many calls; returns whether it was killed before the end."""
    process = KillableProcess(allowed_calls, reads_count)
    try:
        env.rotate(
            options, cluster=KillableConnection(env.cluster, process), helm=KillableConnection(env.helm, process)
        )
    except BaseException:
        if process.calls <= allowed_calls:
            raise
        return True
    return False
