"""ROLL's remote reward system: submit a task, then ask for its result.

Source: alibaba/ROLL 8eb27cc2, ``pipeline/rlvr/rewards/remote_reward_system_worker.py``. ROLL logs ``errmsg`` only of
answers with status 200, so errors of ours come with that status, their own status in ``errcode``.
"""

from typing import Annotated, Any

from fastapi import APIRouter, Query, Request, Response
from pydantic import Field

from judge_server.core.errors import BadInput, JudgeServerError
from judge_server.core.model import Frozen
from judge_server.server.dialects.asking import Asking, Wishes, asked
from judge_server.server.dialects.binding import Sample, bound
from judge_server.server.dialects.chat_markup import exchange_of
from judge_server.server.dialects.envelope import Envelope, open_label
from judge_server.server.dialects.failure_policy import Profile
from judge_server.server.dialects.foreign import Foreign
from judge_server.server.dialects.rewarding import Reward, rewarded, sampled, substituted_headers
from judge_server.server.dialects.roll_tasks import Tasks, outcome
from judge_server.server.strict_json import StrictRoute
from judge_server.util.parsing import parse_json

router = APIRouter(prefix="/trainers/roll", tags=["trainers"], route_class=StrictRoute)
PROFILE = Profile(
    dialect="roll",
    trainer="ROLL",
    bears=frozenset({"number"}),
    because="it asks five times and then writes a reward of 0 itself, which nobody chose",
    patience_seconds=290.0,
)
_RUNNING = 1


class RollRequest(Foreign):
    """``reward_info`` has the row's ``ground_truth`` (a reference or an envelope), or the envelope's fields."""

    prompt: str
    response: str
    reward_info: dict[str, Any] | None = None
    data_id: str | int | None = None
    rollout_id: str | int | None = None
    global_step: int | None = Field(default=None, ge=0)
    timeout: float | None = Field(default=None, gt=0)


class Submitted(Frozen):
    """``errcode`` 0: the task is under way."""

    errcode: int = 0
    errmsg: str = ""
    reward_request_id: str | None = None


class Result(Frozen):
    """``errcode`` 0: done, 1: still under way, anything else: the status of the error that ``errmsg`` tells."""

    errcode: int
    errmsg: str = ""
    reward_score: float | None = None
    dimention_reward_score: dict[str, dict[str, float]] = Field(default_factory=dict)  # ROLL's own spelling
    start_time: str | None = None
    end_time: str | None = None


@router.post("/{rubric:path}/submit_task", summary="Submit a task of ROLL", response_model=Submitted)
async def submit_task(
    request: Request, rubric: str, body: RollRequest, wishes: Annotated[Wishes, Query()]
) -> Submitted:
    """What ROLL's ``submit_url`` asks. ``on_error`` has to be a number."""
    try:
        patience = min(wishes.deadline_seconds or body.timeout or 290.0, body.timeout or 290.0)
        asking = await asked(request, PROFILE, rubric, wishes.model_copy(update={"deadline_seconds": patience}))
        tasks: Tasks = request.app.state.roll_tasks
        work = _reward(asking, sampled(_item, asking, body))
        return Submitted(reward_request_id=tasks.start(work))
    except JudgeServerError as fault:
        return Submitted(errcode=fault.status, errmsg=str(fault))


@router.get("/{rubric:path}/task_result", summary="Result of a task of ROLL", response_model=Result)
async def task_result(
    request: Request, response: Response, rubric: str, reward_request_id: Annotated[str | None, Query()] = None
) -> Result:
    """What ROLL's ``get_result_url`` asks: ``reward_request_id`` in a JSON body, or in the query."""
    try:
        task = request.app.state.roll_tasks.find(reward_request_id or _named(await request.body()))
    except JudgeServerError as fault:
        return Result(errcode=fault.status, errmsg=str(fault))
    found = outcome(task)
    times = {"start_time": task.started.isoformat(), "end_time": task.ended.isoformat() if task.ended else None}
    if found is None:
        return Result(errcode=_RUNNING, errmsg="under way", **times)
    if isinstance(found, JudgeServerError):
        return Result(errcode=found.status, errmsg=str(found), **times)
    response.headers.update(substituted_headers([found]))
    return Result(
        errcode=0,
        errmsg=f"judge failed: {found.error}" if found.error else "",
        reward_score=found.number,
        dimention_reward_score={"judge_failed": {"score": found.failed}, "judge_coverage": {"score": found.coverage}},
        **times,
    )


async def _reward(asking: Asking, sample: Sample) -> Reward:
    (reward,) = await rewarded(asking, [sample])
    return reward


def _item(asking: Asking, body: RollRequest) -> dict[str, Any]:
    item = bound(asking, exchange_of(body.prompt, body.response), _envelope(body.reward_info or {}))
    places = {"id": body.rollout_id, "group": body.data_id, "step": body.global_step}
    return item | {name: value for name, value in places.items() if value is not None}


def _envelope(given: dict[str, Any]) -> Envelope:
    known = {name: value for name, value in given.items() if name in Envelope.model_fields}
    return open_label(known or given.get("ground_truth"))


def _named(body: bytes) -> str:
    try:
        given = parse_json(body)
    except ValueError:
        given = None
    name = given.get("reward_request_id") if isinstance(given, dict) else None
    if not isinstance(name, str):
        raise BadInput("reward_request_id: not given.", remedy="Send it in the query, or in a JSON body.")
    return name
