"""An erased text is nowhere: in no cell of any table, and in no byte of the database's files.

Each column that can hold a text says below what becomes of a text in it. A new column fails the first test until
somebody decides that.
"""

import asyncio
import html
import json
import zlib
from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import psycopg
import pytest
from sqlalchemy import Connection, LargeBinary, Text, create_engine, text
from sqlalchemy.types import TypeDecorator

from benchmarks.stub_judge import instance_of
from judge_server.labels.archive import collected_set, find, keep
from judge_server.scoring.witness import _ANSWER, _KNOWN_EMPTY
from judge_server.store import Store
from judge_server.store.draft_records import DraftSample, RubricDraft
from judge_server.store.improvement_records import KeptImprovement
from judge_server.store.label_plan_records import PlannedItem, StoredPlan
from judge_server.store.label_records import CollectedLabel
from judge_server.store.location import Location
from judge_server.store.measuring_schema import EXAM, IMPROVEMENT, METADATA
from judge_server.store.measuring_schema import MEASURED as MEASURED_TABLE
from judge_server.store.payload import _DICTIONARIES, _WINDOW
from judge_server.store.schema import JOB, JOB_ITEM
from tests.served import judged_by, until
from tests.stub_judge import Reply, faithful, labels, wants_schema
from tests.stub_judge import text as said
from tests.submissions import RESPONSE, rubric, submission

SECRET = "Mrs Gudmundsdottir cannot feel her left arm since Tuesday"
NOW = datetime.now(UTC)
NAME = "a name, number, digest or time"
"""Chosen by an operator or a program, or made here; no text of a submission goes there. Callers are told so."""
ROW = "a name or number of a submission, which goes with its judgment"
JUDGMENT = "goes with its judgment"
REMEMBERED = "goes with every judgment that it is about, and with its caller"
QUOTED = "a copy or quotation, which is replaced when its judgment is erased"
ITEM = "an item of a job, emptied if it says that it is what is erased, or with its judgment"
OWN = "an author's or annotator's own work, removed there; a copy in it is replaced"
RUBRIC = "a rubric, which is its author's and stays"
MEASURED = "figures of a measurement, without texts"
INDEX = "bits by which texts are searched, made anew without the text"
RECORD = "the record of an act, whose reason its maker wrote"
HOLDING = (JUDGMENT, REMEMBERED, QUOTED, ITEM, OWN)
"""Columns of these are filled by the tests below, so that what becomes of a text there is seen."""

