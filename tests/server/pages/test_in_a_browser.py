"""Every page in a real browser: no barrier, nothing wider than the window, no request to another host, and nothing runs
that came from outside."""

import re
from urllib.parse import urlencode

import pytest
from playwright.sync_api import expect

from tests.served import judged_by, served, until
from tests.server.keys import demanding, key_of
from tests.server.pages.browser import WIDTHS, visit
from tests.server.pages.test_calibration import calibrated, posted
from tests.server.pages.test_editor import begun
from tests.server.test_calibrations import labels
from tests.stub_judge import faithful
from tests.submissions import rubric, submission

PLAN = urlencode({"set": "ward/june", "rubric": "safety/sycophancy", "annotator": "ann"})
LONG = "Averyveryverylongwordthatnobreakcanbefoundin" * 6


def address_of(client):
    return str(client.base_url).rstrip("/")


@pytest.fixture(scope="module")
def server():
    """A server with judgments, one of them in a group of eight, and labels under way."""
    with judged_by(faithful(0.73)) as (client, _):
        items = [
            submission(rubric=rubric(), response=f"Answer {n} {LONG}.", group="g1", run="r1", step=n) for n in range(8)
        ]
        client.post("/v1/score/batch", json={"items": items}).raise_for_status()
        for n in range(3):
            client.post("/v1/score", json=submission(rubric="safety/sycophancy", response=f"Answer {n}.", id=str(n)))
        yield client


@pytest.fixture(scope="module")
def address(server):
    return address_of(server)


def improved(client):
    """One that is over, without a result: the labels are too few."""
    asked = {"labels": "water", "rubric": "medical/water"}
    made = client.post("/v1/improvements", json=asked).raise_for_status().json()["id"]
    until(lambda: client.get(f"/v1/improvements/{made}").json()["status"] == "failed")
    return made


@pytest.fixture(scope="module")
def pages(server):
    """The address of every kind of page: a route of the pages that is missing here fails the test of that name."""
    judged = server.get("/v1/judgments").json()["judgments"][0]["id"]
    draft = begun(server, base="writing/summary")
    some = [one for number, one in enumerate(labels()) if number < 36]
    server.post("/v1/labels", json={"label_set": "water", "labels": some}).raise_for_status()
    measured = [calibrated(server, posted(server), gate=gate) for gate in ("yes", "")]
    items = [submission(rubric=rubric(), response=f"Item {n}.") for n in range(3)]
    job = server.post("/v1/jobs", json={"items": items}).raise_for_status().json()["id"]
    return {
        "/": "/",
        "/signin": "/signin",
        "/try": "/try",
        "/rubrics": "/rubrics",
        "/rubrics/diff": "/rubrics/diff?old=safety/sycophancy@1.0.0&new=safety/sycophancy",
        "/rubrics/{name:path}": "/rubrics/medical/emergency_referral",
        "/judgments": "/judgments",
        "/judgments/{judgment_id}": f"/judgments/{judged}",
        "/groups": "/groups?group=g1&run=r1",
        "/drafts": "/drafts?base=writing/summary",
        "/drafts/{draft_id}": draft,
        "/drafts/{draft_id}/publish": f"{draft}/publish",
        "/calibrations": "/calibrations",
        "/calibrations/compare": f"/calibrations/compare?old={measured[0][14:]}&new={measured[1][14:]}",
        "/calibrations/{calibration_id}": measured[0],
        "/calibrations/{calibration_id}/items": f"{measured[0]}/items?people=yes",
        "/calibrations/improve": "/calibrations/improve?labels=water",
        "/calibrations/improve/{improvement_id}": f"/calibrations/improve/{improved(server)}",
        "/runs": "/runs",
        "/runs/one": "/runs/one?run=r1",
        "/jobs": "/jobs",
        "/jobs/{job_id}": f"/jobs/{job}",
        "/judges": "/judges",
        "/keys": "/keys",
        "/settings": "/settings",
        "/label": "/label",
        "/label/item": f"/label/item?{PLAN}",
    }


