"""Writing a rubric on a page: form and text in step, findings, samples, publishing on purpose, drafts of one author."""

import html
import re

import pytest

from tests.served import judged_by
from tests.server.pages.test_pages import sound, token
from tests.stub_judge import faithful


@pytest.fixture(scope="module")
def client():
    with judged_by(faithful(0.8)) as (client, _):
        yield client


def begun(client, **fields):
    """The path of a new draft."""
    answer = client.post("/drafts", data={"token": token(client, "/drafts"), **fields})
    assert answer.status_code == 303, answer.text
    return answer.headers["location"]


def text_of(client, path):
    page = client.get(path).text
    return html.unescape(re.search(r'<textarea id="text"[^>]*>\n(.*?)</textarea>', page, re.DOTALL)[1])


def kept(client, path, live=False, **fields):
    shown = client.get(path).text
    hidden = {
        "token": re.search(r'name="token" value="([0-9a-f]+)"', shown)[1],
        "editor": re.search(r'name="editor" value="([0-9a-f]+)"', shown)[1],
        "revision": re.search(r'name="revision" value="(\d+)"', shown)[1],
    }
    headers = {"HX-Request": "true"} if live else {}
    return client.post(path, data={**hidden, **fields}, headers=headers)


def test_a_draft_begins_from_a_rubric_with_the_next_version(client):
    path = begun(client, base="writing/summary")
    page = sound(client.get(path))
    assert "It began from" in page.text
    assert "The rubric can be used" in page.text
    assert path in {one["href"] for one in sound(client.get("/drafts")).all("a")}


def test_what_the_form_changes_stands_in_the_text_and_the_other_way_round(client):
    path = begun(client, id="ward/handover")
    assert (
        kept(client, path, **{"c0.statement": "Names the patient.", "c0.points": "2,5", "act": "form"}).status_code
        == 303
    )
    assert "Names the patient." in text_of(client, path)
    assert "points" in sound(client.get(path)).text  # 2,5 is no number: a remark says so
    kept(client, path, text=text_of(client, path).replace("Names the patient.", "Names the ward."))
    inputs = re.search(r'name="c0.statement"[^>]*>(.*?)</textarea>', client.get(path).text, re.DOTALL)
    assert inputs[1].strip() == "Names the ward."


def test_a_script_gets_the_other_side_and_the_remarks_only(client):
    path = begun(client, id="ward/live")
    answer = kept(client, path, live=True, **{"c0.statement": "Is empathetic, clear and short."})
    assert answer.status_code == 200
    assert 'id="text"' in answer.text
    assert 'id="form-side"' not in answer.text
    assert "<html" not in answer.text
    broken = kept(client, path, live=True, text="id: [")
    assert 'id="form-side"' in broken.text
    assert "cannot be used yet" in broken.text


def test_criteria_are_moved_copied_added_and_deleted(client):
    path = begun(client, id="ward/order")

    def ids():
        return re.findall(r'name="c\d+\.id" value="([^"]*)"', client.get(path).text)

    first, second, *_ = before = ids()
    kept(client, path, act="down:0")
    assert ids()[:2] == [second, first]
    kept(client, path, act="copy:0")
    assert ids()[:3] == [second, f"{second}_copy", first]
    kept(client, path, act="delete:1")
    kept(client, path, act="up:1")
    assert ids() == before
    kept(client, path, act="add")
    assert len(ids()) == len(before) + 1
    assert kept(client, path, act="delete:99").status_code == 422
    assert kept(client, path, act="explode:0").status_code == 422


def test_a_draft_is_tried_on_samples_beside_the_version_before(client):
    path = begun(client, base="writing/summary")
    hidden = {"token": token(client, path), "editor": "e", "revision": "1"}
    sample = {"prompt": "Sum it up.", "response": "A bridge was built.", "reference": "A bridge."}
    assert client.post(f"{path}/samples", data={**hidden, "act": "try"}).status_code == 422
    assert client.post(f"{path}/samples", data={**hidden, **sample, "act": "add"}).status_code == 303
    page = sound(client.post(f"{path}/samples", data={**hidden, "act": "try"}))
    assert "Reward before" in page.text
    assert "A bridge was built." in page.text
    assert not page.all("strong")  # nothing has changed, also where the judge gave no value
    assert client.post(f"{path}/samples", data={**hidden, "revision": "2", "act": "remove:0"}).status_code == 303
    assert "No samples yet" in sound(client.get(path)).text