FATES = {
    NAME: """api_key.id api_key.name api_key.sha256 api_key.payload audit.audited_id audit.judge audit.judgment_id
        budget.kind budget.name calibration.id calibration.fingerprint calibration.rubric_digest calibration.rows_digest
        certificate.id certificate.fingerprint certificate.rubric_digest certificate.decision alarm.key
        alarm_transition.id alarm_transition.key collected_label.set_id collected_label.item collected_label.criterion
        collected_label.annotator erasure.id erasure.made_by exam.id exam.judge exam.fingerprint fitted_map.id
        fitted_map.fingerprint fitted_map.rubric_digest job.id job.status job.caller job.terms job.idempotency_key
        job.content_digest job.worker job_item.job_id job_item.judgment_id judgment_form.digest judgment_form.rubric_id
        judgment_form.rubric_version judgment_form.rubric_digest judgment_form.judge judgment_form.fingerprint
        judgment_form.maps judgment_form.guard judgment_form.submitted judgment_form.template label_plan.set_id
        label_reservation.set_id label_reservation.item label_reservation.annotator label_set.digest label_set.set_id
        label_set.version label_showing.set_id label_showing.item label_showing.annotator locked_reading.id
        locked_reading.digest measured.calibration_id migrated_by.revision migrated_by.version model_signature.key
        model_signature.payload publication.rubric_id publication.version publication.digest rubric.digest
        rubric_draft.id rubric_draft.author rubric_draft.published run_change.id run_change.run run_change.act
        run_change.kind run_change.name run_change.before run_change.after run_change.made_by run_pin.run run_pin.kind
        run_pin.name run_pin.value secret.name secret.value served_rubric.rubric_id served_rubric.version
        served_rubric.digest text.digest verdict.key verdict_source.source verdict_source.verdict watch.name
        watch.worker watch.position_id training_run.digest training_run.run reward_source.digest reward_source.policy
        reward_source.caller reward_source.rubric_id reward_source.rubric_version reward_source.rubric_digest
        reward_source.judge reward_source.fingerprint reward_source.maps reward_source.guard run_group.group_key
        queue_item.label_set queue_item.judgment_id queue_item.stratum improvement.id improvement.status
        improvement.worker""",
    ROW: """judgment.id judgment.rubric_id judgment.judge judgment.submission_id judgment.run judgment.group_name
        judgment.policy judgment.caller judgment.prompt_key judgment.status judgment.flags
        judgment.submission_digest judgment.inline_rubric judgment_tag.tag judgment_tag.judgment_id
        reask.judgment_id reask.run reask.rubric_id reask.prompt_key run_group.prompt_key""",
    JUDGMENT: "judgment.content judgment.submitted text.content",
    INDEX: "text_block.content",
    ITEM: "job_item.item job_item.result",
    REMEMBERED: "verdict.content",
    OWN: "rubric_draft.payload collected_label.payload label_plan.items",
    RUBRIC: "rubric.payload",
    QUOTED: """label_set.payload label_set.content measured.report exam.payload improvement.terms improvement.progress
        improvement.proposals improvement.files""",
    MEASURED: """calibration.payload certificate.payload fitted_map.payload measured.content
        label_plan.payload alarm.payload alarm_transition.payload""",
    RECORD: "erasure.payload locked_reading.payload run_change.reason",
}
OUR_EXAMPLES = {bytes.fromhex(one.digest[:32]) for one in (*_KNOWN_EMPTY, _ANSWER)}
"""Shown to a judge that is asked whether a thin response says anything."""
TEXT_COLUMNS = frozenset(name for names in FATES.values() for name in names.split())


def test_every_column_that_can_hold_a_text_says_what_becomes_of_it():
    able = {
        f"{table.name}.{column.name}"
        for table in METADATA.tables.values()
        for column in table.columns
        if isinstance(column.type, Text | LargeBinary | TypeDecorator)
    }
    assert able - TEXT_COLUMNS == set(), "say in FATES how a text in it is erased"
    assert TEXT_COLUMNS - able == set()
    assert sum(len(names.split()) for names in FATES.values()) == len(TEXT_COLUMNS)


def quoting(body: dict[str, Any]) -> Reply:
    """A judge whose reasons quote what it was shown."""
    schema = wants_schema(body)
    if schema is None:
        return labels(Yes=0.9, No=0.1) if "logprobs" in body else faithful()(body)
    quote = f"It says: {SECRET}." if SECRET in json.dumps(body) else "Nothing to quote."
    return said(json.dumps(_with_reasons(instance_of(schema), quote)))


def _with_reasons(made: Any, quote: str) -> Any:
    if isinstance(made, dict):
        return {name: quote if name == "reason" else _with_reasons(one, quote) for name, one in made.items()}
    return [_with_reasons(one, quote) for one in made] if isinstance(made, list) else made