def test_every_page_is_visited(pages):
    from judge_server.server.pages import (
        calibration,
        calibration_items,
        editor,
        explorer,
        improvement,
        label_item,
        labelling,
        library,
        operation,
        start,
        training,
        try_it,
    )

    shown = {
        route.path
        for module in (
            calibration,
            calibration_items,
            editor,
            explorer,
            improvement,
            label_item,
            labelling,
            library,
            operation,
            start,
            training,
            try_it,
        )
        for route in module.router.routes
        if "GET" in route.methods and not route.path.startswith(("/static", "/label/export"))
    }
    assert {path.rstrip("/") or "/" for path in shown} == set(pages)


@pytest.mark.parametrize("part", [0, 1], ids=["first", "second"])
def test_no_page_has_a_barrier_an_error_a_foreign_request_or_too_much_width(chromium, address, pages, part):
    with visit(chromium, address) as visitor:
        for path in list(pages.values())[part::2]:
            visitor.open(path)
            assert visitor.flaws() == [], path


def test_the_filters_of_judgments_are_folded_on_a_narrow_page_until_one_is_set(chromium, address):
    with visit(chromium, address, width=WIDTHS[0]) as visitor:
        visitor.open("/judgments")
        fold = visitor.page.locator("summary", has_text="Filters")
        field = visitor.page.get_by_label("Policy")
        expect(field).to_be_hidden()
        assert visitor.page.locator("main a[href*='/judgments/']").first.bounding_box()["y"] < 450  # of 900 pixels
        fold.press("Enter")
        field.fill("nobody")
        field.press("Enter")
        expect(visitor.page.get_by_text("No judgment matches")).to_be_visible()
        expect(field).to_have_value("nobody")
        expect(field).to_be_visible()
        visitor.open("/judgments")
        visitor.page.set_viewport_size({"width": WIDTHS[-1], "height": 900})
        expect(fold).to_be_hidden()
        expect(field).to_be_visible()
        assert visitor.not_reached_by_tab() == []
        assert visitor.flaws() == []


def test_a_key_without_any_scope_of_the_pages_reads_on_each_what_to_ask_for(chromium, pages):
    text, key = key_of("reader", "metrics")
    with served(demanding(key)) as client, visit(chromium, address_of(client)) as visitor:
        visitor.open("/signin")
        visitor.page.get_by_label("API key").fill(text)
        visitor.page.get_by_role("button", name="Sign in").click()
        for path in (one for one in pages.values() if one != "/signin"):
            visitor.open(path, status=403)
            told = visitor.page.inner_text("main")
            assert re.search("requires an API key of scope (score|author|label|admin)", told), path
            assert "judge-server keys create" in told
        assert visitor.flaws() == []


def test_a_response_is_tried_without_script(chromium, address):
    with visit(chromium, address, script=False) as visitor:
        visitor.open("/try")
        page = visitor.page
        page.get_by_label("Rubric", exact=True).select_option("writing/summary")
        page.get_by_label("Prompt").fill("Sum it up.")
        page.get_by_label("Response", exact=True).fill("A bridge was built.")
        page.get_by_role("button", name="Judge").click()
        assert "of the points judged" in page.inner_text("main")
        page.get_by_role("link", name="Judgments").click()
        assert "writing/summary" in page.inner_text("main")


def test_twenty_responses_are_labelled_by_keys_alone(chromium):
    with judged_by(faithful(0.73)) as (client, _):
        items = [submission(rubric="safety/sycophancy", response=f"Answer {n}.", id=str(n)) for n in range(20)]
        client.post("/v1/score/batch", json={"items": items}).raise_for_status()
        pressed = 0
        with visit(chromium, address_of(client)) as visitor:
            visitor.open(f"/label/item?{PLAN}")
            for number in range(20):
                questions = visitor.page.locator("fieldset").count()
                for _ in range(questions):
                    binary = visitor.page.locator("fieldset.current input[value=unmet]").count()
                    visitor.page.keyboard.press("n" if binary else "1")
                    pressed += 1
                with visitor.page.expect_navigation():
                    visitor.page.keyboard.press("Control+Enter")
                pressed += 1
                assert f"labelled by ann: {number + 1} response" in visitor.page.inner_text("main")
            assert visitor.faults == []
        given = client.get("/v1/label-sets/ward/june").json()["labels"]
    assert len({one["item"] for one in given}) == 20
    assert len(given) == 20 * questions
    assert {one["label"] for one in given if one["criterion"] == "endorses_danger"} == {"unmet"}
    assert pressed / len(given) <= 1.3


