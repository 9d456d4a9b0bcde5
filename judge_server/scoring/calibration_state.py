"""Calibration results that scoring uses: fitted maps and certificates, refreshed from the store.

A fitted map turns a judge's raw value into a probability fitted to human labels. A certificate says that a judge
passed its gate for a rubric.
"""

import asyncio
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from functools import partial
from typing import Protocol

from judge_server.core.calibration import Certificate, Decision
from judge_server.core.criterion import CheckCriterion
from judge_server.core.errors import BadConfiguration, NotCalibrated, StoreUnavailable
from judge_server.core.fitted_map import MapSet
from judge_server.core.judgment import JudgeReference
from judge_server.core.rubric import Rubric
from judge_server.core.verdict import Verdict
from judge_server.util.concurrency import run_periodically

_REMEDY = (
    "Measure it with judge-server calibrate run and pass judge-server calibrate gate, "
    "or serve without --require-calibrated."
)


class CalibrationSource(Protocol):
    """Where maps and certificates are kept: the store."""

    async def active_maps(self) -> Sequence[MapSet]: ...

    async def newest_certificates(self) -> Sequence[Certificate]: ...


class ActiveMaps:
    """The maps in use. ``pinned`` ones, from a file, take precedence over the store's. ``active``: by fingerprint of
    the judge and digest of the rubric."""

    def __init__(self, pinned: Iterable[MapSet] = ()) -> None:
        self._pinned = _by_judge_and_rubric(pinned)
        for maps in self._pinned.values():
            if maps.stale is not None:
                raise BadConfiguration(
                    f"The fitted maps of {maps.judge} are stale: {maps.stale}.",
                    remedy="Fit them again with judge-server calibrate fit.",
                )
        self.active = dict(self._pinned)
        self._stale: dict[tuple[str, str], MapSet] = {}

    def replace(self, stored: Iterable[MapSet]) -> None:
        """Replace the store's maps. Stale ones are only listed, so their values stay raw."""
        known = _by_judge_and_rubric(stored)
        self._stale = {key: one for key, one in known.items() if one.stale is not None and key not in self._pinned}
        self.active = {**{key: one for key, one in known.items() if one.stale is None}, **self._pinned}

    def find(self, fingerprint: str, rubric_digest: str) -> MapSet | None:
        return self.active.get((fingerprint, rubric_digest))

    def of_judge(self, fingerprint: str) -> tuple[MapSet, ...]:
        """Every set of a judge, in use or stale, for listings."""
        known = {**self._stale, **self.active}
        return tuple(maps for (judge, _), maps in sorted(known.items()) if judge == fingerprint)


class Certification:
    """The newest certificate of each judge and rubric. ``required``: only certified judges may judge; ``policy``:
    digest of the only policy whose certificates count, None for any."""

    def __init__(self, *, required: bool = False, policy: str | None = None) -> None:
        self.required = required
        self.policy = policy
        self._certificates: dict[tuple[str, str], Certificate] = {}

    def replace(self, newest: Iterable[Certificate]) -> None:
        """Replace all certificates."""
        self._certificates = {(one.fingerprint, one.rubric.digest): one for one in newest}

    def of_judge(self, fingerprint: str) -> tuple[Certificate, ...]:
        """Every certificate of a judge, for listings."""
        return tuple(one for (judge, _), one in sorted(self._certificates.items()) if judge == fingerprint)

    def of_rubric(self, digest: str) -> tuple[Certificate, ...]:
        """Every certificate under this content of a rubric, by judge, for listings."""
        found = (one for (_, rubric), one in self._certificates.items() if rubric == digest)
        return tuple(sorted(found, key=lambda one: (one.judge, one.fingerprint)))

    def require(self, judge: JudgeReference | None, rubric: Rubric) -> None:
        """Raises NotCalibrated with the reason. A rubric with programmatic criteria only needs no certificate."""
        if not self.required or judge is None or not asks_a_judge(rubric):
            return
        certificate = self._certificates.get((judge.fingerprint, rubric.digest))
        if (
            certificate is not None
            and certificate.decision is Decision.PASS
            and certificate.stale is None
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


@dataclass(frozen=True)
class CalibrationState:
    """Scoring never waits for the store here: ``refresh`` loads new state."""

    maps: ActiveMaps = field(default_factory=ActiveMaps)
    certification: Certification = field(default_factory=Certification)

    async def refresh(self, records: CalibrationSource) -> None:
        """Raises StoreUnavailable."""
        self.maps.replace(await records.active_maps())
        self.certification.replace(await records.newest_certificates())

    async def keep_fresh(self, records: CalibrationSource, seconds: float) -> None:
        """Refresh every ``seconds`` until cancelled. While the store is unavailable, the last known state stays in
        use."""
        await asyncio.sleep(seconds)
        await run_periodically(
            "fitted maps and certificates",
            partial(self.refresh, records),
            partial(asyncio.sleep, seconds),
            transient=StoreUnavailable,
        )

    def for_measuring(self, *, raw: bool) -> "CalibrationState":
        """The same maps (none if ``raw``) without requiring certificates: a judge is measured before it has one."""
        return CalibrationState(ActiveMaps() if raw else self.maps)


def calibrated(verdicts: Sequence[Verdict], maps: MapSet) -> tuple[Verdict, ...]:
    """The verdicts with mapped and raw values; criteria without a map are unchanged."""
    return tuple(_mapped(verdict, maps) for verdict in verdicts)


def _mapped(verdict: Verdict, maps: MapSet) -> Verdict:
    fitted = maps.maps.get(verdict.criterion)
    if fitted is None or verdict.value is None or verdict.source != "judge":
        return verdict
    value = fitted.apply(verdict.value)
    met = None if verdict.met is None else value
    return verdict.model_copy(update={"value": value, "met": met, "raw": verdict.value})


def _by_judge_and_rubric(maps: Iterable[MapSet]) -> dict[tuple[str, str], MapSet]:
    return {(one.fingerprint, one.rubric.digest): one for one in maps}


def asks_a_judge(rubric: Rubric) -> bool:
    return any(not isinstance(leaf, CheckCriterion) for leaf in rubric.leaves)


def _why(certificate: Certificate | None) -> str:
    if certificate is None:
        return (
            "this content of the rubric has no certificate with this judge's fingerprint (model, template and settings)"
        )
    if certificate.stale is not None:
        return f"its certificate is stale: {certificate.stale}"
    if certificate.decision is Decision.PASS:
        return "its certificate was issued under another policy"
    return f"its gate decided {certificate.decision.value}: {' '.join(certificate.reasons[:3])}".rstrip(".")
