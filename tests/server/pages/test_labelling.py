"""Labelling on a page: blind to the judge, one response at a time, stored at once, each annotator alone."""

import re
from concurrent.futures import ThreadPoolExecutor
from functools import partial

import pytest

from tests.served import judged_by, served
from tests.server.keys import bearer, demanding, key_of
from tests.server.pages.test_pages import HOSTILE, Page, sound, token
from tests.stub_judge import faithful
from tests.submissions import rubric, submission

PLAN = {"set": "ward/june", "rubric": "safety/sycophancy", "annotator": "ann"}
SHOWN = re.compile(r'name="item" value="([^"]+)"')


@pytest.fixture
def client():
    with judged_by(faithful(0.73)) as (client, _):
        items = [submission(rubric="safety/sycophancy", response=f"Answer {n}.", id=str(n)) for n in range(3)]
        for item in items:  # one after the other: the newest comes first
            client.post("/v1/score", json=item)
        yield client


def begun(client, **plan):
    return client.get("/label/item", params=PLAN | plan)


def completed(client, shown, answer="met", **fields):
    """The answer to a filled-in page; every criterion gets the first of its answers that is ``answer``."""
    page = Page(shown.text)
    radios = [one for one in page.all("input") if one.get("type") == "radio"]
    hidden = {one["name"]: one["value"] for one in page.all("input") if one.get("type") == "hidden"}
    given = {one["name"]: one["value"] for one in radios if one["value"] == answer}
    return client.post("/label/item", data=hidden | {"partial": "yes"} | given | fields, follow_redirects=True)


def labels(client, name=PLAN["set"]):
    return client.get(f"/v1/label-sets/{name}").json()["labels"]


def test_a_response_is_shown_without_what_the_judge_said(client):
    page = sound(begun(client))
    assert "Answer 2." in page.text
    assert "0.73" not in page.text
    assert not page.all("meter")
    assert "Cannot tell" in page.text


def test_answers_are_stored_and_the_next_response_comes(client):
    first = begun(client)
    second = completed(client, first)
    assert SHOWN.search(second.text)[1] != SHOWN.search(first.text)[1]
    assert "labelled by ann: 1 response" in sound(second).text
    found = labels(client)
    assert {one["annotator"] for one in found} == {"ann"}
    assert {one["label"] for one in found} == {"met"}
    assert {one["response"] for one in found if one.get("response")} == {"Answer 2."}
    third = completed(client, second, answer="unsure", note="Not my field.")
    end = completed(client, third)
    assert "no further response" in sound(end).text
    assert len({one["item"] for one in labels(client)}) == 3


def test_one_goes_back_and_changes_an_answer(client):
    second = completed(client, begun(client))
    before = re.search(r'href="([^"]+)" id="undo"', second.text)[1].replace("&amp;", "&")
    again = client.get(before)
    checked = [one for one in Page(again.text).all("input") if "checked" in one]
    assert checked
    assert {one["value"] for one in checked} == {"met"}
    completed(client, again, answer="unmet")
    assert {one["label"] for one in labels(client)} == {"unmet"}


def test_a_skipped_response_comes_again_later(client):
    first = begun(client)
    skip = re.search(r'href="([^"]+)" id="skip"', first.text)[1].replace("&amp;", "&")
    second = client.get(skip)
    assert SHOWN.search(second.text)[1] != SHOWN.search(first.text)[1]
    assert SHOWN.search(begun(client).text)[1] == SHOWN.search(second.text)[1]
    third = completed(client, second)
    last = completed(client, third)
    assert SHOWN.search(last.text)[1] == SHOWN.search(first.text)[1]


def test_two_annotators_label_the_same_responses_and_see_nothing_of_each_other(client):
    completed(client, begun(client))
    other = begun(client, annotator="bob")
    assert "labelled by bob: 0 responses" in sound(other).text
    assert not [one for one in Page(other.text).all("input") if "checked" in one]
    completed(client, other, answer="unmet")
    assert {(one["annotator"], one["label"]) for one in labels(client)} == {("ann", "met"), ("bob", "unmet")}


def test_a_form_without_an_answer_or_with_a_wrong_one_stores_nothing(client):
    shown = begun(client)
    first = next(one["name"] for one in Page(shown.text).all("input") if one.get("type") == "radio")
    for fields in ({}, {first: "perhaps"}):
        answer = completed(client, shown, answer="none of them", **fields)
        assert answer.status_code == 422
    assert client.get("/v1/label-sets/ward/june").status_code == 404


@pytest.mark.parametrize("plan", [{"set": "a b"}, {"set": ""}, {"annotator": ""}, {"rubric": "no/such"}])
def test_a_plan_that_cannot_be_is_a_page_that_says_so(client, plan):
    answer = begun(client, **plan)
    assert answer.status_code in (404, 422)
    sound(answer)


@pytest.mark.parametrize("hostile", HOSTILE[:3])
def test_hostile_texts_and_names_are_shown_as_text(hostile):
    with judged_by(faithful()) as (client, _):
        item = submission(rubric=rubric(id="safety/sycophancy"), prompt=hostile, response=f"{hostile} words")
        client.post("/v1/score", json=item)
        shown = begun(client, annotator=hostile)
        sound(shown)
        sound(completed(client, shown, note=hostile))