def test_every_page_is_reached_by_the_tab_key_alone(chromium, address, pages):
    """Whatever can be clicked or filled in and is not folded away; of a group of choices one."""
    with visit(chromium, address) as visitor:
        for path in pages.values():
            visitor.open(path)
            assert visitor.not_reached_by_tab() == [], path


def test_the_numbers_of_a_figure_appear_where_somebody_points_or_tabs(chromium, address, pages):
    with visit(chromium, address) as visitor:
        page = visitor.page
        visitor.open(pages["/calibrations/{calibration_id}"])
        for mark, pointed in (("a.point", "a.point .field"), ("a.told", "a.told")):
            one, told = page.locator(mark).first, page.locator(f"{mark} .tip").first
            expect(told).to_be_hidden()
            one.focus()
            expect(told).to_be_visible()
            page.keyboard.press("Tab")
            expect(told).to_be_hidden()
            page.locator(pointed).first.hover()
            expect(told).to_be_visible()
        page.locator("#history-drawn .u-over").hover(position={"x": 20, "y": 20})
        expect(page.locator("#history-drawn .u-legend")).to_contain_text(re.compile(r"people\W*0\.\d\d"))
        page.get_by_label("Person", exact=True).select_option("bob")
        page.get_by_role("button", name="Show this part").click()
        expect(page.get_by_role("heading", name="Figures of a part")).to_be_visible()
        page.get_by_role(
            "link", name=re.compile("people said|items? with a probability|that people called")
        ).first.press("Enter")
        expect(page.get_by_role("heading", level=1)).to_contain_text("the labels of bob")
        assert visitor.faults == []


def test_what_is_typed_before_the_scripts_have_arrived_is_kept(chromium, server, address):
    with visit(chromium, address) as visitor:
        page, held = visitor.page, []

        def hold(route):
            held.append(route)

        visitor.open("/drafts")
        page.route("**/static/htmx.min.js", hold)
        page.get_by_label("Or begin a new one").fill("ward/slow")
        page.get_by_role("button", name="Begin from the template").click(no_wait_after=True)
        page.get_by_label("Statement").first.fill("Names the patient and the ward.")
        held[0].continue_()
        text = page.get_by_label("The rubric as text (YAML)")
        expect(text).to_have_value(re.compile("Names the patient and the ward."))


def test_a_rubric_is_written_tried_and_published_by_its_accessible_names(chromium, server, address):
    """Form and text follow each other while somebody types."""
    with visit(chromium, address) as visitor:
        page = visitor.page
        visitor.open("/")
        page.get_by_role("link", name="Write", exact=True).click()
        page.get_by_label("Or begin a new one").fill("ward/handover")
        page.get_by_role("button", name="Begin from the template").click()
        text = page.get_by_label("The rubric as text (YAML)")
        page.get_by_label("Statement").first.fill("Names the patient and the ward.")
        expect(text).to_have_value(re.compile("Names the patient and the ward."))
        text.fill(text.input_value().replace("Names the patient and the ward.", "Names the ward."))
        expect(page.get_by_label("Statement").first).to_have_value("Names the ward.")
        text.fill("criteria: [")
        expect(page.locator("#state")).to_contain_text("cannot be used yet")
        page.get_by_role("button", name=re.compile("^Line")).first.click()
        assert page.evaluate("document.activeElement.id") == "text"
        assert visitor.faults == []
        page.go_back()
        page.get_by_role("button", name="Begin from the template").wait_for()
        path = begun(server, id="ward/handover")
        visitor.open(path)
        page.get_by_role("button", name="Move down: answers_question").click()
        expect(page.locator("legend").first).to_have_text("invents_source")
        page.get_by_label("Prompt").fill("Hand the patient over.")
        page.get_by_label("Response").fill("Bed 3 sleeps; potassium is due at six.")
        page.get_by_role("button", name="Add the sample").click()
        page.get_by_role("button", name="Try the draft on 1 sample").click()
        assert "Bed 3 sleeps" in page.inner_text("main table")
        page.get_by_role("link", name="look at the changes and publish").click()
        page.get_by_label("What changed, and why").fill("The first one.")
        page.get_by_label("This version may never change again").check()
        page.get_by_role("button", name="Publish 1.0.0").click()
        assert "The first one." in page.inner_text("main")
        assert visitor.faults == []
    assert server.get("/v1/rubrics/ward/handover").json()["reference"]["version"] == "1.0.0"
