"""What a person labels: a stored response, or an item of a label set that is labelled again."""

import asyncio
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field

from judge_server.core.criterion import JudgedLeaf
from judge_server.core.errors import BadInput, BadSubmission, UnknownJudgment
from judge_server.core.judgment import Judgment
from judge_server.core.rubric import Rubric
from judge_server.core.submission import Submission
from judge_server.labels.archive import find
from judge_server.labels.label import CriterionScale
from judge_server.labels.label_set import LabelSet
from judge_server.scoring.plan import plan
from judge_server.wiring.service import Service


@dataclass(frozen=True)
class LabelTask:
    """``id``: the item's name in the label set; ``judgment``: empty if it is an item of a set; ``cluster``: of its
    prompt. ``words``: by criterion the set's own words for met and unmet, if it has others."""

    id: str
    submission: Submission
    cluster: str
    judgment: str = ""
    words: Mapping[str, Mapping[str, str]] = field(default_factory=dict)

    @property
    def query(self) -> dict[str, str]:
        """What names the task in an address and in a form."""
        return {"judgment": self.judgment} if self.judgment else {"item": self.id}

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


async def judged_task(service: Service, judgment_id: str) -> LabelTask:
    """Raises UnknownJudgment if the judgment or its texts are no longer stored."""
    found = await service.store.judgment(judgment_id)
    submission = None if found is None else await service.store.submission(found.id)
    if found is None or submission is None:
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
    return task


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
