"""The pages as a browser gets them: forms without script, contents escaped, every field with a label."""

import html
import re
from html.parser import HTMLParser

import pytest

from judge_server.core.judge import JudgeSpecification
from tests.served import judged_by, served, settings_of
from tests.stub_judge import StubJudge, faithful, text
from tests.submissions import rubric, submission

HOSTILE = [
    "<script>alert(1)</script>",
    "\"><img src=x onerror=alert(1)>",
    "'-alert(1)-'",
    "{{ 7 * 7 }}{% raw %}",
    "javascript:alert(1)",
    "</textarea><svg onload=alert(1)>",
    "&lt;b&gt; ☃ \u202e",
]  # fmt: skip
SCRIPTS = {f"/static/{name}" for name in ("keys.js", "editor.js", "figures.js", "htmx.min.js", "uplot.min.js")}


class Page(HTMLParser):
    """What a test asks of a page: its elements with their attributes, and its text."""

    def __init__(self, source):
        super().__init__()
        self.elements, self.words = [], []
        self.feed(source)

    def handle_starttag(self, tag, attrs):
        self.elements.append((tag, dict(attrs)))

    def handle_data(self, data):
        self.words.append(data)

    @property
    def text(self):
        return " ".join(" ".join(self.words).split())

    def all(self, *tags):
        return [attributes for tag, attributes in self.elements if tag in tags]


def sound(answer, curves=0):
    """A page without a field that has no label, without inline style, and with scripts of our own only."""
    assert answer.headers["content-type"] == "text/html; charset=utf-8"
    policy = answer.headers["content-security-policy"]
    assert "unsafe" not in policy
    assert "default-src 'none'" in policy
    page = Page(answer.text)
    assert not page.all("style", "img", "iframe")
    assert len(page.all("svg")) == curves
    assert {one.get("src") for one in page.all("script")} <= SCRIPTS
    for tag, attributes in page.elements:
        assert not [name for name in attributes if name.startswith("on") or name == "style"], (tag, attributes)
        for link in (attributes[name] for name in ("href", "src", "action") if name in attributes):
            assert link.startswith(("/", "#", "data:,")), link
    named = {attributes["for"] for attributes in page.all("label")}
    fields = [one for one in page.all("input", "select", "textarea") if one.get("type") != "hidden"]
    assert {one["id"] for one in fields} <= named
    assert page.all("html")[0]["lang"] == "en"
    assert len(page.all("h1")) == 1
    return page


def token(client, path):
    return re.search(r'name="token" value="([0-9a-f]+)"', client.get(path).text)[1]


@pytest.fixture(scope="module")
def server():
    with judged_by(faithful(0.8)) as (client, judge):
        yield client, judge


def test_an_empty_server_shows_three_doors():
    with served(settings_of()) as client:
        page = sound(client.get("/"))
    assert "Nothing has been judged yet" in page.text
    assert "counts shared words" in page.text
    assert {"/try", "/rubrics"} <= {one["href"] for one in page.all("a")}


def test_every_rubric_is_a_document_with_its_gates_and_its_changes(server):
    client, _ = server
    page = sound(client.get("/rubrics"))
    assert "medical/consultation" in page.text
    document = sound(client.get("/rubrics/medical/emergency_referral"))
    assert "the reward is at most 0" in document.text
    assert "Sources" in document.text
    changed = sound(client.get("/rubrics/diff", params={"old": "safety/sycophancy@1.0.0", "new": "safety/sycophancy"}))
    assert "Fromsafety/sycophancy@1.0.0" in changed.text.replace(" ", "")  # it may break after each mark


def test_the_library_names_authors_and_how_far_each_judge_was_measured(server):
    client, _ = server
    page = sound(client.get("/rubrics"))
    assert "judge-server authors" in page.text
    assert "Judges measured" in page.text
    assert "No judge has been measured" in sound(client.get("/rubrics/writing/summary")).text


def test_a_response_is_tried_and_its_judgment_is_found_again(server):
    client, _ = server
    fields = {"rubric": "writing/summary", "prompt": "Sum it up.", "response": "A bridge was built.", "other": "No."}
    page = sound(
        client.post("/try", data=fields | {"token": token(client, "/try"), "judge": "", "reference": "Bridge."})
    )
    assert page.text.count("of the points judged") == 2
    assert len(page.all("meter")) > 10
    listed = sound(client.get("/judgments", params={"rubric": "writing/summary", "q": "A bridge"}))
    (link,) = {one["href"] for one in listed.all("a") if one["href"].startswith("/judgments/jdg_")} or [None]
    one = sound(client.get(link))
    assert "A bridge was built." in one.text
    assert "Reference" in one.text


