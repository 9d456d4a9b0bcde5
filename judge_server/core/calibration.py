"""The record of one calibration: which judge was measured under which rubric on which labels, and what came out."""

from enum import StrEnum
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


class Decision(StrEnum):
    PASS = "pass"  # noqa: S105  a decision, no password
    FAIL = "fail"
    NOT_ENOUGH_EVIDENCE = "not enough evidence"


class CertificateFinding(Frozen):
    """One demand of the policy and what was measured. ``criterion`` is None where it is about all of them together;
    ``reason`` is a sentence with the numbers; ``needed`` how many items or clusters a conclusion would take, where too
    little was seen."""

    decision: Decision
    demand: str
    criterion: str | None = None
    metric: str | None = None
    value: float | None = None
    low: float | None = None
    high: float | None = None
    ceiling: float | None = None
    gap: float | None = None
    items: int | None = None
    clusters: int | None = None
    needed: int | None = None
    reason: str


class Certificate(Frozen):
    """``policy`` and ``labels`` are digests of what decided; ``calibration`` the id of the run that was read, ``maps``
    the fitted maps that were applied in it."""

    id: str
    decision: Decision
    judge: str
    fingerprint: str
    rubric: RubricReference
    policy: str
    labels: str
    calibration: str | None = None
    maps: str | None = None
    findings: tuple[CertificateFinding, ...] = ()
    created_at: AwareDatetime

    @property
    def reasons(self) -> tuple[str, ...]:
        """Why it did not pass; empty where it did."""
        return tuple(finding.reason for finding in self.findings if finding.decision is not Decision.PASS)
