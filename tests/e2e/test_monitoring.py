"""A real Prometheus scrapes a mirror: every panel has data, and alerts fire for their faults and resolve after them."""

import json
import re
import time
from collections.abc import Callable, Iterator

import pytest
import yaml

from regmirror.config.monitoring import ALERTS
from regmirror.desired.monitoring import dashboard
from tests.e2e import alert_faults
from tests.e2e.alert_faults import AlertFault, Clients
from tests.e2e.deployed_mirror import DeployedMirror
from tests.e2e.docker_hub import published
from tests.e2e.long_runs import only_in_long_runs
from tests.e2e.outage import OutageEnvironment, outage_environment
from tests.e2e.prometheus import Prometheus, in_haste, running
from tests.e2e.pulls import Puller
from tests.e2e.waiting import PAUSE, SECONDS, await_value

pytestmark = pytest.mark.lab

MONITORING = {"scrape": "podMonitor", "alerts": True, "dashboard": True, "labels": {"release": "prometheus"}}
SELECTOR = re.compile(r"\b(?:regmirror_\w+|up)\{[^}]*\}")
_PULLED = 'sum(rate(regmirror_requests_total{kind="tag", result="hit"}[30s])) > 0'
OF_VERIFICATION = re.compile("regmirror_check_result|regmirror_verification|certificate=.public")


@pytest.fixture(scope="module")
def env(new_mirror: Callable[[], DeployedMirror]) -> Iterator[OutageEnvironment]:
    with outage_environment(new_mirror(), {"monitoring": MONITORING}) as made:
        yield made


@pytest.fixture(scope="module")
def mirror(env: OutageEnvironment) -> DeployedMirror:
    return env.mirror


@pytest.fixture(scope="module")
def clients(mirror: DeployedMirror, tmp_path_factory: pytest.TempPathFactory) -> Clients:
    puller, directory = Puller(mirror), tmp_path_factory.mktemp("images")
    return Clients(puller, puller.remember(published("library/cached", directory)), directory)


@pytest.fixture(scope="module")
def rules(mirror: DeployedMirror) -> dict[str, object]:
    """The rules in the cluster, as the Operator would read them."""
    (rule,) = mirror.objects("prometheusrules")
    found: dict[str, object] = rule["spec"]
    return found


@pytest.fixture(scope="module")
def prometheus(
    mirror: DeployedMirror, clients: Clients, rules: dict[str, object], tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Prometheus]:
    with running(mirror, tmp_path_factory.mktemp("prometheus"), in_haste(rules)) as found:
        await_value(found.targets, lambda targets: bool(targets) and set(targets.values()) == {"up"})
        # Rates need two samples of what clients do.
        clients.pull_new()
        act_until(lambda: bool(found.query(_PULLED)), Clients.pull_cached, clients)
        yield found


def test_the_operator_and_grafana_select_the_objects_by_their_labels(mirror: DeployedMirror) -> None:
    for kind in ("podmonitors", "prometheusrules", "configmaps"):
        found = mirror.objects(kind, "-l", "release=prometheus,app.kubernetes.io/part-of=regmirror")
        assert [one["metadata"]["name"] for one in found] == ["regmirror-monitoring"]


def test_a_second_deployment_changes_nothing(mirror: DeployedMirror) -> None:
    assert mirror.deploy("-o", "json").document["changed"] is False


def test_the_command_prints_the_rules_of_the_cluster(mirror: DeployedMirror, rules: dict[str, object]) -> None:
    assert yaml.safe_load(mirror.regmirror("monitoring", "rules").stdout) == rules


def test_the_pod_monitor_selects_the_pods_that_are_scraped(mirror: DeployedMirror, prometheus: Prometheus) -> None:
    (monitor,) = mirror.objects("podmonitors")
    selector = ",".join(f"{key}={value}" for key, value in monitor["spec"]["selector"]["matchLabels"].items())
    (endpoint,) = monitor["spec"]["podMetricsEndpoints"]
    selected = {
        pod["metadata"]["name"]
        for pod in mirror.objects("pods", "-l", selector)
        for container in pod["spec"]["containers"]
        if endpoint["port"] in [port.get("name") for port in container.get("ports", [])]
    }
    assert prometheus.targets() == dict.fromkeys(selected, "up")


def test_every_panel_has_data(mirror: DeployedMirror, prometheus: Prometheus) -> None:
    values = {"$namespace": mirror.namespace, "$upstream": ".+", "$__rate_interval": "30s", "$__range": "5m"}
    empty = {}
    for panel in json.loads(dashboard())["panels"]:
        for target in panel["targets"]:
            expression = re.sub(r"\$\w+", lambda found: values[found[0]], target["expr"])
            if not prometheus.query(expression) and not OF_VERIFICATION.search(expression):
                empty[panel["title"]] = expression
    assert empty == {}


def test_every_alert_is_evaluated_and_its_series_exist(prometheus: Prometheus) -> None:
    found = await_value(prometheus.rules, lambda rules: all(rule["health"] == "ok" for rule in rules.values()))
    assert {*found} == {*ALERTS}
    selectors = {selector for rule in found.values() for selector in SELECTOR.findall(rule["query"])}
    missing = {one for one in selectors if not OF_VERIFICATION.search(one) and not prometheus.query(one)}
    assert missing == set()


def test_alerts_about_the_upstream_fire_and_resolve(
    env: OutageEnvironment, clients: Clients, prometheus: Prometheus
) -> None:
    fired: list[str] = []
    for fault in alert_faults.QUICK:
        undo = fault.begin(env)
        try:
            act_until(lambda fault=fault: prometheus.firing() >= {*fault.alerts}, fault.meanwhile, clients)  # type: ignore[misc]
        finally:
            undo()
        fired += fault.alerts
        assert "error expanding template" not in str(prometheus.rules())
    act_until(lambda: not prometheus.firing() & {*fired}, Clients.pull_cached, clients)


@only_in_long_runs
@pytest.mark.parametrize("fault", alert_faults.LONG, ids=lambda fault: fault.alerts[0])
def test_an_alert_fires_and_resolves(
    env: OutageEnvironment, clients: Clients, prometheus: Prometheus, fault: AlertFault
) -> None:
    undo = fault.begin(env)
    try:
        act_until(lambda: prometheus.firing() >= {*fault.alerts}, fault.meanwhile, clients)
    finally:
        undo()
    act_until(lambda: not prometheus.firing() & {*fault.alerts}, fault.afterwards, clients)


def test_every_alert_has_a_fault_or_a_reason() -> None:
    faults = [alert for fault in (*alert_faults.QUICK, *alert_faults.LONG) for alert in fault.alerts]
    assert {*faults} | {*alert_faults.NOT_IN_THE_LAB} == {*ALERTS}
    assert not {*faults} & {*alert_faults.NOT_IN_THE_LAB}


def act_until(condition: Callable[[], bool], act: Callable[[Clients], None], clients: Clients) -> None:
    """Let clients act again and again until the condition holds; the test fails if that does not happen."""
    deadline = time.monotonic() + SECONDS
    while not condition():
        assert time.monotonic() < deadline
        act(clients)
        time.sleep(PAUSE)
