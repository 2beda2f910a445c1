"""``regmirror verify --nodes``: pods that pull a marked image on each node, and nothing that remains of them."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Any

import pytest

from regmirror.distribution.reference import ImageReference
from regmirror.errors import ClusterError, ConfigurationError, PermissionDeniedError, RegistryError
from regmirror.ports.async_cluster import AsyncCluster
from regmirror.ports.cluster import DEPLOYMENT, NODE, POD
from regmirror.ports.http import Answer
from regmirror.verify.live_mirror import NotDeployedError
from regmirror.verify.nodes.mirror_log import MirrorLog, check_log
from regmirror.verify.nodes.probe import Target
from regmirror.verify.nodes.run import AT_ONCE, NodeProbing, NodeResult
from regmirror.verify.nodes.targets import Node, find_nodes, find_targets
from regmirror.verify.nodes.verdict import Reason
from tests import samples
from tests.fakes.nodes import REGISTRY, FakeNodes, Pull, Runtime, node
from tests.fakes.time import FakeTime
from tests.unit.api_schemas import kubernetes_faults
from tests.unit.deployed import Deployed, deployed

MIRROR = f"https://{samples.HOST}/"
NOT_FOUND = "docker.io: not found"
ABSENT = "pull access denied, repository does not exist or may require authorization"


def uses_mirror(pull: Pull) -> str:
    pull.ask_mirror(401, "none")
    pull.ask_mirror(404, "token")
    return NOT_FOUND


def ignores_mirror(pull: Pull) -> str:
    if pull.is_by_own_name:
        return f'failed to do request: Head "{MIRROR}v2/x": tls: failed to verify certificate: x509: unknown authority'
    return ABSENT if pull.is_repository else NOT_FOUND


@dataclass
class Run:
    """A run against nodes in memory."""

    nodes: FakeNodes
    healthy: Deployed = field(default_factory=deployed)
    time: FakeTime = field(default_factory=FakeTime)
    timeout: timedelta = timedelta(minutes=2)
    results: list[NodeResult] = field(default_factory=list)

    @property
    def targets(self) -> list[Target]:
        return find_targets(self.healthy.mirror, {}, self.healthy.live().image)

    @property
    def cluster(self) -> AsyncCluster:
        return AsyncCluster(self.nodes)

    async def probe(self, names: Sequence[str] = ()) -> dict[str, Reason]:
        log = MirrorLog(self.cluster, ["docker-hub"])
        probing = NodeProbing(self.cluster, log, self.targets, self.timeout, self.time.clock())
        async for result in probing.probe(find_nodes(self.nodes, names)):
            self.results.append(result)
        return {result.node.name: result.findings[0].verdict.reason for result in self.results}

    def message(self, name: str) -> str:
        (found,) = [result for result in self.results if result.node.name == name]
        return found.findings[0].verdict.message


def run_of(**runtimes: Runtime | None) -> Run:
    healthy = deployed()
    return Run(FakeNodes(healthy.cluster, {name.replace("_", "-"): one for name, one in runtimes.items()}), healthy)


def test_each_node_has_its_own_answer_and_nothing_remains() -> None:
    run = run_of(good=uses_mirror, bad=ignores_mirror)
    assert asyncio.run(run.probe()) == {"good": Reason.USED, "bad": Reason.FILES_NOT_READ}
    assert run.nodes.probing == []
    assert run.results[0].findings[0].fix == "" or run.results[1].findings[0].fix == ""


def test_the_pods_are_harmless() -> None:
    run = run_of(good=uses_mirror)
    asyncio.run(run.probe())
    (pod,) = run.nodes.created
    assert kubernetes_faults(pod) == []
    spec = pod["spec"]
    assert spec["activeDeadlineSeconds"] == 180
    assert (spec["automountServiceAccountToken"], spec["securityContext"]["runAsNonRoot"]) == (False, True)
    for container in spec["containers"]:
        assert container["securityContext"]["capabilities"] == {"drop": ["ALL"]}
        assert container["imagePullPolicy"] == "Always"
        assert "regmirror-probe-" in container["image"]
    (owner,) = pod["metadata"]["ownerReferences"]
    assert (owner["kind"], owner["name"]) == ("Deployment", REGISTRY)


def test_hundreds_of_nodes_are_probed_a_few_at_a_time() -> None:
    run = run_of(**{f"node-{number:03}": uses_mirror for number in range(300)})
    assert set(asyncio.run(run.probe()).values()) == {Reason.USED}
    assert run.nodes.most_at_once == AT_ONCE


def test_a_node_without_an_answer_is_not_probed_after_the_timeout() -> None:
    run = run_of(silent=None, good=uses_mirror)
    began = run.time.now
    assert asyncio.run(run.probe()) == {"good": Reason.USED, "silent": Reason.NOT_PROBED}
    assert timedelta(minutes=2) <= run.time.now - began < timedelta(minutes=2, seconds=2)
    assert "no answer from its runtime within 120 s" in run.message("silent")
    (silent,) = [result for result in run.results if result.node.name == "silent"]
    assert silent.findings[0].fix == "give it more time: regmirror verify --node silent --timeout 240s"
    assert run.nodes.probing == []


def test_the_scheduler_says_why_a_pod_does_not_run() -> None:
    run = run_of(full=None)
    original = run.nodes.create

    def create(manifest: dict[str, Any]) -> None:
        original(manifest)
        condition = {"type": "PodScheduled", "status": "False", "message": "0/1 nodes are available: Too many pods."}
        run.healthy.cluster.put(manifest | {"status": {"phase": "Pending", "conditions": [condition]}})

    run.nodes.create = create  # type: ignore[method-assign]
    asyncio.run(run.probe())
    assert run.message("full").endswith("Too many pods.")


def test_a_node_that_is_not_ready_gets_no_pod() -> None:
    run = run_of(good=uses_mirror)
    run.healthy.cluster.put(node("broken", ready=False))
    assert asyncio.run(run.probe()) == {"good": Reason.USED, "broken": Reason.NOT_PROBED}
    assert len(run.nodes.created) == 1


def test_a_refused_pod_concerns_only_its_node() -> None:
    run = run_of(good=uses_mirror, other=uses_mirror)
    run.nodes.refused["other"] = "exceeded quota: pods=10"
    assert asyncio.run(run.probe()) == {"good": Reason.USED, "other": Reason.NOT_PROBED}
    assert run.message("other") == "its pod cannot be created: exceeded quota: pods=10"


def test_an_evicted_pod_is_reported_at_once() -> None:
    run = run_of(evicted=None)
    original = run.nodes.create

    def create(manifest: dict[str, Any]) -> None:
        original(manifest)
        run.healthy.cluster.put(manifest | {"status": {"phase": "Failed", "message": "The node was low on memory."}})

    run.nodes.create = create  # type: ignore[method-assign]
    asyncio.run(run.probe())
    assert run.message("evicted") == "its pod failed: The node was low on memory."
    assert run.time.now - samples.NOW < timedelta(seconds=5)


def test_an_interrupted_run_deletes_its_pods() -> None:
    run = run_of(first=None, second=None)

    async def interrupt() -> None:
        task = asyncio.ensure_future(run.probe())
        while len(run.nodes.created) < 2:
            await asyncio.sleep(0)
        task.cancel()
        await asyncio.wait([task])
        assert task.cancelled()

    asyncio.run(interrupt())
    assert run.nodes.probing == []


@pytest.mark.parametrize(("age", "phase", "remains"), [(10, "Pending", True), (10, "Failed", False), (1000, "", False)])
def test_pods_of_killed_runs_are_deleted_but_not_those_of_a_run_in_progress(
    age: int, phase: str, *, remains: bool
) -> None:
    run = run_of(good=uses_mirror)
    created = (samples.NOW - timedelta(seconds=age)).isoformat()
    labels = {"app.kubernetes.io/name": "node-probe"}
    metadata = {"name": "left", "labels": labels, "creationTimestamp": created}
    spec = {"activeDeadlineSeconds": 180}
    left = {"apiVersion": "v1", "kind": "Pod", "metadata": metadata, "spec": spec, "status": {"phase": phase}}
    run.healthy.cluster.put(left)
    asyncio.run(run.probe())
    assert [pod["metadata"]["name"] for pod in run.nodes.probing] == ["left"] * remains


def test_without_the_deployment_the_pods_have_no_owner() -> None:
    run = run_of(good=uses_mirror)
    run.healthy.cluster.delete(DEPLOYMENT, REGISTRY)
    assert asyncio.run(run.probe()) == {"good": Reason.USED}


def test_the_pull_secrets_of_the_service_account_are_named() -> None:
    def sends_login(pull: Pull) -> str:
        if pull.is_by_own_name:
            return uses_mirror(pull)
        pull.ask_mirror(401, "none")
        return NOT_FOUND

    run = run_of(with_pull_secret=sends_login)
    assert asyncio.run(run.probe()) == {"with-pull-secret": Reason.LOGIN_REJECTED}
    assert "pull secret hub" in run.message("with-pull-secret")


def test_each_registry_of_a_node_has_its_own_finding() -> None:
    run = run_of(half=lambda pull: ignores_mirror(pull) if "quay" in pull.image else uses_mirror(pull))
    hub, quay = samples.TWO_UPSTREAMS
    run.healthy.mirror = samples.mirror(upstreams=[hub, {**quay, "probeImage": "prometheus/prometheus:v3"}])
    targets = find_targets(run.healthy.mirror, {}, run.healthy.live().image)
    assert [(one.registry, one.mirror) for one in targets] == [
        ("docker.io", samples.HOST),
        ("quay.io", "quay.example.com"),
    ]

    async def probe() -> None:
        log = MirrorLog(run.cluster, ["docker-hub"])
        async for result in NodeProbing(run.cluster, log, targets, run.timeout, run.time.clock()).probe([Node("half")]):
            run.results.append(result)

    asyncio.run(probe())
    (result,) = run.results
    assert [one.verdict.reason for one in result.findings] == [Reason.USED, Reason.FILES_NOT_READ]


@pytest.fixture
def checked() -> Iterator[Run]:
    run = run_of(good=uses_mirror)
    run.healthy.http.hosts[f"https://{samples.HOST}"] = run.nodes.observed(run.healthy.host)
    yield run


def check(run: Run) -> None:
    asyncio.run(
        check_log(run.healthy.connections(), MirrorLog(run.cluster, ["docker-hub"]), run.targets, run.time.clock())
    )


def test_first_regmirror_pulls_a_probe_itself(checked: Run) -> None:
    check(checked)
    assert len(checked.nodes.requests) == 1


def test_a_front_that_logs_nothing_is_not_mistaken_for_nodes_that_bypass(checked: Run) -> None:
    checked.healthy.http.hosts[f"https://{samples.HOST}"] = checked.healthy.host
    with pytest.raises(NotDeployedError, match="was deployed by an older regmirror"):
        check(checked)


def test_a_mirror_that_refuses_the_probe_may_allow_it_to_nodes(checked: Run) -> None:
    checked.healthy.host.allowed = set()
    check(checked)


def test_a_mirror_that_does_not_answer_is_an_error_of_the_mirror(checked: Run) -> None:
    checked.healthy.host.answers["/v2/"] = Answer(502, {}, b"")
    with pytest.raises(RegistryError) as caught:
        check(checked)
    assert caught.value.hint == "check the mirror: regmirror verify"


def test_without_pods_there_is_no_log(checked: Run) -> None:
    checked.healthy.cluster.delete(POD, f"{REGISTRY}-0")
    with pytest.raises(NotDeployedError, match="has no pod of regmirror-docker-hub"):
        check(checked)


def test_nodes_that_cannot_be_listed_can_be_named() -> None:
    healthy = deployed()
    healthy.cluster.hidden = {NODE}
    assert find_nodes(healthy.cluster, ["b", "a", "b"]) == [Node("b"), Node("a")]
    with pytest.raises(PermissionDeniedError) as caught:
        find_nodes(healthy.cluster, [])
    assert "--node NAME" in str(caught.value.hint)


def test_a_node_that_is_named_twice_is_probed_once() -> None:
    run = run_of(good=uses_mirror)
    assert [one.name for one in find_nodes(run.nodes, ["good", "good"])] == ["good"]


def test_an_unknown_node_is_an_error() -> None:
    run = run_of(good=uses_mirror)
    with pytest.raises(ClusterError, match="no node worker-9"):
        find_nodes(run.healthy.cluster, ["worker-9"])


@pytest.mark.parametrize(
    ("info", "runtime"),
    [
        ({}, "containerd"),
        ({"kubeletVersion": "v1.33.5+k3s1"}, "k3s"),
        ({"kubeletVersion": "v1.33.5+rke2r1"}, "rke2"),
        ({"osImage": "Talos (v1.12.0)"}, "talos"),
        ({"containerRuntimeVersion": "cri-o://1.37.0"}, "cri-o"),
        ({"containerRuntimeVersion": "docker://29.0.0"}, "dockerd"),
    ],
)
def test_the_fix_is_about_the_files_of_the_nodes_runtime(info: dict[str, str], runtime: str) -> None:
    healthy = deployed()
    healthy.cluster.put(node("one", info))
    assert [one.runtime for one in find_nodes(healthy.cluster, [])] == [runtime]


@pytest.mark.parametrize(
    ("changes", "repository"),
    [
        ({"probeImage": "library/alpine:3"}, "library/alpine"),
        ({}, "acme/tool"),
        ({"anonymousPull": ["acme/a", "acme/b"], "deny": ["acme/a"]}, "acme/b"),
    ],
)
def test_the_repository_is_one_that_nodes_may_pull(changes: dict[str, Any], repository: str) -> None:
    mirror = samples.mirror(upstreams=[{**samples.MINIMAL["upstreams"][0], **changes}])
    assert find_targets(mirror, {}, None)[0].repository == repository


def test_patterns_alone_name_no_repository() -> None:
    mirror = samples.mirror(upstreams=[{"name": "docker-hub", "anonymousPull": ["library/*"]}])
    with pytest.raises(ConfigurationError, match="no repository to probe"):
        find_targets(mirror, {}, None)


def test_an_image_that_no_node_may_pull_is_a_mistake_in_the_options() -> None:
    with pytest.raises(ConfigurationError, match="--image: anonymousPull does not allow outside/a"):
        find_targets(samples.mirror(), {}, ImageReference("outside/a", "1"))
