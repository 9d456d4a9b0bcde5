"""Run the canaries of all judges at start, and periodically while the server runs and no other work waits."""

import asyncio
import logging
import time
from collections.abc import Mapping
from contextlib import suppress
from datetime import UTC, datetime
from typing import Literal

from judge_server.core.errors import ModelUnavailable
from judge_server.core.judge import CanaryFinding, CanaryReport
from judge_server.judging.answer import Judge, Terms
from judge_server.judging.canary import report_on
from judge_server.models.protocol import Priority
from judge_server.util.concurrency import together
from judge_server.util.time_limit import within

_LOG = logging.getLogger(__name__)
_PATIENCE_SECONDS = 120.0
Strictness = Literal["off", "warn", "refuse"]


class Canaries:
    """``reports``: the newest of each judge. ``start`` it in the judges' event loop and ``close`` it before them.
    ``seconds`` between two rounds, 0 for the one at start only."""

    def __init__(self, judges: Mapping[str, Judge], strictness: Strictness, seconds: float) -> None:
        self._judges = judges
        self._strictness = strictness
        self._seconds = seconds
        self._task: asyncio.Task[None] | None = None
        self._wanted = asyncio.Event()
        self.reports: dict[str, CanaryReport] = {}

    async def start(self) -> None:
        """Under ``refuse``, wait for the first round. Raises ModelUnavailable if a judge fails a canary that every
        judge must pass."""
        if self._strictness == "off":
            return
        if self._strictness == "refuse":
            await self.sing()
            self._require()
        self._task = asyncio.create_task(self._every_now_and_then(), name="canaries")

    async def close(self) -> None:
        if self._task is not None:
            self._task.cancel()
            await asyncio.gather(self._task, return_exceptions=True)

    def again(self) -> None:
        """Run a round now, because a judge has arrived."""
        self._wanted.set()

    async def sing(self) -> None:
        """One round over all judges."""
        terms = Terms(Priority.AUDIT, time.monotonic() + _PATIENCE_SECONDS)
        for report in await together([_report(judge, terms) for judge in self._judges.values()]):
            self._tell(report)
            self.reports[report.judge] = report

    async def _every_now_and_then(self) -> None:
        if self._strictness != "refuse":
            await self._sung()
        while True:
            with suppress(TimeoutError), within(self._seconds or None):
                await self._wanted.wait()
            self._wanted.clear()
            await self._sung()

    async def _sung(self) -> None:
        try:
            await self.sing()
        except Exception:  # noqa: BLE001 - a failed round must not stop later ones
            _LOG.exception("a round of canaries could not be finished")

    def _require(self) -> None:
        wrong = [
            f"{report.judge}: {finding.canary}, {finding.detail}"
            for report in self.reports.values()
            for finding in report.failed
            if finding.must_pass
        ]
        if wrong:
            raise ModelUnavailable(
                f"A judge fails a canary that every judge must pass ({'; '.join(wrong)}).",
                remedy="Correct the options of its server, or set canary = warn to start anyway.",
            )

    def _tell(self, report: CanaryReport) -> None:
        """Log what changed since the last round; in the first round, everything."""
        before = self.reports.get(report.judge)
        known = {finding.canary: finding.passed for finding in before.findings} if before else {}
        for finding in report.findings:
            if finding.passed is not True and known.get(finding.canary, True) != finding.passed:
                _LOG.warning("the judge %s %s", report.judge, _said(finding))
            elif finding.passed and known.get(finding.canary) is False:
                _LOG.info("the judge %s passes the canary %s again", report.judge, finding.canary)
        if before is None and all(finding.passed for finding in report.findings):
            _LOG.info("the judge %s passes all canaries", report.judge)


async def _report(judge: Judge, terms: Terms) -> CanaryReport:
    try:
        with within(_PATIENCE_SECONDS):
            return await report_on(judge, terms)
    except (TimeoutError, ModelUnavailable) as fault:
        late = f"no answer within {_PATIENCE_SECONDS:g} s"
        why = "the model is away" if isinstance(fault, ModelUnavailable) else late
        silent = CanaryFinding(canary="known_good", passed=None, detail=why)
        return CanaryReport(judge=judge.specification.name, at=datetime.now(UTC), findings=(silent,))


def _said(finding: CanaryFinding) -> str:
    if finding.passed is None:
        return f"gave no answer to the canary {finding.canary}: {finding.detail}"
    must = "which every judge must pass" if finding.must_pass else "so its verdicts are not reliable"
    return f"fails the canary {finding.canary}, {must}: {finding.detail}"
