"""What the judgments of a run say step by step."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import BigInteger, Connection, Row, Select, cast, func, select

from judge_server.store.database import Run
from judge_server.store.judgment_row import columns_of, content_json
from judge_server.store.measuring_schema import AUDIT
from judge_server.store.observation import Audited, audited, scores_of
from judge_server.store.payload import decode_mapping
from judge_server.store.run_schema import NO_STEP, REWARD_SOURCE, RUN_STEP, TRAINING_RUN
from judge_server.store.run_tally import NO_AUDIT, of_run, run_digest
from judge_server.store.schema import FORM, JUDGMENT

MOST_STEPS = 400
_COUNTS = ("judgments", "rewards", "partial", "flagged")


@dataclass(frozen=True, slots=True)
class RunStep:
    """Counts and rewards of one step, or of the steps up to ``last_step``, under one rubric and policy. ``rewards``
    have a reward, with ``mean``, ``low`` and ``high``; ``flagged``: the guard flagged the response; ``first_us`` and
    ``last_us``: of its judgments, microseconds since 1970 in UTC."""

    rubric: str
    policy: str
    step: int
    last_step: int
    judgments: int
    rewards: int
    partial: int
    flagged: int
    mean: float | None
    low: float | None
    high: float | None
    first_us: int
    last_us: int

    @property
    def without(self) -> int:
        """Judgments without a reward."""
        return self.judgments - self.rewards


@dataclass(frozen=True, slots=True)
class RunNow:
    """Where a run is: its newest step, of what rewarded that last."""

    run: str
    step: int
    judgments: int
    rewards: int
    mean: float | None
    last_us: int

    @property
    def without(self) -> int:
        """Judgments without a reward."""
        return self.judgments - self.rewards


@dataclass(frozen=True, slots=True)
class StepValues:
    """Of one judgment of a step: characters of the response, and values in [0, 1] by name: of criteria whether each was
    met, or its value on a scale."""

    step: int
    characters: int
    criteria: Mapping[str, float]
    components: Mapping[str, float]


@dataclass(frozen=True, slots=True)
class AuditedStep:
    """An audit of a judgment of a run."""

    rubric: str
    policy: str
    step: int
    pair: Audited


class RunStepRecords:
    """Part of the store. With ``caller`` only that caller's judgments count. Every method raises StoreUnavailable when
    the database does not answer."""

    def __init__(self, read: Run) -> None:
        self._read = read

    async def steps(self, run: str, caller: str | None = None) -> tuple[RunStep, ...]:
        """By rubric and policy, then by step; at most 400 of each: of longer runs neighbouring steps are put together.
        Judgments without a step, and audits, are left out."""
        return await self._read(
            lambda connection: tuple(map(_step, connection.execute(_steps(connection, run, caller))))
        )

    async def newest(self, runs: Sequence[str], caller: str | None = None) -> dict[str, RunNow]:
        """By run the newest step of those that have any."""
        rows = await self._read(lambda connection: connection.execute(_newest(runs, caller)).all())
        return {row.run: RunNow(*row) for row in sorted(rows, key=lambda row: row.last_us)}

    async def values(
        self, run: str, steps: Sequence[RunStep], most: int, caller: str | None = None
    ) -> tuple[StepValues, ...]:
        """Of the newest ``most`` judgments of each of the steps."""
        return await self._read(lambda connection: tuple(_values(connection, run, steps, most, caller)))

    async def audits(self, run: str, most: int, caller: str | None = None) -> tuple[AuditedStep, ...]:
        """The newest audits of a run's judgments that name a step; those that decided a criterion the judge decided."""
        return await self._read(lambda connection: tuple(_audits(connection, run, most, caller)))


