"""The scrape port of each pod: requests are counted exactly, by what happened to them, and nothing else is shown."""

import urllib.error
from collections.abc import Mapping
from pathlib import Path

import pytest

from regmirror.distribution.client import MANIFEST_TYPES, RegistryClient, basic_authorization
from tests.e2e.deployed_mirror import DeployedMirror
from tests.e2e.layer import client_of, http_of, offered
from tests.e2e.scrape import Series, addresses, increases, page, scraped
from tests.e2e.waiting import wait_until

pytestmark = pytest.mark.lab

SIZE = 300_000
MANIFEST = "/v2/library/demo/manifests"


@pytest.fixture
def mirror(mirror: DeployedMirror) -> DeployedMirror:
    if not mirror.target.is_lab:
        pytest.skip("pods can only be reached in the lab")
    return mirror


@pytest.fixture
def client(mirror: DeployedMirror) -> RegistryClient:
    return client_of(mirror)


@pytest.fixture
def before(mirror: DeployedMirror) -> dict[str, Series]:
    """What the pods have counted so far."""
    return {component: scraped(mirror, component) for component in ("registry", "auth")}


def await_increases(mirror: DeployedMirror, before: Series, component: str, expected: Mapping[str, float]) -> None:
    """The front writes its lines within a second."""
    found: list[Series] = [{}]

    def agrees() -> bool:
        changed = increases(before, scraped(mirror, component))
        found[0] = {key: value for key, value in changed.items() if key in expected}
        return found[0] == expected

    try:
        wait_until(agrees, seconds=20)
    except AssertionError:
        assert found[0] == expected


def test_a_layer_is_counted_as_a_miss_and_then_as_hits(
    mirror: DeployedMirror, before: dict[str, Series], tmp_path: Path
) -> None:
    layer = offered(mirror, tmp_path, SIZE)
    assert all(layer.is_intact(layer.pull()) for _ in range(3))
    assert layer.pull(Range="bytes=0-99").status == 206
    expected = {
        "requests_total layer miss": 1,
        "requests_total layer hit": 3,
        "response_bytes_total layer": 3 * layer.size + 100,
        "upstream_fetches_total layer": 1,
        "upstream_bytes_total layer": layer.size,
    }
    await_increases(mirror, before["registry"], "registry", expected)


def test_refusals_and_missing_manifests_are_told_apart(
    mirror: DeployedMirror, client: RegistryClient, before: dict[str, Series]
) -> None:
    token = client.pull_token("library/demo")
    digest = client.request("HEAD", f"{MANIFEST}/1", token, MANIFEST_TYPES).headers["docker-content-digest"]
    found = [
        client.request("GET", f"{MANIFEST}/1").status,
        client.request("GET", "/v2/acme/private/manifests/1", token).status,
        client.request("GET", f"{MANIFEST}/absent", token).status,
        client.request("GET", f"{MANIFEST}/absent", token).status,
        client.request("GET", f"{MANIFEST}/{digest}", token, MANIFEST_TYPES).status,
        client.request("GET", f"{MANIFEST}/{digest}", token, MANIFEST_TYPES).status,
    ]
    assert found == [401, 401, 404, 404, 200, 200]
    expected = {
        # The client asks for /v2/ to learn where tokens are.
        "requests_total tag challenge": 1,
        "requests_total tag refused": 1,
        "requests_total tag not_found": 2,
    }
    await_increases(mirror, before["registry"], "registry", expected)
    now = increases(before["registry"], scraped(mirror, "registry"))
    assert now.get("requests_total digest hit", 0) >= 1
    assert now.get("requests_total digest hit", 0) + now.get("requests_total digest miss", 0) == 2


