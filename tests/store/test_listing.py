"""Listings: newest first, filtered, page by page."""

import base64
import json
from datetime import datetime, timedelta

import pytest
from sqlalchemy import text as sql

from judge_server.core.errors import BadInput
from judge_server.core.judgment import JudgeReference
from judge_server.store import Store
from tests.store.values import START, failed, judgment, rubric, submission


async def saved(store, number, asked=None, **more):
    asked = asked or rubric(1)
    judged = submission(
        more.pop("response", "Drink water."),
        run=more.pop("run", None),
        step=more.pop("step", None),
        group=more.pop("group", None),
        policy=more.pop("policy", None),
    )
    make = failed if more.pop("fails", False) else judgment
    made = make(asked, judged, created_at=START + timedelta(seconds=number), **more)
    await store.save(made, judged, asked)
    return made


async def test_judgments_come_newest_first(store):
    made = [await saved(store, number) for number in (2, 0, 1)]
    assert (await store.judgments()).items == (made[0], made[2], made[1])


async def test_pages_follow_each_other_without_a_gap_or_a_repeat_even_at_one_moment(store):
    made = [await saved(store, number // 4) for number in range(10)]
    seen, cursor, pages = [], None, 0
    while True:
        page = await store.judgments(limit=3, cursor=cursor)
        seen += page.items
        pages += 1
        if page.next_cursor is None:
            break
        cursor = page.next_cursor
    assert pages == 4
    assert [one.created_at for one in seen] == sorted((one.created_at for one in made), reverse=True)
    assert {one.id for one in seen} == {one.id for one in made}
    assert len(seen) == 10


async def test_what_is_saved_meanwhile_does_not_shift_the_next_page(store):
    made = [await saved(store, number) for number in range(4)]
    first = await store.judgments(limit=2)
    await saved(store, 99)
    second = await store.judgments(limit=2, cursor=first.next_cursor)
    assert second.items == (made[1], made[0])
    assert second.next_cursor is None


async def test_every_filter_picks_its_own(store):
    other = rubric(1, "writing/essay", "2.0.0")
    elsewhere = JudgeReference(name="other", model="m", mode="reason", fingerprint="1")
    plain = await saved(store, 0)
    by_rubric = await saved(store, 1, other)
    by_judge = await saved(store, 2, judge=elsewhere)
    by_group = await saved(store, 3, group="prompt 7")
    by_status = await saved(store, 4, fails=True)
    assert (await store.judgments(rubric="writing/essay")).items == (by_rubric,)
    assert (await store.judgments(rubric="writing/essay@2.0.0")).items == (by_rubric,)
    assert (await store.judgments(rubric="writing/essay@1.0.0")).items == ()
    assert (await store.judgments(rubric=other.digest)).items == (by_rubric,)
    assert (await store.judgments(judge="other")).items == (by_judge,)
    assert (await store.judgments(group="prompt 7")).items == (by_group,)
    assert (await store.judgments(status="failed")).items == (by_status,)
    assert (await store.judgments(until=START + timedelta(seconds=1))).items == (plain,)
    assert (await store.judgments(since=START + timedelta(seconds=4))).items == (by_status,)
    both = await store.judgments(since=START + timedelta(seconds=1), until=START + timedelta(seconds=3), judge="main")
    assert both.items == (by_rubric,)


async def test_judgments_of_a_step_of_a_run_with_a_low_reward_are_found(store):
    made = [await saved(store, number, run="grpo-7", step=number, reward=number / 4) for number in range(4)]
    await saved(store, 4, run="grpo-8", step=1, reward=0.0)
    failure = await saved(store, 5, run="grpo-7", step=1, fails=True)
    assert (await store.judgments(run="grpo-7", step=1)).items == (failure, made[1])
    assert (await store.judgments(run="grpo-7", reward_below=0.5)).items == (made[1], made[0])
    assert (await store.judgments(run="grpo-7", rewarded=False)).items == (failure,)
    assert failure not in (await store.judgments(run="grpo-7", rewarded=True)).items


async def test_policy_flag_and_a_range_of_rewards_pick_their_own(store):
    flags = ((), ("injection_suspected",), ("injection_suspected", "hidden_characters"), ())
    made = [await saved(store, number, reward=number / 4, flags=some) for number, some in enumerate(flags)]
    of_policy = await saved(store, 4, policy="ckpt-7")
    await saved(store, 5, fails=True)
    assert (await store.judgments(policy="ckpt-7")).items == (of_policy,)
    assert (await store.judgments(flag="injection_suspected")).items == (made[2], made[1])
    assert (await store.judgments(flag="hidden_characters")).items == (made[2],)
    for unknown in ("injection", "injection%", "injectionXsuspected", '"', "\\", "\0", "\ud800"):
        assert (await store.judgments(flag=unknown)).items == (), unknown
    assert (await store.judgments(reward_from=0.25, reward_below=0.5)).items == (of_policy, made[1])
    assert (await store.judgments(reward_from=0.75)).items == (made[3],)


async def test_a_text_is_found_in_what_was_judged_and_nowhere_else(store):
    pain = await saved(store, 0, response='She said: "Take 50% of IBUPROFEN_400\nnow". Gute Beßerung, Ärztin!')
    await saved(store, 1, response="Rest.")
    for text in ("ibuprofen_400", '"take 50% of', "400\nnow", "ärztin", "HEADACHE"):
        found = (await store.judgments(text=text)).items
        assert found[-1] == pain, text
        assert len(found) == (2 if text == "HEADACHE" else 1)
    for text in ("prompt", "response", "5_%", "ibuprofen 400"):
        assert (await store.judgments(text=text)).items == ()


async def test_a_search_continues_on_the_next_page(store):
    made = [await saved(store, number, response=f"Answer {number % 2}.") for number in range(6)]
    first = await store.judgments(text="answer 1", limit=2)
    assert first.items == (made[5], made[3])
    second = await store.judgments(text="answer 1", limit=2, cursor=first.next_cursor)
    assert second.items == (made[1],)
    assert second.next_cursor is None


BAD = {
    "limit": {"limit": 0},
    "limit too": {"limit": 1001},
    "status": {"status": "fine"},
    "since": {"since": datetime(2025, 1, 1)},  # noqa: DTZ001 the missing zone is the point
    "rubric": {"rubric": "Not a Name"},
    "cursor": {"cursor": "rubbish"},
    "cursor of text": {"cursor": "é"},
    "cursor of other JSON": {"cursor": base64.urlsafe_b64encode(b'{"a": 1}').decode()},
    "cursor of huge number": {"cursor": base64.urlsafe_b64encode(json.dumps([2**70, "a"]).encode()).decode()},
}


@pytest.mark.parametrize(("named", "filters"), BAD.items(), ids=BAD.keys())
async def test_a_filter_that_makes_no_sense_is_named(store, named, filters):
    with pytest.raises(BadInput, match=named.split()[0]):
        await store.judgments(**filters)


async def test_a_search_ignores_the_case_of_every_script(store):
    made = await saved(store, 1, response="Nimm einen TEE MIT ÄPFELN.")
    await saved(store, 2, response="Rest.")
    for words in ("tee mit äpfeln", "ÄPFELN", "\u0130stanbul"):
        found = (await store.judgments(text=words)).items
        assert found == (() if "stanbul" in words else (made,))


async def test_sqlite_finds_the_newest_of_a_run_without_sorting_all_of_it(tmp_path):
    store = await Store.open(f"sqlite:///{tmp_path}/judge.db")
    asked = "SELECT id FROM judgment WHERE run = 'a' ORDER BY created_us DESC, id DESC LIMIT 51"
    plan = await store._read(lambda connection: connection.execute(sql(f"EXPLAIN QUERY PLAN {asked}")).all())
    await store.close()
    assert "ix_judgment_newest_of_run" in plan[0].detail
    assert "USE TEMP B-TREE FOR ORDER BY" not in [one.detail for one in plan]  # at most those of one moment
