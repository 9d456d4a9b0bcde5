"""Questions of the exam: a judge input and a criterion, with the answer that is right by construction."""

from dataclasses import dataclass

from judge_server.core.criterion import Choice, Judged
from judge_server.core.exam import Family
from judge_server.judging.answer import Answer
from judge_server.judging.judge_input import JudgeInput

FAMILIES: dict[Family, str] = {
    "lists": "lists with and, or, such as, and lists as data",
    "polarity": "bad things done, and only warned of, quoted, refused or denied",
    "turn": "the sentence in the response, and elsewhere in the material",
    "reference": "agreement with a reference, by its role",
    "not_applicable": "responses that hold nothing the criterion speaks of",
    "numbers": "equal and different numbers in other units",
    "implied": "what is implied, and what is only near it",
    "contradicted": "what is taken back, and what is put right",
    "languages": "responses in other languages",
    "length": "short responses that meet the criterion, long ones that do not",
    "label_order": "the same question with labels and options in the opposite order",
    "options": "which of several options fits",
    "no_content": "responses without content",
    "long_context": "one sentence at the beginning, in the middle or at the end of a long response",
    "orders": "orders to the judge inside the response",
    "steps": "one step of a response, and the step beside it",
    "facts": "facts about the case",
}
ABSENT = "does not apply"
Expected = bool | str  # met or not, or the label of an option (ABSENT for one that does not apply)


@dataclass(frozen=True)
class ExamQuestion:
    """``reordered``: asked with labels and options in the opposite order."""

    material: JudgeInput
    criterion: Judged
    expected: Expected
    reordered: bool = False

    def right(self, answer: Answer) -> bool | None:
        """Whether the judge's likeliest answer is the expected one; None if it gave none."""
        said = self.said(answer)
        return None if said is None else said == self.expected

    def said(self, answer: Answer) -> Expected | None:
        """The judge's answer in the terms of ``expected``."""
        reading, criterion = answer.reading, self.criterion
        if reading is None:
            return None
        best = reading.shares.index(max(reading.shares))
        if best == len(criterion.values):
            return ABSENT
        return criterion.options[best].label if isinstance(criterion, Choice) else reading.value >= 0.5

    def first_label(self, answer: Answer) -> bool | None:
        """Whether the judge chose the label that it was shown first; None if it gave no answer."""
        if answer.reading is None:
            return None
        shares = answer.reading.shares
        return shares.index(max(shares)) == (len(shares) - 1 if self.reordered else 0)


@dataclass(frozen=True)
class ExamPair:
    """Two questions that differ in what the family is about. ``variant`` names the difference, such as ``warn``."""

    family: Family
    variant: str
    questions: tuple[ExamQuestion, ExamQuestion]
