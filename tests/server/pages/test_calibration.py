"""A judge is measured on a page: figures with their split, a certificate, a comparison, and the way to the wording."""

import re

import pytest

from tests.cli import judged_labels
from tests.cli.judged_labels import RUBRIC
from tests.served import served, settings_of, until
from tests.server.pages.test_pages import Page, sound, token
from tests.server.test_calibrations import labels


def posted(client):
    answer = client.post("/v1/rubrics", content=RUBRIC, headers={"Content-Type": "application/yaml"})
    assert answer.status_code in (200, 201), answer.text
    return answer.json()["reference"]["id"]


@pytest.fixture(scope="module")
def client():
    with served(settings_of("baseline")) as opened:
        some = [one for number, one in enumerate(labels()) if number < 90]
        opened.post("/v1/labels", json={"label_set": "water", "labels": some}).raise_for_status()
        yield opened


@pytest.fixture(scope="module")
def rubric(client):
    return posted(client)


def calibrated(client, rubric, **fields):
    """The path of a calibration that has ended."""
    form = {"token": token(client, "/calibrations"), "labels": "water", "rubric": rubric, "split": "dev"}
    answer = client.post("/calibrations", data=form | fields)
    assert answer.status_code == 303, answer.text
    path = answer.headers["location"]
    until(lambda: client.get(f"/v1{path}").json()["status"] != "running")
    assert client.get(f"/v1{path}").json()["status"] == "done"
    return path


@pytest.fixture(scope="module")
def path(client, rubric):
    return calibrated(client, rubric, gate="yes")


def curves(answer):
    return answer.text.count("<svg")


def test_the_report_stands_on_the_page_with_the_split_at_every_figure(client, path):
    answer = client.get(path)
    page = sound(answer, curves=curves(answer))
    assert curves(answer) >= 2
    assert "people with each other (the ceiling)" in page.text
    for heading in ("May it reward a training?", "Do its probabilities mean", "What sways it", "With each person"):
        assert heading in page.text
    figures = len(page.all("figure")) + len(page.all("table"))
    badges = [one for one in page.all("span") if one.get("class") == "badge"]
    assert len(badges) >= figures
    assert page.text.count("dev: 30 items, 30 prompts") >= figures - 1


def test_the_list_of_measurements_says_what_the_gate_decided(client, rubric, path):
    calibrated(client, rubric, gate="")
    text = sound(client.get("/calibrations")).text
    assert "not enough evidence" in text
    assert "not asked" in text


def test_a_certificate_among_judges_and_rubrics_leads_to_its_measurement(client, path):
    page = sound(client.get("/judges"))
    for listed in (page, sound(client.get("/rubrics"))):
        assert path in {one["href"] for one in listed.all("a")}
    assert "not enough evidence" in page.text


def test_the_certificate_says_what_is_missing(client, path):
    text = sound(client.get(path), curves=curves(client.get(path))).text
    assert "not enough evidence" in text
    assert re.search(r"What is missing, or not reached: .*are needed", text)


def test_the_certificate_stands_in_the_library_and_leads_to_its_run(client, path, rubric):
    row = next(line for line in client.get("/rubrics").text.split("<tr>") if f'/rubrics/{rubric}"' in line)
    assert "default: " in row
    assert path in {one["href"] for one in sound(client.get(f"/rubrics/{rubric}")).all("a")}


def test_a_run_without_a_gate_is_certified_from_its_page(client, rubric, path):
    later = calibrated(client, rubric)
    assert "The gate has not decided" in client.get(later).text
    answer = client.post(f"{later}/certificate", data={"token": token(client, later)})
    assert answer.headers["location"] == f"{later}#certificate"
    assert "not enough evidence" in client.get(later).text
    compared = client.get("/calibrations/compare", params={"old": path[14:], "new": later[14:]})
    assert "No difference can be tested: it corrects 0 and breaks 0 of 30 ratings" in sound(compared, curves=1).text
    assert f"/calibrations/compare?old={path[14:]}&amp;new={later[14:]}" in client.get(later).text


