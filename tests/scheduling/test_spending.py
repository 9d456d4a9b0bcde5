"""Sums of charges: none is lost if the database fails, none is counted twice for long, and nobody asks without need."""

import asyncio
from datetime import UTC, datetime

import pytest

from judge_server.core.budget import Budget, Charge, Payer, paid_for
from judge_server.core.caller import ANYONE, Caller, current_caller
from judge_server.core.errors import BudgetSpent, StoreUnavailable
from judge_server.core.judgment import Usage
from judge_server.scheduling.spending import Spending
from tests.yardstick import PATIENCE_SECONDS

RUN = Payer("run", "r")
CALL = Usage(prompt_tokens=90, completion_tokens=10, calls=1, dollars=0.5)


class Kept:
    """A database of one budget that can be away or slow, and that another process charges too."""

    def __init__(self, tokens: int = 1_000) -> None:
        self.budget: Budget | None = Budget(kind="run", name="r", tokens=tokens, since=datetime.now(UTC))
        self.away = False
        self.slow: list[asyncio.Future[None]] | None = None
        self.charged = asyncio.Event()

    async def all(self):
        if self.away:
            raise StoreUnavailable("away")
        return () if self.budget is None else (self.budget,)

    def charge(self, charges):
        done = asyncio.get_running_loop().create_future()
        if self.away:
            done.set_exception(StoreUnavailable("away"))
        elif self.slow is not None:
            self.slow.append(done)
        else:
            self.budget = self.budget.after(charges.get(RUN, Charge()))
            self.charged.set()
            done.set_result(None)
        return done


async def _started(kept: Kept) -> Spending:
    spending = Spending(kept, kept.charge)
    await spending.read()
    return spending


async def test_charges_made_while_the_database_is_away_count_and_are_written_later():
    kept = Kept(tokens=300)
    spending = await _started(kept)
    with paid_for("r"):
        kept.away = True
        for _ in range(2):
            spending.charge("m", CALL, priced=True)
            await asyncio.sleep(0)
        assert spending.standing()[0].spent_tokens == 200
        kept.away = False
        spending.charge("m", CALL, priced=True)
        await asyncio.sleep(0)
        assert kept.budget.spent_tokens == 300
        await spending.read()
        assert spending.standing()[0].spent_tokens == 300
        with pytest.raises(BudgetSpent, match="300 of 300 tokens"):
            spending.require()


async def test_the_last_charges_of_a_run_are_written_though_it_makes_no_other_call():
    kept = Kept()
    spending = Spending(kept, kept.charge)
    await spending.start()
    with paid_for("r"):
        kept.away = True
        spending.charge("m", CALL, priced=True)
        await asyncio.sleep(0)
        kept.away = False
    async with asyncio.timeout(PATIENCE_SECONDS):
        await kept.charged.wait()
    assert kept.budget.spent_tokens == 100
    await spending.close()


async def test_a_charge_that_arrives_after_its_budget_was_removed_and_set_again_is_counted_once():
    kept = Kept()
    spending = await _started(kept)
    kept.slow = []
    with paid_for("r"):
        spending.charge("m", CALL, priced=True)
    budget, kept.budget = kept.budget, None
    await spending.read()
    kept.budget = budget.after(Charge(0.0, 100))
    kept.slow[0].set_result(None)
    await asyncio.sleep(0)
    await spending.read()
    assert spending.standing()[0].spent_tokens == 100


async def test_what_other_processes_spend_is_seen_with_the_next_reading():
    kept = Kept(tokens=200)
    spending = await _started(kept)
    kept.charge({RUN: Charge(0.0, 150)})
    with paid_for("r"):
        spending.charge("m", CALL, priced=True)
        spending.require()
        await asyncio.sleep(0)
        await spending.read()
        with pytest.raises(BudgetSpent):
            spending.require()
    assert spending.standing()[0].spent_tokens == 250


async def test_who_has_no_budget_is_charged_nothing():
    kept = Kept()
    spending = await _started(kept)
    token = current_caller.set(Caller("elsewhere", ANYONE.scopes))
    spending.charge("m", CALL, priced=True)
    spending.require()
    current_caller.reset(token)
    assert (kept.budget.spent_tokens, spending.notices()) == (0, ())


async def test_a_model_without_a_price_is_named_where_a_cap_counts_money(caplog):
    kept = Kept()
    kept.budget = kept.budget.model_copy(update={"dollars": 1.0})
    spending = await _started(kept)
    with paid_for("r"):
        spending.charge("local/model", CALL.model_copy(update={"dollars": 0.0}), priced=False)
    assert "no price of local/model is known" in caplog.text
