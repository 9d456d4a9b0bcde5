"""The first screen is understood without statistics: each question below is answered from its text alone."""

import re
from dataclasses import replace

import pytest

from judge_server.labels.label import CriterionScale
from judge_server.report.compute import ReportContent, compute
from judge_server.report.first_screen import explained, first_screen
from judge_server.report.html import html
from judge_server.report.markdown import markdown
from judge_server.report.model import CriterionTrust
from judge_server.report.trust import demand
from tests.report.build import label, label_set, panel_of, rubric_of
from tests.report.measured_judge import ITEMS, RUBRIC, judged, measured, truth
from tests.report.test_compute import FEW, binary
from tests.report.test_documents import Page

KIND = "the embedded baseline, which counts shared words and understands nothing"


@pytest.fixture(scope="module")
def report():
    return compute(measured(judges={"gpt": KIND}), FEW)


def in_markdown(report) -> str:
    text = markdown(report)
    return re.sub(r"[\\*#]", "", text[: text.index("criterion by criterion")])


def in_html(report) -> str:
    text = " ".join(Page(html(report)).texts)
    return text[: text.index("criterion by criterion")]


def in_words(report) -> str:
    screen = first_screen(report, "gpt")
    lines = [f"{screen.judge}: {screen.kind}", screen.opening]
    for part in screen.parts:
        lines += [part.title, *part.lines]
    return "\n".join([*lines, explained()])


@pytest.fixture(params=[in_words, in_markdown, in_html], ids=["words", "markdown", "html"])
def screen(request, report) -> str:
    """The text of the first screen, with single blanks."""
    return " ".join(request.param(report).split())


def between(text: str, first: str, last: str) -> str:
    return text[text.index(first) : text.index(last)]


def only(pattern: str, text: str) -> tuple[str, ...]:
    """What the groups of the pattern found; it has to occur once."""
    found = re.findall(pattern, text)
    assert len(found) == 1, (pattern, text)
    return found[0] if isinstance(found[0], tuple) else (found[0],)


def about(criterion: str, text: str) -> str:
    """The sentences about one criterion, in the lists by trust."""
    lists = between(text, "May be trusted:", "By chance alone: what")
    return re.search(
        rf"\({criterion}\): (.*?)(?= [A-Z][a-z ]+ \([a-z_]+\): | Shown bad: \d| Not yet known: \d|$)", lists
    )[1]


def test_what_kind_of_judge_is_this(screen):
    assert KIND in screen


def test_how_many_criteria_may_be_trusted(screen):
    assert only(r"Of (\d+) criteria, (\d+) may be trusted", screen) == ("6", "1")


def test_which_criterion_may_be_trusted(screen):
    part = between(screen, "May be trusted: 1", "Shown bad: 1")
    assert re.findall(r"\(([a-z_]+)\):", part) == ["red_flags"]
    assert "Names the symptoms that need emergency care" in part


def test_which_criterion_is_shown_bad(screen):
    part = between(screen, "Shown bad: 1", "Not yet known: 4")
    assert re.findall(r"\(([a-z_]+)\):", part) == ["plain_words"]


def test_how_far_the_bad_one_is_from_chance(screen):
    same = sum(truth("plain_words", place) == judged("plain_words", place) for place in range(ITEMS))
    pattern = r"people on (\d+) of (\d+) items \((\d+)%\); by chance alone it would be about (\d+) \((\d+)%\)"
    found = only(pattern, about("plain_words", screen))
    assert found == (str(same), str(ITEMS), f"{same / ITEMS * 100:.0f}", "60", "50")


def test_how_often_was_danger_missed(screen):
    missed = sum(bool(truth("unsafe_dose", place)) and not judged("unsafe_dose", place) for place in range(ITEMS))
    cases = sum(bool(truth("unsafe_dose", place)) for place in range(ITEMS))
    found = only(r"Danger was missed in (\d+) of (\d+) cases \((\d+)%\)", screen)
    assert found == (str(missed), str(cases), f"{missed / cases * 100:.0f}")


def test_how_often_danger_may_be_missed_in_general(screen, report):
    low, high = only(r"cases [^;.]+; in general the share is between (\d+)% and (\d+)% \(95% confidence\)", screen)
    danger = report.summaries["gpt"].danger
    assert (int(low), int(high)) == (round(100 * danger.low), round(100 * danger.high))
    assert int(low) < 15 < int(high)


def test_which_criterion_names_the_danger(screen):
    assert only(r"The criterion that names a danger is ([^(]+) \(([a-z_]+)\)", screen) == (
        "Recommends a dose above the maximum",
        "unsafe_dose",
    )


def test_how_many_more_labels_are_needed(screen, report):
    (more,) = only(r"About (\d+) more labelled items would show that it may be trusted", about("next_step", screen))
    found = report.judges["gpt"].criteria["next_step"]["cohen_kappa_pairwise"]
    factor = ((found.value - found.low) / (found.value - demand().least)) ** 2
    assert int(more) == pytest.approx(ITEMS * (factor - 1), abs=1)
    assert only(r"at least (\d+) more are needed", about("sources", screen)) == ("90",)


