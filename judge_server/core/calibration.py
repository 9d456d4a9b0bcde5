"""The record of one calibration: which judge was measured under which rubric on which labels, and what came out."""

from typing import Literal

from pydantic import AwareDatetime, Field

from judge_server.core.judgment import JudgeReference
from judge_server.core.model import Frozen
from judge_server.core.rubric import RubricReference
from judge_server.util.canonical import JsonObject


class LabelsReference(Frozen):
    """The name under which a calibration remembers its labels."""

    id: str
    version: str
    digest: str


class Calibration(Frozen):
    """``rows`` is the digest of the judge's rows, by which a file is recognised as this run's. ``statuses`` counts
    verdicts by status and ``failures`` those without a value by cause. ``judge.calibration`` names the fitted maps that
    were applied. ``unmeasured``: criteria of the rubric that ask a judge and had no labels. ``summary``: metrics by
    criterion, and ``overall``."""

    id: str
    judge: JudgeReference
    rubric: RubricReference
    labels: LabelsReference
    split: Literal["dev", "test", "all"]
    items: int = Field(ge=0)
    rows: str
    statuses: dict[str, int]
    failures: dict[str, int] = Field(default_factory=dict)
    unmeasured: tuple[str, ...] = ()
    summary: JsonObject = Field(default_factory=dict)
    created_at: AwareDatetime
