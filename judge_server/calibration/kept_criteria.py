"""Criteria that a model proposed for examples, kept as they come, so that an interrupted run does not ask again."""

import asyncio
import json
from collections import Counter
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Final

from judge_server.calibration.criterion_proposer import CriterionProposer
from judge_server.calibration.drafting import DraftItem, ProposedCriterion
from judge_server.core.errors import JudgeFailure
from judge_server.util.canonical import digest
from judge_server.util.parsing import read_json

_AT_ONCE: Final = 8


class KeptCriteria:
    """A file with a line for each answer. ``key``: of model, rubric and task; lines of another one do not count.
    ``used``: items that a version was made of."""

    def __init__(self, path: Path, key: str) -> None:
        self.path, self._key = path, key
        self._answers: dict[str, list[list[object]]] = {}
        self.used: set[str] = set()
        for line in path.read_text("utf-8").splitlines() if path.exists() else ():
            try:
                told = read_json(line)
                if told["key"] != key:
                    continue
                if "used" in told:
                    self.used |= set(told["used"])
                else:
                    self._answers[told["item"]] = list(told["proposals"])
            except (ValueError, KeyError, TypeError):
                continue  # the line that a kill cut off

    def answers(self, item: DraftItem) -> list[ProposedCriterion] | None:
        """None if nothing was answered about these texts."""
        found = self._answers.get(_content(item))
        return None if found is None else [ProposedCriterion(item.id, str(one[0]), float(str(one[1]))) for one in found]

    def add(self, item: DraftItem, found: Sequence[ProposedCriterion]) -> None:
        told: list[list[object]] = [[one.statement, one.points] for one in found]
        self._answers[_content(item)] = told
        self._append({"item": _content(item), "proposals": told})

    def use(self, items: Sequence[str]) -> None:
        self.used |= set(items)
        self._append({"used": list(items)})

    def _append(self, told: Mapping[str, object]) -> None:
        self.path.parent.mkdir(parents=True, exist_ok=True)
        with self.path.open("a", encoding="utf-8") as file:
            file.write("\n" + json.dumps({"key": self._key, **told}, ensure_ascii=False))


async def ask_about(proposer: CriterionProposer, kept: KeptCriteria, items: Sequence[DraftItem]) -> Counter[str]:
    """Ask about those without an answer; how many led to none, by reason: the next run asks about them again."""
    places = asyncio.Semaphore(_AT_ONCE)
    failed: Counter[str] = Counter()

    async def ask(item: DraftItem) -> None:
        async with places:
            try:
                found = await proposer.propose(item)
            except JudgeFailure as fault:
                failed[fault.type] += 1
                return
        if found is None:
            failed["unreadable answer"] += 1
        else:
            kept.add(item, found)

    await asyncio.gather(*(ask(item) for item in items if kept.answers(item) is None))
    return failed


def _content(item: DraftItem) -> str:
    return digest(item.model_dump(mode="json", exclude={"id"}, exclude_none=True))