def test_a_disagreement_leads_to_the_editor_and_to_a_new_label(client, path):
    page = sound(client.get(path), curves=curves(client.get(path)))
    items = list(dict.fromkeys(one["value"] for one in page.all("input") if one.get("name") == "item"))
    assert items
    form = {"token": token(client, path), "item": items[0], "criterion": "water"}
    first = client.post(f"{path}/wording", data=form).headers["location"]
    assert re.fullmatch(r"/drafts/draft_[0-9a-f]+#c0", first)
    again = client.post(f"{path}/wording", data=form | {"item": items[1]}).headers["location"]
    assert again == first
    draft = client.get(first.partition("#")[0]).text
    assert "Try the draft on 2 samples" in draft


def test_the_judge_was_right_and_a_person_labels_again(client, path):
    form = re.search(r'action="/label/show">(.*?)<button', client.get(path).text, re.DOTALL)[1]
    asked = dict(re.findall(r'name="([^"]*)" value="([^"]*)"', form))
    shown = client.post("/label/show", data=asked, follow_redirects=True)
    page = sound(shown)
    assert f"Shown to {asked['annotator']}" in page.text
    checked = [one["value"] for one in page.all("input") if "checked" in one]
    assert checked in (["met"], ["unmet"])  # the set says "yes" or "no", and goes on to
    other = {"met": "unmet", "unmet": "met"}[checked[0]]
    hidden = {one["name"]: one["value"] for one in page.all("input") if one.get("type") == "hidden"}
    answer = client.post("/label/item", data=hidden | {"label.water": other})
    assert answer.status_code == 303
    stored = client.get("/v1/label-sets/water").json()["labels"]
    assert {one["label"] for one in stored} == {"yes", "no"}
    item = hidden["item"]
    (again,) = (one for one in stored if one["item"] == item and one["annotator"] == hidden["annotator"])
    assert again["label"] == {"met": "yes", "unmet": "no"}[other]
    assert again["saw_judge"] is True


def test_what_cannot_be_measured_stands_above_the_form_which_keeps_its_contents(client, rubric):
    form = {"token": token(client, "/calibrations"), "labels": "none/such", "rubric": rubric, "split": "test"}
    answer = client.post("/calibrations", data=form | {"rubric": "no/such"})
    assert answer.status_code == 404
    assert 'value="test" selected' in sound(answer).words[0] or 'value="test" selected' in answer.text
    assert client.post("/calibrations", data=form | {"labels": ""}).status_code == 422
    answer = client.post("/calibrations", data=form)
    path = answer.headers["location"]
    until(lambda: client.get(f"/v1{path}").json()["status"] == "failed")
    assert "no label set" in Page(client.get(path).text).text
    assert client.get("/calibrations/cal_none").status_code == 404


def test_progress_is_a_part_of_the_page_that_asks_for_the_whole_page_at_the_end(client, path):
    answer = client.get(path, headers={"HX-Request": "true"})
    assert "<html" not in answer.text
    assert answer.headers["HX-Refresh"] == "true"
    assert "30 of 30 judged" in Page(answer.text).text


def test_a_run_of_the_command_line_is_shown_with_its_figures(tmp_path):
    judged_labels.write(tmp_path, 40)
    database = f"sqlite:///{tmp_path}/own.db"
    flags = ("--labels", "labels.csv", "--rubric", "water.yaml", "--model", "baseline", "--database", database)
    judged_labels.run(tmp_path, "calibrate", "run", *flags)
    with served(settings_of("baseline", database=database)) as client:
        (run,) = client.get("/v1/calibrations").json()["calibrations"]
        answer = client.get(f"/calibrations/{run['id']}")
        page = sound(answer, curves=curves(answer))
        assert curves(answer) >= 2
        assert "people with each other (the ceiling)" in page.text
        assert "Change the wording" in page.text
        assert "Judge was right" not in page.text  # the labels stand in a file, not in the store
