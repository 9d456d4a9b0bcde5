"""GET and POST /try: judge one response, or two to the same prompt beside each other, and see every verdict."""

from collections.abc import Mapping
from typing import Final

from fastapi import APIRouter, Request, Response

from judge_server.core.errors import BadSubmission, JudgeServerError
from judge_server.core.judgment import Judgment
from judge_server.core.submission import Submission
from judge_server.scoring.batch import parse_submission, score_batch
from judge_server.server.pages.rendering import form_of, page
from judge_server.server.pages.shown_judgment import ShownJudgment, shown
from judge_server.server.service import ServiceHere, terms
from judge_server.wiring.service import Service

router = APIRouter(prefix="/try", include_in_schema=False)
_EMPTY: Final = {"rubric": "", "judge": "", "prompt": "", "response": "", "other": "", "reference": ""}


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


async def _judged(service: Service, fields: Mapping[str, str]) -> tuple[ShownJudgment, ...]:
    if not fields["rubric"]:
        raise BadSubmission("No rubric is chosen.", remedy="Choose one above.")
    texts = [fields["response"], *([fields["other"]] if fields["other"].strip() else [])]
    items = [_submission(fields, text) for text in texts]
    conditions = terms(service, None, None, None)
    with service.scorer.admission.admit(len(items), conditions.priority, conditions.deadline):
        judgments = await score_batch(service.scorer, items, conditions)
    return tuple([await _shown(service, one, item) for one, item in zip(judgments, items, strict=True)])


def _submission(fields: Mapping[str, str], response: str) -> Submission:
    given = {name: fields[name] for name in ("rubric", "judge", "reference") if fields[name].strip()}
    return parse_submission({**given, "prompt": fields["prompt"], "response": response})


async def _shown(service: Service, judgment: Judgment, submission: Submission) -> ShownJudgment:
    digest = None if judgment.rubric is None else judgment.rubric.digest
    return shown(judgment, submission, None if digest is None else await service.store.rubric_by_digest(digest))


async def _page(
    request: Request,
    service: Service,
    fields: Mapping[str, str],
    found: tuple[ShownJudgment, ...],
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
