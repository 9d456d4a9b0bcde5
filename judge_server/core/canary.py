"""What a canary found out about a judge."""

from typing import Literal

from pydantic import AwareDatetime

from judge_server.core.model import Frozen

CanaryName = Literal["known_good", "known_bad", "constrained_output", "raw_probabilities", "steady_probabilities"]
MUST_PASS: frozenset[CanaryName] = frozenset(("constrained_output", "raw_probabilities", "steady_probabilities"))
"""What holds for every judge that works as it should; the others a weak judge may fail."""


class CanaryFinding(Frozen):
    """``passed`` is None where the judge did not answer; ``detail`` says what was seen."""

    canary: CanaryName
    passed: bool | None
    detail: str

    @property
    def must_pass(self) -> bool:
        return self.canary in MUST_PASS


class CanaryReport(Frozen):
    """The findings about one judge at one time."""

    judge: str
    at: AwareDatetime
    findings: tuple[CanaryFinding, ...]

    @property
    def failed(self) -> tuple[CanaryFinding, ...]:
        return tuple(finding for finding in self.findings if finding.passed is False)
