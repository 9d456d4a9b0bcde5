"""HTML, Markdown and JSON of a report: complete, self-contained, and safe against what labels say."""

import re
from html.parser import HTMLParser
from itertools import pairwise

import pytest

from judge_server.labels.label import CriterionScale, Item
from judge_server.report.compute import compute
from judge_server.report.history import with_previous
from judge_server.report.html import html
from judge_server.report.markdown import escaped, fenced, markdown
from judge_server.report.model import Report
from tests.report.build import label, label_set, panel_of
from tests.report.test_compute import FEW, binary

HOSTILE = '</pre></details><script>alert(1)</script><img src=x onerror="alert(2)"> ``` | **bold** \u202etxet'


class Page(HTMLParser):
    def __init__(self, text: str) -> None:
        super().__init__()
        self.tags: list[str] = []
        self.links: list[str] = []
        self.handlers: list[str] = []
        self.attributes: list[str] = []
        self.policy = ""
        self.texts: list[str] = []
        self.open: list[str] = []
        self.feed(text)

    def handle_starttag(self, tag, attrs):
        self.tags.append(tag)
        self.links += [value for name, value in attrs if name in {"src", "href"}]
        self.attributes += [value for _, value in attrs if value]
        self.handlers += [name for name, _ in attrs if name.startswith("on")]
        if ("http-equiv", "Content-Security-Policy") in attrs:
            self.policy = dict(attrs)["content"]
        if tag not in {"meta", "br"}:
            self.open.append(tag)

    def handle_startendtag(self, tag, attrs):
        self.tags.append(tag)

    def handle_data(self, data):
        self.texts.append(data)

    def handle_endtag(self, tag):
        assert self.open.pop() == tag


@pytest.fixture(scope="module")
def report() -> Report:
    rows = [*panel_of(binary(), "plain words"), *panel_of(binary(), HOSTILE[:60])]
    rows.append(label("i99", "j", "judge", "yes", "plain words", rationale=HOSTILE, probability=0.9))
    rows.append(label("i99", "h1", "human", "no", "plain words", rationale=HOSTILE))
    items = {
        f"i{place}": Item(
            id=f"i{place}", prompt=HOSTILE, response=HOSTILE * (place + 1), tags=(HOSTILE[:20],), writer=HOSTILE[:30]
        )
        for place in (*range(60), 99)
    }
    scales = tuple(
        CriterionScale(criterion=name, kind="binary", classes=("no", "yes"), positive="yes")
        for name in ("plain words", HOSTILE[:60])
    )
    found = compute(label_set(rows, items, scales), FEW)
    return with_previous(found, found)


def test_the_page_is_one_closed_file_without_script_or_link(report):
    text = html(report)
    page = Page(text)
    assert not page.open
    assert not page.links
    assert not page.handlers
    assert not {"script", "img", "iframe", "link", "a"} & set(page.tags)
    assert not re.search(r"url\(|@import|https?://", text)
    assert text.startswith("<!doctype html>")
    assert page.policy.startswith("default-src 'none'; ")


def test_hostile_text_is_shown_and_never_run(report):
    text = html(report)
    assert "&lt;script&gt;alert(1)&lt;/script&gt;" in text
    assert "\u202e" not in text
    assert "\u202e" not in markdown(report)


def test_the_page_holds_verdict_plots_matrices_biases_and_disagreements(report):
    text = html(report)
    assert report.verdicts["j"].text.split(";")[0] in text
    assert text.count("<svg") >= 3
    for heading in ("Agreement", "Since the previous report", "What sways it", "Where it disagrees", "People among"):
        assert heading in text


def test_both_documents_say_the_same_verdict(report):
    verdict = report.verdicts["j"].text
    assert escaped(verdict) in markdown(report)


def test_markdown_tables_keep_their_columns_whatever_labels_say(report):
    lines = [re.sub(r"\\.", "", line) for line in markdown(report).splitlines()]
    sizes = []
    for above, line in pairwise(lines):
        if line.startswith("|---"):
            sizes.append((above.count("|"), line.count("|")))
    assert len(sizes) > 5
    assert all(first == second for first, second in sizes)


def test_a_fence_is_longer_than_any_in_the_text():
    opened, _, closed = fenced("a ```` b")
    assert opened == "`````text"
    assert closed == "`````"


def test_numbers_that_json_cannot_hold_never_stand_in_it(report):
    text = report.model_dump_json()
    assert "NaN" not in text
    assert "Infinity" not in text
    assert Report.model_validate_json(text) == report


def test_a_report_without_judges_and_one_without_evidence_can_be_written():
    people = {name: said for name, said in binary().items() if name != "j"}
    for labels in (label_set(panel_of(people)), label_set(panel_of(binary(4)))):
        found = compute(labels, FEW)
        Page(html(found))
        markdown(found)


def test_hostile_texts_stand_escaped_wherever_they_come_from():
    """Judges, people, criteria, labels, items, prompts, responses, references, rationales, tags and writers."""
    places = ("judge", "human", "criterion", "label", "item", "prompt", "response", "reference", "rationale", "tag")
    hostile = {
        place: f"{place}\"'><script>alert(1)</script><img src=x onerror=alert(2)>{{{{ 7*7 }}}}" for place in places
    }
    said = (hostile["label"], "no")
    rows = [
        label(
            f"{hostile['item']}{place}",
            hostile[role],
            role,
            said[(place + (role == "judge" and place % 3 == 0)) % 2],
            hostile["criterion"],
            rationale=hostile["rationale"],
        )
        for place in range(60)
        for role in ("human", "judge")
    ]
    items = {
        row.item: Item(
            id=row.item,
            prompt=hostile["prompt"],
            response=hostile["response"],
            reference=hostile["reference"],
            tags=(hostile["tag"],),
            writer=hostile["judge"],
        )
        for row in rows
    }
    text = html(compute(label_set(rows, items), FEW))
    page = Page(text)
    assert not {"script", "img"} & set(page.tags)
    assert not page.handlers
    assert not page.open
    shown = "".join(page.texts)
    assert [place for place in places if hostile[place] not in shown] == []
    assert any(hostile["judge"] in value for value in page.attributes)
    assert "&lt;script&gt;" in text
