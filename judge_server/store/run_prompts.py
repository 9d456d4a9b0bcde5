"""The prompts of a run over its steps: which groups had equal rewards, and all rewards of a prompt."""

import heapq
import json
from collections import defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any, Final

from sqlalchemy import Connection, Row, Select, case, func, select

from judge_server.core.run import GroupRewards, PromptHistory, RunPrompts, equal_rewards
from judge_server.core.submission import Submission
from judge_server.store import reading
from judge_server.store.database import Run
from judge_server.store.judgment_row import with_texts
from judge_server.store.run_records import NO_AUDIT
from judge_server.store.schema import JUDGMENT

_MOST_STEPS: Final = 100
_EXCERPT_CHARACTERS: Final = 120


@dataclass(frozen=True, slots=True)
class RewardedRollout:
    """A judgment by id, with the key of its prompt and the step (0 if none was told)."""

    judgment: str
    prompt: str
    step: int
    reward: float


class RunPromptRecords:
    """Part of the store. Every method raises StoreUnavailable when the database does not answer."""

    def __init__(self, read: Run) -> None:
        self._read = read

    async def prompts(self, run: str, limit: int) -> RunPrompts:
        """The ``limit`` prompts with the most equal groups."""
        return await self._read(lambda connection: _prompts(connection, run, limit))

    async def keys(self, run: str) -> tuple[str, ...]:
        """Every prompt of a run, in the order of the digests."""
        question = select(JUDGMENT.c.prompt_key).where(
            JUDGMENT.c.run == run, JUDGMENT.c.prompt_key.is_not(None), NO_AUDIT
        )
        question = question.distinct().order_by(JUDGMENT.c.prompt_key)
        return tuple(await self._read(lambda connection: list(connection.execute(question).scalars())))

    async def rewarded(self, run: str) -> list[RewardedRollout]:
        """Every judgment of a run with a reward and a prompt, but audits, in the order of the steps."""
        column = JUDGMENT.c
        question = select(column.id, column.prompt_key, column.step, column.reward)
        question = question.where(
            column.run == run, column.prompt_key.is_not(None), column.reward.is_not(None), NO_AUDIT
        )
        question = question.order_by(column.step, column.id)
        rows = await self._read(lambda connection: list(connection.execute(question)))
        return [RewardedRollout(row.id, row.prompt_key, row.step or 0, row.reward) for row in rows]

    async def rollouts(self, run: str, keys: Sequence[str]) -> list[tuple[Submission, list[float | None]]]:
        """For each prompt one of its submissions, and the rewards of all."""
        return await self._read(lambda connection: list(_rollouts(connection, run, keys)))


def _prompts(connection: Connection, run: str, limit: int) -> RunPrompts:
    by_prompt: dict[str, list[Row[Any]]] = defaultdict(list)
    for row in connection.execute(_groups(run)):
        by_prompt[row.prompt_key].append(row)
    tallies = {prompt: _tally(rows) for prompt, rows in by_prompt.items()}
    listed = heapq.nsmallest(limit, tallies, key=lambda prompt: (-tallies[prompt][1], -tallies[prompt][0], prompt))
    named = {prompt: min(row.an_id for row in by_prompt[prompt]) for prompt in listed}
    excerpts = _excerpts(connection, list(named.values()))
    return RunPrompts(
        run=run,
        prompts=len(tallies),
        groups=sum(groups for groups, _ in tallies.values()),
        equal_groups=sum(equal for _, equal in tallies.values()),
        listed=tuple(_history(prompt, by_prompt[prompt], excerpts.get(an_id)) for prompt, an_id in named.items()),
    )


def _tally(rows: Sequence[Row[Any]]) -> tuple[int, int]:
    """Groups of at least two rewards, and those of them whose rewards are equal."""
    whole = [row for row in rows if row.rewards > 1]
    return len(whole), sum(equal_rewards(row.low, row.high) for row in whole)


def _groups(run: str) -> Any:
    """One row a group, oldest step first; read along the index of the run."""
    column = JUDGMENT.c
    return (
        select(
            column.prompt_key,
            column.group_name,
            column.step,
            func.count(column.reward).label("rewards"),
            func.sum(case((column.reward.is_(None), 1), else_=0)).label("without"),
            func.avg(column.reward).label("mean"),
            func.min(column.reward).label("low"),
            func.max(column.reward).label("high"),
            func.min(column.id).label("an_id"),
        )
        .where(column.run == run, column.prompt_key.is_not(None), NO_AUDIT)
        .group_by(column.step, column.group_name, column.prompt_key)
        .order_by(column.step, func.min(column.created_us))
    )


def _history(prompt: str, rows: Sequence[Row[Any]], excerpt: str | None) -> PromptHistory:
    groups, equal = _tally(rows)
    names = {row.group_name for row in rows}
    rewards = sum(row.rewards for row in rows)
    return PromptHistory(
        prompt=prompt,
        group=names.pop() if len(names) == 1 else None,
        excerpt=excerpt,
        groups=groups,
        equal_groups=equal,
        mean=sum((row.mean or 0.0) * (row.rewards / rewards) for row in rows) if rewards else None,
        steps=tuple(map(_group, rows[-_MOST_STEPS:])),
    )


def _group(row: Row[Any]) -> GroupRewards:
    return GroupRewards(
        step=row.step,
        rewards=row.rewards,
        without=row.without,
        mean=row.mean,
        low=row.low,
        high=row.high,
        equal=row.rewards > 1 and equal_rewards(row.low, row.high),
    )


def _excerpts(connection: Connection, ids: Sequence[str]) -> dict[str, str]:
    """By judgment the end of what was asked."""
    question: Select[Any] = with_texts(select(JUDGMENT.c.id), ("prompt",)).where(JUDGMENT.c.id.in_(ids))
    return {row.id: _excerpt(json.loads(row.prompt_text)) for row in connection.execute(question) if row.prompt_text}


def _excerpt(prompt: str | list[dict[str, Any]]) -> str:
    messages = [{"role": "user", "content": prompt}] if isinstance(prompt, str) else prompt
    asked = [one["content"] for one in messages if one["role"] == "user" and one.get("content")]
    text = " ".join((asked or [messages[-1].get("content") or ""])[-1].split())
    return text if len(text) <= _EXCERPT_CHARACTERS else f"…{text[-_EXCERPT_CHARACTERS:]}"


def _rollouts(connection: Connection, run: str, keys: Sequence[str]) -> Iterator[tuple[Submission, list[float | None]]]:
    column = JUDGMENT.c
    question = select(column.prompt_key, column.id, column.reward, column.group_name)
    question = question.where(column.run == run, column.prompt_key.in_(keys), NO_AUDIT).order_by(
        column.prompt_key, column.id
    )
    by_prompt: dict[str, list[Any]] = defaultdict(list)
    for row in connection.execute(question):
        by_prompt[row.prompt_key].append(row)
    for rows in by_prompt.values():
        submission = reading.submission(connection, rows[0].id)
        if submission is not None:
            one_group = len({row.group_name for row in rows}) == 1
            shown = submission if one_group else submission.model_copy(update={"group": None})
            yield shown, [row.reward for row in rows]
