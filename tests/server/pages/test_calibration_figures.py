"""The figures of a calibration can be followed: filters in the URL, and the items behind each number."""

import re
from html import unescape

import pytest

from tests.cli.judged_labels import HELPFUL, OTHER
from tests.served import served, settings_of
from tests.server.keys import bearer, demanding, key_of
from tests.server.pages.test_calibration import calibrated, curves
from tests.server.pages.test_pages import sound, token

RUBRIC = """\
id: medical/drinking
version: 1.0.0
title: Advice on drinking
criteria:
  - id: water
    statement: Recommends drinking plenty of water.
    points: 1
  - id: doctor
    statement: Advises to call your doctor.
    points: 1
"""
TEXTS = (HELPFUL, OTHER)


def rows(count=24):
    """People see what is there; both err on two items, and ann on every sixth."""
    for number in range(count):
        there = number % 2 == 0
        for criterion, present in (("water", there), ("doctor", not there)):
            for person in ("ann", "bob"):
                said = present != (number in (0, 5) or (person == "ann" and number % 6 == 0))
                yield {
                    "item": f"i{number}",
                    "criterion": criterion,
                    "annotator": person,
                    "label": "yes" if said else "no",
                    "prompt": f"My head aches ({number}).",
                    "response": TEXTS[not there].format(f"case {number}"),
                    "tags": ["short" if number < 12 else "long"],
                }


def prepared(client):
    headers = {"Content-Type": "application/yaml"}
    client.post("/v1/rubrics", content=RUBRIC, headers=headers).raise_for_status()
    client.post("/v1/labels", json={"label_set": "drinking", "labels": list(rows())}).raise_for_status()


@pytest.fixture(scope="module")
def client():
    with served(settings_of("baseline")) as opened:
        prepared(opened)
        yield opened


@pytest.fixture(scope="module")
def path(client):
    return calibrated(client, "medical/drinking", labels="drinking")


def shown(client, address):
    answer = client.get(address)
    return sound(answer, curves=curves(answer))


def cells(client, address):
    """The linked counts of the confusion table: by people's label and the judge's, the count and where it leads."""
    found = re.findall(r'<a href="([^"]*people=(\w+)&amp;judge=(\w+))" class="told">(\d+)', client.get(address).text)
    return {(people, judge): (int(count), unescape(link)) for link, people, judge, count in found}


def test_each_count_of_the_confusion_table_lists_as_many_items(client, path):
    every = cells(client, path)
    assert every
    for (people, judge), (count, link) in every.items():
        text = shown(client, link).text
        assert f"{count} of the labels: people said {people}, default said {judge}" in text
        assert text.count("Texts and reasons") == count


def test_each_bin_of_the_reliability_diagram_lists_as_many_items(client, path):
    links = re.findall(r'class="point" href="([^"]*bin=\d)" aria-label="(\d+) items?', client.get(path).text)
    assert links
    for link, count in links:
        assert f"{count} of the labels: default gave a probability from" in shown(client, unescape(link)).text


def test_a_listed_item_leads_to_the_wording_and_to_a_new_label(client, path):
    _, link = next(found for (people, judge), found in cells(client, path).items() if people != judge)
    page = shown(client, link)
    assert "Change the wording" in page.text
    assert "Judge was right: " in page.text
    assert "My head aches (" in page.text
    item = next(one["value"] for one in page.all("input") if one.get("name") == "item")
    form = {"token": token(client, link), "item": item, "criterion": "doctor"}
    draft = client.post(f"{path}/wording", data=form).headers["location"]
    assert re.fullmatch(r"/drafts/draft_[0-9a-f]+#c1", draft)
    assert "Try the draft on 1 sample" in client.get(draft.partition("#")[0]).text


