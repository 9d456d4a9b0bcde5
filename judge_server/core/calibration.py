"""The record of one calibration: the judge, the rubric, the labels and the results."""

from enum import StrEnum
from typing import Final, Literal

from pydantic import AwareDatetime, Field

from judge_server.core.judgment import JudgeReference
from judge_server.core.model import Frozen
from judge_server.core.rubric import RubricReference
from judge_server.util.canonical import JsonObject

RULES: Final = 7  # covers counting, intervals and gates; increased when a figure changes its meaning
_OLD_RULES: Final = "it was made under version {made} of the statistical rules, and version {now} decides here"
Standing = Literal["proven", "not shown", "failed"]


def stale(made: int) -> str | None:
    """Why a decision under this version of the rules is stale; None if it is valid."""
    return None if made == RULES else _OLD_RULES.format(made=made, now=RULES)


class LabelsReference(Frozen):
    """Reference to the label set of a calibration."""

    id: str
    version: str
    digest: str


class Calibration(Frozen):
    """``rows`` is the digest of the judge's rows, which identifies a file of this run. ``statuses`` counts verdicts by
    status and ``failures`` those without a value by cause. ``judge.calibration`` names the fitted maps that were
    applied. ``unmeasured``: criteria of the rubric that need a judge and had no labels. ``summary``: metrics by
    criterion, and ``overall``. ``mapping``: how each criterion's labels were read, in a line."""

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
    mapping: tuple[str, ...] = ()
    summary: JsonObject = Field(default_factory=dict)
    created_at: AwareDatetime


class Decision(StrEnum):
    PASS = "pass"  # noqa: S105  a decision, no password
    FAIL = "fail"
    NOT_ENOUGH_EVIDENCE = "not enough evidence"


class CertificateFinding(Frozen):
    """One demand of the policy and what was measured. ``criterion`` is None for all criteria together; ``reason`` is a
    sentence with the numbers; ``needed`` is the number of items or clusters that a conclusion would take, if there were
    too few. ``tag``: the kind of items, None for all; ``standing``: the result for the criterion or kind. ``missing``:
    the share of labels that the judge lacks, counted as wrong."""

    decision: Decision
    demand: str
    criterion: str | None = None
    tag: str | None = None
    standing: Standing | None = None
    missing: float | None = None
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
    """``policy`` and ``labels`` are digests of the inputs; ``calibration`` is the id of the run, ``maps`` the fitted
    maps applied in it. ``criteria`` and ``kinds`` (tags of items): which were proven, not shown, or failed. ``rules``:
    the version of the statistical rules."""

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
    criteria: dict[str, Standing] = Field(default_factory=dict)
    kinds: dict[str, Standing] = Field(default_factory=dict)
    rules: int = 1
    created_at: AwareDatetime

    @property
    def stale(self) -> str | None:
        """Why the certificate is stale; None if it is valid."""
        return stale(self.rules)

    @property
    def reasons(self) -> tuple[str, ...]:
        """Why it did not pass; empty if it did."""
        return tuple(finding.reason for finding in self.findings if finding.decision is not Decision.PASS)
