"""The dashboard and the alert rules in deploy/ ask for what the monitor exports."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml

from monitor.metrics import Metrics, Standing
from monitor.model import DeliveryState
from monitor.pipeline.sight import Blind

DEPLOY = Path(__file__).parents[1] / "deploy"
DASHBOARD = json.loads((DEPLOY / "grafana-dashboard.json").read_text())
RULES: dict[str, Any] = yaml.safe_load((DEPLOY / "prometheus-rules.yml").read_text())
STANDING = Standing(
    feeds={},
    queue={},
    success_ages={"poll": 0, "delivery": 0},
    bytes={"database": 0, "wal": 0},
    blind={each.value: False for each in Blind},
)
_NAME = re.compile(r"\b(monitor_\w+)(\{[^}]*\})?")
_LABEL = re.compile(r'(\w+)(=~|!~|!=|=)"([^"]*)"')


def asked() -> Iterator[tuple[str, str]]:
    """What asks → its expression."""
    for panel in DASHBOARD["panels"]:
        for target in panel["targets"]:
            yield panel["title"], target["expr"]
    for group in RULES["groups"]:
        for rule in group["rules"]:
            yield rule["alert"], rule["expr"]


def exported() -> dict[str, dict[str, set[str]]]:
    """Name of a sample → its labels → their values."""
    found: dict[str, dict[str, set[str]]] = {}
    text = Metrics().text(STANDING)
    for name, labels in re.findall(r"^(monitor_\w+)(\{.*\})? ", text, re.MULTILINE):
        values = found.setdefault(name, {})
        for label, _, value in _LABEL.findall(labels):
            values.setdefault(label, set()).add(value)
    return found


@pytest.mark.parametrize(("who", "expression"), list(asked()))
def test_every_metric_and_label_is_exported(who: str, expression: str) -> None:
    known, named = exported(), _NAME.findall(expression)
    assert named, who
    for name, labels in named:
        assert name in known
        for label, how, value in _LABEL.findall(labels):
            values = value.split("|") if "~" in how else [value]
            assert set(values) <= known[name][label]


def test_everything_that_is_exported_is_shown() -> None:
    shown = {name for _, expression in asked() for name, _ in _NAME.findall(expression)}
    left_out = {name for name in exported() if not name.endswith(("_count", "_sum"))}
    assert left_out - shown == set()


def test_what_is_compared_has_the_same_labels_on_both_sides() -> None:
    """Series with other values of a label never meet: such a rule would never fire."""
    for group in RULES["groups"]:
        for rule in group["rules"]:
            metrics = _NAME.findall(rule["expr"])
            if len(metrics) > 1:
                assert rule["expr"].count("sum by (job, instance) (") == len(metrics)


def test_the_given_up_states_are_those_of_the_program() -> None:
    (rule,) = (r for g in RULES["groups"] for r in g["rules"] if r["alert"].endswith("delivered"))
    (states,) = re.findall(r'state=~"([^"]*)"', rule["expr"])
    assert set(states.split("|")) <= {each.value for each in DeliveryState}


def test_each_rule_says_what_it_means_and_what_to_do() -> None:
    for group in RULES["groups"]:
        for rule in group["rules"]:
            assert {"alert", "expr", "for", "labels", "annotations"} == rule.keys()
            assert {"summary", "description"} == rule["annotations"].keys()


def test_panels_have_numbers_and_places_of_their_own() -> None:
    panels = DASHBOARD["panels"]
    assert len({panel["id"] for panel in panels}) == len(panels)
    places = {(p["gridPos"]["x"], p["gridPos"]["y"]) for p in panels}
    assert len(places) == len(panels)
