"""What a person labels: a stored response, or an item of a label set that is labelled again."""

import asyncio
import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from typing import Final

from judge_server.core.criterion import JudgedLeaf
from judge_server.core.errors import BadInput, BadSubmission, UnknownJudgment
from judge_server.core.judgment import Judgment
from judge_server.core.rubric import Rubric
from judge_server.core.submission import Submission
from judge_server.labels.archive import find
from judge_server.labels.label import CriterionScale
from judge_server.labels.label_set import LabelSet
from judge_server.scoring.plan import plan
from judge_server.store.label_plan_records import PlannedItem
from judge_server.wiring.service import Service

_STORED: Final = re.compile(r"[0-9a-f]{24}|jdg_.*")


@dataclass(frozen=True)
class LabelTask:
    """``id``: the item's name in the label set; ``judgment``: the stored one, empty if there is none; ``cluster``: of
    its prompt. ``words``: by criterion the set's own words for met and unmet, if it has others. ``other``: the second
    response of a pair. ``source``: the label set that has the texts, empty if none does."""

    id: str
    submission: Submission
    cluster: str
    judgment: str = ""
    words: Mapping[str, Mapping[str, str]] = field(default_factory=dict)
    other: Submission | None = None
    source: str = ""

    @property
    def responses(self) -> tuple[tuple[str, str], ...]:
        """What is shown, each with its title."""
        own = self.submission.read.text
        return (
            (("Response", own),) if self.other is None else (("Response A", own), ("Response B", self.other.read.text))
        )

    @property
    def response(self) -> str:
        """What the label set keeps as the response."""
        if self.other is None:
            return self.submission.read.text
        return "\n\n".join(f"{title}:\n{text}" for title, text in self.responses)

    def word(self, criterion: str, answer: str) -> str:
        """An answer as the label set writes it."""
        return self.words.get(criterion, {}).get(answer, answer)

    def read(self, labels: Mapping[str, str]) -> dict[str, str]:
        """The answers of labels that the set holds."""
        known = {name: {said: answer for answer, said in own.items()} for name, own in self.words.items()}
        return {name: known.get(name, {}).get(label, label) for name, label in labels.items()}

    def leaves(self, rubric: Rubric) -> tuple[JudgedLeaf, ...]:
        """The criteria that people decide: those that a judge decides about the whole response, if they apply."""
        asked = [leaf for leaf in rubric.leaves if isinstance(leaf, JudgedLeaf) and leaf.scope != "step"]
        try:
            planned = plan(self.submission, rubric)
        except BadSubmission:  # a fact that cannot be read: whether a condition holds is not known
            return tuple(asked)
        applicable = {leaf.id for leaf in (*planned.applicable, *planned.undecided)}
        return tuple(leaf for leaf in asked if leaf.id in applicable)


def item_of(judgment: Judgment) -> str:
    """One item for each submission, however often it was judged."""
    return (judgment.submission_digest or judgment.id).removeprefix("sha256:")[:24]


def names_stored(item: str) -> bool:
    """Whether the name, by ``item_of`` or by the audit queue, is that of a stored response: the same in every set."""
    return _STORED.fullmatch(item) is not None


async def planned_task(service: Service, item: PlannedItem, rubric: Rubric) -> LabelTask:
    """Raises UnknownJudgment if the texts are no longer stored, BadInput if a label set no longer has them."""
    if item.judgments:
        first, *others = [await service.store.submission(name) for name in item.judgments]
        if first is None or None in others:
            raise UnknownJudgment("The response is no longer stored.", remedy="Go on with the next one.")
        other = others[0] if others else None
        return LabelTask(item.id, first, first.prompt_key[:64], item.judgments[0], other=other)
    if item.source:
        return await set_task(service, item.source, item.id, rubric)
    written = Submission(rubric=rubric, prompt=item.prompt, response=item.response, reference=item.reference)
    return LabelTask(item.id, written, item.cluster)


async def judged_task(service: Service, judgment_id: str) -> LabelTask:
    """Raises UnknownJudgment if the judgment or its texts are no longer stored."""
    found = await service.store.judgment(judgment_id)
    if found is None:
        raise UnknownJudgment("No judgment is stored under this id.", remedy="Go on with the next one.")
    submission = await service.store.submission(found.id)
    if submission is None:
        raise UnknownJudgment("The response is no longer stored.", remedy="Go on with the next one.")
    return LabelTask(item_of(found), submission, submission.prompt_key[:64], found.id)


async def set_task(service: Service, label_set: str, item: str, rubric: Rubric) -> LabelTask:
    """An item of a label set. Raises BadInput if the set does not have its texts, or if it is in the locked test
    split."""
    found = await find(label_set, service.store.labels)
    task = None if found is None else await asyncio.to_thread(_of_set, found, item, rubric)
    if task is None:
        raise BadInput(
            f"The label set {label_set!r} has no item {item[:60]!r} with texts.", remedy="Go on with the next."
        )
    return replace(task, source=label_set)


def _of_set(found: LabelSet, item: str, rubric: Rubric) -> LabelTask | None:
    text = found.items.get(item)
    if text is None or not text.prompt or text.response is None or item not in found.table.items.names:
        return None
    row = int((found.table.items.codes == found.table.items.index(item)).argmax())
    cluster = found.table.row(row).cluster
    if found.splits.get(cluster) == "test":
        raise BadInput(f"{item[:60]!r} is in the locked test split.", remedy="Label items of the dev split.")
    submission = Submission(
        rubric=rubric, prompt=text.prompt, response=text.response, reference=text.reference, facts=text.facts
    )
    return LabelTask(item, submission, cluster, words=dict(_words(found.scales)))


def _words(scales: Iterable[CriterionScale]) -> Iterator[tuple[str, dict[str, str]]]:
    for scale in scales:
        if scale.positive is not None and len(scale.classes) == 2:
            other = next(name for name in scale.classes if name != scale.positive)
            yield scale.criterion, {"met": scale.positive, "unmet": other}
