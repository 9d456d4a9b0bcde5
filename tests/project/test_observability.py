"""The dashboard and the alerts speak of metrics that a server has, and no metric of ours goes unseen."""

import json
import re
from collections.abc import Iterator
from typing import Any

import promql_parser
import pytest
import yaml

from tests.project.repository import ROOT
from tests.served import served, settings_of

DASHBOARD = ROOT / "deploy" / "grafana" / "judge-server.json"
ALERTS = ROOT / "deploy" / "prometheus" / "alerts.yml"
NAME = re.compile(r"\b(?:judge_server|process)_[a-z_]+")
SERIES = re.compile(r"_(?:total|bucket|sum|count|created|info)$")


@pytest.fixture(scope="module")
def families() -> dict[str, str]:
    """The metrics of a running server: type by name as declared."""
    with served(settings_of()) as client:
        text = client.get("/metrics").text
    declared = dict(re.findall(r"^# TYPE (\S+) (\S+)$", text, re.MULTILINE))
    return {SERIES.sub("", name): kind for name, kind in declared.items() if not name.endswith("_created")}


def _panels(panels: list[dict[str, Any]]) -> Iterator[dict[str, Any]]:
    for panel in panels:
        yield panel
        yield from _panels(panel.get("panels", []))


def _dashboard() -> dict[str, Any]:
    return json.loads(DASHBOARD.read_text("utf-8"))


def _queries() -> list[str]:
    return [target["expr"] for panel in _panels(_dashboard()["panels"]) for target in panel.get("targets", [])]


def _rules() -> list[dict[str, Any]]:
    return [rule for group in yaml.safe_load(ALERTS.read_text("utf-8"))["groups"] for rule in group["rules"]]


def _alerts() -> list[dict[str, Any]]:
    """Each with what it asks of the server: a recorded series in its expression is written out."""
    recorded = {rule["record"]: rule["expr"] for rule in _rules() if "record" in rule}
    found = [dict(rule) for rule in _rules() if "alert" in rule]
    for rule in found:
        for name, expression in recorded.items():
            rule["expr"] = rule["expr"].replace(name, f"({expression})")
    return found


def _series(expression: str) -> list[str]:
    return NAME.findall(re.sub(r"by \([^)]*\)|\{[^}]*\}", "", expression))


def _exists(series: str, families: dict[str, str]) -> bool:
    base = SERIES.sub("", series)
    if base == series:
        return families.get(series) == "gauge" or families.get(series.removesuffix("_seconds")) == "gauge"
    suffix = series.removeprefix(base)
    wanted = {"_total": "counter", "_info": "gauge"}.get(suffix, "histogram")
    return families.get(base) == wanted


def test_every_query_of_the_dashboard_asks_for_a_metric_that_is_there(families):
    asked = {name for query in _queries() for name in _series(query)}
    assert len(asked) > 20
    assert sorted(name for name in asked if not _exists(name, families)) == []


def test_every_query_is_one_that_prometheus_can_read():
    for expression in (*_queries(), *(rule["expr"] for rule in _rules())):
        written_out = re.sub(r"\$(?:instance|job)", ".*", expression.replace("$__rate_interval", "5m"))
        promql_parser.parse(written_out)


def test_every_metric_of_ours_is_on_the_dashboard(families):
    shown = {SERIES.sub("", name) for query in _queries() for name in _series(query)}
    assert sorted(name for name in families if name.startswith("judge_server") and name not in shown) == []


def test_every_metric_of_ours_is_documented(families):
    page = (ROOT / "docs" / "observability.md").read_text("utf-8")
    assert sorted(name for name in families if name.startswith("judge_server") and f"`{name}" not in page) == []


def test_every_alert_asks_for_metrics_that_are_there_and_says_what_to_do(families):
    for rule in _alerts():
        asked = [name for name in _series(rule["expr"]) if name != "up"]
        assert [name for name in asked if not _exists(name, families)] == [], rule["alert"]
        assert rule["labels"]["severity"] in ("warning", "critical")
        assert rule["annotations"]["summary"]
        assert rule["annotations"]["action"]


def test_every_alert_is_documented():
    page = (ROOT / "docs" / "observability.md").read_text("utf-8")
    assert [rule["alert"] for rule in _alerts() if f"`{rule['alert']}`" not in page] == []


def test_panels_have_names_places_of_their_own_and_a_data_source_that_can_be_chosen():
    panels = list(_panels(_dashboard()["panels"]))
    places = [(panel["gridPos"]["x"], panel["gridPos"]["y"]) for panel in panels]
    assert len(set(places)) == len(places)
    assert len({panel["id"] for panel in panels}) == len(panels)
    assert all(panel["title"] for panel in panels)
    sources = {panel["datasource"]["uid"] for panel in panels if panel["type"] != "row"}
    assert sources == {"${datasource}"}
