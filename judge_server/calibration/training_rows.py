"""Labelled responses as rows of token ids: each question as a judge is asked it, and people's verdict as the answer."""

import hashlib
import json
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from judge_server.calibration.labelled_responses import labelled_responses
from judge_server.calibration.run import CalibrationTask
from judge_server.core.errors import BadSubmission, ContextOverflow
from judge_server.judging.exemplified import verdict_of
from judge_server.judging.prompt import PromptWriter
from judge_server.models.protocol import Teachable
from judge_server.scoring.plan import Question, plan


@dataclass(frozen=True, slots=True)
class TrainingRow:
    """``prompt``: the question as text, for people; ``ids``: its tokens, then that of ``answer``."""

    item: str
    criterion: str
    prompt: str
    answer: str
    ids: tuple[int, ...]

    @property
    def line(self) -> str:
        told = {"item": self.item, "criterion": self.criterion, "prompt": self.prompt, "answer": self.answer}
        return json.dumps({**told, "input_ids": self.ids}, ensure_ascii=False)


@dataclass(frozen=True)
class TrainingRows:
    """``left_out``: labelled questions that are not learnt from: without a text, longer than the model reads, that a
    condition leaves out, or whose label no verdict stands for."""

    rows: tuple[TrainingRow, ...]
    left_out: int

    @property
    def text(self) -> str:
        return "".join(row.line + "\n" for row in self.rows)

    @property
    def digest(self) -> str:
        return f"sha256:{hashlib.sha256(self.text.encode('utf-8', 'surrogatepass')).hexdigest()}"


def training_rows(task: CalibrationTask, writer: PromptWriter, model: Teachable, labelled: int) -> TrainingRows:
    """From the people's majority in ``task.labels``, which hold the part that may be learnt from and nothing else.
    ``labelled``: how many questions people answered there."""
    rows = tuple(_rows(task, writer, model))
    return TrainingRows(rows, labelled - len(rows))


def _rows(task: CalibrationTask, writer: PromptWriter, model: Teachable) -> Iterator[TrainingRow]:
    asked: dict[str, Sequence[Question]] = {}
    for row in labelled_responses(task.labels):
        if row.criterion not in task.matches:
            continue
        if row.item not in asked:
            asked[row.item] = _questions(task, row.item)
        own = next((one for one in asked[row.item] if one.criterion.id == row.criterion), None)
        word = None if own is None else verdict_of(row, own.criterion)
        if own is None or word is None:
            continue
        question = writer.label_prompt(own.material, own.criterion)
        try:
            ids, answer = model.taught(question, word)
        except ContextOverflow:
            continue
        text = "\n\n".join(turn.text for turn in question.prompt.turns)
        yield TrainingRow(row.item, row.criterion, text, word, (*ids, answer))


def _questions(task: CalibrationTask, item: str) -> Sequence[Question]:
    try:
        return plan(task.submission(task.labels.items[item]), task.rubric).questions
    except BadSubmission:
        return ()
