"""Alerts and panels ask for metrics that the pods have, with labels and values that these can have."""

from __future__ import annotations

import json
import re

import pytest
from metrics.table import METRICS

from regmirror.desired.monitoring import alert_rules, dashboard
from tests import samples

ADDED = {"namespace", "upstream", "pod", "container"}
"""Labels that Prometheus or the pod adds to every metric."""
OF_VERIFICATION = {
    "regmirror_check_result": {"check", "category", "upstream", "result"},
    "regmirror_verification_timestamp_seconds": set(),
    "regmirror_certificate_not_after_timestamp_seconds": {"certificate", "host"},
}
"""What ``verify`` publishes, with its labels."""
SELECTOR = re.compile(r"(regmirror_\w+)\{([^}]*)\}")
MATCHER = re.compile(r'(\w+)=~?"([^"]*)"')

RULES = [rule for group in alert_rules(samples.mirror())["groups"] for rule in group["rules"]]
PANELS = json.loads(dashboard())["panels"]
EXPRESSIONS = {
    **{rule["alert"]: rule["expr"] for rule in RULES},
    **{panel["title"]: " ".join(target["expr"] for target in panel["targets"]) for panel in PANELS},
}
KNOWN = {name: metric.labels for metric in METRICS for name in metric.sample_names}


@pytest.mark.parametrize("title", EXPRESSIONS)
def test_an_expression_is_about_series_that_exist(title: str) -> None:
    expression = EXPRESSIONS[title]
    selectors = SELECTOR.findall(expression)
    # Every metric is selected for one mirror.
    assert len(selectors) == len(re.findall(r"regmirror_\w+", expression)) > 0
    for name, matchers in selectors:
        assert name in KNOWN or name in OF_VERIFICATION
        for label, value in MATCHER.findall(matchers):
            if label in ADDED | OF_VERIFICATION.get(name, set()):
                continue
            values = KNOWN[name][label]
            assert isinstance(values, str) or {*value.split("|")} <= {*values}, (name, label)
