"""The questions of a labelling page: criteria, or which of two responses is better; and the labels of their answers."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Final

from judge_server.core.criterion import Choice, JudgedLeaf
from judge_server.core.errors import BadInput
from judge_server.core.rubric import Rubric
from judge_server.server.pages.label_task import LabelTask
from judge_server.store.label_records import CollectedLabel

UNSURE: Final = "unsure"
PREFERENCE: Final = "preference"


@dataclass(frozen=True)
class LabelQuestion:
    """A criterion as the page asks it. ``answers``: value and words of each, in the order of their keys 1, 2, …"""

    id: str
    statement: str
    guidance: str
    answers: tuple[tuple[str, str], ...]


def questions(task: LabelTask, rubric: Rubric) -> tuple[LabelQuestion, ...]:
    if task.other is not None:
        answers = (("A", "A is better"), ("B", "B is better"), ("tie", "Equal"), (UNSURE, "Cannot tell"))
        return (LabelQuestion(PREFERENCE, "Which response is better?", rubric.description or "", answers),)
    return tuple(map(_question, task.leaves(rubric)))


def given_labels(
    task: LabelTask, asked: Sequence[LabelQuestion], annotator: str, fields: Mapping[str, str], note: str
) -> list[CollectedLabel]:
    """The labels of the questions that have an answer, each with the ``note``. Raises BadInput for an answer that is
    not offered."""
    found = []
    for question in asked:
        answer = fields.get(f"label.{question.id}", "")
        if not answer:
            continue
        if answer not in {value for value, _ in question.answers}:
            raise BadInput(f"{question.id}: {answer[:60]!r} is no answer to it.", remedy="Reload the page.")
        label = None if answer == UNSURE else task.word(question.id, answer)
        found.append(_label(task, question.id, annotator, label, note))
    return found


def _question(leaf: JudgedLeaf) -> LabelQuestion:
    answers: Sequence[tuple[str, str]] = (("met", "Yes"), ("unmet", "No"))
    if isinstance(leaf, Choice):
        answers = [(option.label, option.label) for option in leaf.options]
    return LabelQuestion(leaf.id, leaf.statement, leaf.guidance or "", (*answers, (UNSURE, "Cannot tell")))


def _label(task: LabelTask, criterion: str, annotator: str, label: str | None, note: str) -> CollectedLabel:
    content = {
        "item": task.id,
        "criterion": criterion,
        "annotator": annotator,
        "role": "human",
        "label": label,
        "cluster": task.cluster,
        "prompt": task.submission.prompt_text,
        "response": task.response,
    }
    further = {"reference": task.submission.reference, "rationale": note or None}
    content |= {name: value for name, value in further.items() if value is not None}
    return CollectedLabel(item=task.id, criterion=criterion, annotator=annotator, content=content)
