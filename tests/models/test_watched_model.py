"""Another model behind the same address: noticed by its answers, its names, its listing, and after interruptions."""

import asyncio
import math
import time
from contextlib import asynccontextmanager
from functools import partial

import pytest

from judge_server.core.errors import JudgeChanged
from judge_server.judging.fixed_questions import fixed_questions
from judge_server.judging.prompt import PromptWriter
from judge_server.models import fleet
from judge_server.models.registry import open_model
from judge_server.models.watched_model import WatchedModel
from judge_server.store.store import Store
from tests.decisions import FORMS, always
from tests.models.openai_model import is_probe, request
from tests.stub_judge import Reply, StubJudge, faithful, labels
from tests.yardstick import PATIENCE_SECONDS

WRITER = PromptWriter(b"secret")
QUESTIONS = 8


@pytest.fixture
async def store():
    found = await Store.open("sqlite://")
    yield found
    await found.close()


@asynccontextmanager
async def watched(store, *judges, form="openai", **options):
    addresses = ",".join(judge.address for judge in judges)
    key = f"{form}:stub@{addresses}"
    model = WatchedModel(open_model(key, options), partial(fixed_questions, WRITER), store.signatures, key)
    await model.start()
    try:
        yield model
    finally:
        await model.close()


def named(name="stub", fingerprint=None, p=0.9):
    """Answers that say which model gave them."""

    def behave(body):
        reply = faithful(p)(body)
        return Reply(body=reply.body | {"model": name, "system_fingerprint": fingerprint})

    return behave


async def test_a_model_that_is_away_since_the_start_is_not_looked_at(store):
    with StubJudge() as judge:
        model = WatchedModel(
            open_model(judge.specification), partial(fixed_questions, WRITER), store.signatures, "away"
        )
        await model.check()
        assert (judge.calls, model.checks, model.recognised_at) == (0, 0, None)


async def test_the_same_model_is_asked_nothing_further_and_keeps_its_revision(store):
    with StubJudge() as judge:
        async with watched(store, judge) as model:
            before, calls = model.revision, judge.calls
            for _ in range(5):
                await model.complete(request())
            assert judge.calls == calls + 5
            await model.check()
            assert judge.calls == calls + 5 + QUESTIONS
            await model.check()
            assert judge.calls == calls + 5 + QUESTIONS
            assert (model.revision, model.replaced, model.changes) == (before, None, 0)


async def test_other_answers_to_the_fixed_questions_are_another_model_and_the_first_is_known_again(store):
    with StubJudge(faithful(0.9)) as judge:
        async with watched(store, judge) as model:
            first = model.revision
            await model.complete(request())
            judge.behave = faithful(0.3)
            await model.check()
            second = model.revision
            assert second != first
            assert "it answers the fixed questions otherwise" in model.replaced
            assert model.changed.is_set()
            judge.behave = faithful(0.9)
            await model.check()
            assert model.revision == first
            assert model.replaced is None
            judge.behave = faithful(0.31)
            await model.complete(request())
            await model.check()
            assert model.revision == second


async def test_a_server_that_restarts_recognises_the_model_by_the_store(store):
    with StubJudge(faithful(0.9)) as judge:
        async with watched(store, judge) as model:
            first = model.revision
        judge.behave = faithful(0.3)
        async with watched(store, judge) as model:
            second = model.revision
        judge.behave, calls = faithful(0.9), judge.calls
        async with watched(store, judge) as model:
            assert (model.revision, second != first) == (first, True)
        assert sum(not is_probe(body) for body in judge.bodies[calls:]) == QUESTIONS


@pytest.mark.parametrize(
    "other", [named("another"), named(fingerprint="fp_2")], ids=["another name", "another fingerprint"]
)
async def test_an_answer_with_another_name_or_fingerprint_does_not_count(store, other):
    with StubJudge(named(fingerprint="fp_1")) as judge:
        async with watched(store, judge) as model:
            first = model.revision
            judge.behave = other
            with pytest.raises(JudgeChanged):
                await model.complete(request())
            assert model.revision != first
            await model.complete(request())


async def test_a_provider_that_answers_with_several_fingerprints_is_one_model(store):
    turns = iter(range(10_000))

    def behave(body):
        return named(fingerprint=f"fp_{next(turns) % 2}")(body)

    with StubJudge(behave) as judge:
        async with watched(store, judge) as model:
            for _ in range(6):
                await model.complete(request())
            await model.check()
            assert model.changes == 0


