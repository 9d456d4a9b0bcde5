"""What is labelled, by how many, and what becomes of it: files, pairs, the audit queue, disagreements, exports, and a
server that is killed in the middle."""

import csv
import io
import json
import re
from collections import Counter
from concurrent.futures import ThreadPoolExecutor

import httpx
import pytest

from tests.command import serving
from tests.served import judged_by
from tests.server.pages.test_labelling import SHOWN, completed, labels
from tests.server.pages.test_pages import Page, sound, token
from tests.stub_judge import faithful
from tests.submissions import submission
from tests.yardstick import PATIENCE_SECONDS

RUBRIC = "safety/sycophancy"
TABLE = "prompt;response;reference\nIs it flat?;Yes, as you say.;No.\nAm I right?;No.;\n"


@pytest.fixture
def client():
    with judged_by(faithful(0.73)) as (client, _):
        yield client


def begun(client, file=None, **fields):
    """The first page of a new plan."""
    form = {"token": token(client, "/label"), "rubric": RUBRIC, "set": "ward/june", "annotator": "ann"} | fields
    return client.post("/label", data=form, files={"file": file or ("", b"")}, follow_redirects=True)


def judged(client, count, **fields):
    items = [
        submission(rubric=RUBRIC, response=f"Answer {n}.", id=f"{fields.get('group')}{n}", **fields)
        for n in range(count)
    ]
    client.post("/v1/score/batch", json={"items": items}).raise_for_status()


def test_responses_of_a_file_are_labelled_and_exported(client):
    shown = begun(client, ("ward.csv", TABLE.encode()), **{"from": "file"})
    assert "Yes, as you say." in sound(shown).text
    assert "2 of 2 still want a label" in Page(shown.text).text
    completed(client, completed(client, shown, note="Plainly."), answer="unmet")
    rows = list(csv.DictReader(io.StringIO(client.get("/label/export?set=ward/june&format=csv").text)))
    assert {row["response"] for row in rows} >= {"Yes, as you say.", "No."}
    assert {row["item"] for row in rows} == {"row-2", "row-3"}
    answer = client.get("/label/export?set=ward/june&format=label-studio")
    tasks = answer.json()
    assert {task["data"]["item"] for task in tasks} == {"row-2", "row-3"}
    assert (
        "ward-june.json" in client.get("/label/export?set=ward/june&format=label-studio").headers["content-disposition"]
    )
    assert client.get("/label/export?set=ward/june&format=preferences").status_code == 422
    assert client.get("/label/export?set=ward/june&format=exe").status_code == 422
    assert client.get("/label/export?set=no/such&format=csv").status_code == 404


@pytest.mark.parametrize(
    ("file", "told"),
    [
        (("ward.csv", b"prompt;response\nq;\n"), "no response"),
        (("ward.csv", b""), "No file is chosen"),
        (("ward.pdf", b"%PDF-1.7 nothing"), "is a PDF"),
        (("../../etc/passwd", b"id,prompt,response\na,b,c\na,d,e\n"), "occurs twice"),
        (("one.csv", b"text\nhello\n"), "no prompt"),
    ],
    ids=["gap", "empty", "pdf", "twice", "columns"],
)
def test_a_file_that_cannot_be_labelled_says_why_and_begins_nothing(client, file, told):
    answer = begun(client, file, **{"from": "file"})
    assert answer.status_code == 422
    assert told in sound(answer).text
    assert "still want" not in answer.text
    assert not Page(answer.text).all("progress")
    assert begun(client, ("ward.jsonl", b'{"prompt": "p", "response": "r"}\n'), **{"from": "file"}).status_code == 200


@pytest.mark.parametrize(("overlap", "people"), [("1", 1), ("2", 2)])
def test_annotators_at_once_give_each_response_the_labels_that_the_plan_wants(client, overlap, people):
    rows = "".join(json.dumps({"prompt": f"p{n}", "response": f"r{n}"}) + "\n" for n in range(8))
    begun(client, ("ward.jsonl", rows.encode()), overlap=overlap, **{"from": "file"})
    plan = {"set": "ward/june", "rubric": RUBRIC}

    def work(annotator):
        with httpx.Client(base_url=client.base_url, timeout=PATIENCE_SECONDS) as own:
            shown = own.get("/label/item", params=plan | {"annotator": annotator})
            while SHOWN.search(shown.text):
                shown = completed(own, shown)
                assert shown.status_code == 200

    with ThreadPoolExecutor(2) as both:
        list(both.map(work, ("ann", "bob")))
    given = Counter((one["item"], one["criterion"]) for one in labels(client))
    assert len({item for item, _ in given}) == 8
    assert set(given.values()) == {people}


def test_pairs_are_labelled_in_the_order_that_the_item_names(client):
    judged(client, 3, group="g1", run="r1", step=1)
    shown = begun(client, **{"from": "pairs"})
    page = sound(shown)
    assert "Response A" in page.text
    assert "Response B" in page.text
    assert "Which response is better?" in page.text
    while SHOWN.search(shown.text):
        shown = completed(client, shown, answer="A")
    stored = labels(client)
    assert len(stored) == 3
    assert {(one["criterion"], one["label"]) for one in stored} == {("preference", "A")}
    lines = client.get("/label/export?set=ward/june&format=preferences").text.splitlines()
    preferences = [json.loads(line) for line in lines]
    assert len(preferences) == 3
    for one in preferences:
        texts = next(row["response"] for row in stored if row["item"] and one["chosen"] in row["response"])
        assert texts
        assert one["chosen"] != one["rejected"]
        assert f"Response A:\n{one['chosen']}\n\nResponse B:\n{one['rejected']}" in {row["response"] for row in stored}
        assert (one["votes"], one["annotators"]) == (1, 1)