def fill(client: Any) -> None:
    """The text in every place of a submission, in a group, a job, a grading and a decision."""
    marked = {
        "prompt": f"What should we do? {SECRET}.",
        "response": f"{RESPONSE} That {SECRET} is a sign of a stroke.",
        "reference": f"Because {SECRET}, she must go to a hospital.",
        "policy": "policy-7",
        "run": "night",
        "facts": {"note": f"She says: {SECRET}."},
    }
    demanding = rubric(1)
    demanding["criteria"][0]["reference"] = "optional"
    done = client.post("/v1/score", json=submission(rubric=demanding, explain=True, **marked))
    assert SECRET in done.text, "the reason quotes the text"
    wanted = {"prompt": marked["prompt"], "rubric": rubric(1), "explain": True, "run": "night", "policy": "policy-7"}
    for kind in ("listwise", "pairwise"):
        responses = [f"{RESPONSE} First of {kind}: {SECRET}.", f"{RESPONSE} Second of {kind}: {SECRET}.", RESPONSE]
        grouped = client.post("/v1/score/group", json=wanted | {"responses": responses, "relative": {"kind": kind}})
        assert grouped.json()["group"]["relative"]["comparisons"]["read"], grouped.text
    item = submission(rubric=rubric(1), response=f"{RESPONSE} In a job: {SECRET}.", run="night", policy="policy-7")
    broken = item | {"response": [SECRET], "tags": ["x"]}
    job = client.post("/v1/jobs", json={"items": [item, broken]}).json()["id"]
    until(lambda: client.get(f"/v1/jobs/{job}").json()["status"] == "done")
    ask = [{"role": "user", "content": "{{sample.output_text}}"}]
    grader = {"type": "score_model", "name": "g", "model": "default", "input": ask, "range": [0, 1]}
    graded = client.post(
        "/v1/fine_tuning/alpha/graders/run",
        json={"grader": grader, "model_sample": f"{RESPONSE} In a grading: {SECRET}."},
    )
    assert graded.status_code == 200, graded.text


async def quote(url: str) -> None:
    """The same text in all that is made of judgments, and in items of jobs that wait or have an odd result."""
    store = await Store.open(url)
    page = await store.judgments(run="night", limit=1_000)
    shown = next(one for one in page.items if one.submission.group is None)
    given = await store.submission(shown.id)
    response, quoted = given.response, f"The judge said {given.response!r}."
    note = {"item": shown.id, "criterion": "c", "annotator": "a", "role": "human", "label": "met"}
    note |= {"prompt": "Why?", "response": response}
    await store.labels.collect("labels", [CollectedLabel(item=shown.id, criterion="c", annotator="a", content=note)])
    item = PlannedItem(id="other", judgments=(shown.id,), prompt="Why?", response=response)
    await store.label_plans.put(StoredPlan(label_set="labels", rubric="r@1.0.0", items=(item,)))
    labels = collected_set("labels", await store.labels.collected("labels"))
    stored = await keep(replace(labels, notes=(quoted,)), store.labels)
    assert (await find(stored.digest, store.labels)).items[shown.id].response == response
    draft = RubricDraft.begun("anyone", f"# {response}")
    sample = DraftSample(prompt="Why?", response=SECRET)
    await store.drafts.keep(draft.model_copy(update={"samples": (sample,)}), "page")
    terms, progress = (json.dumps({name: quoted}) for name in ("asked", "told"))
    begun = KeptImprovement("imp_1", NOW, "done", terms, progress)
    await store.improvements.begin(begun, most_open=9)
    files = {"proposals": json.dumps({"k": [quoted]}), "files": json.dumps({"report.html": html.escape(quoted)})}
    await store._write(lambda connection: connection.execute(IMPROVEMENT.update().values(files)))
    report = {"calibration_id": "c", "report": json.dumps([quoted]), "content": b""}
    exam = {"id": "e", "created_us": 0, "judge": "j", "fingerprint": "f", "payload": json.dumps({"failed": quoted})}
    waiting = {"job_id": "job_odd", "position": 0, "item": json.dumps({"policy": "policy-7", "run": "night"})}
    more = {"created_us": 0, "terms": "{}", "lease_us": 0, "ok": 0, "partial": 0, "failed": 0, "priority": 1}
    job = {"id": "job_odd", "status": "cancelled", "caller": "anyone", "total": 1, **more}
    odd = waiting | {"finished": True, "result": json.dumps({"detail": f"odd: {SECRET}"})}

    def work(connection: Connection) -> None:
        connection.execute(MEASURED_TABLE.insert(), [report])
        connection.execute(EXAM.insert(), [exam])
        connection.execute(JOB.insert(), [job])
        connection.execute(JOB_ITEM.insert(), [odd])

    await store._write(work)
    await store.close()


