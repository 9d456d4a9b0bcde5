"""Deciding one check in a test."""

from typing import Any

from judge_server.core.criterion import CheckCriterion
from judge_server.core.rubric import Rubric
from judge_server.core.submission import Submission
from judge_server.core.verdict import Verdict
from judge_server.judging import checks


def criterion(spec: dict[str, Any], **fields: Any) -> CheckCriterion:
    return CheckCriterion.model_validate({"id": "it", "kind": "check", "check": spec, **fields})


def rubric(spec: dict[str, Any]) -> Rubric:
    return Rubric.model_validate(
        {"id": "test", "version": "1.0.0", "title": "Test", "criteria": [{"id": "it", "kind": "check", "check": spec}]}
    )


def decided(spec: dict[str, Any], response: Any, reference: str | None = None, **fields: Any) -> Verdict:
    submission = Submission.model_validate({"prompt": "Question?", "response": response, "reference": reference})
    checks.prepare(rubric(spec))
    return checks.decide_now(criterion(spec, **fields), submission)


def value(spec: dict[str, Any], response: Any, reference: str | None = None) -> float:
    verdict = decided(spec, response, reference)
    assert verdict.value is not None, verdict.error
    return verdict.value
