"""A judge's answers about a part of a label set, kept as they come: nothing is asked twice."""

from collections.abc import Callable, Mapping
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass, field, replace
from pathlib import Path

from judge_server.calibration.journal import Journal
from judge_server.calibration.meter import Meter
from judge_server.calibration.run import CalibrationTask, judged
from judge_server.core.rubric import Rubric
from judge_server.judging.answer import Judge, JudgeRegistry
from judge_server.labels.label_set import LabelSet
from judge_server.scoring.scorer import Scorer

Watching = Callable[[int], AbstractContextManager[Callable[[], None]]]


def unwatched(_: int) -> AbstractContextManager[Callable[[], None]]:
    return nullcontext(lambda: None)


@dataclass(frozen=True)
class KeptAnswers:
    """``out``: their folder; None if remembered verdicts do its work. ``scorer_of``: a scorer over some judges;
    ``watching``: shows how far the judging of so many items is; ``positives``: the class that means met, by criterion;
    ``at_once``: items judged at a time."""

    out: Path | None
    scorer_of: Callable[[JudgeRegistry], Scorer]
    watching: Watching = unwatched
    positives: Mapping[str, str] = field(default_factory=dict)
    meter: Meter | None = None
    at_once: int = 64

    def task(self, rubric: Rubric, labels: LabelSet, judge: Judge, name: str) -> CalibrationTask:
        """Raises BadInput if labels and rubric do not match."""
        made = CalibrationTask.of(
            labels,
            labels,
            split="dev",
            rubric=rubric,
            judge=judge,
            maps=None,
            partial=True,
            positives=self.positives,
        )
        return replace(made, judge=made.judge.model_copy(update={"name": name}))

    async def measured(self, rubric: Rubric, labels: LabelSet, judge: Judge, name: str) -> LabelSet:
        """People's rows and those of ``judge``, under ``name``."""
        task = self.task(rubric, labels, judge, name)
        parts = [rubric.digest, labels.digest, judge.reference.fingerprint]
        file = "-".join(["asked", *(part.removeprefix("sha256:")[:10] for part in parts)])
        scorer = self.scorer_of(JudgeRegistry({name: judge}, name))
        journal = nullcontext() if self.out is None else Journal(self.out / file, task.heading)
        with journal as known, self.watching(labels.counts.items) as advance:
            return await judged(
                scorer, task, journal=known, advance=advance, concurrency=self.at_once, meter=self.meter
            )
