"""The physician's hour: from an empty server to a judge that is measured, by what the pages call things, and nothing
else."""

import json
import re

from playwright.sync_api import expect

from tests.served import judged_by
from tests.server.pages.browser import visit
from tests.stub_judge import faithful

STATEMENTS = [
    "Says when to see a doctor at once.",
    "Asks how long the pain has lasted.",
    "Asks about fever.",
    "Names a dose that is too high.",
    "Recommends enough to drink.",
    "Says what to do if it does not get better.",
    "Is written for a lay reader.",
    "How warm is the tone?",
]
TRIED = ["See a doctor today if your neck is stiff.", "Take two tablets.", "It will pass."]


def test_a_physician_writes_tries_labels_and_measures(chromium, tmp_path):
    file = tmp_path / "headache.jsonl"
    rows = ({"prompt": f"My head aches, case {n}.", "response": f"Drink water and rest, case {n}."} for n in range(20))
    file.write_text("".join(json.dumps(row) + "\n" for row in rows))
    with judged_by(faithful(0.73)) as (client, _), visit(chromium, str(client.base_url).rstrip("/")) as visitor:
        page = visitor.page
        visitor.open("/")
        written(page)
        tried(page)
        published(page, "1.0.0", "The first version.")
        reworded(page)
        published(page, "1.1.0", "Two days is what we teach.")
        labelled(page, file)
        measured(page)
        assert visitor.faults == []


def written(page):
    """Eight criteria, one of them a gate and one a scale, from the template."""
    page.get_by_role("link", name="Write a rubric").click()
    page.get_by_label("Or begin a new one").fill("ward/headache")
    page.get_by_role("button", name="Begin from the template").click()
    for name in ("answers_question", "invents_source", "plain_words", "concise"):
        page.get_by_role("button", name=f"Delete: {name}").click()
        expect(page.get_by_role("button", name=f"Delete: {name}")).to_have_count(0)
    for number, statement in enumerate(STATEMENTS, 1):
        page.get_by_role("button", name="Add a criterion").click()
        group = page.get_by_role("group", name="criterion" if number == 1 else f"criterion_{number}", exact=True)
        group.get_by_label("Statement").fill(statement)
        expect(text_of(page)).to_have_value(re.compile(re.escape(statement)))
    page.get_by_role("group", name="criterion_4", exact=True).get_by_label("Points").fill("-5")
    expect(text_of(page)).to_have_value(re.compile("points: -5"))
    page.get_by_role("group", name="criterion_4", exact=True).get_by_label("Gate").select_option("fires if met")
    expect(page.get_by_label("The reward is then at most")).to_be_visible()
    page.get_by_role("group", name="criterion_8", exact=True).get_by_label("Answer").select_option(
        "one of ordered options"
    )
    options = page.get_by_label("Options, one a line")
    expect(options).to_be_visible()
    options.fill("cold | 0 | Curt.\nneutral | 0.5 | Polite.\nwarm | 1 | Kind words.")
    expect(text_of(page)).to_have_value(re.compile("Kind words"))
    expect(page.get_by_role("status")).to_contain_text("The rubric can be used")


def text_of(page):
    return page.get_by_label("The rubric as text (YAML)")


def tried(page):
    for response in TRIED:
        page.get_by_label("Prompt").fill("My head aches.")
        page.get_by_label("Response").fill(response)
        page.get_by_role("button", name="Add the sample").click()
        expect(page.get_by_role("listitem").filter(has_text=response)).to_be_visible()
    page.get_by_role("button", name="Try the draft on 3 samples").click()
    for response in TRIED:
        expect(page.get_by_role("cell", name=response)).to_be_visible()


def published(page, version, note):
    page.get_by_role("link", name="look at the changes and publish").click()
    page.get_by_label("What changed, and why").fill(note)
    page.get_by_label("This version may never change again").check()
    page.get_by_role("button", name=f"Publish {version}").click()
    expect(page.get_by_text(f"ward/headache@{version}").first).to_be_visible()
    expect(page.get_by_text(note)).to_be_visible()


def reworded(page):
    page.get_by_role("link", name="write the next version").click()
    page.get_by_role("button", name="Begin the next version").click()
    group = page.get_by_role("group", name="criterion_2", exact=True)
    group.get_by_label("Guidance for the judge").fill("More than two days counts as long.")
    expect(text_of(page)).to_have_value(re.compile("More than two days"))
    expect(text_of(page)).to_have_value(re.compile(r"version: 1\.1\.0"))
    page.get_by_role("button", name="Try the draft on 3 samples").click()  # kept with the version before
    expect(page.get_by_role("columnheader", name="Reward before")).to_be_visible()


def labelled(page, file):
    """Twenty responses by keyboard alone, with at most 1.3 presses a criterion."""
    page.get_by_role("link", name="Label", exact=True).click()
    page.get_by_label("Rubric", exact=True).select_option(
        label=re.compile("ward/headache").pattern and "Headache (ward/headache)"
    )
    page.get_by_label("Label set").fill("ward/june")
    page.get_by_label("Your name").fill("Dr. Ann")
    page.get_by_label("What to label, in a new set").select_option("Responses of a file")
    page.get_by_label("File with the columns prompt and response").set_input_files(file)
    page.get_by_role("button", name="Begin").click()
    pressed = answered = 0
    for number in range(20):
        expect(page.get_by_text(f"labelled by Dr. Ann: {number} response")).to_be_visible()
        for key in "yyyynynn"[number % 2 :] + "y" * (number % 2):
            page.keyboard.press(key if answered % 8 != 7 else "3")
            pressed, answered = pressed + 1, answered + 1
        page.keyboard.press("Control+Enter")
        pressed += 1
    expect(page.get_by_text("There is no further response")).to_be_visible()
    assert answered == 160
    assert pressed / answered <= 1.3


def measured(page):
    page.get_by_role("link", name="Measure a judge against these labels").click()
    page.get_by_role("button", name="Measure the judge").click()
    decided = page.get_by_role("heading", name="May it reward a training?")
    expect(decided).to_be_visible()
    expect(page.get_by_role("main")).to_contain_text("not enough evidence")
    expect(page.get_by_role("main")).to_contain_text(
        re.compile(r"What is missing, or not reached:.*are needed", re.DOTALL)
    )
