"""The result of an exam as one HTML page, without scripts or network access, and as JUnit XML for CI."""

import xml.etree.ElementTree as ET
from collections.abc import Iterator, Sequence
from html import escape

from judge_server.core.exam import ExamRecord, ExamResult, FailedPair, FamilyResult
from judge_server.exam.report import ADVICE, PAST_COLUMNS, WEAK, heading, past_row, ranked, said_of

_STYLE = """
body { font: 16px/1.5 system-ui, sans-serif; max-width: 60rem; margin: 2rem auto; padding: 0 1rem; color: #1b1b1b; }
table { border-collapse: collapse; width: 100%; }
th, td { text-align: left; padding: .3rem .6rem; border-bottom: 1px solid #ddd; vertical-align: top; }
.bar { position: relative; display: block; width: 10rem; height: .9rem; background: #eee; }
.bar span { position: absolute; top: 0; height: 100%; background: #9db8d9; }
.bar i { position: absolute; top: 0; width: 2px; height: 100%; background: #123c69; }
.wrong { color: #9c1c1c; font-weight: 600; } .bias { border-left: 4px solid #9c1c1c; padding-left: 1rem; }
code { background: #f5f5f5; overflow-wrap: anywhere; } details { margin: .5rem 0; }
@media (prefers-color-scheme: dark) { body { background: #161616; color: #e6e6e6; } .bar { background: #333; }
 code { background: #262626; } th, td { border-color: #333; } .wrong { color: #ff8f8f; } .bar i { background: #fff; } }
"""


def as_html(result: ExamResult, past: Sequence[ExamRecord] = ()) -> str:
    """``past``: exams of this judge that are kept, newest first, to be listed below the result."""
    return "\n".join(_page(result, past)) + "\n"


def _page(result: ExamResult, past: Sequence[ExamRecord]) -> Iterator[str]:
    title = escape(f"Exam of {result.judge.name}")
    yield "<!DOCTYPE html>"
    yield f'<html lang="en"><head><meta charset="utf-8"><title>{title}</title><style>{_STYLE}</style></head><body>'
    yield f"<h1>{title}</h1>"
    yield from (f"<p>{escape(line)}</p>" for line in heading(result))
    yield from _verdict(result)
    yield "<table><thead><tr><th>family</th><th>passed</th><th>95 % interval</th><th></th><th>about</th></tr></thead>"
    yield "<tbody>"
    yield from (_row(one) for one in ranked(result))
    for name, why in result.skipped.items():
        yield f"<tr><td>{escape(name)}</td><td>not asked</td><td></td><td></td><td>{escape(why)}</td></tr>"
    yield "</tbody></table>"
    for one in ranked(result):
        if one.failed:
            yield from _failures(one)
    if past:
        yield from _past(past)
    yield "</body></html>"


def _past(past: Sequence[ExamRecord]) -> Iterator[str]:
    yield "<h2>Exams of this judge that are kept</h2>"
    heads = "".join(f"<th>{escape(name)}</th>" for name in PAST_COLUMNS)
    yield f"<table><thead><tr>{heads}</tr></thead><tbody>"
    for record in past:
        *cells, exam_id = map(escape, past_row(record))
        shown = "".join(f"<td>{cell}</td>" for cell in cells)
        yield f'<tr>{shown}<td><a href="../{exam_id}/report">{exam_id}</a></td></tr>'
    yield "</tbody></table>"


def _verdict(result: ExamResult) -> Iterator[str]:
    if result.bias is not None:
        yield f'<p class="bias"><strong>Response bias: {escape(result.bias)}.</strong> The families below cannot be '
        yield "read, because a pair has opposite answers. Choose another judge, or another mode or prompt version.</p>"
        return
    yield f"<p><strong>{result.passed} of {result.pairs} pairs passed.</strong></p>"
    weak = [one for one in ranked(result) if one.share < WEAK]
    if weak:
        yield "<h2>What to do</h2><ul>"
        yield from (f"<li><strong>{escape(one.family)}</strong>: {escape(ADVICE[one.family])}.</li>" for one in weak)
        yield "</ul>"


def _row(one: FamilyResult) -> str:
    low, wide, share = one.low * 100, (one.high - one.low) * 100, one.share * 100
    bar = f'<b class="bar"><span style="left:{low:.1f}%;width:{wide:.1f}%"></span><i style="left:{share:.1f}%"></i></b>'
    return (
        f"<tr><td>{escape(one.family)}</td><td>{one.passed} of {one.pairs}</td>"
        f"<td>{one.low:.0%} to {one.high:.0%}</td><td>{bar}</td><td>{escape(one.about)}</td></tr>"
    )


def _failures(one: FamilyResult) -> Iterator[str]:
    yield f"<details><summary>{escape(one.family)}: {len(one.failed)} pairs not passed</summary>"
    yield from (_pair(pair) for pair in one.failed)
    yield "</details>"


def _pair(pair: FailedPair) -> str:
    lines = [f"<p><em>{escape(pair.variant)}</em>: {escape(pair.statement)}</p><ul>"]
    for response, wanted, said in zip(pair.responses, pair.expected, pair.said, strict=True):
        mark = "right" if said == wanted else '<span class="wrong">wrong</span>'
        told = f"said {escape(said_of(said))}, expected {escape(said_of(wanted))}"
        lines.append(f"<li>{mark}: {told}: <code>{escape(response)}</code></li>")
    return "".join([*lines, "</ul>", f"<p>{escape(pair.error)}</p>" if pair.error else ""])


def as_junit(result: ExamResult, least: float) -> str:
    """A suite with a test for each family: it fails if less than ``least`` of its pairs passed, and all fail under a
    response bias."""
    below = [one for one in result.families if result.bias is not None or one.share < least]
    root = ET.Element("testsuites")
    suite = ET.SubElement(root, "testsuite", name=f"exam of {result.judge.name}")
    suite.set("tests", str(len(result.families)))
    suite.set("failures", str(len(below)))
    for one in ranked(result):
        case = ET.SubElement(suite, "testcase", classname="exam", name=one.family)
        if one in below:
            told = f"{one.passed} of {one.pairs} pairs passed ({one.low:.0%} to {one.high:.0%})"
            message = told if result.bias is None else f"response bias: {result.bias}"
            ET.SubElement(case, "failure", message=message).text = "\n".join(
                f"{pair.variant}: {pair.statement}" for pair in one.failed
            )
    return ET.tostring(root, encoding="unicode") + "\n"
