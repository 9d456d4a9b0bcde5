"""Every expression of the dashboard and of the alerts finds samples on a server that has done every kind of work."""

import asyncio
import json
import re
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import Any

import promql_parser
import pytest
from prometheus_client.parser import text_string_to_metric_families

from judge_server.core.judge import JudgeSpecification
from judge_server.core.monitor import MonitorLimits
from judge_server.settings.settings import Settings
from judge_server.store import Store
from tests.monitoring.simulated import RUBRIC, Run
from tests.project.test_observability import _alerts, _queries
from tests.served import served, until
from tests.server.dialects.exchanges import OPENRLHF
from tests.stub_judge import Reply, StubJudge, faithful
from tests.submissions import rubric, submission

Samples = list[tuple[str, dict[str, str]]]
_GATED = [{"id": "g", "statement": "Says so.", "points": 1, "gate": {"when": "met", "cap": 0.1}}]
_WISH = {"type": "string_check", "name": "same", "operation": "eq", "input": "{{sample.output_text}}", "reference": "x"}
_NO_LABEL_ALARM = re.compile(r"\$(?:instance|job)")


def _monitored(url: str) -> None:
    """Store a run that drifts into repetition, so that a monitor has a value and an alarm."""

    async def keep() -> None:
        run = Run(21, "repetition", groups=120, begin=datetime.now(UTC) - timedelta(seconds=970))
        store = await Store.open(url)
        await store.save_many([(one.judgment, one.submission, RUBRIC) for one in run.rollouts()])
        await store.close()

    asyncio.run(keep())


def _behave(body: dict[str, Any]) -> Reply:
    return Reply(401) if "zebra" in str(body) else faithful(0.9)(body)


def _settings(judge: StubJudge, other: StubJudge, url: str) -> Settings:
    fleet = JudgeSpecification(
        name="default",
        model=f"openai:stub@{judge.address},{other.address}",
        engine={"hedge": True},
        price={"completion": 1.0},
    )
    limits = MonitorLimits(window=400, horizon_seconds=1_000)
    return Settings(
        judges={"default": fleet}, database_url=url, reask=0, log_level="error", monitor=limits, monitor_seconds=0.3
    )


def _work(client: Any) -> None:
    """One of everything that is counted."""
    gated = rubric(1) | {"criteria": _GATED}
    client.put("/v1/budgets", json={"kind": "key", "name": "anyone", "dollars": 1_000})
    group = [submission(response=f"Answer {number}: call for help.", group="g") for number in range(2)]
    client.post("/v1/score/batch", json={"items": group})
    client.post("/v1/score", json=submission(rubric=gated))
    client.post("/v1/score", json=submission(response=""))
    client.post("/v1/score", json=submission(response="A zebra.", rubric=rubric(1)))
    pairs = {"prompt": "p", "responses": ["A zebra.", "Call for help."], "rubric": rubric(1), "relative": True}
    client.post("/v1/score/group", json=pairs)
    for item in ({"grader": _WISH, "model_sample": "x"}, {"grader": _WISH | {"input": "{{item.absent}}"}}):
        client.post("/v1/fine_tuning/alpha/graders/run", json=item)
    OPENRLHF.ask(client, "medical/consultation", response="A zebra.", on_error="-1").raise_for_status()


@pytest.fixture(scope="module")
def samples(tmp_path_factory) -> Iterator[Samples]:
    url = f"sqlite:///{tmp_path_factory.mktemp('work') / 'judge.db'}"
    _monitored(url)
    with StubJudge(_behave) as judge, StubJudge(_behave) as other, served(_settings(judge, other, url)) as client:
        _work(client)
        until(lambda: "judge_server_alarm{" in client.get("/metrics").text)
        until(lambda: "judge_server_canary_timestamp_seconds{" in client.get("/metrics").text)
        families = list(text_string_to_metric_families(client.get("/metrics").text))
        yield [
            (sample.name, sample.labels | {"instance": "i", "job": "j"}) for one in families for sample in one.samples
        ]


def _selectors(expression: Any) -> Iterator[Any]:
    if isinstance(expression, promql_parser.VectorSelector):
        yield expression
    for name in ("lhs", "rhs", "expr", "vector_selector", "vs"):
        inner = getattr(expression, name, None)
        if inner is not None and not isinstance(inner, str):
            yield from _selectors(inner)
    for inner in getattr(expression, "args", None) or ():
        yield from _selectors(inner)


def _matches(matcher: Any, labels: dict[str, str]) -> bool:
    value, kind = labels.get(matcher.name, ""), matcher.op
    if kind in (promql_parser.MatchOp.Re, promql_parser.MatchOp.NotRe):
        return (re.fullmatch(matcher.value, value) is not None) == (kind == promql_parser.MatchOp.Re)
    return (value == matcher.value) == (kind == promql_parser.MatchOp.Equal)


EXPRESSIONS = [*_queries(), *(rule["expr"] for rule in _alerts())]


@pytest.mark.parametrize("expression", EXPRESSIONS, ids=range(len(EXPRESSIONS)))
def test_every_series_of_an_expression_has_samples(samples, expression):
    written_out = _NO_LABEL_ALARM.sub(".*", expression.replace("$__rate_interval", "5m"))
    chosen = list(_selectors(promql_parser.parse(written_out)))
    assert chosen, "no series was found in the expression"
    for selector in chosen:
        if selector.name == "up" or "offset" in json.dumps(str(selector)):
            continue
        found = [
            labels
            for name, labels in samples
            if name == selector.name and all(_matches(one, labels) for one in selector.matchers.matchers)
        ]
        assert found, f"{selector.name} has no sample for {written_out}"