def cells(url: str) -> Iterator[tuple[str, bytes]]:
    """Every cell that can hold a text, as it is stored."""
    engine = create_engine(Location.of(url).url)
    with engine.connect() as connection:
        for name in sorted(TEXT_COLUMNS):
            table, column = name.split(".")
            for (value,) in connection.execute(text(f'SELECT "{column}" FROM "{table}"')):
                if value is not None:
                    yield name, value.encode() if isinstance(value, str) else bytes(value)
    engine.dispose()


def says_it(content: bytes) -> bool:
    """Also if it was compressed somewhere in a cell."""
    sought = SECRET.encode()
    if sought in content:
        return True
    for place, kind in enumerate(content):
        known = _DICTIONARIES.get(bytes([kind]))
        if content[place : place + 2] == b"x\x9c" and sought in _inflated(zlib.decompressobj(), content[place:]):
            return True
        if known is not None:
            ours = zlib.decompressobj(wbits=_WINDOW, zdict=known)
            if sought in _inflated(ours, content[place + 1 :]):
                return True
    return False


def _inflated(stream: Any, content: bytes) -> bytes:
    """As much as can be read: bytes that only begin like a compressed text are found in any digest now and then."""
    read = bytearray()
    try:
        for start in range(0, len(content), 64):
            read += stream.decompress(content[start : start + 64])
    except zlib.error:
        pass
    return bytes(read)


def test_a_text_is_found_as_it_is_and_compressed_and_bytes_that_begin_like_a_compressed_text_are_none():
    text_itself = f"She says: {SECRET}.".encode()
    assert says_it(b"{" + text_itself)
    assert says_it(b"\x01\x02" + zlib.compress(text_itself) + b"rest")
    assert not says_it(b"x\x9c" + bytes(range(200, 256)))
    assert not says_it(zlib.compress(b"nothing of the kind"))


def holding(url: str) -> dict[bytes, str]:
    return {content: name for name, content in cells(url) if says_it(content)}


def erase(client: Any) -> None:
    for wish in ({"run": "night", "policy": "policy-7"}, {"caller": "anyone"}):
        answer = client.post("/v1/erasures", json=wish | {"reason": "asked for"})
        assert answer.status_code == 200, answer.text


def checked(url: str, before: dict[bytes, str], stored: bytes) -> None:
    holding_texts = {name for fate in HOLDING for name in FATES[fate].split()}
    assert set(before.values()) >= holding_texts, "every column that can hold a text held this one"
    assert holding(url) == {}
    ours = {name for name, content in cells(url) if name == "verdict.key" and content not in OUR_EXAMPLES}
    left = {name for name, _ in cells(url) if name.startswith(("verdict_source", "text", "judgment."))}
    assert (ours, left) == (set(), set())
    assert SECRET.encode() not in stored
    kept = {name for content, name in before.items() if content in stored}
    assert kept == set(), "as compressed"


def test_an_erased_text_is_in_no_cell_and_no_byte_of_sqlite(tmp_path, caplog):
    url = f"sqlite:///{tmp_path / 'judge.db'}"
    with judged_by(quoting, database=url) as (client, _):
        fill(client)
        asyncio.run(quote(url))
        before = holding(url)
        erase(client)
        stored = b"".join(one.read_bytes() for one in Path(tmp_path).rglob("*") if one.is_file())
        checked(url, before, stored)
    assert SECRET not in caplog.text


@pytest.mark.postgres
def test_an_erased_text_is_in_no_cell_and_after_vacuum_in_no_byte_of_postgresql(postgres):
    url = postgres.new_database()
    with judged_by(quoting, database=url) as (client, _):
        fill(client)
        asyncio.run(quote(url))
        before = holding(url)
        erase(client)
    with psycopg.connect(url, autocommit=True) as connection:
        connection.execute("VACUUM FULL")
        connection.execute("CHECKPOINT")
        (number,) = connection.execute("SELECT oid FROM pg_database WHERE datname = current_database()").fetchone()
    folder = postgres.folder / "data" / "base" / str(number)
    checked(url, before, b"".join(one.read_bytes() for one in folder.iterdir()))
