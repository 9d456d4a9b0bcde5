"""GET and POST /try: judge one response or two, by one judge or two, and see every verdict and what was sent."""

import asyncio
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final

from fastapi import APIRouter, Request, Response

from judge_server.core.errors import BadSubmission, JudgeServerError, UnknownJudgment
from judge_server.core.judgment import Judgment
from judge_server.core.rubric import Rubric
from judge_server.core.submission import Submission
from judge_server.judging.answer import Judge
from judge_server.judging.shown_prompt import ShownPrompt, shown_prompts
from judge_server.scoring.batch import parse_submission, score_batch
from judge_server.scoring.plan import plan
from judge_server.server.pages.label_showing import browsed
from judge_server.server.pages.rendering import form_of, page
from judge_server.server.pages.shown_judgment import ShownJudgment, shown
from judge_server.server.service import ServiceHere, terms, viewer
from judge_server.wiring.service import Service

router = APIRouter(prefix="/try", include_in_schema=False)


@dataclass(frozen=True)
class TriedResponse:
    """``prompts``: what the judge was sent about each criterion."""

    judge: str
    shown: ShownJudgment
    prompts: tuple[ShownPrompt, ...]


_EMPTY: Final = dict.fromkeys(
    ("rubric", "judge", "judge2", "prompt", "response", "other", "reference", "facts", "judgment", "as_judged"), ""
)


@router.get("")
async def form(request: Request, service: ServiceHere) -> Response:
    """Empty, or with what the address gives: single fields, or the id of a stored judgment to repeat."""
    given = _EMPTY | {name: request.query_params[name] for name in _EMPTY if name in request.query_params}
    if given["judgment"]:
        given |= await _repeated(service, given["judgment"])
    return await _page(request, service, given, (), None)


async def _repeated(service: Service, judgment_id: str) -> dict[str, str]:
    judged, submission = await service.store.judgment(judgment_id, caller=viewer(service)), None
    if judged is not None:
        submission = await service.store.submission(judged.id)
    if judged is None or submission is None:
        raise UnknownJudgment("No judgment with its texts is stored under this id.", remedy="Paste the texts.")
    name = "" if judged.rubric is None else f"{judged.rubric.id}@{judged.rubric.version}"
    texts = {"prompt": submission.prompt_text, "response": submission.read.text, "facts": _fact_lines(submission)}
    return texts | {"rubric": name, "as_judged": name, "reference": submission.reference or ""}


@router.post("")
async def tried(request: Request, service: ServiceHere) -> Response:
    """Judge what the form holds; an error stands above the form, which keeps its contents."""
    sent = await form_of(request)
    fields = _EMPTY | {name: value for name, value in sent.items() if name in _EMPTY}
    try:
        if sent.get("act") == "example":
            return await _page(request, service, await _example(service, fields), (), None)
        found = await _judged(service, fields)
    except JudgeServerError as fault:
        return await _page(request, service, fields, (), str(fault), status=fault.status)
    return await _page(request, service, fields, found, None)


async def _example(service: Service, fields: Mapping[str, str]) -> dict[str, str]:
    """The form with the first two responses to one prompt among the rubric's cases."""
    if not fields["rubric"]:
        raise BadSubmission("No rubric is chosen.", remedy="Choose one above, then an example.")
    rubric = await service.rubric_registry.get(fields["rubric"])
    cases = await asyncio.to_thread(service.rubric_registry.cases, rubric.name)
    if cases is None:
        raise BadSubmission(f"{rubric.id} has no cases.", remedy="Write a prompt and a response yourself.")
    scenario = max(cases.scenarios, key=lambda one: len(one.cases[:2]))
    first, *others = [scenario.submission(case, rubric) for case in scenario.cases[:2]]
    return {
        **fields,
        "prompt": first.prompt_text,
        "response": first.read.text,
        "other": others[0].read.text if others else "",
        "reference": first.reference or "",
        "facts": _fact_lines(first),
    }


def _fact_lines(submission: Submission) -> str:
    return "\n".join(f"{name} = {_written(value)}" for name, value in submission.facts.items())


def _written(value: object) -> str:
    return str(value).lower() if isinstance(value, bool) else str(value)


def _facts(text: str) -> dict[str, str]:
    """A fact a line. Raises BadSubmission for a line without a name or value."""
    found = {}
    for line in filter(str.strip, text.splitlines()):
        name, _, value = (part.strip() for part in line.partition("="))
        if not name or not value:
            raise BadSubmission(f"facts: {line[:60]!r} is no fact.", remedy="Write a line such as emergency = true.")
        found[name.removeprefix("facts.")] = value
    return found


async def _judged(service: Service, fields: Mapping[str, str]) -> tuple[TriedResponse, ...]:
    if not fields["rubric"]:
        raise BadSubmission("No rubric is chosen.", remedy="Choose one above.")
    texts = [fields["response"], *([fields["other"]] if fields["other"].strip() else [])]
    judges = [fields["judge"], *([fields["judge2"]] if fields["judge2"].strip() else [])]
    again = None
    if fields["judgment"]:
        await _repeated(service, fields["judgment"])  # the caller may see it
        for name in judges:
            judge = service.judge_registry.named(name.strip() or None)
            await service.shown_again.require(judge.specification, (fields["judgment"],))
        again = await service.store.submission(fields["judgment"])
    items = [_submission(fields, text, judge, again) for text in texts for judge in judges]
    conditions = terms(service, None, None, None)
    with service.scorer.admission.admit(len(items), conditions.priority, conditions.deadline):
        judgments = await score_batch(service.scorer, items, conditions)
    await browsed(service, judgments)
    return tuple([await _tried(service, one, item) for one, item in zip(judgments, items, strict=True)])


def _submission(fields: Mapping[str, str], response: str, judge: str, again: Submission | None) -> Submission:
    """``again``: what is judged once more. Where the form still says what it said, its messages, facts and inline
    rubric are taken, which the form cannot show."""
    given: dict[str, Any] = {name: fields[name] for name in ("rubric", "reference") if fields[name].strip()}
    given |= {"judge": judge} if judge.strip() else {}
    given |= {"prompt": fields["prompt"], "response": response, "facts": _facts(fields["facts"])}
    if again is not None:
        whole = again.model_dump(exclude_defaults=True)
        same = {"prompt": again.prompt_text, "response": again.read.text}
        given |= {name: whole[name] for name, text in same.items() if given[name] == text.replace("\r\n", "\n")}
        given |= {"facts": again.facts} if fields["facts"] == _fact_lines(again) else {}
        if fields["rubric"] == fields["as_judged"] and isinstance(again.rubric, Rubric):
            given["rubric"] = whole["rubric"]
    return parse_submission(given)


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
