"""What keys and runs with a budget spend on judges: refused when a cap is reached, and kept in the store.

Every call of a model is charged to its caller's key and to its run, if these have budgets. The charge is committed
before or with the judgment that it belongs to, and added up in the database, so several processes and restarts share
one sum. Each process reads the sums after its own charges are committed, and once a second.
"""

import asyncio
import logging
from collections.abc import Mapping
from contextlib import suppress
from functools import partial
from typing import Final, Protocol

from judge_server.core.budget import Budget, Charge, Payer, current_payers
from judge_server.core.errors import BudgetSpent, StoreUnavailable
from judge_server.core.judgment import Usage
from judge_server.util.log_throttle import LogThrottle
from judge_server.util.time_limit import within

_LOG = logging.getLogger(__name__)
_QUIET_SECONDS: Final = 5.0
_SECONDS: Final = 1.0
_RAISE: Final = "judge-server budget set raises the cap, and budget list shows all."


class Budgets(Protocol):
    """Where budgets are kept: the store."""

    async def all(self) -> tuple[Budget, ...]: ...


class Charging(Protocol):
    def __call__(self, charges: Mapping[Payer, Charge]) -> "asyncio.Future[None]":
        """Queue ``charges`` to be committed before or with what is saved later."""


class Spending:
    """``active``: whether there is any budget; without one, nothing here is called for a judgment."""

    def __init__(self, budgets: Budgets, charging: Charging) -> None:
        self._kept = budgets
        self._charging = charging
        self._budgets: dict[Payer, Budget] = {}
        self._unseen: dict[Payer, Charge] = {}  # of this process, not yet in the sums that were read
        self._committed: list[Mapping[Payer, Charge]] = []
        self._owed: dict[Payer, Charge] = {}  # could not be written: goes with the next charge or reading
        self._reading = asyncio.Lock()
        self._look = asyncio.Event()
        self._looking: asyncio.Task[None] | None = None
        self._warned: set[Payer] = set()
        self._throttle = LogThrottle()
        self.active = False
        self.refused = dict.fromkeys(("key", "run"), 0)

    async def start(self) -> None:
        """Read the budgets, and go on reading them. Raises StoreUnavailable."""
        await self.read()
        self._looking = asyncio.create_task(self._keep_reading(), name="budgets")

    async def close(self) -> None:
        if self._looking is not None:
            self._looking.cancel()
            await asyncio.gather(self._looking, return_exceptions=True)
        if self._owed:
            with suppress(StoreUnavailable):
                await self._charging(self._owed)

    async def read(self) -> None:
        """Take over the sums in the store. Charges that were committed before the reading began are in them."""
        async with self._reading:  # an older answer must not replace a newer one
            committed, self._committed = self._committed, []
            try:
                self._budgets = {one.payer: one for one in await self._kept.all()}
            except BaseException:
                self._committed = committed + self._committed
                raise
            self._settle(committed)

    def _settle(self, committed: list[Mapping[Payer, Charge]]) -> None:
        for charges in committed:
            for payer, charge in charges.items():
                self._add(self._unseen, payer, Charge(-charge.dollars, -charge.tokens))
        self._unseen = {
            payer: charge for payer, charge in self._unseen.items() if payer in self._budgets or charge.tokens
        }
        self.active = bool(self._budgets)
        self._warn()

    def standing(self) -> tuple[Budget, ...]:
        """Every budget, with what this process spent and did not read back yet."""
        return tuple(one.after(self._unseen.get(payer, Charge())) for payer, one in self._budgets.items())

    def require(self) -> None:
        """Raises BudgetSpent if the current caller or run has nothing left."""
        for budget in self._current():
            if budget.share >= 1:
                self.refused[budget.kind] += 1
                raise BudgetSpent(
                    f"No judge is asked: {budget.text}.",
                    remedy=_RAISE,
                    budget=budget.model_dump(mode="json", exclude_none=True),
                )

    def notices(self) -> tuple[str, ...]:
        """Warnings for a judgment that the current caller or run pays for."""
        return tuple(f"{one.text[0].upper()}{one.text[1:]}." for one in self._current() if one.share >= one.warn_at)

    def charge(self, model: str, usage: Usage, *, priced: bool) -> None:
        """Charge a call to the current caller and run."""
        payers = [payer for payer in current_payers() if payer in self._budgets]
        if not payers or usage.calls == usage.prompt_tokens == usage.completion_tokens == 0:
            return
        charge = Charge(usage.dollars, usage.prompt_tokens + usage.completion_tokens)
        for payer in payers:
            self._add(self._owed, payer, charge)
            self._add(self._unseen, payer, charge)
            if not priced and self._budgets[payer].dollars is not None:
                self._say_unpriced(model, payer)
        self._write_owed()

    def _write_owed(self) -> None:
        charges, self._owed = self._owed, {}
        try:
            self._charging(charges).add_done_callback(partial(self._written, charges))
        except StoreUnavailable:
            self._owe(charges)

    def _current(self) -> list[Budget]:
        found = ((payer, self._budgets.get(payer)) for payer in current_payers())
        return [one.after(self._unseen.get(payer, Charge())) for payer, one in found if one is not None]

    def _written(self, charges: Mapping[Payer, Charge], done: "asyncio.Future[None]") -> None:
        if done.cancelled() or done.exception() is not None:
            self._owe(charges)
        else:
            self._committed.append(charges)
            self._look.set()

    def _owe(self, charges: Mapping[Payer, Charge]) -> None:
        for payer, charge in charges.items():
            self._add(self._owed, payer, charge)

    async def _keep_reading(self) -> None:
        while True:
            with suppress(TimeoutError), within(_SECONDS if self.active else _QUIET_SECONDS):
                await self._look.wait()
            self._look.clear()
            if self._owed:
                self._write_owed()
            try:
                await self.read()
            except StoreUnavailable as fault:
                if (more := self._throttle.of(fault.type)) is not None:
                    _LOG.warning("budgets could not be read: %s%s", fault, more)
                await asyncio.sleep(_SECONDS)

    def _warn(self) -> None:
        for budget in self._budgets.values():
            if budget.share < budget.warn_at:
                self._warned.discard(budget.payer)
            elif budget.payer not in self._warned:
                self._warned.add(budget.payer)
                _LOG.warning("%s", budget.text)

    def _say_unpriced(self, model: str, payer: Payer) -> None:
        if (more := self._throttle.of(("no price", model))) is not None:
            _LOG.warning("no price of %s is known, so the %s %r pays no dollars for it%s", model, *payer, more)

    @staticmethod
    def _add(sums: dict[Payer, Charge], payer: Payer, charge: Charge) -> None:
        sums[payer] = sums.get(payer, Charge()).plus(charge)
