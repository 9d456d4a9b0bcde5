"""Judge a cohort: score each member alone, compare the members, and combine both into rewards."""

import asyncio
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from math import fsum
from typing import Any, Final

from judge_server.core.errors import BadSubmission
from judge_server.core.judgment import Judgment
from judge_server.core.outcome import GATE_UNDECIDED
from judge_server.core.reward import read_gates
from judge_server.core.rubric import Rubric
from judge_server.core.submission import Submission
from judge_server.core.verdict import Failure
from judge_server.judging.answer import Terms
from judge_server.judging.relative.comparison import RelativeOptions
from judge_server.judging.relative.standing import ranks
from judge_server.scoring.batch import parse_submission, score_batch
from judge_server.scoring.group.comparing import Compared, Comparer
from judge_server.scoring.group.report import AdvantageKind, GroupReport, RelativeReport, advantages, statistics
from judge_server.scoring.scorer import Scorer
from judge_server.util.concurrency import both
from judge_server.util.room import Room

_STAND_IN: Final = "?"
_UNEXPLAINED = Failure(type="no_verdict", detail="The response has no reward.")


@dataclass(frozen=True, slots=True)
class CohortOptions:
    """What all members of a cohort share. ``defaults``: rubric and judge; ``relative``: None for absolute rewards;
    ``expected``: members of a complete cohort; below ``minimum`` members are not compared."""

    defaults: Mapping[str, Any]
    relative: RelativeOptions | None
    expected: int
    minimum: int = 1


@dataclass(frozen=True, slots=True)
class Evaluation:
    """All lists are by member, in the same order. An outcome is a reward or the reason why there is none."""

    wanted: CohortOptions
    judgments: tuple[Judgment, ...]
    outcomes: tuple[float | Failure, ...]
    compared: Compared | None = None

    @property
    def rewards(self) -> tuple[float | None, ...]:
        return tuple(None if isinstance(outcome, Failure) else outcome for outcome in self.outcomes)

    @property
    def decided(self) -> bool:
        """Whether every member has a reward, so that nothing need be asked again."""
        return not any(isinstance(outcome, Failure) for outcome in self.outcomes)

    def report(self, places: Sequence[int | None], kind: AdvantageKind | None) -> GroupReport:
        """Report on the cohort, with lists for the members at ``places``; None for a response that is not a member."""
        rewards = self.rewards
        listed: tuple[float | None, ...] | None = None
        if kind is not None:
            known = advantages(rewards, kind) if len(rewards) >= self.wanted.minimum else (None,) * len(rewards)
            listed = tuple(None if place is None else known[place] for place in places)
        return GroupReport(
            **dict(statistics(rewards)),
            advantages=listed,
            expected=self.wanted.expected,
            collected=len(rewards),
            complete=len(rewards) >= self.wanted.expected,
            relative=self._relative(places),
        )

    def _relative(self, places: Sequence[int | None]) -> RelativeReport | None:
        if self.compared is None or self.wanted.relative is None:
            return None
        compared, standing = self.compared, ranks(self.compared.rewards)
        return RelativeReport(
            kind=self.wanted.relative.kind,
            judge=compared.judge,
            rewards=tuple(None if place is None else compared.rewards[place] for place in places),
            ranks=tuple(None if place is None else standing[place] for place in places),
            failures=tuple(None if place is None else compared.failures[place] for place in places),
            position_consistency=compared.position_consistency,
            comparisons=compared.comparisons,
            usage=compared.usage,
        )


async def evaluate(
    scorer: Scorer,
    comparer: Comparer,
    items: Sequence[Mapping[str, Any]],
    wanted: CohortOptions,
    terms: Terms,
    room: Room | None = None,
) -> Evaluation:
    """Judge plain data of submissions that differ in their responses only. An invalid item does not raise. ``room``:
    for the weight of a caller's members that are judged at the same moment."""
    members = await _parsed(items, wanted.defaults)
    judging = score_batch(scorer, members, terms, wanted.defaults, room)
    if wanted.relative is None:
        judgments = await judging
        return Evaluation(wanted, tuple(judgments), tuple(own_reward(judgment) for judgment in judgments))
    judgments, compared = await both(judging, _compared(comparer, members, wanted.relative, wanted, terms))
    outcomes = tuple(
        _outcome(judgment, compared, place, wanted.relative.weight) for place, judgment in enumerate(judgments)
    )
    return Evaluation(wanted, tuple(judgments), outcomes, compared)


async def _parsed(
    items: Sequence[Mapping[str, Any]], defaults: Mapping[str, Any]
) -> list[Submission | Mapping[str, Any]]:
    """The submissions, or an item itself if it is invalid: scoring it reports the error. The prompt of a request is
    read once and shared, and each member is a step of its own: one prompt comes with up to a thousand responses."""
    members: list[Submission | Mapping[str, Any]] = []
    asked: tuple[Any, Submission] | None = None
    for item in items:
        await asyncio.sleep(0)
        try:
            if asked is not None and item.get("prompt") is asked[0]:
                members.append(parse_submission({**item, "prompt": _STAND_IN}, defaults).asked_as(asked[1]))
            else:
                members.append(found := parse_submission(item, defaults))
                asked = item.get("prompt"), found
        except BadSubmission:
            members.append(item)
    return members


async def _compared(
    comparer: Comparer,
    members: Sequence[Submission | Mapping[str, Any]],
    options: RelativeOptions,
    wanted: CohortOptions,
    terms: Terms,
) -> Compared:
    """By member; invalid submissions have no standing."""
    usable = [place for place, member in enumerate(members) if isinstance(member, Submission)]
    least = max(wanted.minimum, 2)
    if len(members) < least or len(usable) < 2:
        there = f"{len(members)} of {wanted.expected} members were there"
        if len(members) >= least:
            there = f"{len(usable)} of {len(members)} members could be judged"
        detail = f"{there}, and a comparison needs {max(least, 2)}: raise collection_seconds, or lower min_cohort."
        return Compared.failed(len(members), Failure(type="cohort_incomplete", detail=detail))
    found = await comparer.compare([member for member in members if isinstance(member, Submission)], options, terms)
    return found.spread(usable, len(members))


def _outcome(judgment: Judgment, compared: Compared, place: int, weight: float) -> float | Failure:
    reward, failure = compared.rewards[place], compared.failures[place]
    if reward is None or compared.rubric is None:
        if not judgment.id and judgment.error:
            return judgment.error  # the member's own error is more specific
        return failure or Failure(type="no_verdict", detail="The response was not compared.")
    return relative_reward(judgment, reward, weight, compared.rubric)


def own_reward(judgment: Judgment) -> float | Failure:
    return judgment.reward if judgment.reward is not None else judgment.error or _UNEXPLAINED


def relative_reward(judgment: Judgment, relative: float, weight: float, rubric: Rubric) -> float | Failure:
    """``weight`` times the relative reward plus the rest of the member's own. A gate that fired caps it like the
    member's own reward; an unreadable gate that could have lowered it leaves it undecided. A member that could not be
    judged or stored has no reward, regardless of the comparison."""
    if not judgment.id:
        return judgment.error or _UNEXPLAINED
    value = relative
    if weight < 1:
        own = own_reward(judgment)
        if isinstance(own, Failure):
            return own
        value = fsum((weight * relative, (1 - weight) * own))
    gates = read_gates(
        rubric,
        {leaf.id: [verdict for verdict in judgment.verdicts if verdict.criterion == leaf.id] for leaf in rubric.leaves},
    )
    value = min(value, gates.ceiling(assumed=True))
    return GATE_UNDECIDED if any(gate.reward < value for gate in gates.unread) else value