def test_tokens_and_wrong_passwords_are_counted(
    mirror: DeployedMirror, client: RegistryClient, before: dict[str, Series]
) -> None:
    question = f"/auth?service={mirror.host}&scope=repository:library/demo:pull"
    assert [client.request("GET", question).status for _ in range(3)] == [200] * 3
    headers = {"Authorization": basic_authorization(("nobody", "wrong"))}
    assert http_of(mirror).request("GET", f"https://{mirror.host}{question}", headers).status == 401
    expected = {"requests_total token ok": 3, "requests_total login refused": 1}
    await_increases(mirror, before["auth"], "auth", expected)
    now = scraped(mirror, "auth")
    assert now["token_request_duration_seconds_count"] - before["auth"]["token_request_duration_seconds_count"] == 4
    assert now["certificate_not_after_timestamp_seconds signing"] > 1.7e9


def test_all_sources_of_a_registry_are_there(before: dict[str, Series]) -> None:
    found = before["registry"]
    assert (found["source_up registry"], found["source_up fetcher"]) == (1, 1)
    assert found["layer_cache_limit_bytes"] > found["layer_cache_bytes"] >= 0
    assert found["layer_volume_free_bytes"] > 0
    assert found["lines_lost_total"] == 0
    assert found["redis_lookups_total"] >= found["redis_errors_total"] >= 0


def test_status_shows_the_same_figures(mirror: DeployedMirror, client: RegistryClient) -> None:
    token = client.pull_token("library/demo")
    assert client.request("GET", f"{MANIFEST}/1", token, MANIFEST_TYPES).status == 200

    def agrees() -> bool:
        figures = scraped(mirror, "registry")
        outcome = mirror.regmirror("status", "-o", "json", *mirror.target.resolve(mirror.host))
        cache = outcome.document["upstreams"][0]["cache"]
        kinds, results = ("tag", "digest", "layer"), ("hit", "miss", "stale")
        answered = sum(figures[f"requests_total {kind} {result}"] for kind in kinds for result in results)
        fetched = sum(value for key, value in figures.items() if key.startswith("upstream_fetches_total"))
        return bool(cache["hits"] + cache["misses"] == answered and cache["misses"] == min(answered, fetched))

    wait_until(agrees, seconds=60)


@pytest.mark.parametrize("component", ["registry", "auth"])
def test_the_port_shows_metrics_only(mirror: DeployedMirror, component: str) -> None:
    (address,) = addresses(mirror, component)
    text = page(address)
    assert [line for line in text.splitlines() if not line.startswith(("# HELP ", "# TYPE ", "regmirror_"))] == []
    assert mirror.environment["AWS_SECRET_ACCESS_KEY"] not in text
    for path in ("/", "/debug/vars", "/figures", "/metrics/../debug/vars", "/v2/"):
        with pytest.raises(urllib.error.HTTPError, match="404"):
            page(address, path)


def test_clients_reach_no_metrics_at_the_public_host(mirror: DeployedMirror, client: RegistryClient) -> None:
    assert client.request("GET", "/metrics").status == 404
    ports = [port["name"] for service in mirror.objects("services") for port in service["spec"]["ports"]]
    assert "metrics" not in ports


def test_made_up_requests_add_no_series(mirror: DeployedMirror, client: RegistryClient) -> None:
    """Whatever clients send, only words of the program become labels."""
    token = client.pull_token("library/demo")
    before = scraped(mirror, "registry")
    for number in range(60):
        client.request("GET", f"/v2/made-up-{number}/manifests/{'x' * number}%20%22{number}", token)
        client.request("GET", f"/v2/library/demo/manifests/1?{number}={'y' * 2000}", token)
        client.request(f"MADE{number}", f"/v2/{number}", token)
    wait_until(lambda: requests(increases(before, scraped(mirror, "registry"))) >= 180, seconds=30)
    (address,) = addresses(mirror, "registry")
    text = page(address)
    assert [word for word in ("made-up", "MADE", "yyyy", "xxxx") if word in text] == []
    assert len(scraped(mirror, "registry").keys() - before.keys()) < 12


def requests(increased: Series) -> float:
    return sum(value for key, value in increased.items() if key.startswith("requests_total "))
