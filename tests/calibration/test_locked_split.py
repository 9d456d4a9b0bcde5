"""Several looks at one test split: each p-value is adjusted for all of them (Holm), and the outcome follows that."""

from dataclasses import replace
from datetime import UTC, datetime

import pytest

from benchmarks.simulation.ladder import RUBRIC, people
from judge_server.calibration.improvement import Improvement, PairedTest
from judge_server.calibration.locked_split import OneLook
from judge_server.labels.archive import keep
from judge_server.labels.splits import ReadingFile
from judge_server.store import Store

WHOLE = people(40, 1)


def found(p, after=40):
    test = PairedTest(ratings=60, prompts=30, before=30, after=after, fixed=after - 30, broken=0, p=p)
    return Improvement(
        label_set="simulated",
        labels=WHOLE.digest,
        rubric=RUBRIC.reference,
        judge="main",
        proposer=None,
        seed=0,
        parts=(),
        clarity=(),
        candidates=(),
        final=test,
        outcome="improved",
        questions=0,
        created_at=datetime.now(UTC),
    )


@pytest.fixture(params=["file", "store"])
async def log(request, tmp_path):
    if request.param == "file":
        yield ReadingFile(tmp_path / "labels.csv")
        return
    store = await Store.open(f"sqlite:///{tmp_path}/j.db")
    await keep(replace(WHOLE, id="simulated"), store.labels)
    yield store.labels
    await store.close()


async def looked(log, key, p, **given):
    look = OneLook(WHOLE, log, key, reader="ann", reason=f"try {key}")
    await look.read()
    return await look.adjusted(found(p, **given))


async def test_the_best_of_three_looks_is_adjusted_for_three(log):
    first = await looked(log, "a" * 12, 0.03)
    assert (first.outcome, first.looks, first.adjusted_p) == ("improved", 1, 0.03)
    assert "adjusted" not in first.text
    second = await looked(log, "b" * 12, 0.2)
    assert (second.outcome, second.looks, second.adjusted_p) == ("not confirmed", 2, 0.2)  # the larger of two: by one
    third = await looked(log, "c" * 12, 0.02)
    assert (third.looks, third.outcome) == (3, "not confirmed")
    assert third.adjusted_p == pytest.approx(0.06)  # the smallest of three: by three
    assert third.text.endswith("(p = .020); adjusted for 3 looks at this split (Holm) p = .060.")
    again = await looked(log, "c" * 12, 0.02)
    assert (again.looks, again.adjusted_p) == (3, third.adjusted_p)
    assert len(await log.readings(WHOLE.digest)) == len(await log.outcomes(WHOLE.digest)) == 3


async def test_a_look_whose_test_is_not_known_counts_in_full(log):
    await OneLook(WHOLE, log, "report", reader="bob", reason="calibrate report").read()
    one = await looked(log, "a" * 12, 0.02)
    assert (one.looks, one.adjusted_p, one.outcome) == (2, 0.04, "improved")


async def test_without_a_look_nothing_is_adjusted(log):
    none = found(None).model_copy(update={"final": None})
    assert await OneLook(WHOLE, log, "a" * 12).adjusted(none) == none
    assert await log.outcomes(WHOLE.digest) == ()