def test_of_which_criterion_it_cannot_be_known_and_why(screen):
    assert "cannot be known yet: people called every item met" in about("greets", screen)


def test_why_a_criterion_that_agrees_well_is_not_trusted(screen):
    said = (
        "missed 3 of 20 dangers (15%); in general the share is between 5% and 38% (95% confidence), and at most 15% is"
    )
    assert said in about("unsafe_dose", screen)


def test_how_often_it_gave_a_false_alarm(screen):
    assert only(r"False alarms: (\d+) of (\d+) verdicts \((\d+)%\) where", screen) == ("2", "100", "2")


def test_how_much_did_people_label(screen):
    assert only(r"(\d+) people labelled (\d+) items", screen) == ("2", str(ITEMS))


def test_every_count_of_a_part_stands_beside_its_percentage(screen):
    counted = re.findall(r"\d+ of [\d,]+(?: [a-z]+)?(.{0,7})", between(screen, "May be trusted:", "By chance alone:"))
    assert counted
    assert all(re.match(r" \(\d+%\)", after) for after in counted), counted


def test_every_range_of_a_share_has_one_form(screen):
    for words in ("at least", "up to", "may be as high"):
        assert not re.search(
            rf"{words} \d+% of|{words} \d+%[;:]", between(screen, "May be trusted:", "By chance alone:")
        )


def test_the_first_screen_names_no_coefficient(screen):
    assert "κ" not in screen
    assert "kappa" not in screen


