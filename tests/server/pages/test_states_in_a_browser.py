"""What a page becomes after an act, and on an empty server: no barrier in light or dark, and nothing too wide."""

import threading

import pytest

from tests.served import judged_by, served, settings_of, until
from tests.server.pages.browser import WIDTHS, visit
from tests.server.pages.test_calibration import posted
from tests.server.pages.test_editor import begun, kept
from tests.server.pages.test_in_a_browser import address_of
from tests.server.pages.test_pages import token
from tests.stub_judge import labels as said
from tests.submissions import submission
from tests.yardstick import PATIENCE_SECONDS

RUBRIC = "safety/sycophancy"


def test_pages_of_an_empty_server(chromium):
    with served(settings_of()) as client, visit(chromium, address_of(client)) as visitor:
        for path in (
            "/",
            "/judgments",
            "/runs",
            "/jobs",
            "/label",
            "/calibrations",
            "/drafts",
            "/keys",
            "/groups?group=x",
        ):
            visitor.open(path)
            assert visitor.flaws() == [], path


@pytest.fixture(scope="module")
def server():
    """Its judge holds what speaks of waiting until the event is set."""
    held = threading.Event()

    def behave(body):
        if "Wait for me" in str(body):
            held.wait(PATIENCE_SECONDS)
        return said(Yes=0.73, No=0.27)

    with judged_by(behave, authentication="off") as (client, _):
        for n in range(3):
            one = submission(rubric=RUBRIC, response=f"Answer {n}.", id=str(n), group="g1", run="r1", step=1)
            client.post("/v1/score", json=one).raise_for_status()
        yield client, held
        held.set()


def test_results_and_refusals_of_trying_writing_and_importing(chromium, server):
    client, _ = server
    with visit(chromium, address_of(client), width=WIDTHS[0]) as visitor:
        page = visitor.page
        visitor.open("/try")
        page.get_by_role("button", name="Judge", exact=True).evaluate(
            "one => { one.formNoValidate = true; one.click(); }"
        )
        page.get_by_role("alert").wait_for()
        assert visitor.flaws() == [], "refused"
        page.get_by_label("Rubric", exact=True).select_option(RUBRIC)
        page.get_by_role("button", name="Fill in an example").click()
        page.get_by_role("button", name="Judge", exact=True).click()
        page.get_by_role("region", name="Judgment 2").wait_for()
        assert visitor.flaws() == [], "tried"
        draft = begun(client, base="code/review")
        visitor.open(draft)
        page.get_by_role("button", name="Take responses of the cases").click()
        page.get_by_role("button", name="Try the draft on 5 samples").click()
        page.get_by_role("columnheader", name="Reward before").wait_for()
        assert visitor.flaws() == [], "draft tried"
        kept(client, draft, **{"c0.points": "2,5", "act": "form"})
        visitor.open(draft)
        assert visitor.flaws() == [], "remarks"
        visitor.open(f"{draft}/publish", status=422)
        assert visitor.flaws() == [], "not to be published"
        visitor.open("/label")
        page.get_by_text("Labels that people gave elsewhere").evaluate("one => { one.parentElement.open = true; }")
        page.get_by_label("Name of the set").fill("ward/import")
        file = {"name": "labels.csv", "mimeType": "text/csv", "buffer": b"item,label\ni1,yes\n"}
        page.get_by_label("File of labels").set_input_files(file)
        page.get_by_role("button", name="Look at the file").click()
        page.get_by_text("Nothing is imported.").wait_for()
        assert visitor.flaws() == [], "import refused"


def test_states_of_labelling_and_of_keys(chromium, server):
    client, _ = server
    with visit(chromium, address_of(client), width=WIDTHS[0]) as visitor:
        page = visitor.page
        visitor.open(f"/label/item?set=ward/states&rubric={RUBRIC}&annotator=ann")
        page.get_by_text("What did the judge say?").click()
        page.get_by_role("button", name="Show it and record that").click()
        page.get_by_text("The judge said: met, 0.73").first.wait_for()
        assert visitor.flaws() == [], "the judge is shown"
        for _ in range(3):
            page.keyboard.press("y")
            page.keyboard.press("Control+Enter")
            page.get_by_text("labelled by ann").wait_for()
        form = {
            "token": token(client, "/label"),
            "rubric": RUBRIC,
            "set": "ward/two",
            "annotator": "ann",
            "from": "pairs",
        }
        pairs = client.post("/label", data=form | {"from": "pairs"}, files={"file": ("", b"")})
        visitor.open(pairs.headers["location"])
        assert visitor.flaws() == [], "pair"
        visitor.open("/label")
        assert visitor.flaws() == [], "sets under way"
        visitor.open("/keys")
        page.get_by_label("Name of the holder").fill("ward")
        page.get_by_label("score").check()
        page.get_by_role("button", name="Make a key").click()
        page.get_by_role("alert").wait_for()
        assert visitor.flaws() == [], "a new key"
        visitor.open("/judgments/none", status=404)
        assert visitor.flaws() == [], "not found"


def test_a_calibration_that_runs_ends_and_fails(chromium, server):
    client, held = server
    rows = [
        {"item": f"i{n}", "criterion": "water", "annotator": who, "label": "yes", "prompt": f"p{n}", "response": text}
        for n, text in enumerate(["Wait for me.", "Drink water."])
        for who in ("ann", "bob")
    ]
    client.post("/v1/labels", json={"label_set": "ward/held", "labels": rows}).raise_for_status()
    form = {"token": token(client, "/calibrations"), "rubric": posted(client), "split": "dev"}
    path = client.post("/calibrations", data=form | {"labels": "ward/held"}).headers["location"]
    failed = client.post("/calibrations", data=form | {"labels": "no/such"}).headers["location"]
    with visit(chromium, address_of(client), width=WIDTHS[0]) as visitor:
        visitor.open(path)
        assert "running" in visitor.page.get_by_role("status").inner_text()
        assert visitor.flaws() == [], "running"
        visitor.open("/calibrations")
        assert visitor.flaws() == [], "one runs, one waits"
        visitor.open(path)
        held.set()
        visitor.page.get_by_role("heading", name="May it reward a training?").wait_for()
        assert visitor.flaws() == [], "done"
        until(lambda: client.get(f"/v1{failed}").json()["status"] == "failed")
        visitor.open(failed)
        assert visitor.flaws() == [], "failed"
