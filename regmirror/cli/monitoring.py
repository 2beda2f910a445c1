"""``regmirror monitoring``: what Prometheus and Grafana read, for a cluster without the Prometheus Operator."""

from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any

import typer

from regmirror.cli import options
from regmirror.cli.options import DEFAULT_FILE, Format
from regmirror.cli.terminal import terminal

if TYPE_CHECKING:
    from regmirror.config.model import Mirror

app = typer.Typer(
    name="monitoring",
    help="Print what Prometheus and Grafana read, for a cluster without the Prometheus Operator. Needs no cluster.",
    no_args_is_help=True,
)


@app.callback()
def monitoring() -> None:
    """Print what Prometheus and Grafana read, for a cluster without the Prometheus Operator. Needs no cluster."""


@app.command("rules")
def rules(
    file: options.File = DEFAULT_FILE,
    namespace: options.Namespace = None,
    output: options.Output = Format.YAML,
    debug: options.Debug = False,
    no_color: options.NoColor = False,
) -> None:
    """Print the alert rules of the mirror, for rule_files of Prometheus.

    They are those of monitoring.alerts, without monitoring.disabledAlerts. Each
    alert links to the page that explains it.

        regmirror monitoring rules > regmirror-rules.yaml
    """
    from regmirror.desired.monitoring import alert_rules

    _print(alert_rules, file, namespace, output, debug=debug, no_color=no_color)


@app.command("scrape-config")
def scrape_config(
    file: options.File = DEFAULT_FILE,
    namespace: options.Namespace = None,
    output: options.Output = Format.YAML,
    debug: options.Debug = False,
    no_color: options.NoColor = False,
) -> None:
    """Print the scrape configuration with which Prometheus finds the pods of the mirror.

    Prometheus needs the permission to list and watch pods in the mirror's
    namespace. Rules and dashboard rely on the labels that it sets.

        regmirror monitoring scrape-config > scrape-regmirror.yaml
    """
    from regmirror.desired.monitoring import scrape_configuration

    _print(scrape_configuration, file, namespace, output, debug=debug, no_color=no_color)


@app.command("dashboard")
def dashboard(debug: options.Debug = False, no_color: options.NoColor = False) -> None:
    """Print the dashboard, as JSON that Grafana imports. It can show every mirror.

    regmirror monitoring dashboard > regmirror-dashboard.json
    """
    with terminal(Format.JSON, debug=debug, no_color=no_color) as streams:
        from regmirror.desired.monitoring import dashboard as read_dashboard

        streams.result(read_dashboard().rstrip())


def _print(
    compute: "Callable[[Mirror], dict[str, Any]]",
    file: Path,
    namespace: str | None,
    output: Format,
    *,
    debug: bool,
    no_color: bool,
) -> None:
    with terminal(output, debug=debug, no_color=no_color) as streams:
        from regmirror.cli.connections import read_mirror

        content = compute(read_mirror(file, namespace))
        if output is Format.JSON:
            streams.document(content)
        else:
            import yaml

            streams.result(yaml.safe_dump(content, sort_keys=False, width=2**31).rstrip())