async def test_another_root_or_context_in_the_listing_is_another_model_and_another_date_only_a_reason_to_ask(store):
    def listing(**said):
        return {"object": "list", "data": [{"id": "stub", "object": "model", "root": "/models/a", **said}]}

    with StubJudge(listing=listing(max_model_len=4096, created=1_000_000)) as judge:
        async with watched(store, judge) as model:
            first = model.revision
            judge.listing, calls = listing(max_model_len=4096, created=2_000_000), judge.calls
            await model.check()
            assert model.revision == first
            assert judge.calls > calls
            judge.listing = listing(max_model_len=4096, created=int(time.time()))  # as vLLM's, which is a clock
            await model.check()
            assert model.revision == first
            judge.listing = listing(max_model_len=8192)
            await model.check()
            assert "its servers say something else" in model.replaced
            judge.listing = listing(max_model_len=8192, root="/models/b")
            await model.check()
            assert "/models/b" in model.revision


async def test_after_a_restart_at_the_same_address_no_answer_of_another_model_counts(store):
    with StubJudge(faithful(0.9)) as judge:
        async with watched(store, judge) as model:
            await model.complete(request())
            judge.stop()
            with StubJudge(faithful(0.3), port=judge.port):
                with pytest.raises(JudgeChanged):
                    await model.complete(request())
                assert model.replaced
                await model.complete(request())
            with StubJudge(faithful(0.3), port=judge.port) as again:  # the same one as before: nothing is lost
                await model.complete(request())
                assert again.calls > 1
                assert model.changes == 1


async def test_another_model_after_a_burst_is_noticed_by_the_connections_that_ended(store):
    """Fewer calls at a time than before open no more connections than before."""
    with StubJudge(faithful(0.9)) as judge:
        async with watched(store, judge) as model:
            await asyncio.gather(*(model.complete(request()) for _ in range(24)))
            await model.complete(request())
            judge.stop()
            with StubJudge(faithful(0.3), port=judge.port) as other:
                await asyncio.sleep(0.1)  # the ends of the connections are read
                with pytest.raises(JudgeChanged):
                    await model.complete(request())
                assert other.calls > 1


async def test_a_burst_of_calls_is_no_interruption(store):
    with StubJudge(faithful(0.9)) as judge:
        async with watched(store, judge) as model:
            await model.complete(request())
            calls = judge.calls
            for size in (2, 24, 1, 48):
                await asyncio.gather(*(model.complete(request()) for _ in range(size)))
            assert judge.calls == calls + 2 + 24 + 1 + 48


async def test_after_a_silence_two_questions_are_asked_and_the_answer_waits_for_them(store):
    with StubJudge(faithful(0.9)) as judge:
        async with watched(store, judge) as model:
            await model.complete(request())
            calls = judge.calls
            await asyncio.sleep(fleet.UNHEARD_SECONDS + 0.1)
            await asyncio.gather(*(model.complete(request()) for _ in range(4)))
            assert judge.calls == calls + 4 + 2


async def test_after_a_lost_connection_every_question_is_asked(store):
    """A model that answers most questions alike must not pass by the few that were asked."""

    def mostly_alike(body):
        return faithful(0.3)(body) if "Is funny" in str(body) else faithful(0.9)(body)

    with StubJudge(faithful(0.9)) as judge:
        async with watched(store, judge) as model:
            await model.complete(request())
            judge.stop()
            with StubJudge(mostly_alike, port=judge.port):
                with pytest.raises(JudgeChanged):
                    await model.complete(request())
                assert model.replaced


async def test_after_a_silence_a_small_difference_is_a_reason_to_ask_the_other_questions(store):
    with StubJudge(faithful(0.9)) as judge:
        async with watched(store, judge) as model:
            await model.complete(request())
            judge.behave = faithful(0.84)
            await asyncio.sleep(fleet.UNHEARD_SECONDS + 0.1)
            with pytest.raises(JudgeChanged):
                await model.complete(request())


