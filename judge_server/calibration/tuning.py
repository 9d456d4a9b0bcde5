"""The record of an adapter that was trained on labels: from what, how, and what it changed on prompts that it did not
learn from."""

import json
from collections.abc import Mapping
from datetime import datetime
from pathlib import Path
from typing import Any, Final, Literal

from pydantic import Field, ValidationError

from judge_server.calibration.candidate import SIGNIFICANT
from judge_server.calibration.improvement import PairedTest, PartSize
from judge_server.core.errors import BadInput
from judge_server.core.judge import JudgeSpecification
from judge_server.core.model import Frozen
from judge_server.core.rubric import RubricReference
from judge_server.labels.label_set import LabelSet

RECORD: Final = "tuning.json"
ADAPTER: Final = "adapter"


class TrainingOptions(Frozen):
    """``rank``: of the low-rank matrices on all linear layers, whose scale is 2. ``epochs``: how often each row is
    seen; ``batch``: rows a step. ``seconds``: the most time of the training, over all runs that continue it."""

    rank: int = Field(default=16, ge=1, le=256)
    epochs: float = Field(default=3.0, gt=0, le=100)
    learning_rate: float = Field(default=2e-4, gt=0, le=1)
    batch: int = Field(default=8, ge=1, le=1_024)
    checkpoint_steps: int = Field(default=10, ge=1)
    seed: int = Field(default=0, ge=0)
    seconds: float | None = Field(default=None, gt=0)


class TrainingTask(TrainingOptions):
    """What ``adapter_training.py`` reads. ``rows``: the file of token ids; ``out``: the folder of checkpoints and of
    the log; ``revision``: of a base model of the hub."""

    base: str
    revision: str | None = None
    rows: str
    out: str
    adapter: str


class Trained(Frozen):
    """How the training ended. ``stopped``: its time was over before ``planned_steps``. ``loss``: of the last step."""

    steps: int
    planned_steps: int
    stopped: bool
    loss: float | None
    seconds: float
    versions: dict[str, str]


class AdapterComparison(Frozen):
    """Judge and adapter on the select part, which neither was trained nor chosen on. ``silent_before``,
    ``silent_after``: ratings on which there was no verdict; those with none on either side are left out of the test."""

    test: PairedTest
    ratings: int
    silent_before: int
    silent_after: int

    @property
    def outcome(self) -> Literal["better", "worse", "no better judge", "no difference shown"]:
        """``no better judge``: it agrees more often, and only because one label is commoner."""
        test = self.test
        if test.claim is None or test.p is None or test.p >= SIGNIFICANT:
            return "no difference shown"
        if test.fixed > test.broken and not test.better:
            return "no better judge"
        if test.claim >= SIGNIFICANT:
            return "no difference shown"
        return "better" if test.fixed > test.broken else "worse"


class Tuning(Frozen):
    """``base``: the revision of the model that the adapter belongs to; ``rows_digest``: SHA-256 of the training file;
    ``command``: what makes it again from the same files."""

    label_set: str
    labels: str
    rubric: RubricReference
    rubric_digest: str
    judge: JudgeSpecification
    base: str
    seed: int
    parts: tuple[PartSize, ...]
    rows: int
    left_out: int
    rows_digest: str
    options: TrainingOptions
    trained: Trained
    held_out: AdapterComparison
    tuned: JudgeSpecification
    fingerprint: str
    command: str
    created_at: datetime

    @property
    def text(self) -> str:
        test, held = self.held_out.test, self.held_out
        said = {
            "better": "The adapter agrees better with people",
            "worse": "The adapter agrees less with people",
            "no better judge": "The adapter is no better judge",
            "no difference shown": "No difference was shown",
        }[held.outcome]
        silent = f"{held.silent_before} of {held.ratings} ratings had no verdict before, {held.silent_after} with it."
        return f"{said}: on held-out prompts it {test}. {silent}"


def tuned_specification(judge: JudgeSpecification, adapter: Path, rank: int) -> JudgeSpecification:
    """The judge with the adapter, under a name of its own."""
    name = f"{judge.name}-tuned"
    engine = judge.engine | {"loras": {name: str(adapter)}, "lora": name, "max_lora_rank": max(rank, 8)}
    return judge.model_copy(update={"name": name, "engine": engine})


def configuration_of(tuning: Tuning) -> str:
    """The judge with the adapter, as TOML."""
    shown = tuning.tuned.model_dump(mode="json", exclude={"name", "engine"}, exclude_defaults=True)
    lines = [f"# from calibrate tune: {tuning.held_out.outcome} on held-out prompts", f"[judges.{tuning.tuned.name}]"]
    lines += [f"{name} = {_toml(value)}" for name, value in shown.items()]
    lines.append(f"engine = {_toml(tuning.tuned.engine)}")
    return "\n".join(lines) + "\n"


def _toml(value: Any) -> str:
    if isinstance(value, Mapping):
        return "{" + ", ".join(f"{json.dumps(name)} = {_toml(own)}" for name, own in value.items()) + "}"
    if isinstance(value, list | tuple):
        return "[" + ", ".join(map(_toml, value)) + "]"
    return json.dumps(value, ensure_ascii=False)


def require_trained_on_revise(judge: JudgeSpecification, labels: LabelSet, seed: int) -> None:
    """Raises BadInput unless the judge's adapter was trained by ``calibrate tune`` on the revise part of these labels:
    any other one may know the prompts on which it would be tried."""
    loras, name = judge.engine.get("loras") or {}, judge.engine.get("lora")
    path = Path(str(loras.get(name, ""))).expanduser().parent / RECORD
    remedy = "Train it with judge-server calibrate tune on the same labels, with the same --seed."
    try:
        tuning = Tuning.model_validate_json(path.read_text("utf-8"))
    except (OSError, ValidationError):
        raise BadInput(
            f"{judge.name} has no adapter of calibrate tune: there is no {RECORD} beside one.", remedy=remedy
        ) from None
    if (tuning.labels, tuning.seed) != (labels.digest, seed):
        raise BadInput(
            f"The adapter of {judge.name} was trained on {tuning.label_set} ({tuning.labels[:19]}…) with seed "
            f"{tuning.seed}, so it may know the prompts on which it would be tried.",
            remedy=remedy,
        )