def _steps(connection: Connection, run: str, caller: str | None) -> Select[Any]:
    step, source = RUN_STEP.c, REWARD_SOURCE.c
    of_steps = (of_run(run, caller), step.step != NO_STEP)
    ends = select(func.min(step.step), func.max(step.step)).join(REWARD_SOURCE, source.id == step.source)
    first, last = connection.execute(ends.where(*of_steps)).one()
    together = 1 if first is None else (last - first) // MOST_STEPS + 1
    by = (source.rubric_id, source.policy, ((step.step - (first or 0)) // together).label("place"))
    return (
        select(
            *by,
            func.min(step.step).label("step"),
            func.max(step.step).label("last_step"),
            *(cast(func.sum(step[name]), BigInteger).label(name) for name in _COUNTS),
            (func.sum(step.reward) / func.nullif(func.sum(step.rewards), 0)).label("mean"),
            func.min(step.low).label("low"),
            func.max(step.high).label("high"),
            func.min(step.first_us).label("first_us"),
            func.max(step.last_us).label("last_us"),
        )
        .join(REWARD_SOURCE, source.id == step.source)
        .where(*of_steps)
        .group_by(*by)
        .order_by(*by)
    )


def _newest(runs: Sequence[str], caller: str | None) -> Select[Any]:
    """A row for each source of the runs; the newest step of each is found in the table's key."""
    step, other = RUN_STEP.c, RUN_STEP.alias("other").c
    newest = select(func.max(other.step)).where(other.source == step.source).correlate(RUN_STEP).scalar_subquery()
    mean = (step.reward / func.nullif(step.rewards, 0)).label("mean")
    question = select(TRAINING_RUN.c.run, step.step, step.judgments, step.rewards, mean, step.last_us)
    question = question.join(REWARD_SOURCE, REWARD_SOURCE.c.id == step.source)
    question = question.join(TRAINING_RUN, TRAINING_RUN.c.id == REWARD_SOURCE.c.run)
    digests = [run_digest(run) for run in runs]
    if caller is not None:
        question = question.where(REWARD_SOURCE.c.caller == caller)
    return question.where(TRAINING_RUN.c.digest.in_(digests), step.step != NO_STEP, step.step == newest)


def _values(
    connection: Connection, run: str, steps: Sequence[RunStep], most: int, caller: str | None
) -> Iterator[StepValues]:
    column = JUDGMENT.c
    question: Select[Any] = select(*columns_of()).join(FORM, FORM.c.id == column.form)
    question = question.where(column.run == run, NO_AUDIT).order_by(column.created_us.desc()).limit(most)
    if caller is not None:
        question = question.where(column.caller == caller)
    for step in steps:
        same = (
            column.step == step.step,
            column.rubric_id == step.rubric if step.rubric else column.rubric_id.is_(None),
            column.policy == step.policy if step.policy else column.policy.is_(None),
        )
        for row in connection.execute(question.where(*same)):
            judgment = decode_mapping(content_json(row))
            components = judgment.get("components", {}).items()
            yield StepValues(
                step=step.step,
                characters=judgment.get("response_characters", 0),
                criteria=scores_of(judgment.get("verdicts", ())),
                components={name: value for name, value in components if value is not None},
            )


def _audits(connection: Connection, run: str, most: int, caller: str | None) -> Iterator[AuditedStep]:
    column, auditing, other_form = JUDGMENT.c, JUDGMENT.alias("auditing"), FORM.alias("other_form")
    question = (
        select(*columns_of(), column.rubric_id, column.prompt_key, *columns_of(auditing, other_form, "auditing_"))
        .select_from(AUDIT)
        .join(JUDGMENT, column.id == AUDIT.c.audited_id)
        .join(FORM, FORM.c.id == column.form)
        .join(auditing, auditing.c.id == AUDIT.c.judgment_id)
        .join(other_form, other_form.c.id == auditing.c.form)
        # not along the index of the run: a run has few audits among many judgments
        .where(func.coalesce(column.run, "") == run, column.step.is_not(None))
        .order_by(AUDIT.c.created_us.desc(), AUDIT.c.audited_id)
        .limit(most)
    )
    if caller is not None:
        question = question.where(column.caller == caller)
    for row in connection.execute(question):
        pair = audited(row)
        if pair is not None:
            yield AuditedStep(row.rubric_id or "", row.policy or "", row.step, pair)


def _step(row: Row[Any]) -> RunStep:
    return RunStep(
        rubric=row.rubric_id or "",
        policy=row.policy or "",
        step=row.step,
        last_step=row.last_step,
        judgments=row.judgments,
        rewards=row.rewards,
        partial=int(row.partial),
        flagged=int(row.flagged),
        mean=row.mean,
        low=row.low,
        high=row.high,
        first_us=row.first_us,
        last_us=row.last_us,
    )
