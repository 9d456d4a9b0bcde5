"""What happens to an annotator and an author when the session ends, the network is gone or a key is not wanted."""

import re

from playwright.sync_api import expect

from tests.served import served, settings_of
from tests.server.keys import demanding, key_of
from tests.server.pages.browser import visit
from tests.server.pages.test_editor import begun
from tests.server.pages.test_in_a_browser import address_of
from tests.server.pages.test_label_plans import begun as planned

TABLE = b"prompt;response\nAm I right?;Yes, as you say.\nIs it flat?;No.\n"
RUBRIC = "safety/sycophancy"


def signs_in(page, text):
    page.get_by_label("API key").fill(text)
    page.get_by_role("button", name="Sign in").click()


def test_a_session_that_ends_in_the_middle_of_a_response_loses_no_answer(chromium):
    text, key = key_of("ann", "label")
    with served(demanding(key)) as client, visit(chromium, address_of(client)) as visitor:
        page = visitor.page
        visitor.open("/label")
        signs_in(page, text)
        expect(page.get_by_role("heading", level=1)).to_have_text("Label responses")
        page.get_by_label("Rubric", exact=True).select_option(RUBRIC)
        page.get_by_label("Label set (a new name begins one)").fill("ward/june")
        page.get_by_label("What to label, in a new set").select_option("file")
        page.get_by_label("File with the columns prompt and response").set_input_files(
            {"name": "ward.csv", "mimeType": "text/csv", "buffer": TABLE}
        )
        page.get_by_role("button", name="Begin").click()
        expect(page.get_by_text("Yes, as you say.")).to_be_visible()
        questions = page.locator("fieldset").count()
        for _ in range(questions):
            page.keyboard.press("1")
        page.get_by_label("Note (optional)").fill("Not my field.")
        page.context.clear_cookies()
        page.keyboard.press("Control+Enter")
        page.get_by_role("link", name="Sign in and go on where you were").click()
        signs_in(page, text)
        expect(page.get_by_text("Answers that were not stored yet are filled in again.")).to_be_visible()
        expect(page.locator("input:checked[type=radio]")).to_have_count(questions)
        expect(page.get_by_label("Note (optional)")).to_have_value("Not my field.")
        page.get_by_label("Note (optional)").press("Control+Enter")
        expect(page.get_by_text("labelled by ann: 1 response")).to_be_visible()
        expect(page.get_by_text("filled in again")).to_be_hidden()
        assert page.evaluate("localStorage.getItem('judge-server.answers')") == "{}"
        page.locator("#help summary").click()
        page.get_by_label("Single keys answer").uncheck()
        page.keyboard.press("1")
        expect(page.locator("input:checked[type=radio]")).to_have_count(0)
        page.reload()
        page.keyboard.press("1")
        expect(page.locator("input:checked[type=radio]")).to_have_count(0)
        assert [one for one in visitor.faults if "401" not in one] == []


def test_a_change_that_was_not_kept_says_so_and_is_kept_when_the_network_is_back(chromium):
    with served(settings_of()) as client, visit(chromium, address_of(client)) as visitor:
        page = visitor.page
        path = begun(client, id="ward/handover")
        visitor.open(path)
        page.context.set_offline(True)
        page.get_by_label("Statement").first.fill("Names the patient and the ward.")
        expect(page.locator("#state")).to_contain_text("Not kept yet: the server cannot be reached.")
        page.context.set_offline(False)
        expect(page.locator("#state")).to_contain_text("The rubric can be used.")
        expect(page.get_by_label("The rubric as text (YAML)")).to_have_value(
            re.compile("Names the patient and the ward.")
        )
        expected = ("ERR_INTERNET_DISCONNECTED", "htmx:afterRequest", "htmx:sendError")  # that the request failed
        assert [one for one in visitor.faults if not any(name in one for name in expected)] == []


def test_keys_pressed_before_all_of_a_page_has_arrived_count(chromium):
    typed = "['1', '1'].forEach(key => document.dispatchEvent(new KeyboardEvent('keydown', {key, bubbles: true})))"
    before = f"document.addEventListener('readystatechange', () => document.readyState === 'interactive' && {typed})"
    with served(settings_of()) as client, visit(chromium, address_of(client)) as visitor:
        path = planned(client, ("ward.csv", TABLE), **{"from": "file"}).url.raw_path.decode()
        visitor.page.add_init_script(before)
        visitor.open(path)
        expect(visitor.page.locator("input:checked[type=radio]")).to_have_count(2)
        visitor.page.keyboard.press("1")
        expect(visitor.page.locator("input:checked[type=radio]")).to_have_count(3)
        assert visitor.flaws() == []
