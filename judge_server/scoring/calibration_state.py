"""What was measured of judges, as the scoring path needs it: fitted maps and certificates, fresh from the store."""

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass, field
from functools import partial
from typing import Protocol

from judge_server.core.calibration import Certificate
from judge_server.core.errors import StoreUnavailable
from judge_server.core.fitted_map import MapSet
from judge_server.scoring.calibrate import ActiveMaps
from judge_server.scoring.certification import Certification
from judge_server.util.periodic import run_periodically


class CalibrationRecords(Protocol):
    """Where maps and certificates are kept: the store."""

    async def active_maps(self) -> Sequence[MapSet]: ...

    async def newest_certificates(self) -> Sequence[Certificate]: ...


@dataclass(frozen=True)
class CalibrationState:
    """Nothing is read from the store while a submission waits: ``refresh`` brings what is new."""

    maps: ActiveMaps = field(default_factory=ActiveMaps)
    certification: Certification = field(default_factory=Certification)

    async def refresh(self, records: CalibrationRecords) -> None:
        """Raises StoreUnavailable."""
        self.maps.replace(await records.active_maps())
        self.certification.replace(await records.newest_certificates())

    async def keep_fresh(self, records: CalibrationRecords, seconds: float) -> None:
        """Refresh again and again, until cancelled. While the store does not answer, what is known stands."""
        await asyncio.sleep(seconds)
        await run_periodically(
            "fitted maps and certificates",
            partial(self.refresh, records),
            partial(asyncio.sleep, seconds),
            transient=StoreUnavailable,
        )

    def for_measuring(self, *, raw: bool) -> "CalibrationState":
        """The same maps (none if ``raw``) without asking for certificates: a judge is measured before it has one."""
        return CalibrationState(ActiveMaps() if raw else self.maps)
