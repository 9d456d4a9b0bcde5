"""POST /v1/systemone and /v1/decisions: typed questions, answered with probabilities by any judge or published rubric.

``model`` names a judge, or ``rubric:ID[@VERSION]``: then the state is a submission, the rubric's criteria are the
questions, its fitted maps apply, and the judgment is stored. A question without an answer is never a number: it is a
refusal in OpenAI's format, is left out in System One's, and ``failures`` says why in both.
"""

import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any, Final

from fastapi import APIRouter, Request, Response
from fastapi.responses import JSONResponse

from judge_server.core.criterion import AnyLeaf, Choice, Nominal
from judge_server.core.errors import BadInput
from judge_server.core.judgment import Judgment, Usage
from judge_server.core.verdict import Failure, Verdict
from judge_server.judging.answer import Terms
from judge_server.judging.decision import REFUSED
from judge_server.judging.judge_input import JudgeInput
from judge_server.scoring.plan import Question
from judge_server.scoring.sources import of_texts_here
from judge_server.server.dialects.decision_questions import (
    AskedQuestion,
    DecisionRequest,
    SystemOneRequest,
    decision_questions,
    material_of_input,
    material_of_state,
    submission_of,
    systemone_questions,
)
from judge_server.server.middleware.headers import request_id_of
from judge_server.server.middleware.request_stream import while_connected
from judge_server.server.problems import failure_of
from judge_server.server.service import DeadlineHeader, ServiceHere, StrictRoute, terms
from judge_server.server.telemetry.metrics import Metrics
from judge_server.util.parsing import parse_unique_json
from judge_server.wiring.service import Service

_RUBRIC = "rubric:"


@dataclass(frozen=True, slots=True)
class DecisionAnswer:
    """``options``: of a score or choice, empty for a predicate; ``ordered`` tells which. ``shares``: of yes and no, or
    of the options in order; empty if ``failure`` says why there are none."""

    name: str | None
    options: tuple[str | bool, ...] = ()
    ordered: bool = True
    shares: tuple[float, ...] = ()
    label_mass: float | None = None
    failure: Failure | None = None


@dataclass(frozen=True, slots=True)
class Decided:
    """The answers to a request. ``judgment``: of a rubric."""

    model: str
    answers: tuple[DecisionAnswer, ...]
    usage: Usage
    judgment: Judgment | None = None

    @property
    def extensions(self) -> dict[str, Any]:
        """What we say beyond the formats."""
        failures = {
            one.name or str(place): one.failure.model_dump(mode="json")
            for place, one in enumerate(self.answers)
            if one.failure
        }
        told: dict[str, Any] = {"failures": failures} if failures else {}
        if self.judgment is not None:
            judge = self.judgment.judge
            told |= {"judgment": self.judgment.id, "reward": self.judgment.reward}
            told["calibration"] = judge.calibration if judge else None
        return told


class DecisionRoute(StrictRoute):
    """A key twice in an object is an error: of two questions with one id the first would be lost."""

    parse = staticmethod(parse_unique_json)


router = APIRouter(prefix="/v1", tags=["decisions"], route_class=DecisionRoute)


@router.post("/systemone", response_model=None)
async def systemone(
    request: Request, body: SystemOneRequest, service: ServiceHere, deadline: DeadlineHeader = None
) -> Response:
    """Questions by id about a state → an answer for each id."""
    conditions = terms(service, None, deadline, None)
    if body.model.startswith(_RUBRIC):
        decided = await _by_rubric(request, service, body.model, body.state, bool(body.questions), conditions)
    else:
        questions = systemone_questions(body)
        decided = await _by_judge(request, service, body.model, questions, material_of_state(body.state), conditions)
    answers = {one.name: _systemone(one) for one in decided.answers if one.shares}
    masses = {one.name: {"label_mass": one.label_mass} for one in decided.answers if one.label_mass is not None}
    return JSONResponse(
        {
            "id": f"decision-{request_id_of(request.scope)}",
            "object": "structured_decision",
            "created": int(time.time()),
            "model": decided.model,
            "answers": answers,
            "usage": {
                "input_tokens": decided.usage.prompt_tokens,
                "output_tokens": decided.usage.completion_tokens,
            },
            "diagnostics": masses,
            **decided.extensions,
        }
    )