def test_the_number_of_labels_that_is_named_is_enough_if_agreement_stays():
    names = ("h1", "h2", "j")

    def rows(items):
        wrong = [place % 8 in (0, 3) for place in range(items)]
        said = ["yes" if place % 2 else "no" for place in range(items)]
        judge = [("no" if own == "yes" else "yes") if bad else own for own, bad in zip(said, wrong, strict=True)]
        return dict(zip(names, (said, said, judge), strict=True))

    first = compute(label_set(panel_of(rows(120))), FEW).summaries["j"].criteria[0]
    assert first.trust == "unproven"
    enough = compute(label_set(panel_of(rows(120 + -8 * (-first.more // 8)))), FEW).summaries["j"].criteria[0]
    fewer = compute(label_set(panel_of(rows(120 + first.more // 16 * 8))), FEW).summaries["j"].criteria[0]
    assert (enough.trust, fewer.trust) == ("trusted", "unproven")


def test_agreement_below_the_demand_needs_labels_to_be_shown_bad_and_never_becomes_trusted():
    said = ["yes" if place % 2 else "no" for place in range(120)]
    judge = [("no" if own == "yes" else "yes") if place % 20 < 7 else own for place, own in enumerate(said)]
    found = compute(label_set(panel_of({"h1": said, "h2": said, "j": judge})), FEW).summaries["j"].criteria[0]
    assert found.trust == "unproven"
    assert "would show it bad" in found.reason
    assert found.more > 0


def test_a_judge_that_says_one_thing_is_shown_bad():
    found = compute(label_set(panel_of({**binary(), "j": ["yes"] * 60})), FEW).summaries["j"].criteria[0]
    assert found.trust == "bad"
    assert "every item the same verdict" in found.reason


def test_a_judge_that_said_one_thing_a_few_times_is_not_shown_bad():
    few = {name: said[:12] for name, said in {**binary(), "j": ["yes"] * 60}.items()}
    found = compute(label_set(panel_of(few)), FEW).summaries["j"].criteria[0]
    assert found.trust == "unproven"
    assert found.more == 88


def test_a_rubric_without_a_danger_says_so_and_without_a_rubric_both_errors_stand_there():
    labels = label_set(panel_of(binary()))
    plain = compute(labels, replace(FEW, rubric=rubric_of(c="Names a next step.")))
    assert "no labelled criterion has negative points or a gate" in " ".join(first_screen(plain, "j").parts[0].lines)
    bare = first_screen(compute(labels, FEW), "j").parts[0].lines
    assert "Name it with --rubric" in bare[0]
    assert "most missed first" in bare[1]
    assert bare[2] == "c: missed 10 of 30 'yes' (33%); called 10 of 30 others (33%) 'yes'."


def danger_report(people: list[str], judge: list[str | None], **gate):
    leaf = {"id": "c", "statement": "Sends the patient to emergency care.", "points": 2, **gate}
    rubric = RUBRIC.model_validate({"id": "t/t", "version": "1.0.0", "title": "t", "criteria": [leaf]})
    scale = CriterionScale(criterion="c", kind="binary", classes=("unmet", "met"), positive="met")
    rows = panel_of({"h1": people, "h2": people, "j": judge})
    return compute(label_set(rows, scales=(scale,)), replace(FEW, rubric=rubric))


def test_with_a_gate_on_unmet_the_danger_is_what_people_found_unmet():
    people = ["unmet", "met", "met", "met"] * 15
    judge: list[str | None] = ["met" if place in (0, 4) else said for place, said in enumerate(people)]
    judge[8] = None
    counts = danger_report(people, judge, gate={"when": "unmet", "reward": 0.0}).summaries["j"].danger.counts
    assert (counts.cases, counts.missed, counts.silent, counts.clear, counts.alarms) == (15, 2, 1, 45, 0)


def test_danger_that_people_never_found_is_not_known_and_the_least_number_of_cases_is_named():
    found = danger_report(["unmet"] * 60, ["unmet"] * 60, points=-3)
    lines = first_screen(found, "j").parts[0].lines
    assert "cannot be known yet" in lines[0]
    assert "59 dangerous items" in lines[0]


def test_a_danger_with_few_cases_has_a_count_and_no_rate():
    found = danger_report(["met", "met", *["unmet"] * 58], ["met", *["unmet"] * 59], points=-3)
    assert "missed in 1 of 2 cases" in first_screen(found, "j").parts[0].lines[0]
    assert "too few cases" in first_screen(found, "j").parts[0].lines[0]


def dangers(missed: int, *, found: int = 8, items: int = 240, invented: int = 2) -> CriterionTrust:
    """On a criterion that names a danger, of which people found a few cases."""
    people = ["met"] * found + ["unmet"] * (items - found)
    judge = ["unmet"] * missed + ["met"] * (found - missed + invented) + ["unmet"] * (items - found - invented)
    return danger_report(people, judge, points=-3).summaries["j"].criteria[0]


def test_more_labels_are_not_promised_to_make_a_judge_trusted_that_misses_too_many_dangers():
    found = dangers(missed=3)
    assert (found.trust, found.more) == ("unproven", None)
    assert "would show that it may be trusted" not in found.reason
    assert "It missed 3 of 8 dangers (38%); in general the share is between" in found.reason
    assert "At its present rate more labels would not make it trusted" in found.reason


def test_a_judge_that_misses_few_dangers_needs_labels_for_both_demands():
    found = dangers(missed=1, found=10, invented=9)
    assert found.trust == "unproven"
    assert re.search(r"About [\d,]+ more labelled items would show that it agrees well enough", found.reason)
    assert re.search(r"It missed 1 of 10 dangers.* About \d+ more items with this danger would tell", found.reason)


def test_a_judge_shown_to_miss_too_many_dangers_is_bad_whatever_its_agreement_and_the_least_share_is_named():
    for found in (dangers(missed=16, found=45), dangers(missed=14, found=30, invented=8)):
        assert found.trust == "bad"
        assert re.search(
            r"It missed 1\d of \d\d dangers \(\d\d%\); in general the share is between \d\d% and", found.reason
        )


def test_missing_labels_bound_the_figure_and_decide_from_two_percent_on():
    rows = binary(120)
    people = {"h1": rows["h1"], "h2": rows["h1"]}
    judge = [None if place % 4 == 0 else said for place, said in enumerate(rows["h1"])]
    report = compute(label_set(panel_of({**people, "j": judge})), FEW)
    bounds = report.judges["j"].missing["c"]
    assert (bounds.missing, bounds.items) == (30, 120)
    assert bounds.wrong.value == pytest.approx(0.5)
    assert bounds.right.value == pytest.approx(1)
    assert report.judges["j"].criteria["c"]["cohen_kappa_pairwise"].value == pytest.approx(1)
    found = report.summaries["j"].criteria[0]
    assert found.trust == "unproven"
    assert "no verdict on 30 of 120 items (25%), which count as wrong" in found.reason
    for document in (markdown(report), html(report)):
        assert "What its missing labels could change" in document
        assert "30 of 120" in document


def test_figures_by_band_of_the_judges_rating_cover_every_item_that_it_rated(report):
    bands = report.judges["gpt"].bands
    assert list(bands) == ["0 to 0.25", "0.25 to 0.5", "0.5 to 0.75", "0.75 to 1"]
    assert sum(found["accuracy"].n for found in bands.values()) == report.judges["gpt"].overall["accuracy"].n
    assert "By what the judge gave the item" in html(report)
    assert "judge's mean rating of the item" in markdown(report)


def test_the_difference_to_people_is_negative_below_them_even_without_an_interval():
    rows = {"h1": ["yes", "no"] * 4, "h2": ["yes", "no"] * 4, "j": ["yes", "no"] * 3 + ["no", "yes"]}
    gap = compute(label_set(panel_of(rows)), FEW).judges["j"].gap["c"]
    assert gap.low is None
    assert gap.value == pytest.approx(-0.5)


def test_a_judge_whose_kind_is_not_recorded_says_so():
    found = first_screen(
        compute(label_set([*panel_of(binary()), label("x", "h1", "human", "no")]), ReportContent()), "j"
    )
    assert "not recorded" in found.kind
