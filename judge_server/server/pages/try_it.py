"""GET and POST /try: judge one response or two, by one judge or two, and see every verdict and what was sent."""

import asyncio
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

from fastapi import APIRouter, Request, Response

from judge_server.core.errors import BadSubmission, JudgeServerError
from judge_server.core.judgment import Judgment
from judge_server.core.rubric import Rubric
from judge_server.core.submission import Submission
from judge_server.judging.answer import Judge
from judge_server.judging.shown_prompt import ShownPrompt, shown_prompts
from judge_server.scoring.batch import parse_submission, score_batch
from judge_server.scoring.plan import plan
from judge_server.server.pages.rendering import form_of, page
from judge_server.server.pages.shown_judgment import ShownJudgment, shown
from judge_server.server.service import ServiceHere, terms
from judge_server.wiring.service import Service

router = APIRouter(prefix="/try", include_in_schema=False)


@dataclass(frozen=True)
class TriedResponse:
    """``prompts``: what the judge was sent about each criterion."""

    judge: str
    shown: ShownJudgment
    prompts: tuple[ShownPrompt, ...]


_EMPTY: Final = {"rubric": "", "judge": "", "judge2": "", "prompt": "", "response": "", "other": "", "reference": ""}


@router.get("")
async def form(request: Request, service: ServiceHere) -> Response:
    given = _EMPTY | {name: request.query_params[name] for name in _EMPTY if name in request.query_params}
    return await _page(request, service, given, (), None)


@router.post("")
async def tried(request: Request, service: ServiceHere) -> Response:
    """Judge what the form holds; an error stands above the form, which keeps its contents."""
    fields = _EMPTY | {name: value for name, value in (await form_of(request)).items() if name in _EMPTY}
    try:
        found = await _judged(service, fields)
    except JudgeServerError as fault:
        return await _page(request, service, fields, (), str(fault), status=fault.status)
    return await _page(request, service, fields, found, None)


async def _judged(service: Service, fields: Mapping[str, str]) -> tuple[TriedResponse, ...]:
    if not fields["rubric"]:
        raise BadSubmission("No rubric is chosen.", remedy="Choose one above.")
    texts = [fields["response"], *([fields["other"]] if fields["other"].strip() else [])]
    judges = [fields["judge"], *([fields["judge2"]] if fields["judge2"].strip() else [])]
    items = [_submission(fields, text, judge) for text in texts for judge in judges]
    conditions = terms(service, None, None, None)
    with service.scorer.admission.admit(len(items), conditions.priority, conditions.deadline):
        judgments = await score_batch(service.scorer, items, conditions)
    return tuple([await _tried(service, one, item) for one, item in zip(judgments, items, strict=True)])


def _submission(fields: Mapping[str, str], response: str, judge: str) -> Submission:
    given = {name: fields[name] for name in ("rubric", "reference") if fields[name].strip()}
    given |= {"judge": judge} if judge.strip() else {}
    return parse_submission({**given, "prompt": fields["prompt"], "response": response})


async def _tried(service: Service, judgment: Judgment, submission: Submission) -> TriedResponse:
    digest = None if judgment.rubric is None else judgment.rubric.digest
    rubric = None if digest is None else await service.store.rubric_by_digest(digest)
    judge = service.judge_registry.named(submission.judge)
    prompts = () if rubric is None else await asyncio.to_thread(_prompts, judgment, submission, rubric, judge)
    return TriedResponse(judge.reference.name, shown(judgment, submission, rubric), prompts)


def _prompts(judgment: Judgment, submission: Submission, rubric: Rubric, judge: Judge) -> tuple[ShownPrompt, ...]:
    """What was sent: about each criterion that neither a program nor the guard decided."""
    asked = {one.criterion for one in judgment.verdicts if one.source not in ("check", "guard")}
    try:
        questions = plan(submission, rubric).questions
    except BadSubmission:  # nothing was asked
        return ()
    mine = (one for one in questions if one.criterion.id in asked)
    return tuple(prompt for one in mine for prompt in shown_prompts(judge, one.material, one.criterion))


async def _page(
    request: Request,
    service: Service,
    fields: Mapping[str, str],
    found: tuple[TriedResponse, ...],
    fault: str | None,
    status: int = 200,
) -> Response:
    return page(
        request,
        "try.html",
        status=status,
        fields=fields,
        rubrics=await service.rubric_registry.listing(),
        judges=list(service.judge_registry.judges),
        found=found,
        fault=fault,
    )
