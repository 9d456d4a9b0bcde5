"""Only what has passed its gate is served: certificates by judge and rubric."""

from collections.abc import Iterable

from judge_server.core.calibration import Certificate, Decision
from judge_server.core.criterion import CheckCriterion
from judge_server.core.errors import NotCalibrated
from judge_server.core.judgment import JudgeReference
from judge_server.core.rubric import Rubric

_REMEDY = (
    "Measure it with judge-server calibrate run and pass judge-server calibrate gate, "
    "or serve without --require-calibrated."
)


class Certification:
    """The newest certificate of each judge and rubric. ``required`` is false where anything may be served; ``policy``
    is the digest of the only policy whose certificates count, None where any does."""

    def __init__(self, *, required: bool = False, policy: str | None = None) -> None:
        self.required = required
        self.policy = policy
        self._certificates: dict[tuple[str, str], Certificate] = {}

    def replace(self, newest: Iterable[Certificate]) -> None:
        """Take these as the ones that stand."""
        self._certificates = {(one.fingerprint, one.rubric.digest): one for one in newest}

    def of_judge(self, fingerprint: str) -> tuple[Certificate, ...]:
        """Every certificate of a judge, for listings."""
        return tuple(one for (judge, _), one in sorted(self._certificates.items()) if judge == fingerprint)

    def require(self, judge: JudgeReference | None, rubric: Rubric) -> None:
        """Raises NotCalibrated with the reason. A rubric that programs decide alone needs no certificate."""
        if not self.required or judge is None or not asks_a_judge(rubric):
            return
        certificate = self._certificates.get((judge.fingerprint, rubric.digest))
        if (
            certificate is not None
            and certificate.decision is Decision.PASS
            and self.policy in (None, certificate.policy)
        ):
            return
        raise NotCalibrated(
            f"{judge.name} may not judge {rubric.name} here: {_why(certificate)}.",
            remedy=_REMEDY,
            judge=judge.name,
            fingerprint=judge.fingerprint,
            rubric=rubric.name,
            rubric_digest=rubric.digest,
            decision=None if certificate is None else certificate.decision.value,
            reasons=[] if certificate is None else list(certificate.reasons),
            certificate=None if certificate is None else certificate.id,
        )


def asks_a_judge(rubric: Rubric) -> bool:
    return any(not isinstance(leaf, CheckCriterion) for leaf in rubric.leaves)


def _why(certificate: Certificate | None) -> str:
    if certificate is None:
        return (
            "this content of the rubric has no certificate with this judge's fingerprint (model, template and settings)"
        )
    if certificate.decision is Decision.PASS:
        return "its certificate was given under another policy than this server's"
    return f"its gate said {certificate.decision.value}: {' '.join(certificate.reasons[:3])}".rstrip(".")
