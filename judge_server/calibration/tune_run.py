"""Tuning a judge in a folder: its answers before, the rows to learn from, the training, and its answers after.

Each part is kept there, so that a run that was killed anywhere goes on: answers item by item, the training from its
last checkpoint."""

from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Final

import numpy as np
from pydantic import ValidationError

from judge_server.authoring.writing import replace_file
from judge_server.calibration.kept_answers import KeptAnswers
from judge_server.calibration.paired_agreement import paired_test
from judge_server.calibration.parts import divided, ratings, size
from judge_server.calibration.training_rows import TrainingRows, training_rows
from judge_server.calibration.tuning import (
    ADAPTER,
    RECORD,
    AdapterComparison,
    Trained,
    TrainingOptions,
    TrainingTask,
    Tuning,
    configuration_of,
    tuned_specification,
)
from judge_server.core.errors import BadInput
from judge_server.core.judge import JudgeSpecification
from judge_server.core.rubric import Rubric
from judge_server.judging.single import SingleJudge
from judge_server.labels.label_set import LabelSet
from judge_server.labels.writing import write_labels
from judge_server.models.protocol import Teachable

ROWS: Final = "training.jsonl"
TASK: Final = "task.json"
TRAINED: Final = "trained.json"
LEAST_PROMPTS: Final = 12


@dataclass
class TuneRun:
    """``whole``: the label set; only its dev split is used, divided by ``seed`` into revise, which is learnt from, and
    select, on which judge and adapter are compared."""

    whole: LabelSet
    rubric: Rubric
    judge: JudgeSpecification
    options: TrainingOptions
    out: Path
    seed: int = 0
    positives: Mapping[str, str] = field(default_factory=dict)
    tell: Callable[[str], None] = lambda _: None
    _made: TrainingRows = field(init=False)
    _base: str = field(init=False)
    _before: LabelSet = field(init=False)

    def __post_init__(self) -> None:
        self.revise, self.select = divided(self.whole.split("dev"), self.seed)
        self.parts = (size("revise", self.revise), size("select", self.select))
        if min(one.prompts for one in self.parts) < LEAST_PROMPTS:
            raise BadInput(
                f"The dev split has {sum(one.prompts for one in self.parts)} prompts, too few to divide.",
                remedy=f"Label at least {2 * LEAST_PROMPTS} prompts, better 100.",
            )

    @property
    def tuned(self) -> JudgeSpecification:
        return tuned_specification(self.judge, (self.out / ADAPTER).absolute(), self.options.rank)

    def finished(self) -> Tuning | None:
        """The record of a run of the same training that ended."""
        path = self.out / RECORD
        try:
            found = Tuning.model_validate_json(path.read_text("utf-8"))
        except (OSError, ValidationError):
            return None
        same = found.labels == self.whole.digest and found.seed == self.seed and found.judge == self.judge
        return found if same and found.options == self.options and found.rubric_digest == self.rubric.digest else None

    async def prepare(self, judge: SingleJudge, model: Teachable, answers: KeptAnswers) -> Path:
        """Ask the judge as it is about select, and write what is learnt from. The task for the training."""
        for one in self.parts:
            self.tell(str(one))
        self._base = judge.model.revision
        labelled = answers.task(self.rubric, self.revise, judge, judge.specification.name)
        self._made = training_rows(labelled, judge.writer, model, ratings(self.revise))
        if not self._made.rows:
            raise BadInput("No labelled question of the revise part can be learnt from.", remedy="Read the labels.")
        self._before = await answers.measured(self.rubric, self.select, judge, self.judge.name)
        return self._write_task()

    def _write_task(self) -> Path:
        specification = (self.judge.model or "").removeprefix("vllm:")
        local = Path(specification).expanduser()
        task = TrainingTask(
            **self.options.model_dump(),
            base=str(local.absolute()) if local.is_dir() else specification,
            revision=self.judge.engine.get("revision"),
            rows=str((self.out / ROWS).absolute()),
            out=str(self.out.absolute()),
            adapter=str((self.out / ADAPTER).absolute()),
        )
        path, rows = self.out / TASK, self.out / ROWS
        if path.exists() and (_identity(path) != _identity_of(task) or rows.read_text("utf-8") != self._made.text):
            raise BadInput(
                f"{self.out} holds another training: of other labels, of another base model or with other options.",
                remedy="Name another folder with --out.",
            )
        replace_file(rows, self._made.text)
        replace_file(path, task.model_dump_json(indent=2))
        self.tell(f"{len(self._made.rows)} rows to learn from: {rows}")
        return path

    async def train(self, task: Path, start: Callable[[Path], Awaitable[None]]) -> Trained:
        """``start`` runs the trainer on a task's file. What ended before is not trained again, unless its time was over
        and there is more now."""
        done = self.out / TRAINED
        if not done.exists() or (_read(done).stopped and _read(done).seconds < (self.options.seconds or float("inf"))):
            await start(task)
        return _read(done)

    async def compare(self, tuned: SingleJudge, answers: KeptAnswers, trained: Trained, command: str) -> Tuning:
        """Ask the judge with the adapter about select, and write the record."""
        name = self.judge.name
        after = await answers.measured(self.rubric, self.select, tuned, name)
        held = AdapterComparison(
            test=paired_test(self._before, after, name),
            ratings=ratings(self.select),
            silent_before=self._silent(self._before),
            silent_after=self._silent(after),
        )
        found = Tuning(
            label_set=self.whole.id,
            labels=self.whole.digest,
            rubric=self.rubric.reference,
            rubric_digest=self.rubric.digest,
            judge=self.judge,
            base=self._base,
            seed=self.seed,
            parts=self.parts,
            rows=len(self._made.rows),
            left_out=self._made.left_out,
            rows_digest=self._made.digest,
            options=self.options,
            trained=trained,
            held_out=held,
            tuned=self.tuned,
            fingerprint=tuned.reference.fingerprint,
            command=command,
            created_at=datetime.now(UTC),
        )
        write_labels(self._before, self.out / "before.csv")
        write_labels(after, self.out / "after.csv")
        replace_file(self.out / "judge.toml", configuration_of(found))
        replace_file(self.out / RECORD, found.model_dump_json(indent=2))
        return found

    def _silent(self, measured: LabelSet) -> int:
        table = measured.table
        own = table.annotators.codes == table.annotators.index(self.judge.name)
        return ratings(self.select) - int(np.count_nonzero(own & (table.labels.codes >= 0)))


def _identity(path: Path) -> object:
    try:
        return _identity_of(TrainingTask.model_validate_json(path.read_text("utf-8")))
    except ValidationError:
        return None


def _identity_of(task: TrainingTask) -> object:
    return task.model_dump(exclude={"seconds"})


def _read(path: Path) -> Trained:
    return Trained.model_validate_json(path.read_text("utf-8"))
