"""The rows of an evaluation: prompts with rubrics, and what is submitted for a response to one."""

import random
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from judge_server.authoring.interchange import FORMATS
from judge_server.authoring.interchange.record import files_of
from judge_server.authoring.interchange.row import submission_of
from judge_server.authoring.interchange.tracked import tracked
from judge_server.cli.actions.rubric_exchange import records_in
from judge_server.cli.actions.score_input import RESPONSES, ForeignRows
from judge_server.core.errors import BadInput
from judge_server.core.rubric import Rubric
from judge_server.core.submission import Submission
from judge_server.labels.readers.healthbench import is_meta_evaluation
from judge_server.scoring.batch import parse_submission

HEALTHBENCH: Final = "healthbench"
_OWN: Final = frozenset(Submission.model_fields) - {"response", "rubric", "tags"}


@dataclass(frozen=True)
class EvaluationRow:
    """``number``: its place in the file, from 1. ``held``: prompt, id and reference, as far as the row has them."""

    number: int
    where: str
    record: Mapping[str, Any]
    held: Mapping[str, Any]

    @property
    def prompt(self) -> Any:
        """A text or messages."""
        return self.held["prompt"]

    @property
    def tags(self) -> tuple[str, ...]:
        """The row's own tags, such as HealthBench's themes."""
        given = self.record.get("example_tags", self.record.get("tags"))
        return tuple(tag for tag in given if isinstance(tag, str)) if isinstance(given, list) else ()

    def submission(self, response: Any, policy: str, *, rubric: Rubric | None, healthbench: bool) -> Submission:
        """What is judged. HealthBench's grader sees no reference, so neither does the judge. Raises BadSubmission."""
        if rubric is None:
            bare = {name: value for name, value in self.record.items() if name not in RESPONSES}
            item = dict(ForeignRows().submission({**bare, "response": response}, self.where))
        else:
            own = {name: value for name, value in self.record.items() if name in _OWN}
            item = {**own, **self.held, "response": response}
        if healthbench:
            item.pop("reference", None)
        given = item.pop("rubric", None) if rubric is None else rubric
        item["policy"] = policy[:200]
        return parse_submission(item, {"rubric": given})


def read_rows(path: Path, *, healthbench: bool, examples: int | None) -> list[EvaluationRow]:
    """Every row of a file or folder, or ``examples`` of them: those that simple-evals draws. Raises BadInput for a row
    without a prompt, or in another format than HealthBench's if that is asked for."""
    found: list[EvaluationRow] = []
    for file in files_of(path):
        for where, record in records_in(file):
            for one in record if isinstance(record, list) else [record]:
                found.append(_row(len(found) + 1, where, one, healthbench=healthbench))
    if not found:
        raise BadInput(f"{path} has no rows.", remedy="Give JSON lines of prompts with rubrics.")
    if examples is not None and examples < len(found):
        return sorted(random.Random(0).sample(found, examples), key=lambda row: row.number)  # noqa: S311 - no secret
    return found


def holds_meta_evaluation(path: Path) -> bool:
    """Whether the first row is of HealthBench's meta-evaluation: physicians' verdicts instead of a rubric."""
    for file in files_of(path):
        for _, record in records_in(file):
            return isinstance(record, Mapping) and is_meta_evaluation(record)
    return False


def _row(number: int, where: str, record: Any, *, healthbench: bool) -> EvaluationRow:
    if healthbench and not FORMATS[HEALTHBENCH].fits(record):
        raise BadInput(
            f"{where} is no HealthBench row.",
            remedy="A row is {prompt, rubrics: [{criterion, points, tags}]}; for others use judge-server eval FILE.",
        )
    held = submission_of(tracked(record))
    if "prompt" not in held:
        raise BadInput(f"{where} has no prompt.", remedy="Give each row a prompt: a text, or messages.")
    return EvaluationRow(number, where, record, held)


def named_by(rows: Sequence[EvaluationRow]) -> dict[str, list[EvaluationRow]]:
    """The rows by id."""
    found: dict[str, list[EvaluationRow]] = {}
    for row in rows:
        if "id" in row.held:
            found.setdefault(str(row.held["id"]), []).append(row)
    return found