def test_nobody_publishes_by_accident(client):
    path = begun(client, id="ward/published")
    page = sound(client.get(f"{path}/publish"))
    assert "first version" in page.text
    hidden = {"token": token(client, f"{path}/publish")}
    for fields in ({}, {"note": "First."}, {"sure": "yes"}):
        answer = client.post(f"{path}/publish", data={**hidden, **fields})
        assert answer.status_code == 422
        assert client.get("/v1/rubrics/ward/published").status_code == 404
    answer = client.post(f"{path}/publish", data={**hidden, "note": "First.", "sure": "yes"})
    assert answer.headers["location"] == "/rubrics/ward/published@1.0.0"
    assert "First." in sound(client.get("/rubrics/ward/published")).text
    assert client.post(path, data={**hidden, "text": "id: x", "revision": "9", "editor": "e"}).status_code == 409
    assert path not in {one["href"] for one in sound(client.get("/drafts")).all("a")}


def test_the_next_version_shows_its_changes_and_the_step_that_they_need(client):
    path = begun(client, base="writing/summary")
    kept(client, path, **{"c0.statement": "Says something else altogether."})
    page = sound(client.get(f"{path}/publish"))
    assert "a major step" in page.text
    assert "Says something else altogether." in page.text


def test_two_open_pages_do_not_overwrite_each_other(client):
    path = begun(client, id="ward/twice")
    hidden = {"token": token(client, path), "revision": "1"}
    text = text_of(client, path)
    assert client.post(path, data={**hidden, "editor": "one", "text": f"{text}# one\n"}).status_code == 303
    assert client.post(path, data={**hidden, "editor": "one", "text": f"{text}# again\n"}).status_code == 303
    refused = client.post(path, data={**hidden, "editor": "two", "text": f"{text}# two\n"})
    assert refused.status_code == 409
    page = sound(refused)
    assert "changed on another page" in page.text
    assert "# two" in page.text  # what was typed stays
    assert "# again" in text_of(client, path)
    over = next(one["value"] for one in page.all("button") if one.get("name") == "over")
    mine = {**hidden, "editor": "two", "text": f"{text}# two\n", "over": over}
    assert client.post(path, data=mine).status_code == 303
    assert "# two" in text_of(client, path)
    late = client.post(path, data={**hidden, "editor": "three", "text": f"{text}# three\n", "over": over})
    assert late.status_code == 409  # it has changed once more since that button was shown


def test_a_sample_is_added_to_a_draft_that_another_page_has_changed(client):
    path = begun(client, id="ward/samples")
    stale = {"token": token(client, path), "revision": "1", "editor": "one"}
    kept(client, path, text=text_of(client, path))
    sample = {"prompt": "Sum it up.", "response": "A bridge was built."}
    assert client.post(f"{path}/samples", data={**stale, **sample, "act": "add"}).status_code == 303
    assert "A bridge was built." in client.get(path).text
    assert client.post(f"{path}/samples", data={**stale, "editor": "two", "act": "remove:0"}).status_code == 409


def test_a_broken_text_is_kept_and_its_remark_names_the_line(client):
    path = begun(client, id="ward/broken")
    kept(client, path, text="id: ward/broken\ntitle: [\n")
    page = sound(client.get(path))
    assert "cannot be read as YAML" in page.text
    assert "Line" in page.text
    assert client.get(f"{path}/publish").status_code == 422


def test_a_draft_is_discarded_and_taken_back(client):
    path = begun(client, id="ward/gone")
    sent = {"token": token(client, path)}
    kept(client, path, title="Hard to write again")
    text = text_of(client, path)
    client.post(f"{path}/discard", data=sent)
    assert client.get(path).status_code == 404
    listed = sound(client.get("/drafts"))
    assert path not in {one.get("href") for one in listed.all("a")}
    assert any("Hard to write again" in one.get("aria-label", "") for one in listed.all("button"))
    assert client.post(f"{path}/discard", data={**sent, "act": "back"}).headers["location"] == path
    assert text_of(client, path) == text
    assert client.post(f"{path}/discard", data={**sent, "act": "back"}).status_code == 404  # it is not discarded


