"""Who has read on a calibration's pages what the judge said about an item labels it knowingly from then on."""

import re

import pytest

from tests.cli.judged_labels import RUBRIC
from tests.served import served, until
from tests.server.keys import bearer, demanding, key_of
from tests.server.pages.test_pages import Page, sound, token
from tests.server.test_calibrations import labels

SEEN = "on a page of judgments or calibrations, what a judge said"
SOME = [one for number, one in enumerate(labels()) if number < 90]


@pytest.fixture(scope="module")
def keys():
    return {name: key_of(name, "score", "label", "author") for name in ("ann", "bob", "cleo")}


@pytest.fixture(scope="module")
def client(keys):
    with served(demanding(*(kept for _, kept in keys.values()))) as opened:
        yield opened


@pytest.fixture(scope="module")
def run(client, keys):
    """The path of a calibration, and its rubric."""
    headers = bearer(keys["cleo"][0])
    sent = {"label_set": "water", "labels": SOME}
    client.post("/v1/labels", json=sent, headers=headers).raise_for_status()
    posted = client.post("/v1/rubrics", content=RUBRIC, headers=headers | {"Content-Type": "application/yaml"})
    rubric = posted.raise_for_status().json()["reference"]["id"]
    asked = {"labels": "water", "rubric": rubric}
    path = f"/calibrations/{client.post('/v1/calibrations', json=asked, headers=headers).json()['id']}"
    until(lambda: client.get(f"/v1{path}", headers=headers).json()["status"] == "done")
    return path, rubric


def signed_in(client, keys, name):
    client.cookies.clear()
    client.post("/signin", data={"key": keys[name][0], "token": token(client, "/signin")})


def shown_items(answer):
    return {one["value"] for one in Page(answer.text).all("input") if one.get("name") == "item"}


@pytest.mark.parametrize(("name", "part"), [("ann", ""), ("bob", "/items")])
def test_items_of_a_calibration_that_were_read_are_labelled_as_such_in_every_set(client, keys, run, name, part):
    path, rubric = run
    signed_in(client, keys, name)
    read = client.get(f"{path}{part}")
    items = shown_items(read)
    unread = {one["item"] for one in SOME} - items
    assert items
    assert unread

    def labelling(item, **plan):
        asked = {"set": "water", "rubric": rubric, "annotator": name, "item": item} | plan
        return sound(client.get("/label/item", params=asked)).text

    for plan in ({}, {"set": "water/again", "source": "water"}):
        assert SEEN in labelling(min(items), **plan)
        assert SEEN not in labelling(min(unread), **plan)
    assert "The judge said" not in labelling(min(items))
    signed_in(client, keys, "cleo")
    assert SEEN not in labelling(min(items))


def test_the_label_of_who_has_read_is_marked(client, keys, run):
    path, rubric = run
    signed_in(client, keys, "ann")
    item = min(shown_items(client.get(path)))
    shown = client.get("/label/item", params={"set": "water", "rubric": rubric, "annotator": "ann", "item": item})
    hidden = dict(re.findall(r'type="hidden" name="([^"]*)" value="([^"]*)"', shown.text))
    assert client.post("/label/item", data=hidden | {"label.water": "unmet"}).status_code == 303
    headers = bearer(keys["ann"][0])
    every = client.get("/v1/label-sets/water", headers=headers, params={"limit": 1_000}).json()["labels"]
    marked = {(one["item"], one["annotator"]) for one in every if one.get("saw_judge")}
    assert marked == {(item, "ann")}
    assert "Labelled after seeing" not in client.get("/label").text
