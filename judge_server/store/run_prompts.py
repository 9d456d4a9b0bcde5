"""The prompts of a run over its steps: which groups had equal rewards, and all rewards of a prompt."""

import json
from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

from sqlalchemy import Connection, Row, Select, case, desc, func, select

from judge_server.core.run import EQUAL_WITHIN, GroupRewards, PromptHistory, RunPrompts, equal_rewards
from judge_server.core.submission import Submission
from judge_server.store import reading
from judge_server.store.database import Run
from judge_server.store.judgment_row import with_texts
from judge_server.store.run_schema import NO_STEP, RUN_GROUP, TRAINING_RUN
from judge_server.store.run_tally import NO_AUDIT, run_digest
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
    of = _tallies(run).subquery("of")
    totals = connection.execute(
        select(func.count(), func.sum(of.c.groups), func.sum(of.c.equals)).select_from(of)
    ).one()
    best = _tallies(run).order_by(desc("equals"), desc("groups"), RUN_GROUP.c.prompt_key).limit(limit)
    tallies = connection.execute(best).all()
    by_prompt: dict[str, list[Row[Any]]] = {row.prompt_key: [] for row in tallies}
    for row in connection.execute(_groups(run, list(by_prompt))):
        by_prompt[row.prompt_key].append(row)
    examples = {key: connection.execute(_example(run, rows[-1])).first() for key, rows in by_prompt.items()}
    excerpts = _excerpts(connection, [one.id for one in examples.values() if one is not None])
    return RunPrompts(
        run=run,
        prompts=totals[0],
        groups=int(totals[1] or 0),
        equal_groups=int(totals[2] or 0),
        listed=tuple(_history(row, by_prompt[row.prompt_key], examples[row.prompt_key], excerpts) for row in tallies),
    )


def _tallies(run: str) -> Select[Any]:
    """Of each prompt its groups of at least two rewards, and those of them that are equal as ``equal_rewards`` says."""
    column = RUN_GROUP.c
    larger = case((func.abs(column.high) > func.abs(column.low), func.abs(column.high)), else_=func.abs(column.low))
    within = EQUAL_WITHIN * case((larger > 1.0, larger), else_=1.0)
    whole, equal = column.rewards > 1, column.high - column.low <= within
    groups = func.sum(case((whole, 1), else_=0)).label("groups")
    equals = func.sum(case((whole & equal, 1), else_=0)).label("equals")
    mean = (func.sum(column.reward) / func.nullif(func.sum(column.rewards), 0)).label("mean")
    each = select(column.prompt_key, groups, equals, mean).where(column.run == _number(run))
    return each.group_by(column.prompt_key)


def _number(run: str) -> Any:
    return select(TRAINING_RUN.c.id).where(TRAINING_RUN.c.digest == run_digest(run)).scalar_subquery()


def _groups(run: str, prompts: Sequence[str]) -> Select[Any]:
    """One row a group, oldest step first."""
    column = RUN_GROUP.c
    question = select(RUN_GROUP, (column.reward / func.nullif(column.rewards, 0)).label("mean"))
    question = question.where(column.run == _number(run), column.prompt_key.in_(prompts))
    return question.order_by(column.step, column.group_key)


def _example(run: str, row: Row[Any]) -> Select[Any]:
    """A judgment of the group, for its texts and the name of the group."""
    column = JUDGMENT.c
    step = column.step.is_(None) if row.step == NO_STEP else column.step == row.step
    own = (column.run == run, step, column.prompt_key == row.prompt_key, NO_AUDIT)
    return select(column.id, column.group_name).where(*own).limit(1)


def _history(
    tally: Row[Any], rows: Sequence[Row[Any]], example: Row[Any] | None, excerpts: Mapping[str, str]
) -> PromptHistory:
    alone = len({bytes(row.group_key) for row in rows}) == 1
    return PromptHistory(
        prompt=tally.prompt_key,
        group=example.group_name if example is not None and alone else None,
        excerpt=None if example is None else excerpts.get(example.id),
        groups=tally.groups,
        equal_groups=tally.equals,
        mean=tally.mean,
        steps=tuple(map(_group, rows[-_MOST_STEPS:])),
    )


def _group(row: Row[Any]) -> GroupRewards:
    return GroupRewards(
        step=None if row.step == NO_STEP else row.step,
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
