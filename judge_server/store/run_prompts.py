"""The prompts of a run over its steps: which groups had equal rewards, and all rewards of a prompt."""

import json
from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from math import fsum
from typing import Any, Final

from sqlalchemy import CTE, Connection, Row, Select, Subquery, case, func, or_, select

from judge_server.core.run import EQUAL_WITHIN, GroupRewards, PromptHistory, RunPrompts, equal_rewards
from judge_server.core.submission import Submission
from judge_server.store import reading
from judge_server.store.database import Run
from judge_server.store.judgment_row import with_texts
from judge_server.store.run_schema import NO_STEP, REWARD_SOURCE, RUN_GROUP, TRAINING_RUN
from judge_server.store.run_tally import NO_AUDIT, of_run, run_digest
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

    async def prompts(self, run: str, limit: int, caller: str | None = None) -> RunPrompts:
        """The ``limit`` prompts with the most equal groups; of the judgments of ``caller``, if one is given."""
        return await self._read(lambda connection: _prompts(connection, run, limit, caller))

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


def _prompts(connection: Connection, run: str, limit: int, caller: str | None) -> RunPrompts:
    shared = caller is not None and connection.execute(_of_others(run, caller)).first() is not None
    groups = _groups_of(run, caller) if shared else _kept_groups(run)
    of = _tallies(groups)
    totals = (func.count(), func.sum(of.c.groups), func.sum(of.c.equals))
    prompts, whole, equal = (select(one).select_from(of).scalar_subquery() for one in totals)
    best = select(of.c.prompt_key, prompts.label("prompts"), whole.label("every_group"), equal.label("every_equal"))
    first = (of.c.equals.desc(), of.c.groups.desc(), of.c.prompt_key)
    found = connection.execute(best.order_by(*first).limit(limit)).all()
    by_prompt: dict[str, list[Row[Any]]] = {row.prompt_key: [] for row in found}
    among = groups.c.prompt_key.in_(list(by_prompt))
    for row in connection.execute(select(groups).where(among).order_by(groups.c.step, groups.c.group_key)):
        by_prompt[row.prompt_key].append(row)
    examples = {key: connection.execute(_example(run, rows[-1], caller)).first() for key, rows in by_prompt.items()}
    excerpts = _excerpts(connection, [one.id for one in examples.values() if one is not None])
    return RunPrompts(
        run=run,
        prompts=found[0].prompts if found else 0,
        groups=int(found[0].every_group or 0) if found else 0,
        equal_groups=int(found[0].every_equal or 0) if found else 0,
        listed=tuple(_history(key, rows, examples[key], excerpts) for key, rows in by_prompt.items()),
    )


def _of_others(run: str, caller: str) -> Select[Any]:
    source = REWARD_SOURCE.c
    return select(source.id).where(of_run(run), source.caller.is_distinct_from(caller)).limit(1)


def _kept_groups(run: str) -> Subquery:
    """Of everybody, from the sums."""
    number = select(TRAINING_RUN.c.id).where(TRAINING_RUN.c.digest == run_digest(run)).scalar_subquery()
    return select(RUN_GROUP).where(RUN_GROUP.c.run == number).subquery("of_groups")


def _groups_of(run: str, caller: str | None) -> Subquery:
    """The same of one caller, counted from the judgments: the sums do not tell callers apart."""
    column = JUDGMENT.c
    step = func.coalesce(column.step, NO_STEP).label("step")
    by = (column.prompt_key, step, column.group_name.label("group_key"))
    placed = column.step.is_not(None) | column.group_name.is_not(None)
    sums = (
        func.count(column.reward).label("rewards"),
        (func.count() - func.count(column.reward)).label("without"),
        func.sum(column.reward).label("reward"),
        func.min(column.reward).label("low"),
        func.max(column.reward).label("high"),
    )
    own = (column.run == run, column.caller == caller, column.prompt_key.is_not(None), placed, NO_AUDIT)
    return select(*by, *sums).where(*own).group_by(column.prompt_key, step, column.group_name).subquery("of_groups")


def _tallies(groups: Subquery) -> CTE:
    """Of each prompt its groups of at least two rewards, and those of them that are equal as ``equal_rewards`` says."""
    column = groups.c
    apart = column.high - column.low
    equal = or_(*(apart <= EQUAL_WITHIN * one for one in (1.0, column.high, -column.low)))
    whole = column.rewards > 1
    counts = {"groups": whole, "equals": whole & equal}
    sums = (func.sum(case((one, 1), else_=0)).label(name) for name, one in counts.items())
    return select(column.prompt_key, *sums).group_by(column.prompt_key).cte("of_prompts")


def _example(run: str, row: Row[Any], caller: str | None) -> Select[Any]:
    """A judgment of the group, for its texts and the name of the group."""
    column = JUDGMENT.c
    step = column.step.is_(None) if row.step == NO_STEP else column.step == row.step
    own = [column.run == run, step, column.prompt_key == row.prompt_key, NO_AUDIT]
    own += [] if caller is None else [column.caller == caller]
    return select(column.id, column.group_name).where(*own).limit(1)


def _history(
    key: str, rows: Sequence[Row[Any]], example: Row[Any] | None, excerpts: Mapping[str, str]
) -> PromptHistory:
    alone = len({row.group_key for row in rows}) == 1
    groups = [_group(row) for row in rows]
    rewards = sum(one.rewards for one in groups)
    return PromptHistory(
        prompt=key,
        group=example.group_name if example is not None and alone else None,
        excerpt=None if example is None else excerpts.get(example.id),
        groups=sum(one.rewards > 1 for one in groups),
        equal_groups=sum(one.equal for one in groups),
        mean=fsum(row.reward or 0.0 for row in rows) / rewards if rewards else None,
        steps=tuple(groups[-_MOST_STEPS:]),
    )


def _group(row: Row[Any]) -> GroupRewards:
    return GroupRewards(
        step=None if row.step == NO_STEP else row.step,
        rewards=row.rewards,
        without=row.without,
        mean=row.reward / row.rewards if row.rewards else None,
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
