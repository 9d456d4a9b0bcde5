"""Erased and pruned judgments leave with what only they refer to, and with nothing else."""

import html
import json
from datetime import UTC, datetime, timedelta
from pathlib import Path

import psycopg
import pytest

from judge_server.core.audit_queue import QueueItem
from judge_server.core.erasure import ErasureWish
from judge_server.core.job import Job, JobStatus, JobTerms
from judge_server.scoring.erasing import erase
from judge_server.store import Store
from judge_server.store.job_records import JobItem
from judge_server.store.job_writing import Finished
from judge_server.store.page import Position
from judge_server.store.payload import pack
from judge_server.store.quotation import Quoted
from judge_server.store.writing import Judged
from judge_server.workers.pruner import Pruner, rest_after
from tests.store.values import judgment, rubric, submission

SECRET_TEXT = "Mrs Ögmundsdóttir's left arm is numb since Tuesday."
NOW = datetime.now(UTC)
SOUGHT = {"plain": b"arm is numb since", "packed": pack(json.dumps(SECRET_TEXT, ensure_ascii=False), prose=True)[20:50]}


async def saved(store, response="Rest.", *, age_days=0.0, **more):
    asked, given = rubric(1), submission(response, **more)
    made = judgment(asked, given, created_at=NOW - timedelta(days=age_days))
    await store.save(made, given, asked)
    return made


async def rows(store):
    return {one.table: one.rows for one in (await store.erasures.statistics()).tables}


def wish(**given):
    return ErasureWish(reason="asked for", **given)


async def test_a_text_leaves_with_its_last_judgment_and_not_before(store):
    first = await saved(store, SECRET_TEXT, id="one")
    await saved(store, SECRET_TEXT, id="two")
    made = await erase(store, wish(judgment=first.id), "dr-lee")
    assert (made.judgments, made.texts, made.by, made.wish.reason) == (1, 0, "dr-lee", "asked for")
    assert await store.judgment(first.id) is None
    assert (await rows(store))["text"] == 2  # the prompt and the response
    made = await erase(store, wish(submission="two"), "dr-lee")
    assert (made.judgments, made.texts) == (1, 2)
    assert (await rows(store))["text"] == (await rows(store))["judgment"] == 0
    assert [one.wish.judgment or one.wish.submission for one in await store.erasures.acts(10)] == ["two", first.id]


async def test_every_given_field_has_to_match(store):
    kept = [await saved(store, "a", run="r", policy="p"), await saved(store, "b", run="s", policy="q")]
    gone = await saved(store, "c", run="r", policy="q")
    assert (await erase(store, wish(run="r", policy="q"), "x")).judgments == 1
    assert await store.judgment(gone.id) is None
    assert all([await store.judgment(one.id) for one in kept])


async def test_erasure_takes_the_audits_and_beats_pins(store):
    made = await saved(store, SECRET_TEXT, id="row")
    asked, given = rubric(1), submission(SECRET_TEXT, id="row")
    audit = judgment(asked, given)
    await store.audits.keep(made.id, "auditor", Judged(audit, given, asked, "anyone"))
    item = QueueItem(judgment=made.id, stratum="random", weight=1, population=1, sampled=1, drawn_at=NOW)
    await store.queue.put("labels", [item])
    assert (await erase(store, wish(judgment=made.id), "x")).judgments == 2
    assert await store.judgment(audit.id) is None
    assert await store.queue.open_items("labels", None, 10) == ()


async def test_more_judgments_than_one_transaction_takes_are_erased(store):
    asked = rubric(1)
    given = [submission(f"Response {number}.", run="r") for number in range(450)]
    await store.save_many([(judgment(asked, one), one, asked) for one in given])
    made = await erase(store, wish(run="r"), "x")
    assert (made.judgments, made.texts) == (450, 451)


async def test_pruning_keeps_what_is_young_pinned_or_of_another_class(store):
    old = await saved(store, "old", run="r", age_days=31)
    young = await saved(store, "young", run="r", age_days=29)
    pinned = await saved(store, "pinned", run="r", age_days=31)
    evaluation = await saved(store, "evaluation", age_days=31)
    item = QueueItem(judgment=pinned.id, stratum="random", weight=1, population=1, sampled=1, drawn_at=NOW)
    await store.queue.put("labels", [item])
    found = await store.erasures.prunable("training", NOW - timedelta(days=30))
    assert (found.judgments, found.pinned) == (1, 1)
    assert await Pruner(store, {"training": 30}, 90).step() == 1
    assert await store.judgment(old.id) is None
    assert all([await store.judgment(one.id) for one in (young, pinned, evaluation)])
    ages = {one.kind: one.judgments for one in (await store.erasures.statistics()).judgments}
    assert ages == {"training": 2, "evaluation": 1, "audit": 0}