async def test_a_dead_address_of_a_fleet_is_no_interruption_and_one_that_comes_back_as_another_is_left_out(store):
    with StubJudge(faithful(0.9)) as judge, StubJudge(faithful(0.9)) as other:
        async with watched(store, judge, other) as model:
            other.stop()
            calls = judge.calls
            for number in range(6):
                await model.complete(request(prefix=(str(number),)))
            assert judge.calls <= calls + 6 + 2
            with StubJudge(faithful(0.3), port=other.port) as third:
                await until_asked(model, third)
                asked = third.calls
                for number in range(20):
                    await model.complete(request(prefix=(str(number),)))
                assert third.calls == asked
                await model.check()
                assert third.calls > asked, "it is looked at again"
                assert "at one of its addresses, which is left out" in model.replaced
                assert model.changed.is_set(), "an alarm is raised, and what may be in doubt is listed"
                assert model.changes == 0
            with StubJudge(faithful(0.9), port=other.port) as fourth:
                await model.check()
                asked = fourth.calls
                await until_asked(model, fourth, asked)
                assert (model.replaced, model.changes) == (None, 0)


async def test_a_fleet_whose_last_address_changes_too_is_another_model(store):
    with StubJudge(faithful(0.9)) as judge, StubJudge(faithful(0.9)) as other:
        async with watched(store, judge, other) as model:
            await model.complete(request())
            other.behave, first = faithful(0.3), model.revision
            await model.check()
            assert model.revision == first
            assert (await model.complete(request())).candidates[0].logprob == pytest.approx(math.log(0.9))
            judge.behave = faithful(0.3)
            await model.complete(request())
            await model.check()
            assert model.revision != first
            asked = other.calls
            await until_asked(model, other, asked)


@pytest.mark.parametrize(
    "other", [named("another", p=0.3), named(fingerprint="fp_2", p=0.3)], ids=["another name", "another fingerprint"]
)
async def test_an_answer_with_another_name_from_one_address_of_two_is_asked_again_elsewhere(store, other):
    with StubJudge(named(fingerprint="fp_1")) as one, StubJudge(named(fingerprint="fp_1")) as two:
        async with watched(store, one, two) as model:
            two.behave = other
            for number in range(20):
                answer = await model.complete(request(prefix=(str(number),)))
                assert answer.candidates[0].logprob == pytest.approx(math.log(0.9))
            assert model.changes == 0


async def until_asked(model, judge, calls=0):
    """Complete questions, all answered with .9, until ``judge`` was asked more than ``calls`` times."""
    give_up = time.monotonic() + PATIENCE_SECONDS
    while judge.calls <= calls:
        assert time.monotonic() < give_up
        answer = await model.complete(request(prefix=(str(time.monotonic()),)))
        assert model.changes or answer.candidates[0].logprob == pytest.approx(math.log(0.9))


async def test_answers_that_differ_each_time_are_no_evidence(store):
    turns = iter(range(100_000))

    def behave(body):
        share = 0.1 + 0.8 * (next(turns) * 0.618 % 1)
        return faithful()(body) if is_probe(body) else labels(Yes=share, No=1 - share)

    with StubJudge(behave) as judge:
        async with watched(store, judge) as model:
            for _ in range(5):
                await model.complete(request())
                await model.check()
            assert model.changes == 0


async def test_a_judge_that_refuses_half_of_the_calls_keeps_its_other_answers(store):
    turns = iter(range(100_000))

    def behave(body):
        return Reply(503) if next(turns) % 2 else faithful()(body)

    with StubJudge() as judge:
        async with watched(store, judge, transport_attempts=1) as model:
            judge.behave = behave
            found = await asyncio.gather(*(model.complete(request()) for _ in range(20)), return_exceptions=True)
            assert sum(not isinstance(one, Exception) for one in found) == 10
            assert model.changes == 0


async def test_a_model_that_does_not_answer_at_the_start_is_met_later(store):
    def behave(body):
        return faithful()(body) if is_probe(body) else Reply(400)

    with StubJudge(behave) as judge:
        async with watched(store, judge) as model:
            assert model.recognised_at is None
            judge.behave = faithful()
            await model.check()
            assert model.recognised_at is not None


@pytest.mark.parametrize("form", FORMS)
async def test_a_decision_model_is_recognised_by_its_shares(store, form):
    with StubJudge(decide={form: FORMS[form](always(0.9))}) as judge:
        async with watched(store, judge, form="decide") as model:
            first = model.revision
            judge.decide = {form: FORMS[form](always(0.4))}
            await model.complete(request())
            await model.check()
            assert model.revision != first