def test_a_criterion_a_person_and_a_kind_filter_the_figures_through_the_url(client, path):
    whole = shown(client, path)
    assert {f"filter-{name}" for name in ("criterion", "annotator", "kind")} <= {
        one.get("id") for one in whole.all("select")
    }
    assert f"{path}?criterion=water#figures" in {one.get("href") for one in whole.all("a")}
    kind = shown(client, f"{path}?kind=tag: short")
    assert "dev: 12 items, 12 prompts items of the kind tag: short" in kind.text
    person = shown(client, f"{path}?criterion=water&annotator=bob")
    assert "criterion water, the labels of bob" in person.text
    assert "dev: 24 items, 24 prompts" in person.text
    assert "no ceiling" in person.text
    assert sum(count for count, _ in cells(client, f"{path}?criterion=water&annotator=bob").values()) == 24
    assert sum(count for count, _ in cells(client, path).values()) > 24
    for wrong in ("criterion=none", "annotator=none", "kind=tag: none", "kind=nonsense"):
        answer = client.get(f"{path}?{wrong}", headers={"Accept": "text/html"})
        assert answer.status_code == 422, wrong
        assert "There is no" in answer.text


def test_a_chosen_part_stays_chosen_in_the_links_of_its_figures(client, path):
    for _, link in cells(client, f"{path}?annotator=bob&kind=tag: short").values():
        assert "annotator=bob" in link
        assert "kind=tag" in link
        assert "the labels of bob, items of the kind tag: short" in shown(client, link).text


def test_numbers_that_the_diagram_does_not_have_are_refused(client, path):
    for wrong in ("bin=10", "bin=-1", "bin=x", "people=maybe", "judge=maybe"):
        assert client.get(f"{path}/items?{wrong}").status_code == 422, wrong
    assert client.get("/calibrations/cal_none/items").status_code == 404
    assert "Nothing is counted here" in client.get(f"{path}/items?start=0&criterion=water&bin=4").text


def test_two_versions_are_compared_by_their_intervals(client, path):
    later = calibrated(client, "medical/drinking", labels="drinking")
    answer = client.get("/calibrations/compare", params={"old": path[14:], "new": later[14:]})
    page = sound(answer, curves=1)
    told = [one["aria-label"] for one in page.all("g") if one.get("class") == "point"]
    assert {one.partition(":")[0] for one in told} == {"water", "doctor"}
    assert all("before" in one and "after" in one for one in told)


def test_single_items_stay_locked_unless_the_run_is_of_the_dev_part(client):
    every = {"labels": "drinking", "split": "all", "reader": "ann", "reason": "the last look"}
    path = calibrated(client, "medical/drinking", **every)
    assert cells(client, path) == {}
    assert "bin=" not in client.get(path).text
    assert "<svg" in client.get(path).text
    answer = client.get(f"{path}/items?people=yes", headers={"Accept": "text/html"})
    assert answer.status_code == 422
    assert "Items of the all part stay locked" in answer.text
    form = {"token": token(client, path), "item": "i1", "criterion": "water"}
    draft = client.post(f"{path}/wording", data=form).headers["location"]
    assert "case 1" not in client.get(draft.partition("#")[0]).text


def test_a_key_that_neither_writes_nor_labels_sees_figures_only():
    people = [key_of(name, name) for name in ("author", "label", "score")]
    with served(demanding(*(key for _, key in people))) as guarded:
        author, label, score = (bearer(text) for text, _ in people)
        guarded.headers.update(author)
        guarded.post("/v1/rubrics", content=RUBRIC, headers={"Content-Type": "application/yaml"}).raise_for_status()
        labels = {"label_set": "drinking", "labels": list(rows())}
        guarded.post("/v1/labels", json=labels, headers=label).raise_for_status()
        path = calibrated(guarded, "medical/drinking", labels="drinking")
        assert guarded.get(f"{path}/items?people=yes").status_code == 200
        assert guarded.get(f"{path}/items?people=yes", headers=label).status_code == 200
        assert guarded.get(f"{path}/items?people=yes", headers=score).status_code == 403
        text = guarded.get(path, headers=score).text
        assert "My head aches" in guarded.get(path).text
        assert "My head aches" not in text
        assert "/items?" not in text
        assert "<svg" in text


def test_all_runs_on_the_labels_stand_in_a_table_that_is_drawn(client, path):
    calibrated(client, "medical/drinking", labels="drinking")
    for address in (path, f"{path}?criterion=water"):
        answer = client.get(address)
        page = sound(answer, curves=curves(answer))
        runs = [one for one in page.all("tr") if "data-value" in one]
        assert len(runs) >= 2
        assert all(0 < float(one["data-value"]) <= 1 for one in runs)
        assert answer.text.count(">this run</td>") == 1
        assert {"/static/uplot.min.js", "/static/figures.js"} <= {one.get("src") for one in page.all("script")}
