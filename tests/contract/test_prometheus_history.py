"""The queries of the report, asked of a real Prometheus that scrapes counters with a known course."""

from __future__ import annotations

import shutil
import subprocess
import threading
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest

from regmirror.adapters.http import Urllib3Http
from regmirror.errors import RegistryError
from regmirror.report.document import HistoryReport
from regmirror.report.prometheus import Prometheus
from tests.e2e.waiting import await_value

from .programs import free_port

COUNTERS = {
    'regmirror_requests_total{upstream="docker-hub",kind="tag",result="hit"}': 80,
    'regmirror_requests_total{upstream="docker-hub",kind="layer",result="miss"}': 20,
    'regmirror_requests_total{upstream="docker-hub",kind="tag",result="refused"}': 3,
    'regmirror_requests_total{kind="token",result="refused"}': 50,
    'regmirror_upstream_fetches_total{upstream="docker-hub",kind="layer"}': 10,
    'regmirror_response_bytes_total{upstream="docker-hub",kind="layer"}': 1000,
    'regmirror_upstream_bytes_total{upstream="docker-hub",kind="layer"}': 100,
}
"""What each scrape adds."""


class Pod(BaseHTTPRequestHandler):
    """A scrape port whose counters grow with each scrape."""

    scrapes = 0

    def do_GET(self) -> None:
        Pod.scrapes += 1
        self.send_response(200)
        self.send_header("Content-Type", "text/plain; version=0.0.4")
        self.end_headers()
        self.wfile.write("".join(f"{name} {each * Pod.scrapes}\n" for name, each in COUNTERS.items()).encode())

    def log_message(self, *_: object) -> None:
        pass


@pytest.fixture
def server(tmp_path: Path) -> Iterator[Prometheus]:
    """A Prometheus that scrapes one pod each second."""
    program = shutil.which("prometheus")
    if program is None:
        pytest.skip("Prometheus is missing: run this in the lab")
    pod, port = ThreadingHTTPServer(("127.0.0.1", 0), Pod), free_port()
    threading.Thread(target=pod.serve_forever, daemon=True).start()
    (tmp_path / "prometheus.yml").write_text(
        "global: {scrape_interval: 1s}\n"
        "scrape_configs:\n"
        "  - job_name: pods\n"
        f'    static_configs: [{{targets: ["127.0.0.1:{pod.server_port}"], labels: {{namespace: mirrors}}}}]\n'
    )
    files = [f"--config.file={tmp_path / 'prometheus.yml'}", f"--storage.tsdb.path={tmp_path / 'data'}"]
    words = [program, *files, f"--web.listen-address=127.0.0.1:{port}"]
    with subprocess.Popen(words, stderr=subprocess.DEVNULL) as process:
        try:
            yield Prometheus(f"http://127.0.0.1:{port}", Urllib3Http())
        finally:
            process.terminate()
            pod.shutdown()
            pod.server_close()


def latest(server: Prometheus) -> dict[str, float]:
    """The last value of each series; none while there is no history."""
    try:
        found: HistoryReport = server.history("mirrors", datetime.now(UTC), timedelta(hours=1))
    except RegistryError:
        return {}
    series = [one for chart in found.charts for one in chart.series]
    return {one.name: one.points[-1].value for one in series if one.points and one.points[-1].value}


def test_the_history_has_the_figures_of_the_mirror_and_of_no_other(server: Prometheus) -> None:
    found = await_value(lambda: latest(server), lambda values: "refused" in values)
    assert found["served without the upstream"] == pytest.approx(0.9)
    assert found["from the upstream"] / found["sent to clients"] == pytest.approx(0.1)
    # Wrong passwords are refusals of docker_auth, not of images.
    assert found["refused"] / found["sent to clients"] == pytest.approx(0.003)
    assert "errors" not in found
    with pytest.raises(RegistryError, match='no metrics of regmirror with namespace="other"'):
        server.history("other", datetime.now(UTC), timedelta(hours=1))
