"""The questions of a labelling page: criteria, or which of two responses is better; and the labels of their answers."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Final

from judge_server.core.criterion import Choice, JudgedLeaf
from judge_server.core.errors import BadInput
from judge_server.core.rubric import Rubric
from judge_server.server.pages.label_task import LabelTask
from judge_server.store.label_records import CollectedLabel
from judge_server.util.canonical import JsonObject
from judge_server.util.wording import many

UNSURE: Final = "unsure"
PREFERENCE: Final = "preference"


@dataclass(frozen=True)
class LabelQuestion:
    """A criterion as the page asks it. ``answers``: value and words of each, in the order of their keys 1, 2, …"""

    id: str
    statement: str
    guidance: str
    answers: tuple[tuple[str, str], ...]


@dataclass(frozen=True)
class GivenAnswers:
    """What an annotator has chosen on an item: the value of an answer by criterion, and the note."""

    answers: Mapping[str, str]
    note: str


def questions(task: LabelTask, rubric: Rubric) -> tuple[LabelQuestion, ...]:
    if task.other is not None:
        answers = (("A", "A is better"), ("B", "B is better"), ("tie", "Equal"), (UNSURE, "Cannot tell"))
        return (LabelQuestion(PREFERENCE, "Which response is better?", rubric.description or "", answers),)
    return tuple(map(_question, task.leaves(rubric)))


def answers_of(asked: Sequence[LabelQuestion], fields: Mapping[str, str]) -> GivenAnswers:
    """What a form holds, whether or not it can be stored."""
    return GivenAnswers({one.id: fields.get(f"label.{one.id}", "") for one in asked}, fields.get("note", ""))


def require_answers(asked: Sequence[LabelQuestion], fields: Mapping[str, str], *, partial: bool) -> None:
    """Raises BadInput if no question has an answer, or one has none; ``partial``: some may have none."""
    given = answers_of(asked, fields).answers
    missing = [one.statement for one in asked if not given[one.id]]
    if len(missing) == len(asked):
        raise BadInput("No criterion has an answer.", remedy="Answer at least one, or skip the response.")
    if missing and not partial:
        raise BadInput(
            f"Nothing is stored yet: {many(len(missing), 'criterion has', 'criteria have')} no answer.",
            remedy="Answer them, or complete the response without them.",
        )


def given_labels(
    task: LabelTask, asked: Sequence[LabelQuestion], annotator: str, fields: Mapping[str, str], *, saw_judge: bool
) -> list[CollectedLabel]:
    """The labels of the questions that have an answer, each with the note. ``saw_judge``: the annotator was shown what
    a judge said about the item. Raises BadInput for an answer that is
    not offered."""
    note = fields.get("note", "").strip()
    common = ({"rationale": note} if note else {}) | ({"saw_judge": True} if saw_judge else {})
    found = []
    for question in asked:
        answer = fields.get(f"label.{question.id}", "")
        if not answer:
            continue
        if answer not in {value for value, _ in question.answers}:
            raise BadInput(f"{question.id}: {answer[:60]!r} is no answer to it.", remedy="Reload the page.")
        label = None if answer == UNSURE else task.word(question.id, answer)
        found.append(_label(task, question.id, annotator, label, common))
    return found


def _question(leaf: JudgedLeaf) -> LabelQuestion:
    answers: Sequence[tuple[str, str]] = (("met", "Yes"), ("unmet", "No"))
    if isinstance(leaf, Choice):
        answers = [(option.label, option.label) for option in leaf.options]
    return LabelQuestion(leaf.id, leaf.statement, leaf.guidance or "", (*answers, (UNSURE, "Cannot tell")))


def _label(task: LabelTask, criterion: str, annotator: str, label: str | None, common: JsonObject) -> CollectedLabel:
    content: JsonObject = {
        "item": task.id,
        "criterion": criterion,
        "annotator": annotator,
        "role": "human",
        "label": label,
        "cluster": task.cluster,
        "prompt": task.submission.prompt_text,
        "response": task.response,
    }
    reference = task.submission.reference
    content |= common | ({} if reference is None else {"reference": reference})
    return CollectedLabel(item=task.id, criterion=criterion, annotator=annotator, content=content)