@router.post("/decisions", response_model=None)
async def decisions(
    request: Request, body: DecisionRequest, service: ServiceHere, deadline: DeadlineHeader = None
) -> Response:
    """A list of questions about an input → answers in the same order."""
    conditions = terms(service, None, deadline, None)
    if body.model.startswith(_RUBRIC):
        decided = await _by_rubric(request, service, body.model, body.input, bool(body.questions), conditions)
    else:
        questions = decision_questions(body)
        material = material_of_input(body.input)
        decided = await _by_judge(request, service, body.model, questions, material, conditions, refusable=True)
    usage = decided.usage
    return JSONResponse(
        {
            "model": decided.model,
            "answers": [_openai(one) for one in decided.answers],
            "usage": {
                "input_tokens": usage.prompt_tokens,
                "input_tokens_details": {"cached_tokens": usage.cached_tokens, "cache_write_tokens": 0},
                "output_tokens": usage.completion_tokens,
                "output_tokens_details": {"reasoning_tokens": 0},
                "total_tokens": usage.prompt_tokens + usage.completion_tokens,
            },
            **decided.extensions,
        }
    )


async def _by_judge(
    request: Request,
    service: Service,
    model: str,
    questions: Sequence[AskedQuestion],
    material: JudgeInput,
    conditions: Terms,
    *,
    refusable: bool = False,
) -> Decided:
    """Ask a judge. Raises the failure if it answered nothing, unless it only refused and the format is ``refusable``:
    then that is its answer."""
    judge = service.judge_registry.named(None if model == "default" and "default" not in _names(service) else model)
    sources = of_texts_here(material.response)
    asked = [Question(question.criterion, material, sources) for question in questions]
    admission = service.scorer.admission
    admitted = admission.admit(1, conditions.priority, conditions.deadline)
    with admitted, admission.classes[conditions.priority].asking(len(asked)):
        found = await while_connected(request, service.cached_judge.verdicts(judge, asked, conditions))
    answers = tuple(
        _answer(question.name, question.criterion, verdict, question.values)
        for question, verdict in zip(questions, found.verdicts, strict=True)
    )
    metrics: Metrics = request.app.state.metrics
    metrics.asked(found.usage)
    if not refusable or any(one.failure and one.failure.type != REFUSED for one in answers):
        _require_any(answers)
    return Decided(model, answers, found.usage)


def _names(service: Service) -> frozenset[str]:
    return frozenset(service.judge_registry.judges)


async def _by_rubric(
    request: Request, service: Service, model: str, state: Any, asks: bool, conditions: Terms
) -> Decided:
    """Judge a submission by a rubric. Raises the failure if no criterion has a verdict."""
    if asks:
        why = f"{model!r} brings its own questions."
        raise BadInput(
            f"questions: {why}",
            remedy="Leave questions out, or name a judge as the model.",
            errors=[{"field": "questions", "message": why}],
        )
    rubric = await service.rubric_registry.get_for_judging(model.removeprefix(_RUBRIC))
    submission = submission_of(state, rubric.name)  # with its version: a newer one may be published meanwhile
    with service.scorer.admission.admit(1, conditions.priority, conditions.deadline):
        judgment = await while_connected(request, service.scorer.score(submission, conditions))
    criteria = {leaf.id: leaf for leaf in rubric.leaves}
    answers = []
    for verdict in judgment.verdicts:
        criterion = criteria[verdict.criterion]
        name = verdict.criterion if verdict.step is None else f"{verdict.criterion}[{verdict.step}]"
        answers.append(_answer(name, criterion, verdict))
    _require_any(answers)
    return Decided(model, tuple(answers), judgment.usage, judgment)


