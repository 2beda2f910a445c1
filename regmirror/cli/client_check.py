"""``regmirror client-config RUNTIME --check``: checks this machine, and shows what was found."""

from datetime import UTC, datetime
from pathlib import Path

from regmirror.adapters.machine import LocalMachine
from regmirror.cli.options import Format
from regmirror.cli.terminal import Terminal
from regmirror.client_config.check.catalog import find_checker
from regmirror.client_config.check.finding import Severity
from regmirror.client_config.check.inspection import Inspection, run_check
from regmirror.client_config.check.report import ClientCheck, client_check
from regmirror.client_config.setup import ClientOptions
from regmirror.config.model import Mirror

_READ_AT_START = {
    "containerd": "config.toml",
    "dockerd": "daemon.json",
    "buildkit": "buildkitd.toml",
    "cri-o": "registries.conf.d",
}
"""What a running daemon may have read before it was changed, without a trace in any file."""


def check_client(streams: Terminal, runtime: str, mirror: Mirror, options: ClientOptions, root: Path) -> bool:
    """Print what keeps a runtime from using the mirror; False if something does. Raises ConfigurationError."""
    checker = find_checker(runtime)
    private = bool(options.ca_pem) or mirror.ingress.self_signed
    inspection = Inspection(runtime, options, LocalMachine(root), datetime.now(UTC), private)
    report = client_check(inspection, run_check(checker, inspection))
    if streams.output is Format.TABLE:
        _print(streams, report)
    else:
        streams.document(report.document())
    return report.healthy


def _print(streams: Terminal, report: ClientCheck) -> None:
    for finding in report.findings:
        is_error = finding.severity is Severity.ERROR
        symbol, style = (streams.symbols.error, "red") if is_error else (streams.symbols.warning, "yellow")
        streams.result(f"{symbol} {finding.path}", style)
        streams.result(f"    {finding.message}", wrap=True)
        streams.result(f"    Try: {streams.hint(finding.fix)}")
        streams.result(f"    See: regmirror explain {finding.id}")
    if report.healthy:
        names = ", ".join(f"{registry.name} ({registry.mirror})" for registry in report.registries)
        streams.result(f"{streams.symbols.ok} nothing keeps {report.runtime} from using the mirror of {names}", "green")
        if report.runtime in _READ_AT_START:
            file = _READ_AT_START[report.runtime]
            streams.result(f"  not checked: whether {report.runtime} has read {file} since its last change")
