"""The scrape port shows metrics and nothing else, and stays small under attack."""

from __future__ import annotations

import asyncio
import resource
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass
from pathlib import Path

import pytest
from fetcher.figures import Figures
from metrics.collect import Collector, Settings
from metrics.server import HEAD_LIMIT, Server
from metrics.table import METRICS, Pod

from regmirror.distribution.metrics import Sample, parse_metrics

DEBUG_PORT = """\
# HELP registry_proxy_hits_total The number of total proxy request hits
registry_proxy_hits_total{type="blob"} 6
registry_proxy_misses_total{type="manifest"} 1
registry_proxy_pulled_bytes_total{type="blob"} 1.093624e+06
registry_storage_cache_requests_total 8
registry_storage_cache_errors_total 2
registry_http_requests_total{handler="secret-handler"} 1
go_goroutines 7
"""


@dataclass
class Pods:
    """A pod of a registry: its scrape port, and what its other programs answer."""

    port: int
    directory: Path
    debug_page: str = DEBUG_PORT
    figures: str = "".join(f"{line}\n" for line in Figures().lines(layer_cache_bytes=5, made_up=1))

    async def ask(self, request: str = "GET /metrics HTTP/1.1\r\nHost: x\r\n\r\n") -> str:
        reader, writer = await asyncio.open_connection("127.0.0.1", self.port)
        writer.write(request.encode())
        answer = await reader.read(-1)
        writer.close()
        return answer.decode()

    async def samples(self) -> list[Sample]:
        return parse_metrics((await self.ask()).partition("\r\n\r\n")[2])

    def log(self, *lines: str) -> None:
        with (self.directory / "requests.log").open("a") as file:
            file.writelines(f"{line}\n" for line in lines)


