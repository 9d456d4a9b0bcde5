"""ROLL's remote reward system: submit a task, then ask for its result.

Source: alibaba/ROLL 8eb27cc2, ``pipeline/rlvr/rewards/remote_reward_system_worker.py``. ROLL logs ``errmsg`` only of
answers with status 200, so errors of ours come with that status, their own status in ``errcode``.
"""

import asyncio
import secrets
import time
from collections.abc import Coroutine
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Annotated, Any

from fastapi import APIRouter, Query, Request, Response
from pydantic import Field

from judge_server.core.errors import BadInput, JudgeServerError, NotFound, Overloaded
from judge_server.core.model import Frozen
from judge_server.server.dialects.chat_markup import split_pair
from judge_server.server.dialects.envelope import Envelope, open_label
from judge_server.server.dialects.failure_policy import Profile
from judge_server.server.dialects.first_reward import FirstRewards
from judge_server.server.dialects.rewards import Reward, rewarded, sampled, substituted_headers
from judge_server.server.dialects.trainer_request import (
    Sample,
    TrainerBody,
    TrainerOptions,
    TrainerRequest,
    bind,
    trainer_request,
)
from judge_server.server.service import StrictRoute
from judge_server.util.parsing import parse_json

router = APIRouter(prefix="/trainers/roll", tags=["trainers"], route_class=StrictRoute)
PROFILE = Profile(
    dialect="roll",
    trainer="ROLL",
    bears=frozenset({"number"}),
    because="it tries five times and then writes a reward of 0 itself",
    patience_seconds=290.0,
)
_RUNNING = 1


class RollRequest(TrainerBody):
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


class RollResult(Frozen):
    """``errcode`` 0: done, 1: still under way, anything else: the status of the error that ``errmsg`` tells."""

    errcode: int
    errmsg: str = ""
    reward_score: float | None = None
    dimention_reward_score: dict[str, dict[str, float]] = Field(default_factory=dict)  # ROLL's own spelling
    start_time: str | None = None
    end_time: str | None = None


@router.post("/{rubric:path}/submit_task", summary="Submit a task of ROLL", response_model=Submitted)
async def submit_task(
    request: Request, rubric: str, body: RollRequest, options: Annotated[TrainerOptions, Query()]
) -> Submitted:
    """Called at ROLL's ``submit_url``. ``on_error`` must be a number."""
    try:
        patience = min(options.deadline_seconds or body.timeout or 290.0, body.timeout or 290.0)
        trainer = await trainer_request(
            request, PROFILE, rubric, options.model_copy(update={"deadline_seconds": patience})
        )
        tasks: RollTasks = request.app.state.roll_tasks
        work = _reward(trainer, sampled(_item, trainer, body), request.app.state.first_rewards)
        return Submitted(reward_request_id=tasks.start(work))
    except JudgeServerError as fault:
        return Submitted(errcode=fault.status, errmsg=str(fault))


@router.get("/{rubric:path}/task_result", summary="Result of a task of ROLL", response_model=RollResult)
async def task_result(
    request: Request, response: Response, rubric: str, reward_request_id: Annotated[str | None, Query()] = None
) -> RollResult:
    """Called at ROLL's ``get_result_url``, with ``reward_request_id`` in a JSON body or in the query."""
    try:
        task = request.app.state.roll_tasks.find(reward_request_id or _named(await request.body()))
    except JudgeServerError as fault:
        return RollResult(errcode=fault.status, errmsg=str(fault))
    found = outcome(task)
    times = {"start_time": task.started.isoformat(), "end_time": task.ended.isoformat() if task.ended else None}
    if found is None:
        return RollResult(errcode=_RUNNING, errmsg="under way", **times)
    if isinstance(found, JudgeServerError):
        return RollResult(errcode=found.status, errmsg=str(found), **times)
    response.headers.update(substituted_headers([found]))
    return RollResult(
        errcode=0,
        errmsg=f"judge failed: {found.error}" if found.error else "",
        reward_score=found.number,
        dimention_reward_score={"judge_failed": {"score": found.failed}, "judge_coverage": {"score": found.coverage}},
        **times,
    )


async def _reward(trainer: TrainerRequest, sample: Sample, first_rewards: FirstRewards) -> Reward:
    (reward,) = await rewarded(trainer, [sample], first_rewards)
    return reward


def _item(trainer: TrainerRequest, body: RollRequest) -> dict[str, Any]:
    item = bind(trainer, split_pair(body.prompt, body.response), _envelope(body.reward_info or {}))
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


_KEPT_SECONDS = 900.0


@dataclass(slots=True)
class RollTask:
    """Scoring that ROLL submitted and polls. ``working`` returns the reward, or raises."""

    working: asyncio.Task[Reward]
    started: datetime = field(default_factory=lambda: datetime.now(UTC))
    ended: datetime | None = None
    ended_at: float = 0.0


class RollTasks:
    """At most ``limit`` unfinished tasks; finished ones are kept for 15 minutes, in memory only."""

    def __init__(self, limit: int) -> None:
        self._limit = limit
        self._tasks: dict[str, RollTask] = {}
        self._unfinished = 0

    def start(self, work: Coroutine[Any, Any, Reward]) -> str:
        """Start a task and return its id. Raises Overloaded if too many are unfinished."""
        self._forget()
        if self._unfinished >= self._limit:
            work.close()
            raise Overloaded(f"{self._unfinished} tasks are unfinished.", remedy="Submit again later.")
        name = f"rwd_{secrets.token_hex(12)}"
        task = RollTask(asyncio.create_task(work, name=name))
        self._tasks[name] = task
        self._unfinished += 1
        task.working.add_done_callback(lambda _: self._finish(task))
        return name

    def find(self, name: str) -> RollTask:
        """Raises NotFound if there is no such task, or no longer."""
        task = self._tasks.get(name)
        if task is None:
            raise NotFound("No task is known under this reward_request_id.", remedy="Submit it again.")
        return task

    async def close(self) -> None:
        """Cancel the unfinished tasks."""
        working = [task.working for task in self._tasks.values() if not task.working.done()]
        for one in working:
            one.cancel()
        if working:
            await asyncio.wait(working)

    def _finish(self, task: RollTask) -> None:
        self._unfinished -= 1
        task.ended, task.ended_at = datetime.now(UTC), time.monotonic()

    def _forget(self) -> None:
        """Drop old tasks. They are in the order of their start, so the oldest come first."""
        oldest = time.monotonic() - _KEPT_SECONDS
        for name, task in list(self._tasks.items())[:64]:
            if task.ended is not None and task.ended_at < oldest:
                del self._tasks[name]


def outcome(task: RollTask) -> Reward | JudgeServerError | None:
    """The reward, or the error; None while the task runs."""
    if not task.working.done():
        return None
    if task.working.cancelled():
        return JudgeServerError("The server stopped before the task was done.")
    fault = task.working.exception()
    if fault is None:
        return task.working.result()
    return (
        fault if isinstance(fault, JudgeServerError) else JudgeServerError(f"The task failed: {type(fault).__name__}.")
    )