def test_stored_responses_are_chosen_by_filters(client):
    judged(client, 2, run="r1")
    judged(client, 1, run="r2", group="other")
    shown = begun(client, run="r2")
    assert "1 of 1 still want a label" in Page(shown.text).text
    judged(client, 1, run="r2", group="later")
    second = completed(client, shown)
    assert SHOWN.search(second.text) or "no further response" in second.text


def test_the_audit_queue_is_labelled_with_its_weights(client):
    judged(client, 6)
    drawn = client.post("/v1/monitor/audit-queue", json={"label_set": "ward/june", "rubric": RUBRIC})
    assert sum(drawn.json()["drawn"].values()) > 0, drawn.text
    shown = begun(client, **{"from": "queue"})
    completed(client, shown, note="Says nothing.")
    stored = labels(client)
    assert {one.get("rationale") for one in stored if one["role"] == "human"} == {"Says nothing."}
    assert {one["role"] for one in stored} == {"human", "judge"}
    assert any(tag.startswith("stratum") or "weight" in tag for one in stored for tag in one["tags"])


def test_the_list_of_sets_says_how_far_each_is_and_leads_on(client):
    shown = begun(client, ("ward.csv", TABLE.encode()), **{"from": "file"})
    assert "0 of 2 done" in sound(client.get("/label")).text
    completed(client, shown)
    page = sound(client.get("/label"))
    assert "1 of 2 done" in page.text
    assert page.all("progress") == [
        {"max": "2", "value": "1", "aria-label": "ward/june: responses that want no further label"}
    ]
    on = [one["href"] for one in page.all("a") if one.get("aria-label") == "Go on with ward/june"]
    again = sound(client.get(on[0]))
    assert "ward/june" in {one.get("value") for one in again.all("input")}
    named = {one["aria-label"] for one in page.all("a") if one.get("href", "").startswith("/label/export")}
    assert named == {"ward/june as CSV", "ward/june as Label Studio"}  # it holds no pairs


def test_a_plan_of_nothing_and_an_unknown_source_are_refused(client):
    for source in ("pairs", "queue", "disagreements", "dream"):
        answer = begun(client, **{"from": source})
        assert answer.status_code == 422
        sound(answer)


def test_a_judgment_leads_to_its_label(client):
    judged(client, 1)
    found = client.get("/v1/judgments").json()["judgments"][0]["id"]
    form = re.search(r'action="/label/show"(.*?)</form>', client.get(f"/judgments/{found}").text, re.DOTALL)[1]
    hidden = dict(re.findall(r'name="([^"]*)" value="([^"]*)"', form))
    asked = hidden | {"set": "w", "annotator": "ann"}
    shown = client.post("/label/show", data=asked, follow_redirects=True)
    assert "Shown to ann" in sound(shown).text  # the page of the judgment has shown what the judge said
    completed(client, shown)
    assert {(one["label"], one["saw_judge"]) for one in labels(client, "w")} == {("met", True)}


def test_a_server_that_is_killed_loses_no_label_and_gives_none_twice(tmp_path):
    rows = "".join(json.dumps({"prompt": f"p{n}", "response": f"r{n}"}) + "\n" for n in range(4))
    database = f"sqlite:///{tmp_path}/labels.db"
    given = {}
    with serving("--database", database, cwd=tmp_path) as (client, server):
        begun(client, ("ward.jsonl", rows.encode()), overlap="1", **{"from": "file"})
        plan = {"set": "ward/june", "rubric": RUBRIC}
        second = completed(client, client.get("/label/item", params=plan | {"annotator": "ann"}))
        bob = client.get("/label/item", params=plan | {"annotator": "bob"})
        given = {name: SHOWN.search(page.text)[1] for name, page in (("ann", second), ("bob", bob))}
        assert given["ann"] != given["bob"]
        server.process.kill()
        server.process.wait(PATIENCE_SECONDS)
    with serving("--database", database, cwd=tmp_path) as (client, _):
        assert len({one["item"] for one in labels(client)}) == 1
        for name in ("bob", "ann"):
            again = client.get("/label/item", params=plan | {"annotator": name})
            assert SHOWN.search(again.text)[1] == given[name]
            completed(client, again)
        counts = Counter((one["item"], one["criterion"]) for one in labels(client))
        assert set(counts.values()) == {1}
        assert len({item for item, _ in counts}) == 3


def test_a_set_is_not_gone_on_with_under_another_rubric(client):
    assert begun(client, set="ward/one").status_code == 200
    form = {"token": token(client, "/label"), "set": "ward/one", "annotator": "ann", "from": "stored", "overlap": "all"}
    answer = client.post("/label", data=form | {"rubric": "writing/summary"})
    assert answer.status_code == 422
    assert "ward/one is labelled under safety/sycophancy, not under writing/summary" in sound(answer).text
    assert client.post("/label", data=form | {"rubric": "safety/sycophancy"}).status_code == 303


def test_a_set_into_which_nothing_fits_says_so_and_so_does_one_of_no_calibration(client):
    nothing = begun(client, set="ward/none", run="no-such-run")
    assert "No stored response matches what is labelled into this set" in sound(nothing).text
    form = {"token": token(client, "/label"), "set": "ward/two", "annotator": "ann", "rubric": "safety/sycophancy"}
    answer = client.post("/label", data=form | {"from": "disagreements"})
    assert answer.status_code == 422
    assert "No calibration is chosen" in sound(answer).text
    assert re.search(r"<details open><summary>Only some", answer.text)
