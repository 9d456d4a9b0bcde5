"""The same draft and the same response in two tabs, and a reservation that ends while somebody reads."""

import json
import re
from datetime import timedelta

from playwright.sync_api import expect

from judge_server.store import label_plan_records
from tests.served import served, settings_of
from tests.server.pages.browser import WIDTHS, visit
from tests.server.pages.test_editor import begun
from tests.server.pages.test_in_a_browser import address_of
from tests.server.pages.test_label_plans import begun as planned
from tests.server.pages.test_labelling import labels

RUBRIC = "safety/sycophancy"
ROWS = "".join(json.dumps({"prompt": f"p{n}", "response": f"Answer {n}."}) + "\n" for n in range(2)).encode()
TEXT = "The rubric as text (YAML)"


def labelled(page, key):
    """All criteria by one key, then completed."""
    for _ in range(page.locator("fieldset").count()):
        page.keyboard.press(key)
    page.keyboard.press("Control+Enter")


def test_a_draft_in_two_tabs_is_overwritten_only_on_purpose(chromium):
    with served(settings_of()) as client, visit(chromium, address_of(client), width=WIDTHS[0]) as visitor:
        path = begun(client, id="ward/tabs")
        visitor.open(path)
        first, second = visitor.page, visitor.page.context.new_page()
        second.goto(f"{visitor.address}{path}")
        first.get_by_label("Statement").first.fill("Names the ward.")
        expect(first.get_by_label(TEXT)).to_have_value(re.compile("Names the ward."))
        second.get_by_label("Statement").first.fill("Names the patient.")
        expect(second.locator("#state")).to_contain_text("changed on another page meanwhile")
        expect(second.get_by_label("Statement").first).to_have_value("Names the patient.")
        with second.expect_popup() as opened:
            second.get_by_role("link", name="What the other page kept, in a new tab").click()
        expect(opened.value.get_by_label("Statement").first).to_have_value("Names the ward.")
        second.get_by_role("button", name="Keep what this page says").click()
        expect(second.get_by_label(TEXT)).to_have_value(re.compile("Names the patient."))
        first.get_by_label("Title").fill("Typed after all that")
        expect(first.locator("#state")).to_contain_text("changed on another page meanwhile")
        assert visitor.flaws() == []


def test_a_response_in_two_tabs_is_answered_once_and_again_only_on_purpose(chromium):
    with served(settings_of()) as client, visit(chromium, address_of(client)) as visitor:
        path = planned(client, ("ward.jsonl", ROWS), **{"from": "file"}).url.raw_path.decode()
        visitor.open(path)
        first, second = visitor.page, visitor.page.context.new_page()
        second.goto(f"{visitor.address}{path}")
        labelled(first, "1")
        expect(first.get_by_text("labelled by ann: 1 response")).to_be_visible()
        labelled(second, "2")
        expect(second.get_by_role("alert")).to_contain_text("completed this response on another page meanwhile")
        expect(second.get_by_role("button", name="Complete without them")).to_have_count(0)  # nothing is left out
        before = labels(client)
        assert {one["item"] for one in before} == {"row-1"}
        second.get_by_role("link", name="Skip", exact=True).click()
        expect(second.get_by_text("Answer 1.")).to_be_visible()
        assert labels(client) == before


def test_who_reads_longer_than_a_reservation_lasts_is_told_and_asked(chromium, monkeypatch):
    monkeypatch.setattr(label_plan_records, "RESERVED_FOR", timedelta(0))
    with (
        served(settings_of()) as client,
        visit(chromium, address_of(client), width=WIDTHS[0]) as one,
        visit(chromium, address_of(client)) as other,
    ):
        path = planned(client, ("ward.jsonl", ROWS), overlap="1", **{"from": "file"}).url.raw_path.decode()
        one.open(path)
        other.open(path.replace("annotator=ann", "annotator=bob"))
        expect(other.page.get_by_text("Answer 0.")).to_be_visible()  # hers is over
        labelled(other.page, "1")
        expect(other.page.get_by_text("labelled by bob: 1 response")).to_be_visible()
        labelled(one.page, "2")
        expect(one.page.get_by_role("alert")).to_contain_text("your reservation has ended")
        assert {label["annotator"] for label in labels(client)} == {"bob"}
        assert one.flaws() == []
        one.page.keyboard.press("Control+Enter")
        expect(one.page.get_by_text("labelled by ann: 1 response")).to_be_visible()
        assert {label["annotator"] for label in labels(client)} == {"ann", "bob"}
