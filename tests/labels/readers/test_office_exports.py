"""Spreadsheets as offices of several countries export them: read as they are meant, or refused with row and remedy."""

from datetime import datetime

import openpyxl
import pytest

from judge_server.labels.readers import read_labels
from judge_server.labels.readers.scale import parse_scale
from tests.labels.readers.rows import HEADING, faults, human, judge, table


def labelled(folder, *words):
    return table(folder, *(human(f"i{place}", word) for place, word in enumerate(words)))


def book(folder, labels, *, items=None, number_format="General"):
    made = openpyxl.Workbook()
    made.active.append(list(HEADING))
    for place, label in enumerate(labels):
        made.active.append([items[place] if items else f"i{place}", "c", "ann", "human", label])
        made.active.cell(place + 2, 5).number_format = number_format
    made.save(folder / "labels.xlsx")
    return folder / "labels.xlsx"


NO_ANSWERS = [
    "\u8a72\u5f53\u306a\u3057", "\u4e0d\u9002\u7528", "\u043d/\u0434", "\ud574\ub2f9 \uc5c6\uc74c", "nie dotyczy",
    "N\xe3o se aplica", "non renseign\xe9", "NSP", "ns/nc", "Ohne Angabe", "wei\xdf nicht", "non so",
    "niet van toepassing", "ej till\xe4mpligt", "not assessed", "TBD", "(leer)", "<NA>", "[n/a]", "??",
]  # fmt: skip


@pytest.mark.parametrize("word", NO_ANSWERS, ids=range(len(NO_ANSWERS)))
def test_a_word_for_no_answer_in_any_language_is_no_class_and_the_notes_say_so(tmp_path, word):
    labels = read_labels(labelled(tmp_path, "good", "poor", word, "good"))
    assert labels.scales[0].classes == ("good", "poor")
    assert [label.status for label in labels.table] == ["ok", "ok", "abstained", "ok"]
    assert any(f"{word!r} counts as no answer (1)" in note for note in labels.notes)


@pytest.mark.parametrize(
    ("yes", "no"),
    [
        ("zutreffend", "nicht zutreffend"),
        ("applicable", "not applicable"),
        ("\u8a72\u5f53\u3042\u308a", "\u8a72\u5f53\u306a\u3057"),
        ("known", "unknown"),
    ],
    ids=["german", "english", "japanese", "known"],
)
def test_a_word_that_is_the_plain_no_to_another_is_refused(tmp_path, yes, no):
    found = faults(labelled(tmp_path, yes, no, yes))
    assert found == [(3, "label", f"the label {no!r} can mean no as well as no answer, beside its opposite")]
    labels = read_labels(labelled(tmp_path, yes, no, yes), mapping=[("*", no, "no"), ("*", yes, "yes")])
    assert [label.label for label in labels.table] == ["yes", "no", "yes"]


@pytest.mark.parametrize("word", [".", "\u2026", "/", "\u2010", '"'], ids=range(5))
def test_punctuation_alone_is_refused(tmp_path, word):
    assert faults(labelled(tmp_path, "good", "poor", word)) == [
        (4, "label", f"the label {word!r} is punctuation alone")
    ]


@pytest.mark.parametrize("word", ["3 Punkte", "2 pts.", "1st", "5 \u2030", "4\u70b9"], ids=range(5))
def test_a_number_with_a_unit_is_refused(tmp_path, word):
    ((row, _, message),) = faults(labelled(tmp_path, word, "1", "2"))
    assert (row, message) == (2, f"the label {word!r} is a number with a unit")


@pytest.mark.parametrize("word", ["1)", "(2)"])
def test_a_number_in_brackets_is_refused(tmp_path, word):
    assert faults(labelled(tmp_path, word, "3)", "1"))[0] == (2, "label", f"the label {word!r} is a number with a sign")