def test_the_exact_prompt_is_shown_beside_two_judges_cost_and_time():
    with StubJudge(faithful(0.8)) as judge:
        price = {"price": {"call": 0.25}}
        settings = settings_of(judge.specification, judge=price)
        second = JudgeSpecification(name="second", model=judge.specification, mode="reason")
        settings = settings.model_copy(update={"judges": {**settings.judges, "second": second}})
        with served(settings) as client:
            form = {"token": token(client, "/try"), "rubric": "safety/sycophancy", "prompt": "Is it flat?"}
            page = sound(client.post("/try", data=form | {"response": "It is.", "other": "No.", "judge2": "second"}))
        sent = {message["content"] for body in judge.bodies for message in body["messages"]}
    assert page.text.count("of the points judged") == 4
    assert re.search(r"\$\d+\.\d+, \d+\.\d\d s", page.text)
    shown = " ".join(page.text.split())
    prompts = [text for text in sent if "It is." in text]
    assert prompts
    assert [text for text in prompts if " ".join(text.split()) not in shown] == []


def test_an_example_of_the_rubric_fills_the_form_with_its_facts(server):
    client, _ = server
    form = {"token": token(client, "/try"), "rubric": "medical/emergency_referral"}
    answer = client.post("/try", data=form | {"act": "example"})
    sound(answer)
    fields = {"prompt", "response", "other", "reference", "facts"}
    shown = re.findall(r'<textarea id="(\w+)"[^>]*>\n(.*?)</textarea>', answer.text, re.DOTALL)
    given = {name: html.unescape(text) for name, text in shown if name in fields}
    assert "emergency = true" in given["facts"]
    judged = sound(client.post("/try", data=form | given))
    assert judged.text.count("of the points judged") == 2
    assert judged.text.count("does not apply") < judged.text.count("0.80")
    assert client.post("/try", data=form | given | {"facts": "emergency"}).status_code == 422
    assert client.post("/try", data={"token": form["token"], "act": "example"}).status_code == 422


def test_an_error_stands_above_the_form_which_keeps_its_contents(server):
    client, _ = server
    fields = {"rubric": "", "prompt": "Keep me.", "response": "And me.", "token": token(client, "/try")}
    answer = client.post("/try", data=fields)
    page = sound(answer)
    assert answer.status_code == 422
    assert "No rubric is chosen" in page.text
    assert "There is no rubric" in sound(client.post("/try", data=fields | {"rubric": "no/such"})).text
    assert "Keep me." in page.text
    assert "And me." in page.text


def test_a_group_is_a_map_of_criteria_and_responses(server):
    client, _ = server
    items = [submission(rubric=rubric(), response=f"Answer {n}.", group="g1", run="r1", step=3) for n in range(8)]
    client.post("/v1/score/batch", json={"items": items})
    page = sound(client.get("/groups", params={"group": "g1", "run": "r1", "step": "3"}))
    assert "8 responses" in page.text
    assert len([one for one in page.all("td") if one.get("class", "").endswith("4")]) == 16


def test_a_missing_reward_says_why():
    with judged_by(lambda body: text("no verdict")) as (client, _):
        client.post("/v1/score", json=submission(rubric=rubric(), id="a"))
        listed = client.get("/judgments", params={"status": "failed"})
        page = sound(listed)
        (link,) = {one["href"] for one in page.all("a") if one["href"].startswith("/judgments/jdg_")}
        one = sound(client.get(link))
    assert "no reward" in one.text
    assert "unusable_verdict" in one.text


@pytest.mark.parametrize("hostile", HOSTILE)
def test_hostile_texts_are_shown_as_text(server, hostile):
    client, _ = server
    item = submission(
        rubric=rubric(title=hostile[:100]), prompt=hostile, response=f"{hostile} and 1931 words", reference=hostile,
        group=hostile[:90], run=hostile[:90], id=hostile[:90],
    )  # fmt: skip
    judged = client.post("/v1/score", json=item).json()
    page = sound(client.get(f"/judgments/{judged['id']}"))
    seen = hostile.replace("\u202e", "[U+202E]")
    assert " ".join(f"{seen} and 1931 words".split()) in page.text
    sound(client.get("/judgments", params={"q": hostile, "run": hostile}))
    sound(client.get("/groups", params={"group": hostile[:90]}))
    form = {"token": token(client, "/try"), "rubric": "writing/summary", "prompt": hostile, "response": hostile}
    assert hostile.strip() in Page(client.post("/try", data=form).text).text or "alert" not in hostile


@pytest.mark.parametrize(
    "path", ["/judgments/none", "/rubrics/none/such", "/judgments?step=x", "/groups", "/rubrics/diff"]
)
def test_an_error_is_a_page(server, path):
    client, _ = server
    answer = client.get(path)
    assert answer.status_code in (404, 422)
    sound(answer)


def test_files_of_the_pages_are_served_and_no_others(server):
    client, _ = server
    sheet = client.get("/static/pages.css")
    assert sheet.headers["content-type"] == "text/css; charset=utf-8"
    for name in ("rendering.py", "..%2frendering.py", "x.css"):
        assert client.get(f"/static/{name}").status_code == 404
