"""Runs the probes: some nodes at a time, each until it has answered or its time is over; nothing remains."""

import asyncio
from collections import deque
from collections.abc import AsyncIterator, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from regmirror.desired import names
from regmirror.errors import ClusterError, RegmirrorError
from regmirror.ports.async_cluster import AsyncCluster
from regmirror.ports.cluster import DEPLOYMENT, POD, Object
from regmirror.steps.clock import Clock
from regmirror.verify.nodes.fixes import fix
from regmirror.verify.nodes.mirror_log import MirrorLog
from regmirror.verify.nodes.pod_state import end_of_pod, pull_errors, pull_secrets, why_not_started
from regmirror.verify.nodes.probe import (
    LEFTOVER_SELECTOR,
    RUN_LABEL,
    NodeProbe,
    Purpose,
    Target,
    container_name,
    new_id,
    node_probe,
    probe_pod,
)
from regmirror.verify.nodes.targets import Node
from regmirror.verify.nodes.verdict import Attempt, Evidence, Reason, Verdict, judge

AT_ONCE = 20
"""Nodes that are probed at the same time."""
_POLL = 0.5
_MARGIN = 60
"""Seconds for which a pod may exist longer than its node may take."""


@dataclass(frozen=True, slots=True)
class Finding:
    """The verdict about one node and one registry, and how to fix it; no fix is needed for ``used``."""

    target: Target
    verdict: Verdict
    fix: str = ""


@dataclass(frozen=True, slots=True)
class NodeResult:
    """The findings about one node, one for each registry."""

    node: Node
    findings: Sequence[Finding]


@dataclass(slots=True)
class _Running:
    """A node that is being probed."""

    node: Node
    probe: NodeProbe
    began: datetime
    errors: dict[str, str] = field(default_factory=dict)
    """By container: the first error of the runtime, which later ones only repeat."""
    pull_secrets: tuple[str, ...] = ()
    settled: bool = False
    """Whether the log was read since the last image failed."""
    problem: str = ""
    """Why the pod cannot pull anything any more."""

    def evidence(self, target: Target, log: MirrorLog) -> Evidence:
        attempts = {
            probe.purpose: Attempt(self.errors.get(container_name(probe), ""), log.sightings(probe.id))
            for probe in self.probe.probes
            if probe.target == target
        }
        return Evidence(
            target,
            attempts[Purpose.TAG],
            attempts[Purpose.REPOSITORY],
            attempts[Purpose.OWN_NAME],
            self.pull_secrets,
        )