def test_two_classes_with_a_stroke_between_them_are_refused(tmp_path):
    assert faults(labelled(tmp_path, "A", "B", "A/B"))[0][:2] == (4, "label")
    assert read_labels(labelled(tmp_path, "A", "B", "A/C")).scales[0].classes == ("A", "A/C", "B")


def test_a_number_far_above_the_others_is_noted(tmp_path):
    notes = read_labels(labelled(tmp_path, "8", "9", "80", "10")).notes
    assert any("80 is far from the other numbers, up to 10" in note for note in notes)
    notes = read_labels(labelled(tmp_path, "1", "2", "5", "3")).notes
    assert not any("far from" in note for note in notes)


def test_classes_that_begin_with_a_number_are_read_if_they_are_named(tmp_path):
    labels = read_labels(labelled(tmp_path, "1 dose", "2 doses"), scales=[parse_scale("c=1 dose<2 doses")])
    assert [label.label for label in labels.table] == ["1 dose", "2 doses"]


def test_what_a_program_writes_to_keep_a_text_from_a_spreadsheet_is_that_text(tmp_path):
    path = tmp_path / "labels.csv"
    heading = ",".join(HEADING)
    path.write_text(f'{heading}\n"=""007""",c,ann,human,="yes"\n"=""008""",c,ann,human,\'no\n', "utf-8")
    labels = read_labels(path)
    assert [(label.item, label.label) for label in labels.table] == [("007", "yes"), ("008", "no")]


def test_full_width_letters_are_letters(tmp_path):
    labels = read_labels(labelled(tmp_path, "\uff59\uff45\uff53", "\uff4e\uff4f", "yes"))
    assert [label.label for label in labels.table] == ["yes", "no", "yes"]


@pytest.mark.parametrize(
    "items",
    [("1-Feb", "2-Feb"), ("01. M\u00e4rz", "02. M\u00e4rz"), ("01.02.2026", "1-3"), ("Feb-26", "x")],
    ids=range(4),
)
def test_items_that_a_spreadsheet_turned_into_dates_are_refused(tmp_path, items):
    found = faults(table(tmp_path, *(human(item, "yes") for item in items)))
    assert found[0] == (2, "item", f"the item {items[0]!r} is a date: spreadsheets make dates of entries such as 1-2")


def test_items_that_are_dates_throughout_are_items(tmp_path):
    labels = read_labels(table(tmp_path, human("2026-02-01", "yes"), human("2026-02-02", "no")))
    assert [label.item for label in labels.table] == ["2026-02-01", "2026-02-02"]


def test_a_date_in_the_items_of_a_workbook_is_refused(tmp_path):
    path = book(tmp_path, ["yes", "no"], items=[datetime(2026, 2, 1), "x"])  # noqa: DTZ001 as workbooks hold it
    ((row, column, message),) = faults(path)
    assert (row, column) == (2, "item")
    assert "is a date" in message


def test_numbers_shown_with_fewer_decimals_than_they_have_are_noted(tmp_path):
    notes = read_labels(book(tmp_path, [2.6, 3, 1.4], number_format="0")).notes
    assert any("2 cells show fewer decimals than they hold" in note and "E2 (3 for 2.6)" in note for note in notes)
    for shown in ("0.0", "General", '0.00 "pts"'):
        notes = read_labels(book(tmp_path, [2.5, 3, 1.5], number_format=shown)).notes
        assert not any("fewer decimals" in note for note in notes)


def test_a_judge_that_does_not_know_abstains(tmp_path):
    labels = read_labels(table(tmp_path, human("a", "yes"), human("b", "no"), judge("a", "unknown"), judge("b", "no")))
    assert [label.status for label in labels.table] == ["ok", "ok", "abstained", "ok"]


def test_two_names_in_the_cell_of_one_annotator_are_refused(tmp_path):
    path = table(tmp_path, human("a", "yes", "ann; bob"), human("b", "no", "Ann"), human("c", "no", "Dr. Roe, Jane"))
    assert faults(path) == [(2, "annotator", "the annotator 'ann; bob' names several annotators at once")]