async def test_an_erased_text_is_in_no_file_of_the_database(url, store):
    for number in range(40):
        await saved(store, f"{SECRET_TEXT} {number}", id=str(number))
    content = pack(f'"{SECRET_TEXT} 7"', prose=True)
    if url.startswith("sqlite"):
        assert files_hold(url, content)
    await erase(store, wish(submission="7"), "x")
    if url.startswith("sqlite"):
        assert not files_hold(url, content)
        assert files_hold(url, pack(f'"{SECRET_TEXT} 8"', prose=True))
    assert (await store.judgments(text="since Tuesday. 7")).items == ()


def files_hold(url, content):
    file = Path(url.removeprefix("sqlite:///"))
    return any(content in one.read_bytes() for one in file.parent.glob(f"{file.name}*"))


async def test_a_batch_is_removed_whole_and_the_next_begins_behind_it(store):
    for number in range(45):
        await saved(store, f"Response {number}.", run="r", age_days=31)
    old = datetime.now(UTC) - timedelta(days=30)
    batch = await store.erasures.batch("training", old, Position(), 40)
    assert len(batch.ids) == 40
    assert len((await store.erasures.batch("training", old, batch.last, 40)).ids) == 5
    removed = await store.erasures.prune(batch)
    assert (removed.rows, removed.seconds > 0) == (40, True)
    assert await Pruner(store, {"training": 30.0}, 90).step() == 5
    assert await store.erasures.batch("training", old, Position(), 40) is None
    assert (await rows(store))["text"] == 0


async def test_a_batch_of_which_one_was_pinned_or_erased_meanwhile_is_looked_up_again(store):
    made = [await saved(store, f"Response {number}.", run="r", age_days=31) for number in range(4)]
    before = NOW - timedelta(days=30)
    batch = await store.erasures.batch("training", before, Position(), 10)
    item = QueueItem(judgment=made[1].id, stratum="random", weight=1, population=1, sampled=1, drawn_at=NOW)
    await store.queue.put("labels", [item])
    assert (await store.erasures.prune(batch)).rows == 0
    batch = await store.erasures.batch("training", before, Position(), 10)
    await erase(store, wish(judgment=made[0].id), "dr-lee")
    assert (await store.erasures.prune(batch)).rows == 0
    assert await Pruner(store, {"training": 30.0}, 90).step() == 2
    assert [await store.judgment(one.id) is None for one in made] == [True, False, True, True]
    assert (await rows(store))["text"] == 2  # its prompt and its response


async def test_a_batch_whose_judgment_was_audited_meanwhile_is_looked_up_again(store):
    made = await saved(store, "Rest.", run="r", age_days=31)
    before = NOW - timedelta(days=30)
    batch = await store.erasures.batch("training", before, Position(), 10)
    asked, given = rubric(1), submission("Rest.", run="r")
    audit = judgment(asked, given, created_at=NOW)
    await store.audits.keep(made.id, "auditor", Judged(audit, given, asked, "anyone"))
    assert (await store.erasures.prune(batch)).rows == 0
    assert await Pruner(store, {"training": 30.0}, 90).step() == 1
    assert await store.judgment(audit.id) is None


@pytest.mark.parametrize(("stored_a_second", "rest"), [(0, 0.0025), (1_000, 0.04), (300, 0.1), (50, 0.19), (1, 0.3)])
def test_the_rest_follows_the_rate_at_which_judgments_are_stored(stored_a_second, rest):
    assert rest_after(40, 0.01, stored_a_second) == pytest.approx(rest)


async def test_what_is_stored_meanwhile_is_seen_whatever_the_clock_of_its_server_says(store):
    await saved(store, "Rest.", id="early")
    newest = (await store.erasures.stored_since(None)).newest
    assert await store.erasures.stored_since(newest) == (0, newest)
    await saved(store, "Walk.", id="ahead", age_days=-1)
    found = await store.erasures.stored_since(newest)
    assert found.judgments == 1
    assert (await store.erasures.stored_since(found.newest)).judgments == 1  # it hides nobody's judgments behind it


