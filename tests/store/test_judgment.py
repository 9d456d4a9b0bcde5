"""What is saved comes back the same."""

import asyncio
import hashlib
from datetime import timedelta, timezone

import pytest

from judge_server.core.errors import StoreUnavailable
from judge_server.store import Store
from judge_server.store.writing import Judged
from tests.store.values import HOSTILE, START, failed, judgment, rubric, submission, unwritable, without_surrogates


async def test_a_judgment_comes_back_as_it_was_saved(store):
    asked, judged = rubric(), submission(id="row 7", group="g", step=3, policy="p", facts={"audience": "patient"})
    made = judgment(asked, judged, flags=("degenerate", "criteria_echo"))
    await store.save(made, judged, asked)
    assert await store.judgment(made.id) == made
    assert await store.submission(made.id) == judged


async def test_a_failed_judgment_comes_back_without_a_reward(store):
    asked, judged = rubric(), submission()
    made = failed(asked, judged)
    await store.save(made, judged, asked)
    read = await store.judgment(made.id)
    assert read == made
    assert read.reward is None


async def test_a_judgment_without_rubric_and_judge_is_kept_too(store):
    judged = submission()
    made = failed(rubric(), judged, rubric=None, judge=None, submission_digest=None)
    await store.save(made, judged, None)
    assert await store.judgment(made.id) == made


async def test_messages_tool_calls_and_reasoning_come_back(store):
    conversation = [{"role": "system", "content": "Be kind."}, {"role": "user", "content": "Weather?"}]
    call = {"id": "1", "function": {"name": "weather", "arguments": '{"city": "Bern"}'}}
    response = [
        {"role": "assistant", "reasoning": "I should look.", "tool_calls": [call]},
        {"role": "tool", "content": "rain", "tool_call_id": "1"},
        {"role": "assistant", "content": "It rains."},
    ]
    asked, judged = rubric(), submission(prompt=conversation, response=response, reference="rain")
    made = judgment(asked, judged)
    await store.save(made, judged, asked)
    assert await store.submission(made.id) == judged


async def test_a_moment_in_another_time_zone_is_the_same_moment(store):
    asked, judged = rubric(), submission()
    made = judgment(asked, judged, created_at=START.astimezone(timezone(timedelta(hours=-5, minutes=-30))))
    await store.save(made, judged, asked)
    assert (await store.judgment(made.id)).created_at == START


async def test_what_was_never_saved_is_none(store):
    assert await store.judgment("nothing") is None
    assert await store.submission("nothing") is None


@pytest.mark.parametrize("text", HOSTILE.values(), ids=HOSTILE.keys())
async def test_hostile_text_comes_back_unchanged_wherever_it_stands(store, text):
    asked = rubric()
    name = without_surrogates(text)
    texts = {"prompt": f"prompt {name}", "response": name, "reference": name, "facts": {name: [name]}}
    judged = submission(**texts, id=name, group=name, policy=name)
    plain = judgment(asked, judged)
    verdicts = (plain.verdicts[0].model_copy(update={"reason": text}), *plain.verdicts[1:])
    made = plain.model_copy(update={"id": f"id {text}", "flags": (text,), "verdicts": verdicts})
    await store.save(made, judged, asked)
    assert await store.judgment(made.id) == made
    assert await store.submission(made.id) == judged
    assert (await store.judgments(group=name)).items == (made,)


@pytest.mark.parametrize("step", [2**63 - 1, 2**63, 10**30])
async def test_a_step_larger_than_its_column_comes_back_unchanged(store, step):
    asked = rubric()
    judged = submission(step=step)
    made = judgment(asked, judged)
    await store.save(made, judged, asked)
    assert await store.judgment(made.id) == made
    assert await store.submission(made.id) == judged


async def test_a_megabyte_of_response_comes_back(store):
    asked, judged = rubric(), submission("á\0🧪" * 400_000)
    made = judgment(asked, judged)
    await store.save(made, judged, asked)
    assert (await store.submission(made.id)).response == judged.response


async def test_an_inline_rubric_is_stored_once_and_comes_back_in_every_submission(store):
    inline = rubric(rubric_id="inline/one", description="a long description " * 20)
    pairs = [(judged, judgment(inline, judged)) for judged in (submission(f"r{n}", rubric=inline) for n in range(5))]
    await asyncio.gather(*(store.save(made, judged, inline) for judged, made in pairs))
    assert (await store.counts())["rubrics"] == 1
    assert await store.rubric_ids() == ()
    for judged, made in pairs:
        assert await store.submission(made.id) == judged


