"""``--estimate``: what scoring and measuring would ask, counted before it is spent."""

import json

import pytest

from tests.command import judge_server
from tests.stub_judge import StubJudge
from tests.submissions import rubric, submission

CRITERIA = [{"id": f"c{number}", "statement": f"Names sign {number}."} for number in range(3)]


def estimated(*arguments, cwd):
    ended = judge_server(*arguments, "--estimate", "--json", cwd=cwd)
    assert ended.returncode == 0, ended.stderr
    return json.loads(ended.stdout)


def written(folder, *items):
    (folder / "in.jsonl").write_text("".join(json.dumps(item) + "\n" for item in items))


def test_every_call_of_scoring_is_counted_and_the_judge_is_asked_about_one_submission(tmp_path):
    items = [submission(rubric=rubric(criteria=CRITERIA), response=f"Answer {number}.") for number in range(4)]
    written(tmp_path, *items, "no submission")
    with StubJudge() as stub:
        judge = ("--model", stub.specification)
        found = estimated("score", "in.jsonl", *judge, "--votes", "2", cwd=tmp_path)
        asked = stub.calls
        scored = judge_server("score", "in.jsonl", *judge, "--votes", "2", cwd=tmp_path)
    judgments = [json.loads(line) for line in scored.stdout.splitlines()]
    assert (found["submissions"], found["failed"]) == (5, 1)
    assert found["calls"] == sum(one["usage"]["calls"] for one in judgments)
    assert found["measured_calls"] == found["calls"] // 4
    assert asked < found["calls"]
    assert found["seconds"] > 0
    assert found["prompt_tokens"] > 500
    assert found["completion_tokens"] == found["calls"]


def test_a_judge_that_fails_leaves_the_time_unknown_and_the_counts_stand(tmp_path):
    written(tmp_path, submission(rubric=rubric(criteria=CRITERIA)))
    found = estimated("score", "in.jsonl", "--model", "openai:x@http://127.0.0.1:9/v1", cwd=tmp_path)
    assert (found["calls"], found["seconds"], found["measured_calls"]) == (3, None, 0)


def test_nothing_is_stored_by_an_estimate(tmp_path):
    written(tmp_path, submission(rubric=rubric(criteria=CRITERIA)))
    found = estimated("score", "in.jsonl", "--model", "baseline", "--database", "sqlite:///own.db", cwd=tmp_path)
    assert (found["dollars"], found["unpriced"]) == (0, [])
    ended = judge_server("score", "in.jsonl", "--model", "baseline", "--database", "sqlite:///own.db", cwd=tmp_path)
    assert json.loads(ended.stdout)["usage"]["calls"] == 3


def test_measuring_a_judge_is_estimated_over_the_labelled_items(tmp_path):
    (tmp_path / "own.yaml").write_text(json.dumps(rubric(criteria=CRITERIA)))
    lines = ["item,criterion,annotator,role,label,prompt,response"]
    lines += [f"i{n},c{k},ann,human,{'met' if n % 2 else 'unmet'},Q{n}?,A{n}." for n in range(6) for k in range(3)]
    (tmp_path / "labels.csv").write_text("\n".join(lines) + "\n")
    found = estimated(
        "calibrate", "run", "--labels", "labels.csv", "--rubric", "own.yaml", "--split", "all", "--model", "baseline",
        cwd=tmp_path,
    )  # fmt: skip
    assert (found["submissions"], found["calls"], found["failed"]) == (6, 18, 0)
    assert not list(tmp_path.glob("labels.*.csv"))


def configured(folder, text):
    written(folder, submission(rubric=rubric(criteria=CRITERIA)))
    (folder / "own.toml").write_text(text)
    return ("score", "in.jsonl", "--config", "own.toml")


def test_money_follows_from_a_configured_price(tmp_path):
    text = """
[judges.default]
model = "openai:x@http://127.0.0.1:9/v1"
price = {prompt = 2, completion = 8, call = 0.5}
"""
    found = estimated(*configured(tmp_path, text), cwd=tmp_path)
    tokens = (found["prompt_tokens"] * 2 + found["completion_tokens"] * 8) / 1e6
    assert found["dollars"] == pytest.approx(3 * 0.5 + tokens)
    assert found["unpriced"] == []


def test_money_of_a_hosted_model_follows_from_the_price_table(tmp_path):
    text = """
[judges.default]
model = "litellm:anthropic/claude-sonnet-4-5"
mode = "reason"
engine = {mock_response = "no", api_key = "k"}
"""
    found = estimated(*configured(tmp_path, text), cwd=tmp_path)
    assert found["dollars"] == pytest.approx((found["prompt_tokens"] * 3 + found["completion_tokens"] * 15) / 1e6)


def test_money_of_a_hosted_decision_model_follows_from_the_price_table(tmp_path):
    text = """
[judges.default]
model = "decide:openai/gpt-6-luna"
engine = {api_key = "k"}
"""
    found = estimated(*configured(tmp_path, text), cwd=tmp_path)
    assert found["dollars"] == pytest.approx(found["prompt_tokens"] * 0.1 / 1e6)


def test_a_panel_with_a_member_of_unknown_price_has_no_sum_and_names_it(tmp_path):
    text = """
default_judge = "both"
[judges.a]
model = "openai:a@http://127.0.0.1:9/v1"
[judges.b]
model = "openai:b@http://127.0.0.1:9/v1"
price = {prompt = 1}
[judges.both]
panel = ["a", "b"]
"""
    arguments = configured(tmp_path, text)
    found = estimated(*arguments, cwd=tmp_path)
    assert (found["dollars"], found["unpriced"]) == (None, ["openai:a@http://127.0.0.1:9/v1"])
    shown = judge_server(*arguments, "--estimate", cwd=tmp_path).stdout
    assert "no price of openai:a" in shown
    assert "$" not in shown
