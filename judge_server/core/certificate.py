"""What a gate decided about one judge under one rubric. Another rubric digest or fingerprint is another combination."""

from enum import StrEnum

from pydantic import AwareDatetime

from judge_server.core.model import Frozen
from judge_server.core.rubric import RubricReference


class Decision(StrEnum):
    PASS = "pass"  # noqa: S105  a decision, no password
    FAIL = "fail"
    NOT_ENOUGH_EVIDENCE = "not enough evidence"


class Finding(Frozen):
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
    findings: tuple[Finding, ...] = ()
    created_at: AwareDatetime

    @property
    def reasons(self) -> tuple[str, ...]:
        """Why it did not pass; empty where it did."""
        return tuple(finding.reason for finding in self.findings if finding.decision is not Decision.PASS)
