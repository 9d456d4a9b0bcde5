"""A draft tried on samples: each is judged under the draft and under the version from which it began."""

from collections.abc import Sequence
from dataclasses import dataclass

from judge_server.authoring.emitting import data_of
from judge_server.core.judgment import Judgment
from judge_server.core.rubric import Rubric
from judge_server.core.verdict import Verdict
from judge_server.scoring.batch import score_batch
from judge_server.server.service import terms
from judge_server.store.draft_records import DraftSample
from judge_server.wiring.service import Service


@dataclass(frozen=True)
class ChangedVerdict:
    """``before`` and ``after``: the values, or why there is none; ``moved``: by at least a tenth, or from a value to
    none, or to another reason."""

    criterion: str
    before: str
    after: str
    moved: bool


@dataclass(frozen=True)
class TriedSample:
    """``before`` is empty if the draft began from nothing."""

    sample: DraftSample
    before: str
    after: str
    verdicts: tuple[ChangedVerdict, ...]
    why: str


async def tried(
    service: Service, draft: Rubric, base: Rubric | None, samples: Sequence[DraftSample]
) -> tuple[TriedSample, ...]:
    """The samples in their order. Nothing is published; the judgments are stored like those of ``/try``."""
    rubrics = [draft, *([base] if base is not None else [])]
    items = [_item(sample, rubric) for rubric in rubrics for sample in samples]
    conditions = terms(service, None, None, None)
    with service.scorer.admission.admit(len(items), conditions.priority, conditions.deadline):
        judgments = await score_batch(service.scorer, items, conditions)
    after, before = judgments[: len(samples)], judgments[len(samples) :]
    return tuple(
        _compared(sample, before[place] if before else None, after[place]) for place, sample in enumerate(samples)
    )


def _item(sample: DraftSample, rubric: Rubric) -> dict[str, object]:
    texts = sample.model_dump(exclude_none=True, include={"prompt", "response", "reference", "facts"})
    return {**texts, "rubric": data_of(rubric)}


def _compared(sample: DraftSample, before: Judgment | None, after: Judgment) -> TriedSample:
    old = {} if before is None else {one.criterion: one for one in before.verdicts if one.step is None}
    new = {one.criterion: one for one in after.verdicts if one.step is None}
    return TriedSample(
        sample=sample,
        before="" if before is None else _reward(before),
        after=_reward(after),
        verdicts=tuple(_changed(name, old.get(name), new.get(name)) for name in dict.fromkeys([*new, *old])),
        why="" if after.error is None else after.error.detail,
    )


def _reward(judgment: Judgment) -> str:
    return "none" if judgment.reward is None else f"{judgment.reward:.3f}"


def _changed(name: str, before: Verdict | None, after: Verdict | None) -> ChangedVerdict:
    old, new = (None if one is None else one.value for one in (before, after))
    differs = _told(before) != _told(after) if old is None or new is None else abs(old - new) >= 0.1
    return ChangedVerdict(name, _told(before), _told(after), moved=before is not None and differs)


def _told(verdict: Verdict | None) -> str:
    if verdict is None:
        return ""
    return str(verdict.status).replace("_", " ") if verdict.value is None else f"{verdict.value:.2f}"
