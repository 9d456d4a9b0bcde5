"""HTML, Markdown and JSON of a report: complete, self-contained, and safe against what labels say."""

import re
from dataclasses import replace
from html.parser import HTMLParser
from itertools import pairwise

import pytest

from judge_server.labels.label import CriterionScale, Item
from judge_server.report.compute import compute
from judge_server.report.history import with_previous
from judge_server.report.html import html
from judge_server.report.markdown import escaped, markdown, quoted
from judge_server.report.model import Report
from tests.report.build import label, label_set, panel_of, rubric_of
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


def test_a_text_of_several_lines_stands_in_a_block_that_it_cannot_end():
    assert quoted("a\n\n</pre><b>& ```") == "<pre>a\n\n&lt;/pre&gt;&lt;b&gt;&amp; ```</pre>"


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


HOSTILES = {
    place: f"{place}\"'><script>alert(1)</script><img src=x onerror=alert(2)>[a](javascript:b) {{{{ 7*7 }}}}"
    for place in ("judge", "human", "criterion", "label", "item", "prompt", "response", "reference", "rationale", "tag")
}


@pytest.fixture(scope="module")
def hostile() -> Report:
    """Hostile texts in judges, people, criteria, labels, items, prompts, responses, references, reasons and tags."""
    said = (HOSTILES["label"], "no")
    rows = [
        label(
            f"{HOSTILES['item']}{place}",
            HOSTILES[role],
            role,
            said[(place + (role == "judge" and place % 3 == 0)) % 2],
            criterion,
            rationale=HOSTILES["rationale"],
        )
        for place in range(60)
        for role in ("human", "judge")
        for criterion in (HOSTILES["criterion"], "other")
    ]
    items = {
        row.item: Item(
            id=row.item,
            prompt=HOSTILES["prompt"],
            response=HOSTILES["response"],
            reference=HOSTILES["reference"],
            tags=(HOSTILES["tag"],),
            writer=HOSTILES["judge"],
        )
        for row in rows
    }
    return compute(label_set(rows, items), FEW)


def test_hostile_texts_stand_escaped_wherever_they_come_from(hostile):
    text = html(hostile)
    page = Page(text)
    assert not {"script", "img"} & set(page.tags)
    assert not page.handlers
    assert not page.open
    shown = "".join(page.texts)
    assert [place for place in HOSTILES if HOSTILES[place] not in shown] == []
    assert any(HOSTILES["judge"] in value for value in page.attributes)
    assert "&lt;script&gt;" in text


def test_no_tag_and_no_link_of_a_hostile_text_stands_in_markdown(hostile):
    text = markdown(hostile)
    assert set(re.findall(r"<[^>]*>?", text)) == {"<pre>", "</pre>"}
    outside = re.sub(r"<pre>.*?</pre>", "", text, flags=re.DOTALL)
    assert "\\[a\\](javascript" in outside
    assert not re.search(r"(?<!\\)\](?:\(|\[)", outside)
    assert [place for place in HOSTILES if f"{place}\"'&gt;&lt;script&gt;" not in text] == []


def test_criteria_that_programs_answer_have_a_block_of_their_own_in_both_documents():
    rows = [*panel_of(binary(), "judged")]
    rows += [label(each.item, "h1", "human", each.label, "word count") for each in rows if each.annotator == "h1"]
    rows += [
        label(each.item, "program", "check", each.label, "word count") for each in rows if each.criterion != "judged"
    ]
    found = compute(label_set(rows), FEW)
    text = markdown(found)
    shown = html(found)
    for document in (text, shown):
        assert document.count("Criteria that programs answer") == 1
    assert re.search(r"\| word count \| 1\.00 \\\[[^]]*\] \| 1\.00 .* \| 60 \|", text)
    assert "<th>word count</th>" in shown
    alone = compute(label_set(panel_of(binary())), FEW)
    assert "programs answer" not in markdown(alone) + html(alone)


def test_the_worst_criterion_stands_beside_the_verdict_with_its_statement():
    good = {name: binary()["h2"] if name == "j" else said for name, said in binary().items()}
    rows = [*panel_of(good, "good"), *panel_of(binary(), "bad"), *panel_of(good, "fair")]
    found = compute(label_set(rows), replace(FEW, rubric=rubric_of(bad="Names the <b>dose</b>.", good="Is good.")))
    worst = found.verdicts["j"].worst
    assert (worst.criterion, worst.statement) == ("bad", "Names the <b>dose</b>.")
    assert worst.judge == found.judges["j"].criteria["bad"]["cohen_kappa_pairwise"]
    assert worst.text.startswith("Worst of 3 criteria: bad (Names the <b>dose</b>.), κ ")
    assert "people agree with each other at" in worst.text
    assert "bad (Names the &lt;b&gt;dose&lt;/b&gt;.), κ" in html(found)
    assert escaped(worst.text) in markdown(found)


def test_a_single_criterion_is_no_worst_one():
    assert compute(label_set(panel_of(binary())), FEW).verdicts["j"].worst is None
