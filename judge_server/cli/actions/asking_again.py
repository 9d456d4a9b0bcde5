"""What ``rubric audit --ask`` asks: the same questions once more, in the opposite order, and in other words."""

import asyncio
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final

import typer
from rich.progress import Progress, TaskID

from judge_server.calibration.criterion_proposer import writing_judge
from judge_server.calibration.paraphrasing import ParaphraseWriter, worded, wordings_of
from judge_server.core.criterion import JudgedLeaf
from judge_server.core.errors import JudgeServerError
from judge_server.core.judgment import Judgment
from judge_server.core.rubric import Rubric
from judge_server.core.submission import Submission
from judge_server.judging.answer import Terms
from judge_server.models.protocol import Priority
from judge_server.monitoring.rubric_audit import AskedTwice
from judge_server.scoring.scorer import Scorer
from judge_server.store.observation import Observed, scores_of
from judge_server.store.store import Store
from judge_server.util.canonical import digest
from judge_server.util.parsing import read_json
from judge_server.wiring.service import Service

_AT_ONCE: Final = 16
Wordings = Mapping[str, Mapping[str, Any]]  # one for each criterion


class KeptAskings:
    """Answers in a file until the audit ends, so that an interrupted one does not ask again. ``key``: of what is
    asked."""

    def __init__(self, path: Path, key: str) -> None:
        self._path, self._key = path, key
        self.known: dict[str, Any] = {}
        for line in path.read_text("utf-8").splitlines() if path.exists() else ():
            try:
                told = read_json(line)
                if told["key"] == key:
                    self.known[told["asked"]] = told["answer"]
            except (ValueError, KeyError, TypeError):
                continue  # the line that a kill cut off

    def add(self, asked: str, answer: Any) -> None:
        self.known[asked] = answer
        with self._path.open("a", encoding="utf-8") as file:
            file.write("\n" + json.dumps({"key": self._key, "asked": asked, "answer": answer}))

    def end(self) -> None:
        self._path.unlink(missing_ok=True)


async def other_wordings(
    service: Service, rubric: Rubric, proposer: str | None, count: int, against: Rubric | None, kept: KeptAskings
) -> list[Wordings]:
    """Ways to word the rubric, each with one wording of some criteria. Raises BadInput and JudgeNotAllowed."""
    if against is not None:
        by_criterion = wordings_of(rubric, against)
    elif proposer is not None:
        judge = writing_judge(service.judge_registry.named(proposer))
        if rubric.judges:
            judge.specification.require_shown(rubric.judges, f"The rubric {rubric.name}")
        writer, by_criterion = ParaphraseWriter(judge.model, judge.writer), {}
        for leaf in rubric.leaves:
            if not isinstance(leaf, JudgedLeaf):
                continue
            asked = f"wordings {leaf.id}"
            if asked not in kept.known:
                kept.add(asked, list(await writer.write(rubric, leaf, count)))
            by_criterion[leaf.id] = kept.known[asked]
    else:
        return []
    most = max(map(len, by_criterion.values()), default=0)
    return [{name: own[place] for name, own in by_criterion.items() if place < len(own)} for place in range(most)]


@dataclass(frozen=True)
class AskingAgain:
    """Asks past the cache."""

    store: Store
    scorer: Scorer
    kept: KeptAskings
    progress: Progress
    bar: TaskID
    places: asyncio.Semaphore = field(default_factory=lambda: asyncio.Semaphore(_AT_ONCE))

    async def all(self, rows: Sequence[Observed], judge: str, wordings: Wordings | None = None) -> list[AskedTwice]:
        """Those that the judge answered again; of other ``wordings`` only what they word."""
        found = await asyncio.gather(*(self._one(row, judge, wordings) for row in rows))
        return [one for one in found if one is not None]

    async def _one(self, row: Observed, judge: str, wordings: Wordings | None) -> AskedTwice | None:
        async with self.places:
            known, submission = await self.store.judgment(row.id), await self.store.submission(row.id)
            if known is None or known.rubric is None or submission is None:
                return None
            asked = digest([row.id, judge, wordings])
            if asked not in self.kept.known:
                answer = await self._asked(known, submission, judge, wordings)
                if answer is None:
                    return None
                self.kept.add(asked, answer)
        self.progress.advance(self.bar)
        first, second = decisions(known), self.kept.known[asked]
        named = first.keys() & (second.keys() if wordings is None else second.keys() & wordings.keys())
        return AskedTwice(row.id, row.cluster, first, {name: float(second[name]) for name in sorted(named)})

    async def _asked(
        self, known: Judgment, submission: Submission, judge: str, wordings: Wordings | None
    ) -> dict[str, float] | None:
        rubric = None if known.rubric is None else await self.store.rubric_by_digest(known.rubric.digest)
        if wordings is not None:
            if rubric is None:
                return None
            rubric = worded(rubric, wordings)
        if rubric is not None and known.judge is not None and known.judge.name in rubric.judges:
            rubric = rubric.model_copy(update={"judges": (*rubric.judges, judge)})  # the same one in either order
        asked = submission.model_copy(update={"rubric": rubric or submission.rubric, "run": None, "judge": judge})
        try:
            return decisions(await self.scorer.score(asked, Terms(Priority.AUDIT)))
        except JudgeServerError as fault:
            typer.echo(f"{known.id} was not asked again: {fault}", err=True)
            return None


def decisions(judgment: Judgment) -> dict[str, float]:
    """By the judge, not by programs or the guard."""
    verdicts = [one.model_dump(mode="json") for one in judgment.verdicts if one.source == "judge"]
    return scores_of(verdicts)