def test_who_asks_what_the_judge_said_is_recorded_and_the_labels_say_so(client):
    page = Page(begun(client).text)
    hidden = {one["name"]: one["value"] for one in page.all("input") if one.get("type") == "hidden"}
    shown = client.post("/label/show", data=hidden, follow_redirects=True)
    told = sound(shown).text
    assert "The judge said: met, 0.73" in told
    assert "Shown to ann" in told
    other = begun(client, annotator="bob")
    assert "The judge said" not in other.text
    following = completed(client, shown, note="Plainly.")
    assert "The judge said" not in following.text
    completed(client, other)
    completed(client, following)
    found = labels(client)
    seen = [one for one in found if one.get("saw_judge")]
    assert {(one["annotator"], one["item"], one["rationale"]) for one in seen} == {("ann", hidden["item"], "Plainly.")}
    assert 0 < len(seen) < len(found)
    assert client.get("/v1/label-sets/ward/june").json()["description"]["counts"]["saw_judge"] == len(seen)
    exported = client.get("/label/export", params={"set": "ward/june", "format": "csv"}).text
    assert exported.splitlines()[0].split(",").count("saw_judge") == 1
    studio = client.get("/label/export", params={"set": "ward/june", "format": "label-studio"}).text
    assert studio.count("_saw_judge") == len(seen)
    overview = sound(client.get("/label")).text
    assert "Labelled after seeing the judge's answer" in overview
    assert f"ann: {hidden['item']} of ward/june" in overview


def test_the_note_is_there_again_for_who_goes_back(client):
    second = completed(client, begun(client), note="Not my <field>.")
    back = client.get(next(one["href"] for one in Page(second.text).all("a") if one.get("id") == "undo"))
    assert "Not my &lt;field&gt;." in back.text
    completed(client, back, note="Mine after all.")
    assert {one["rationale"] for one in labels(client)} == {"Mine after all."}


def test_the_first_page_counts_what_is_to_label(client):
    assert "3 of 3 still want a label" in Page(begun(client).text).text


def test_criteria_without_an_answer_are_asked_about_once_and_the_answers_stay(client):
    shown = begun(client)
    first = next(one["name"] for one in Page(shown.text).all("input") if one.get("type") == "radio")
    asked = completed(client, shown, answer="no such", partial="", note="So far.", **{first: "met"})
    assert asked.status_code == 422
    page = sound(asked)
    assert "have no answer" in page.text
    assert "So far." in asked.text
    assert [one["name"] for one in page.all("input") if one.get("type") == "radio" and "checked" in one] == [first]
    assert client.get("/v1/label-sets/ward/june").status_code == 404
    completed(client, asked, answer="no such", partial="yes", **{first: "met"})
    assert {one["criterion"] for one in labels(client)} == {first.removeprefix("label.")}


def test_one_goes_back_step_by_step_also_after_a_pause(client):
    first = begun(client)
    shown = completed(client, completed(client, first))
    shown = begun(client)  # the address names nothing that was done before
    seen = []
    while found := re.search(r'href="([^"]+)" id="undo"', shown.text):
        shown = client.get(found[1].replace("&amp;", "&"))
        seen.append(SHOWN.search(shown.text)[1])
    assert len(seen) == len(set(seen)) == 2
    assert seen[-1] == SHOWN.search(first.text)[1]


def test_responses_whose_texts_are_gone_stop_nobody(client):
    begun(client)
    newest, *_ = (one["id"] for one in client.get("/v1/judgments").json()["judgments"])
    client.delete(f"/v1/judgments/{newest}").raise_for_status()
    second = begun(client)
    assert "Answer 1." in sound(second).text
    end = completed(client, completed(client, second))
    assert "1 response is passed over, because the texts are no longer stored" in sound(end).text


def test_answers_of_another_tab_are_replaced_only_by_who_was_told(client):
    one, other = begun(client), begun(client)
    completed(client, one)
    completed(client, one)  # the same form once more changes nothing
    asked = completed(client, other, answer="unmet")
    assert asked.status_code == 422
    assert "You have completed this response on another page" in sound(asked).text
    assert {label["label"] for label in labels(client)} == {"met"}
    assert completed(client, asked, answer="unmet").status_code == 200
    assert {label["label"] for label in labels(client)} == {"unmet"}


@pytest.mark.parametrize("look", ["/judgments/{id}", "/groups?group=g1"])
def test_labels_of_who_came_across_the_judgment_before_say_so(look):
    text, kept = key_of("ann", "score", "label")
    with served(demanding(kept)) as client:
        for n in range(2):
            item = submission(rubric=PLAN["rubric"], response=f"Answer {n}.", id=str(n), group=f"g{n}")
            seen = client.post("/v1/score", json=item, headers=bearer(text)).raise_for_status().json()["id"]
        client.post("/signin", data={"key": text, "token": token(client, "/signin")})
        client.get(look.format(id=seen)).raise_for_status()
        shown = begun(client)
        while SHOWN.search(shown.text):
            looked = "Answer 1." in Page(shown.text).text
            assert ("on a page of judgments" in sound(shown).text) is looked
            assert "The judge said" not in shown.text
            shown = completed(client, shown)
        sent = client.get("/v1/label-sets/ward/june", headers=bearer(text)).json()["labels"]
        marked = {(one["response"], bool(one.get("saw_judge"))) for one in sent if one.get("response")}
        assert marked == {("Answer 1.", True), ("Answer 0.", False)}
        assert "Labelled after seeing" not in client.get("/label").text


def test_of_two_tabs_that_complete_a_response_at_once_one_is_asked(client):
    for number in range(12):
        shown = begun(client, annotator=f"ann {number}")
        with ThreadPoolExecutor(2) as tabs:
            sent = list(tabs.map(partial(completed, client, shown), ("met", "unmet")))
        assert sorted(one.status_code for one in sent) == [200, 422]
        asked = next(one for one in sent if one.status_code == 422)
        assert "You have completed this response on another page" in sound(asked).text
        stored = "unmet" if asked is sent[0] else "met"
        assert {one["label"] for one in labels(client) if one["annotator"] == f"ann {number}"} == {stored}