class NodeProbing:
    """One run: ``probe`` yields the results as they come."""

    def __init__(
        self, cluster: AsyncCluster, log: MirrorLog, targets: Sequence[Target], timeout: timedelta, clock: Clock
    ) -> None:
        self._cluster, self._log, self._targets = cluster, log, targets
        self._timeout, self._clock = timeout, clock
        self._run = new_id()
        self._running: dict[str, _Running] = {}
        self._owner: Object | None = None

    async def probe(self, nodes: Sequence[Node]) -> AsyncIterator[NodeResult]:
        """Probe every node; its pod is deleted as soon as its result is known, and all are if this is interrupted."""
        await self._remove_leftovers()
        self._owner = await self._find_owner()
        waiting = deque(enumerate(nodes))
        try:
            while waiting or self._running:
                while waiting and len(self._running) < AT_ONCE:
                    if result := await self._start(*waiting.popleft()):
                        yield result
                await self._observe()
                for pod in list(self._running):
                    if result := await self._result(self._running[pod]):
                        await self._remove(pod)
                        yield result
                await self._clock.sleep(_POLL)
        finally:
            for pod in list(self._running):
                with suppress(RegmirrorError):
                    await self._remove(pod)

    async def _start(self, number: int, node: Node) -> NodeResult | None:
        """Create the pod of a node; a result at once if that is not possible."""
        if not node.is_ready:
            return self._not_probed(node, "the node is not ready")
        probe = node_probe(node.name, f"{names.PREFIX}probe-{self._run[:8]}-{number}", self._targets)
        self._running[probe.pod] = _Running(node, probe, self._clock.now())
        lifetime = int(self._timeout.total_seconds()) + _MARGIN
        manifest = probe_pod(probe, self._run, lifetime, self._owner)
        creation = asyncio.ensure_future(self._cluster.create(manifest))
        try:
            await asyncio.shield(creation)
        except asyncio.CancelledError:
            # The request goes on in its thread, and the pod is deleted only once it exists.
            await asyncio.wait([creation])
            raise
        except ClusterError as error:
            del self._running[probe.pod]
            return self._not_probed(node, f"its pod cannot be created: {error.message}")
        return None

    async def _observe(self) -> None:
        """Read first what the runtimes have answered, then the log: what failed before has been logged by then."""
        pods = {pod["metadata"]["name"]: pod for pod in await self._cluster.select(POD, f"{RUN_LABEL}={self._run}")}
        for name, running in self._running.items():
            pod = pods.get(name)
            if pod is None:
                running.problem = "somebody deleted its pod"
                continue
            running.settled = self._has_failed(running)
            running.errors = pull_errors(pod) | running.errors
            running.pull_secrets = pull_secrets(pod)
            running.problem = end_of_pod(pod)
        await self._log.read()

    def _has_failed(self, running: _Running) -> bool:
        return all(container_name(probe) in running.errors for probe in running.probe.probes)

    async def _result(self, running: _Running) -> NodeResult | None:
        evidence = [running.evidence(target, self._log) for target in self._targets]
        if running.settled or all(one.is_decided for one in evidence):
            return NodeResult(running.node, [self._finding(running.node, one) for one in evidence])
        late = self._clock.now() - running.began >= self._timeout
        if not late and not running.problem:
            return None
        why, hint = running.problem, _probe_again(running.node)
        if not why:
            why = await self._why_late(running)
            hint = f"give it more time: {_command(running.node)} --timeout {2 * self._timeout.total_seconds():g}s"
        return NodeResult(running.node, [self._incomplete(running.node, one, why, hint) for one in evidence])

    def _incomplete(self, node: Node, evidence: Evidence, why: str, hint: str) -> Finding:
        """What is known so far is enough if the mirror was asked, or if the runtime blames it."""
        if evidence.is_decided or (evidence.tag.error and evidence.errors_at_mirror):
            return self._finding(node, evidence)
        return _unknown(evidence.target, why, hint)

    def _finding(self, node: Node, evidence: Evidence) -> Finding:
        verdict = judge(evidence)
        return Finding(evidence.target, verdict, fix(node, evidence, verdict.reason) if verdict.bypasses else "")

    def _not_probed(self, node: Node, why: str) -> NodeResult:
        return NodeResult(node, [_unknown(target, why, _probe_again(node)) for target in self._targets])

    async def _why_late(self, running: _Running) -> str:
        seconds = f"{self._timeout.total_seconds():g} s"
        why = await self._cluster.run(why_not_started, running.probe.pod)
        return f"no answer from its runtime within {seconds}" + (f": {why}" if why else "")

    async def _remove(self, pod: str) -> None:
        await self._cluster.delete(POD, pod)
        del self._running[pod]

    async def _remove_leftovers(self) -> None:
        """Delete the pods of runs that were killed; those of a run in progress are younger than their lifetime."""
        for pod in await self._cluster.select(POD, LEFTOVER_SELECTOR):
            age = self._clock.now() - datetime.fromisoformat(str(pod["metadata"]["creationTimestamp"]))
            if end_of_pod(pod) or age > timedelta(seconds=pod["spec"]["activeDeadlineSeconds"]):
                await self._cluster.delete(POD, pod["metadata"]["name"])

    async def _find_owner(self) -> Object | None:
        """The registry's Deployment: what a killed run leaves is removed with the mirror."""
        return await self._cluster.get(DEPLOYMENT, names.registry(self._targets[0].upstream))


def _unknown(target: Target, why: str, hint: str) -> Finding:
    return Finding(target, Verdict(Reason.NOT_PROBED, why), hint)


def _probe_again(node: Node) -> str:
    return f"probe the node again: {_command(node)}"


def _command(node: Node) -> str:
    return f"regmirror verify --node {node.name}"
