"""Scoring groups: whole ones at once, and those whose members come in several requests."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

from judge_server.core.caller import current_caller
from judge_server.core.errors import DeadlineExceeded
from judge_server.core.judgment import Judgment
from judge_server.core.verdict import Failure
from judge_server.judging.answer import Terms
from judge_server.scheduling.observers import Observers
from judge_server.scoring.batch import failed_judgment, readable_coordinates
from judge_server.scoring.cached_judge import CachedJudge
from judge_server.scoring.group.cohort import Member, Times
from judge_server.scoring.group.collection import CohortCollection, CohortLimits, Joined
from judge_server.scoring.group.comparing import Comparer
from judge_server.scoring.group.evaluation import CohortOptions, Evaluation, evaluate
from judge_server.scoring.group.report import AdvantageKind, GroupReport
from judge_server.scoring.scorer import Scorer
from judge_server.util.canonical import digest
from judge_server.util.room import Room

_WEIGHT_AT_ONCE: Final = 8_000_000  # of a caller's members: a prompt comes once, and is prepared for each response


@dataclass(frozen=True, slots=True)
class GroupTask:
    """``items``: plain data of submissions that differ in response, id and policy only. ``collect``: the items may be
    part of a cohort whose other members arrive in other requests."""

    items: Sequence[Mapping[str, Any]]
    wanted: CohortOptions
    times: Times
    collect: bool = False
    advantages: AdvantageKind | None = None

    @property
    def name(self) -> str:
        """Digest of what all members of a cohort have in common; requests that differ in it have separate cohorts."""
        shared = {name: value for name, value in self.items[0].items() if name not in ("response", "id", "policy")}
        wanted = self.wanted
        return digest(
            {
                "shared": shared,
                "defaults": {name: _plain(value) for name, value in wanted.defaults.items()},
                "relative": _plain(wanted.relative),
                "expected": wanted.expected,
                "minimum": wanted.minimum,
            }
        )


@dataclass(frozen=True, slots=True)
class GroupScores:
    """In the order of the task's items."""

    judgments: tuple[Judgment, ...]
    outcomes: tuple[float | Failure, ...]
    report: GroupReport


class Groups:
    """Scores groups with the scorer and a judge that compares."""

    def __init__(
        self,
        scorer: Scorer,
        cached_judge: CachedJudge,
        limits: CohortLimits | None = None,
        observers: Observers | None = None,
    ) -> None:
        self._scorer = scorer
        self._comparer = Comparer(scorer, cached_judge, observers)
        self._room = Room(_WEIGHT_AT_ONCE)
        self.collection = CohortCollection(self._evaluate, limits)

    async def score(self, task: GroupTask, terms: Terms) -> GroupScores:
        """Every item has a judgment and an outcome. Raises Overloaded if no more groups can be collected."""
        if task.collect:
            members = Member.of(task.items)
            caller = current_caller.get().name
            joined = await self.collection.join(caller, task.name, task.wanted, members, task.times, terms)
            return _shared(task, joined)
        seconds = task.times.evaluation_seconds
        if seconds is not None:
            left = terms.seconds_left
            terms = Terms.within(seconds if left is None else min(left, seconds), terms.priority)
        evaluation = await self._evaluate(task.items, task.wanted, terms)
        report = evaluation.report(range(len(task.items)), task.advantages)
        return GroupScores(evaluation.judgments, evaluation.outcomes, report)

    async def close(self) -> None:
        await self.collection.close()

    async def _evaluate(self, items: Sequence[Mapping[str, Any]], wanted: CohortOptions, terms: Terms) -> Evaluation:
        return await evaluate(self._scorer, self._comparer, items, wanted, terms, self._room)


def _shared(task: GroupTask, joined: Joined) -> GroupScores:
    """This request's part of a cohort that several requests share."""
    cohort, evaluation = joined.cohort, joined.evaluation
    whole = evaluation or Evaluation(cohort.wanted, (), ())
    late = DeadlineExceeded(
        f"The request's deadline passed with {len(cohort.members)} of {cohort.wanted.expected} members there, before "
        "the group was judged."
    )
    judgments: list[Judgment] = []
    outcomes: list[float | Failure] = []
    places = [place if evaluation is not None else None for place in joined.places]
    for item, fault, place in zip(task.items, joined.faults, places, strict=True):
        if place is not None:
            judgments.append(whole.judgments[place])
            outcomes.append(whole.outcomes[place])
        else:
            judgments.append(failed_judgment(fault or late, readable_coordinates(item)))
            outcomes.append(Failure(type=(fault or late).type, detail=str(fault or late)))
    counts = {"collected": len(cohort.members), "complete": cohort.full}
    report = whole.report(places, task.advantages).model_copy(update=counts)
    return GroupScores(tuple(judgments), tuple(outcomes), report)


def _plain(value: Any) -> Any:
    return value.model_dump(mode="json", exclude_defaults=True) if hasattr(value, "model_dump") else value