@asynccontextmanager
async def running(directory: Path, pod: Pod = Pod.REGISTRY) -> AsyncIterator[Pods]:
    (directory / "version").write_text("9.8.7\n")
    pods = Pods(0, directory)

    async def answer(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        path = (await reader.readuntil(b"\r\n\r\n")).split()[1]
        body = {b"/metrics": pods.debug_page, b"/figures": pods.figures}[path]
        writer.write(f"HTTP/1.0 200 OK\r\n\r\n{body}".encode())
        writer.close()

    debug = await asyncio.start_server(answer, "127.0.0.1", 0)
    fetcher = await asyncio.start_unix_server(answer, str(directory / "f.sock"))
    settings = Settings(
        pod,
        directory / "version",
        "docker-hub" if pod is Pod.REGISTRY else "",
        directory / "requests.log",
        debug.sockets[0].getsockname()[1] if pod is Pod.REGISTRY else None,
        directory / "f.sock" if pod is Pod.REGISTRY else None,
        verification=directory / "verification" if pod is Pod.AUTH else None,
    )
    server = Server(Collector(settings))
    scraped = await asyncio.start_server(server.serve, "127.0.0.1", 0, limit=HEAD_LIMIT)
    pods.port = scraped.sockets[0].getsockname()[1]
    async with asyncio.timeout(60):
        try:
            yield pods
        finally:
            for listening in (scraped, debug, fetcher):
                listening.close()
            while server.open_connections:
                await asyncio.sleep(0.01)


def in_a_pod(directory: Path, test: Callable[[Pods], Awaitable[None]], pod: Pod = Pod.REGISTRY) -> None:
    async def run() -> None:
        async with running(directory, pod) as pods:
            await test(pods)

    asyncio.run(run())


def test_all_parts_are_on_the_page_with_the_upstream(tmp_path: Path) -> None:
    async def test(pods: Pods) -> None:
        pods.log("tag 200  HIT - 0 500", "layer 200  - - 1 1000")
        text = await pods.ask()
        for line in (
            'regmirror_requests_total{upstream="docker-hub",kind="tag",result="hit"} 1',
            'regmirror_response_bytes_total{upstream="docker-hub",kind="layer"} 1000',
            'regmirror_store_hits_total{upstream="docker-hub",kind="layer"} 6',
            'regmirror_upstream_fetches_total{upstream="docker-hub",kind="manifest"} 1',
            'regmirror_upstream_bytes_total{upstream="docker-hub",kind="layer"} 1093624',
            'regmirror_redis_errors_total{upstream="docker-hub"} 2',
            'regmirror_layer_cache_bytes{upstream="docker-hub"} 5',
            'regmirror_build_info{upstream="docker-hub",version="9.8.7",component="registry"} 1',
            'regmirror_source_up{upstream="docker-hub",source="fetcher"} 1',
        ):
            assert f"\n{line}\n" in text

    in_a_pod(tmp_path, test)


def test_nothing_else_of_the_debug_port_is_on_the_page(tmp_path: Path) -> None:
    async def test(pods: Pods) -> None:
        pods.debug_page = (
            DEBUG_PORT + 'regmirror_requests_total{secret="x"} 1\nregistry_proxy_hits_total{type="s3cr3t"} 9\n'
        )
        text, found = await pods.ask(), await pods.samples()
        names = {name for metric in METRICS for name in metric.sample_names}
        assert {one.name for one in found} <= names
        assert not [word for word in ("secret", "s3cr3t", "goroutines", "made_up", "handler") if word in text]

    in_a_pod(tmp_path, test)


@pytest.mark.parametrize("path", ["/", "/debug/vars", "/metrics/", "/metrics/../debug/vars", "//metrics", "/figures"])
def test_there_is_no_other_page(tmp_path: Path, path: str) -> None:
    async def test(pods: Pods) -> None:
        assert (await pods.ask(f"GET {path} HTTP/1.1\r\n\r\n")).startswith("HTTP/1.1 404 ")

    in_a_pod(tmp_path, test)


def test_only_get_and_head_are_answered(tmp_path: Path) -> None:
    async def test(pods: Pods) -> None:
        assert (await pods.ask("POST /metrics HTTP/1.1\r\n\r\n")).startswith("HTTP/1.1 405 ")
        head = await pods.ask("HEAD /metrics HTTP/1.1\r\n\r\n")
        assert head.startswith("HTTP/1.1 200 ")
        assert head.endswith("\r\n\r\n")

    in_a_pod(tmp_path, test)


def test_a_source_that_is_down_is_named_and_the_others_are_shown(tmp_path: Path) -> None:
    async def test(pods: Pods) -> None:
        (tmp_path / "f.sock").unlink()
        pods.debug_page = "x" * (3 << 20)
        pods.log("tag 200  HIT - 0 500")
        found = await pods.samples()
        up = {one.labels["source"]: one.value for one in found if one.name == "regmirror_source_up"}
        assert up == {"fetcher": 0, "registry": 0}
        assert sum(one.value for one in found if one.name == "regmirror_requests_total") == 1

    in_a_pod(tmp_path, test)


def test_a_client_that_sends_too_much_or_nothing_does_not_keep_others_out(tmp_path: Path) -> None:
    async def test(pods: Pods) -> None:
        idle = [await asyncio.open_connection("127.0.0.1", pods.port) for _ in range(10)]
        before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
        for _ in range(20):
            reader, writer = await asyncio.open_connection("127.0.0.1", pods.port)
            writer.write(b"GET /metrics HTTP/1.1\r\nX: " + b"a" * 1_000_000)
            with suppress(ConnectionError):
                assert await reader.read(-1) == b""
            writer.close()
        assert "regmirror_build_info" in await pods.ask()
        assert resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before < 32_000
        for _, writer in idle:
            writer.close()

    in_a_pod(tmp_path, test)


def test_connections_are_few(tmp_path: Path) -> None:
    async def test(pods: Pods) -> None:
        idle = [await asyncio.open_connection("127.0.0.1", pods.port) for _ in range(16)]
        await asyncio.sleep(0)
        refused = 0
        for _ in range(5):
            try:
                refused += await pods.ask() == ""
            except ConnectionError:
                refused += 1
        assert refused == 5
        for _, writer in idle:
            writer.close()
        while True:
            try:
                if "regmirror_build_info" in await pods.ask():
                    break
            except ConnectionError:
                await asyncio.sleep(0.01)

    in_a_pod(tmp_path, test)


def test_many_scrapes_at_once_cost_one(tmp_path: Path) -> None:
    async def test(pods: Pods) -> None:
        texts = await asyncio.gather(*(pods.ask() for _ in range(12)))
        assert len(set(texts)) == 1

    in_a_pod(tmp_path, test)


VERIFICATION = """\
# HELP regmirror_check_result Whether a check passes.
# TYPE regmirror_check_result gauge
regmirror_check_result{check="token-accepted",upstream="docker-hub"} 1
regmirror_check_result{check="token-accepted",upstream="docker-hub"} 0
regmirror_certificate_not_after_timestamp_seconds{certificate="public"} 1.8e9
regmirror_requests_total{kind="tag",result="hit"} 1000000
up 1
"""


def test_the_last_verification_is_shown_without_what_this_pod_counts_itself(tmp_path: Path) -> None:
    async def test(pods: Pods) -> None:
        (tmp_path / "verification").mkdir()
        (tmp_path / "verification/verification.prom").write_text(VERIFICATION)
        text = await pods.ask()
        assert "# TYPE regmirror_check_result gauge\n" in text
        assert text.count("regmirror_check_result{") == 1
        assert 'regmirror_certificate_not_after_timestamp_seconds{certificate="public"} 1800000000\n' in text
        assert "1000000" not in text
        assert "\nup 1" not in text
        assert 'regmirror_source_up{source="verification"} 1\n' in text

    in_a_pod(tmp_path, test, Pod.AUTH)


def test_a_verification_that_is_too_long_is_not_shown(tmp_path: Path) -> None:
    async def test(pods: Pods) -> None:
        (tmp_path / "verification").mkdir()
        (tmp_path / "verification/verification.prom").write_text(VERIFICATION + "#\n" * 200_000)
        text = await pods.ask()
        assert "regmirror_check_result" not in text
        assert 'regmirror_source_up{source="verification"} 0\n' in text

    in_a_pod(tmp_path, test, Pod.AUTH)


def test_without_a_verification_there_is_nothing_of_it(tmp_path: Path) -> None:
    async def test(pods: Pods) -> None:
        (tmp_path / "verification").mkdir()
        assert "verification" not in await pods.ask()

    in_a_pod(tmp_path, test, Pod.AUTH)