async def test_a_rubric_named_by_the_submission_stays_a_name(store):
    asked, judged = rubric(), submission(rubric="medical/consultation")
    made = judgment(asked, judged)
    await store.save(made, judged, asked)
    assert (await store.submission(made.id)).rubric == "medical/consultation"
    assert await store.rubric_by_digest(asked.digest) == asked


async def test_saving_the_same_judgment_again_changes_nothing(store):
    asked, judged = rubric(), submission()
    made = judgment(asked, judged)
    await asyncio.gather(*(store.save(made, judged, asked) for _ in range(3)))
    await store.save(made, judged, asked)
    assert (await store.counts())["judgments"] == 1


async def test_another_judgment_under_a_taken_id_is_refused_and_the_first_stays(store):
    asked, judged = rubric(), submission()
    first = judgment(asked, judged, id="taken")
    await store.save(first, judged, asked)
    with pytest.raises(StoreUnavailable, match="another judgment has this id"):
        await store.save(judgment(asked, judged, id="taken", reward=1.0), judged, asked)
    assert await store.judgment("taken") == first


async def test_one_row_that_cannot_be_stored_does_not_take_the_others_down(store):
    asked, judged = rubric(), submission()
    good = [judgment(asked, judged) for _ in range(20)]
    broken = judgment(asked, judged)
    taken = judgment(asked, judged, id=good[0].id, reward=0.75)
    saves = [store.save(made, judged, asked) for made in good]
    saves[5:5] = [store.save(broken, unwritable(), asked), store.save(taken, judged, asked)]
    outcomes = await asyncio.gather(*saves, return_exceptions=True)
    assert [type(outcome) for outcome in outcomes if outcome is not None] == [StoreUnavailable, StoreUnavailable]
    for made in good:
        assert await store.judgment(made.id) == made


@pytest.mark.postgres
async def test_one_row_that_postgresql_itself_refuses_does_not_take_the_others_down(postgres):
    store = await Store.open(postgres.empty_database())
    asked, judged = rubric(), submission()
    too_long_for_an_index = judgment(
        asked, judged, id="".join(hashlib.sha256(bytes([number])).hexdigest() for number in range(200))
    )
    made = [judgment(asked, judged), too_long_for_an_index, judgment(asked, judged)]
    outcomes = await asyncio.gather(*(store.save(one, judged, asked) for one in made), return_exceptions=True)
    assert [type(outcome) for outcome in outcomes] == [type(None), StoreUnavailable, type(None)]
    assert "index row" in str(outcomes[1])
    assert (await store.counts())["judgments"] == 2
    await store.close()


async def test_a_batch_is_saved_whole(store):
    asked, judged = rubric(2), submission()
    made = [judgment(asked, judged) for _ in range(1200)]
    await store.save_many((one, judged, asked) for one in made)
    assert (await store.counts())["judgments"] == 1200
    assert await store.judgment(made[-1].id) == made[-1]


async def test_a_batch_with_one_bad_row_keeps_the_rest_and_tells(store):
    asked, judged = rubric(2), submission()
    good = [judgment(asked, judged) for _ in range(10)]
    with pytest.raises(StoreUnavailable, match="cannot be written as JSON"):
        await store.save_many([(one, judged, asked) for one in good] + [(good[0], unwritable(), asked)])
    assert (await store.counts())["judgments"] == 10


async def test_an_empty_batch_is_nothing(store):
    await store.save_many([])
    assert (await store.counts())["judgments"] == 0


async def test_an_audit_of_a_judgment_that_was_erased_meanwhile_leaves_nothing_behind(store):
    """It is rolled back; what it had numbered must not be used by the judgments after it."""
    of, given, other = rubric(3, "audited/one"), submission("An audit's own response."), rubric(4, "audited/other")
    for _ in range(2):
        audit = Judged(judgment(of, given), given, of, "anyone")
        with pytest.raises(StoreUnavailable):
            await store.audits.keep("erased", "auditor", audit)
    await store.remember({"0" * 64: {"value": 1}})
    kept = [(judgment(of, given), given, of) for of in (other, of)]
    for one in kept:
        await store.save(*one)
    assert [await store.judgment(made.id) for made, _, _ in kept] == [made for made, _, _ in kept]