def _answer(
    name: str | None, criterion: AnyLeaf, verdict: Verdict, values: tuple[str | bool, ...] = ()
) -> DecisionAnswer:
    """``values``: what the options are called, if not by their labels."""
    labels = tuple(option.label for option in criterion.options) if isinstance(criterion, Choice) else ()
    told = DecisionAnswer(name, values or labels, not isinstance(criterion, Nominal))
    if not verdict.decided or verdict.value is None:
        failure = verdict.error or Failure(type=verdict.status.value, detail="The criterion does not apply.")
        return replace(told, failure=failure)
    if labels and verdict.options is not None:
        listed = [verdict.options[label] for label in labels]
        shares = tuple(share / sum(listed) for share in listed)
    else:
        shares = (verdict.value, 1 - verdict.value)
    return replace(told, shares=shares, label_mass=verdict.label_mass)


def _require_any(answers: Sequence[DecisionAnswer]) -> None:
    """Raises the first failure if no question has an answer."""
    failures = [one.failure for one in answers if one.failure]
    if failures and len(failures) == len(answers):
        raise failure_of(failures[0])


def _systemone(one: DecisionAnswer) -> dict[str, Any]:
    shares, best = one.shares, one.shares.index(max(one.shares))
    confidence = shares[best] * (1.0 if one.label_mass is None else one.label_mass)
    if not one.options:
        probabilities = {"yes": shares[0], "no": shares[1]}
        return {"type": "noul", "noul": shares[0], "probabilities": probabilities, "confidence": confidence}
    if not one.ordered:
        probabilities = {str(option): share for option, share in zip(one.options, shares, strict=True)}
        chosen = str(one.options[best])
        return {"type": "choice", "choice": chosen, "probabilities": probabilities, "confidence": confidence}
    return {
        "type": "score",
        "score": sum(place * share for place, share in enumerate(shares)),
        "legend": {str(place): label for place, label in enumerate(one.options)},
        "probabilities": {str(place): share for place, share in enumerate(shares)},
        "confidence": confidence,
    }


def _openai(one: DecisionAnswer) -> dict[str, Any]:
    name, shares, labels = one.name, one.shares, one.options
    if not shares:
        return {"type": "refusal", "name": name}
    if not labels:
        return {"type": "predicate", "name": name, "probability": shares[0]}
    if not one.ordered:
        listed = [{"value": value, "probability": share} for value, share in zip(labels, shares, strict=True)]
        chosen = labels[shares.index(max(shares))]
        return {"type": "choice", "name": name, "choice": chosen, "confidence": max(shares), "probabilities": listed}
    return {
        "type": "score",
        "name": name,
        "score": sum(place * share for place, share in enumerate(shares)),
        "confidence": max(shares),
        "probabilities": [
            {"value": place, "label": label, "probability": share}
            for place, (label, share) in enumerate(zip(labels, shares, strict=True))
        ],
    }


def _error(document: Mapping[str, Any]) -> dict[str, Any]:
    """A problem document in the shape of these formats. ``param``: the first field at fault; ``code``: the type of our
    errors."""
    errors = document.get("errors") or [{}]
    detail, status = document["detail"], document["status"]
    remedy = f"{'' if detail.endswith('.') else '.'} {document['remedy']}" if document.get("remedy") else ""
    kind = "invalid_request_error" if status < 500 else "server_error"
    return {
        "error": {
            "message": f"{detail}{remedy}",
            "type": "rate_limit_error" if status == 429 else kind,
            "param": errors[0].get("field"),
            "code": document.get("error_type") or document["type"].rpartition(":")[2],
        }
    }


ERROR_SHAPES: Final = dict.fromkeys(("/v1/systemone", "/v1/decisions"), _error)
