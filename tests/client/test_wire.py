"""The client reads what the server writes, and nothing that is not JSON."""

import dataclasses
import json
from datetime import UTC, datetime
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from judge_client import calibration, group, improvement, job, judge, judgment, label, rubric, stored
from judge_client.errors import UnreadableAnswer
from judge_client.judgment import Judgment
from judge_client.wire import parse, read
from judge_server.authoring import diff, finding
from judge_server.authoring import rubric_registry as shelf
from judge_server.core import calibration as certificate
from judge_server.core import calibration as core_calibration
from judge_server.core import job as core_job
from judge_server.core import judgment as core_judgment
from judge_server.core import outcome, verdict
from judge_server.scoring import rescore
from judge_server.scoring.group import report
from judge_server.server import calibration_runs, improvement_progress
from judge_server.server.routes import calibrations, groups, jobs, judges, judgments, labels, rubrics
from judge_server.store import label_records as stored_labels
from tests.client.scripted_server import judgment as written

PAIRS = [
    (judgment.Judgment, judgments.JudgmentWithSubmission),
    (judgment.Verdict, verdict.Verdict),
    (judgment.Opinion, verdict.Opinion),
    (judgment.StepReward, outcome.StepReward),
    (judgment.GateFired, outcome.GateFired),
    (judgment.JudgeReference, core_judgment.JudgeReference),
    (judgment.Usage, core_judgment.Usage),
    (judgment.Timing, core_judgment.Timing),
    (group.GroupResult, groups.GroupResponse),
    (group.GroupStatistics, report.GroupReport),
    (group.Relative, report.RelativeReport),
    (group.Comparisons, report.Comparisons),
    (stored.JudgmentPage, judgments.JudgmentPage),
    (stored.Rescored, rescore.Rescored),
    (stored.Outcome, outcome.Outcome),
    (rubric.RubricEntry, shelf.RegistryEntry),
    (rubric.RubricDocument, rubrics.RubricDocument),
    (rubric.Finding, finding.RubricFinding),
    (rubric.Validation, rubrics.Validation),
    (rubric.Published, rubrics.Published),
    (rubric.Change, diff.RubricChange),
    (rubric.Difference, diff.RubricDifference),
    (judge.JudgeStatus, judges.JudgeStatus),
    (label.Added, stored_labels.Added),
    (label.Collected, labels.Collected),
    (label.LabelSetSummary, labels.SetSummary),
    (label.LabelSet, labels.SetDocument),
    (calibration.Calibration, core_calibration.Calibration),
    (calibration.CalibrationList, calibrations.CalibrationList),
    (calibration.CalibrationProgress, calibration_runs.CalibrationProgress),
    (calibration.Certificate, certificate.Certificate),
    (improvement.ImprovementProgress, improvement_progress.ImprovementProgress),
    (improvement.ImprovementList, improvement_progress.ImprovementList),
    (job.Job, core_job.Job),
    (job.JobTerms, core_job.JobTerms),
    (job.JobPage, jobs.JobPage),
]


@pytest.mark.parametrize(("ours", "theirs"), PAIRS, ids=lambda kind: kind.__name__)
def test_what_the_client_reads_is_what_the_server_writes(ours, theirs):
    names = {one.name for one in dataclasses.fields(ours)}
    assert names - set(theirs.model_fields) == set()


@pytest.mark.parametrize(
    ("ours", "theirs"),
    [pair for pair in PAIRS if pair[0] is not calibration.Certificate],
    ids=lambda kind: kind.__name__,
)
def test_nothing_that_the_server_says_is_lost(ours, theirs):
    names = {one.name for one in dataclasses.fields(ours)}
    assert set(theirs.model_fields) - names == set()


@pytest.mark.parametrize(
    "text", ['{"reward": NaN}', '{"reward": Infinity}', '{"reward": 1e999}', "<html>", "", "[" * 10**5]
)
def test_what_is_no_json_is_refused(text):
    with pytest.raises(UnreadableAnswer, match="not JSON"):
        parse(text.encode())


def test_members_that_a_newer_server_adds_are_ignored():
    found = read(Judgment, written(0.25, novelty={"a": 1}, verdicts=[]))
    assert found.reward == 0.25


@pytest.mark.parametrize(
    ("members", "place"),
    [
        ({"reward": "0.5"}, "answer.reward"),
        ({"reward": True}, "answer.reward"),
        ({"coverage": 10**400}, "answer.coverage"),
        ({"verdicts": {}}, "answer.verdicts"),
        ({"verdicts": [{"criterion": "a"}]}, r"answer.verdicts\[0\].status"),
        ({"created_at": "yesterday"}, "answer.created_at"),
        ({"step_rewards": [{"index": 0, "value": 1.0, "span": [1]}]}, r"step_rewards\[0\].span"),
        ({"components": [1]}, "answer.components"),
    ],
)
def test_a_member_of_another_type_is_named(members, place):
    with pytest.raises(UnreadableAnswer, match=place):
        read(Judgment, written() | members)


def test_a_whole_number_is_a_reward_too():
    found = read(Judgment, written() | {"reward": 1, "created_at": "2026-01-02T03:04:05Z"})
    assert isinstance(found.reward, float)
    assert found.created_at == datetime(2026, 1, 2, 3, 4, 5, tzinfo=UTC)


json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | st.text(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(), inner, max_size=3),
    max_leaves=8,
)


@given(json_values)
def test_any_json_is_a_judgment_or_unreadable(data: Any):
    try:
        read(Judgment, parse(json.dumps(data).encode()))
    except UnreadableAnswer:
        pass
    else:
        pytest.fail("no required member is missing")