@pytest.mark.postgres
async def test_after_a_vacuum_an_erased_text_is_nowhere_in_the_files_of_postgresql(postgres, caplog):
    url = postgres.new_database()
    store = await Store.open(url)
    made = await saved(store, SECRET_TEXT, id="row", policy="p")
    with psycopg.connect(url, autocommit=True) as connection:
        (oid,) = connection.execute("SELECT oid FROM pg_database WHERE datname = current_database()").fetchone()
        folder = postgres.folder / "data" / "base" / str(oid)

        def held() -> set[str]:
            connection.execute("CHECKPOINT")
            content = b"".join(one.read_bytes() for one in folder.iterdir())
            return {kind for kind, sought in SOUGHT.items() if sought in content}

        assert held() == {"packed"}
        await erase(store, wish(submission="row"), "dr-lee")
        connection.execute("VACUUM FULL")
        assert held() == set()
    assert await store.judgment(made.id) is None
    assert "numb since" not in caplog.text
    await store.close()


async def job_of(store, *items):
    terms = JobTerms(caller="trainer")
    job = Job(id="job_1", status=JobStatus.RECEIVING, created_at=NOW, terms=terms)
    await store.jobs.begin(job, priority=1, key=None, patience_seconds=60)
    texts = [JobItem(position, json.dumps(one)) for position, one in enumerate(items)]
    await store.jobs.add(job.id, texts, patience_seconds=60)
    await store.jobs.seal(job.id, total=len(items), digest="d")
    return job.id


@pytest.mark.parametrize(
    "named", [{"submission": "s1"}, {"policy": "p"}, {"tag": "t"}, {"run": "r", "group": "g"}, {"caller": "trainer"}]
)
async def test_items_that_wait_in_a_job_are_erased_by_what_they_say_of_themselves(store, named):
    mine = {"id": "s1", "policy": "p", "run": "r", "group": "g", "tags": ["t"], "response": SECRET_TEXT}
    other = {"id": "s2", "policy": "q", "tags": "t", "response": "Rest."}
    job = await job_of(store, mine, other)
    made = await erase(store, wish(**named), "dr-lee")
    everything = named == {"caller": "trainer"}
    assert made.job_items == (2 if everything else 1)
    assert await store.jobs.item(job, 0) == "{}"
    assert (await store.jobs.item(job, 1) == "{}") is everything
    ((position, result), *_) = await store.jobs.results(job, after=-1, limit=10)
    assert (position, result.reward, result.error.type) == (0, None, "bad_submission")
    assert (await store.jobs.find(job)).failed == made.job_items
    # a worker that read the item before keeps nothing of it
    asked, given = rubric(1), submission(SECRET_TEXT)
    await store.jobs.finish(Finished(job, 0, judgment(asked, given), given, asked))
    assert (await rows(store))["text"] == 0
    assert (await store.jobs.find(job)).failed == made.job_items
    assert (await erase(store, wish(**named), "dr-lee")).job_items == 0


@pytest.mark.parametrize("text", ['Take <two> "red" pills, Mrs Ögmundsdóttir\'s\nones.', "A plain long text."])
def test_a_text_is_found_as_files_write_it(text):
    quoted = Quoted.of({"jdg_1": submission(text)})
    written = [text, html.escape(text), json.dumps(text), json.dumps(text, ensure_ascii=False), text.replace('"', '""')]
    for form in written:
        assert "long" not in (found := quoted.without({"a": [f"before {form} after", 1, None]})["a"][0])
        assert "Mrs" not in found
        assert found.endswith(" after")
    value = {"a": ["something else", 1.5, None, True]}
    assert quoted.without(value) is value


def test_a_short_text_is_erased_where_its_item_is_named_after_the_judgment_and_not_elsewhere():
    quoted = Quoted.of({"jdg_1": submission("Rest.")})
    value = [{"id": "jdg_1", "response": "Rest.", "prompt": ""}, {"id": "jdg_2", "response": "Rest."}]
    assert quoted.without(value) == [{"id": "jdg_1", "response": "[erased]", "prompt": ""}, value[1]]
    assert quoted.without(quoted.without(value)) == quoted.without(value)
