"""Pages that are enlarged, in colours that the reader forces, and for readers who want no motion; and labels that are
taken away as files."""

import csv
import io
import json
from pathlib import Path

import pytest
from playwright.sync_api import expect

from tests.served import judged_by
from tests.server.pages.browser import REFLOW, visit
from tests.server.pages.test_in_a_browser import address_of
from tests.server.pages.test_label_plans import begun, judged
from tests.server.pages.test_labelling import completed
from tests.stub_judge import faithful

LONG = "The patient was seen on the ward in the morning. " * 60
ROW = (json.dumps({"prompt": "What now?", "response": LONG}) + "\n").encode()
ZOOM = 4
MOVING = """() => [...document.querySelectorAll('*')].filter(one => {
  const style = getComputedStyle(one);
  const moves = style.animationName !== 'none' || parseFloat(style.transitionDuration) > 0;
  return moves || style.scrollBehavior === 'smooth';
}).map(one => one.outerHTML.slice(0, 160))"""
CUT = """() => [...document.querySelectorAll('main *')].filter(one => one.checkVisibility() && !one.closest('.wide'))
  .filter(one => one.getBoundingClientRect().right > innerWidth + 1 || one.getBoundingClientRect().left < -1)
  .map(one => one.outerHTML.slice(0, 160))"""


@pytest.fixture(scope="module")
def server():
    """With judgments of one group, a set of long responses and a set of pairs."""
    with judged_by(faithful(0.73)) as (client, _):
        judged(client, 3, group="g1", run="r1", step=1)
        yield client


@pytest.fixture(scope="module")
def item(server):
    return begun(server, ("long.jsonl", ROW), set="ward/long", **{"from": "file"}).url.raw_path.decode()


@pytest.mark.parametrize("zoom", [2, ZOOM])
def test_an_enlarged_page_loses_nothing_and_opens_at_its_texts(chromium, server, item, zoom):
    context = chromium.new_context(
        viewport={"width": REFLOW * ZOOM // zoom, "height": 900 // zoom}, device_scale_factor=zoom
    )
    page = context.new_page()
    for path in ("/", "/judgments", "/groups?group=g1&run=r1&step=1", "/runs/one?run=r1", "/label", "/settings", item):
        page.goto(f"{address_of(server)}{path}")
        assert page.evaluate("document.documentElement.scrollWidth <= innerWidth"), path
        assert page.evaluate(CUT) == [], path
    assert page.evaluate("scrollY") == 0  # not at the criteria, which stand below the response
    expect(page.get_by_role("heading", level=1)).to_be_in_viewport()
    page.keyboard.press("1")
    expect(page.locator("fieldset").nth(1)).to_be_in_viewport()
    context.close()


def test_the_question_and_the_curves_are_seen_in_forced_colours(chromium, server, item):
    context = chromium.new_context(forced_colors="active", color_scheme="dark")
    page = context.new_page()
    page.goto(f"{address_of(server)}{item}")
    current, other = page.locator("fieldset.current"), page.locator("fieldset").nth(1)
    assert current.evaluate("one => getComputedStyle(one).outlineStyle") == "solid"
    assert other.evaluate("one => getComputedStyle(one).outlineStyle") == "none"
    page.goto(f"{address_of(server)}/runs/one?run=r1")
    link = page.get_by_role("link", name="Label", exact=True).evaluate("one => getComputedStyle(one).color")
    assert page.locator(".curve polyline").first.evaluate("one => getComputedStyle(one).stroke") == link
    context.close()


def test_nothing_moves_for_who_wants_no_motion(chromium, server, item):
    context = chromium.new_context(reduced_motion="reduce")
    page = context.new_page()
    for path in ("/", "/groups?group=g1&run=r1&step=1", "/runs/one?run=r1", "/drafts", item):
        page.goto(f"{address_of(server)}{path}")
        assert page.evaluate(MOVING) == [], path
    context.close()


def test_labels_are_taken_away_as_files_in_three_forms(chromium, server):
    shown = begun(server, set="ward/pairs", **{"from": "pairs"})
    for answer in ("A", "B", "tie"):
        shown = completed(server, shown, answer=answer)
    files = {}
    with visit(chromium, address_of(server)) as visitor:
        visitor.open("/label")
        for words in ("CSV", "Label Studio", "preferences (JSON Lines)"):
            with visitor.page.expect_download() as got:
                visitor.page.get_by_role("link", name=f"ward/pairs as {words}").click()
            files[got.value.suggested_filename] = Path(got.value.path()).read_text(encoding="utf-8")
        assert visitor.faults == []
    assert set(files) == {"ward-pairs.csv", "ward-pairs.json", "ward-pairs.jsonl"}
    rows = list(csv.DictReader(io.StringIO(files["ward-pairs.csv"])))
    assert {row["label"] for row in rows} == {"A", "B", "tie"}
    assert len(json.loads(files["ward-pairs.json"])) == 3
    preferences = [json.loads(line) for line in files["ward-pairs.jsonl"].splitlines()]
    assert len(preferences) == 2  # nobody prefers either of the equal ones
    assert all({"prompt", "chosen", "rejected"} <= set(one) for one in preferences)