def test_expectations_are_held_against_the_draft_while_it_is_written(client):
    path = begun(client, base="code/review")
    page = sound(client.get(path))
    assert "30 cases by" in page.text
    assert "meet every expectation" in page.text
    text = text_of(client, path)
    answer = kept(client, path, live=True, text=re.sub(r"points: (\d)", r"points: -\1", text))
    assert 'id="expectations"' in answer.text
    assert "expectations are not met" in answer.text
    renamed = kept(client, path, live=True, text=text.replace("id: finds_defect", "id: finds_fault"))
    assert "The cases do not fit this draft" in renamed.text
    assert "there is no criterion &#39;finds_defect&#39;" in renamed.text


def test_cases_in_the_text_count_before_those_of_the_version_before(client):
    path = begun(client, id="ward/cases")
    assert "No cases." in sound(client.get(path)).text
    own = "tests:\n  - {id: one, prompt: p, cases: [{id: good, grade: good, response: r, reward: [0.9, 1.0]}]}\n"
    kept(client, path, text=text_of(client, path) + own)
    page = sound(client.get(path))
    assert "1 cases by the rubric's authors" in page.text
    assert "expectations are not met" in page.text
    kept(client, path, text=text_of(client, path).replace("grade: good", "grade: splendid"))
    page = sound(client.get(path))
    assert "Input should be 'good', 'fair' or 'bad'" in page.text
    assert "Correct the remarks above" in page.text


def sampled(client, path, act, **fields):
    shown = client.get(path).text
    hidden = {name: re.search(rf'name="{name}" value="(\w+)"', shown)[1] for name in ("token", "revision")}
    return client.post(f"{path}/samples", data={**hidden, "editor": "e", "act": act, **fields})


def test_samples_come_from_cases_and_from_a_label_set(client):
    labels = [
        {"item": f"i{n}", "criterion": "c", "annotator": "ann", "label": "yes", "prompt": f"p{n}", "response": f"r{n}"}
        for n in range(6)
    ]
    client.post("/v1/labels", json={"label_set": "ward/samples", "labels": labels}).raise_for_status()
    path = begun(client, base="writing/summary")
    assert sampled(client, path, "set", set="no/such").status_code == 422
    assert sampled(client, path, "set", set="ward/samples").status_code == 303
    assert "on 5 samples" in client.get(path).text
    assert sampled(client, path, "set", set="ward/samples").status_code == 303
    assert sampled(client, path, "set", set="ward/samples").status_code == 422
    assert sampled(client, path, "cases").status_code == 303
    assert "on 11 samples" in client.get(path).text


def test_the_next_draft_begins_with_the_samples_that_the_author_kept(client):
    path = begun(client, id="ward/samples")
    sampled(client, path, "add", prompt="Hand over.", response="Bed 3 sleeps.")
    form = {"token": token(client, path), "note": "First.", "sure": "yes"}
    assert client.post(f"{path}/publish", data=form).status_code == 303
    following = begun(client, base="ward/samples")
    assert "Bed 3 sleeps." in sound(client.get(following)).text


def test_a_note_that_is_too_long_is_refused_and_stays_in_the_form(client):
    path = begun(client, id="ward/note")
    form = {"token": token(client, path), "note": "n" * 2_001, "sure": "yes"}
    answer = client.post(f"{path}/publish", data=form)
    assert answer.status_code == 422
    assert "The note has 2,001 characters" in sound(answer).text
    assert "n" * 2_001 in answer.text


def test_publishing_says_that_nothing_has_changed(client):
    path = begun(client, base="writing/summary")
    assert "Nothing has changed since" in sound(client.get(f"{path}/publish")).text


def test_the_last_act_on_a_criterion_is_undone(client):
    path = begun(client, base="writing/summary")
    before = text_of(client, path)
    assert "Undo" not in client.get(path).text
    kept(client, path, act="delete:0")
    assert text_of(client, path) != before
    assert "Undo the last act" in sound(client.get(path)).text
    kept(client, path, act="undo")
    assert text_of(client, path) == before
    kept(client, path, act="delete:0")
    kept(client, path, **{"c0.statement": "Says something else."})
    after = text_of(client, path)
    assert "Undo" not in client.get(path).text
    kept(client, path, act="undo")
    assert text_of(client, path) == after
