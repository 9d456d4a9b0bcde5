"""Labels that spreadsheets or people in other countries write, and that can mean two things: refused with a remedy, or
read as what they say and noted; never silently something else."""

import unicodedata

import openpyxl
import pytest
from openpyxl.styles import Font

from judge_server.core.errors import BadInput
from judge_server.labels.readers import read_labels
from judge_server.labels.readers.scale import parse_mapping, parse_scale
from tests.labels.readers.rows import HEADING, faults, human, table
from tests.labels.readers.test_tables import LONG, written
from tests.labels.readers.test_words import RUBRIC


def labelled(folder, *words):
    return table(folder, *(human(f"i{place}", word) for place, word in enumerate(words)))


def said(path, **options):
    return [(label.label, label.status) for label in read_labels(path, **options).table]


@pytest.mark.parametrize(
    ("words", "row", "reason"),
    [
        (("1.000", "2.000", "500"), 2, "decimal or thousands"),
        (("3", "4", "46054"), 4, "is probably a date"),
        (("1/2/2026", "3", "4"), 2, "is a date"),
        (("08:10:00", "3", "4"), 2, "is a time of day"),
        (("3-4", "4", "5"), 2, "is a range"),
        (("~5", "4", "3"), 2, "is a number with a sign"),
        ((">3", ">3", ">4"), 2, "is a number with a sign"),
        (("5?", "4", "3"), 2, "is a number with a sign"),
        (("3½", "4", "3"), 2, "is a number with a sign"),
        (("\u0661", "\u0662", "\u0661"), 2, "other digits"),
        (("\uff11", "2", "1"), 2, "other digits"),
        (("a;b", "a", "b"), 2, "several labels at once"),
        (("good, bad", "good", "bad"), 2, "several labels at once"),
        (("x", "", "x"), 2, "is the only label"),
        (("\u2713", "", "\u2713"), 2, "is the only label"),
        (("+", "-", "+"), 2, "is a sign"),
        (("#NAME?", "yes", "no"), 2, "is the error of a formula"),
        (("#WERT!", "#WERT!", "3"), 2, "is the error of a formula"),
        (("none", "yes", "no"), 2, "is neither no nor yes"),
        (("yes", "no", "teils"), 4, "is neither no nor yes"),
        (("inf", "1", "2"), 2, "mixes two scales"),
    ],
    ids=lambda value: ascii("|".join(value)) if isinstance(value, tuple) else None,
)
def test_what_can_mean_two_things_is_refused_with_its_row_and_a_remedy(tmp_path, words, row, reason):
    path = labelled(tmp_path, *words)
    assert any((place, column) == (row, "label") and reason in told for place, column, told in faults(path))
    with pytest.raises(BadInput) as refused:
        read_labels(path)
    assert refused.value.remedy


def test_signs_and_ticks_are_read_if_a_mapping_says_what_they_mean(tmp_path):
    signs = [parse_mapping("+=met"), parse_mapping("-=unmet")]
    assert said(labelled(tmp_path, "+", "-", "+"), mapping=signs) == [("met", "ok"), ("unmet", "ok"), ("met", "ok")]
    ticks = [parse_mapping("x=yes")]
    assert said(labelled(tmp_path, "x", "no", "x"), mapping=ticks) == [("yes", "ok"), ("no", "ok"), ("yes", "ok")]


def test_decimals_of_three_places_are_decimals(tmp_path):
    assert said(labelled(tmp_path, "1.000", "0.125", "2.500")) == [("1", "ok"), ("0.125", "ok"), ("2.5", "ok")]


def test_a_scale_of_plus_signs_is_read_if_it_is_named(tmp_path):
    scale = parse_scale("c=-<+<++")
    found = said(labelled(tmp_path, "+", "-", "++"), scales=[scale])
    assert found == [("+", "ok"), ("-", "ok"), ("++", "ok")]


def test_what_nobody_sees_makes_no_class_and_no_item(tmp_path):
    decomposed = unicodedata.normalize("NFD", "entfällt")
    path = labelled(tmp_path, "yes\u200b", "\u00a0no", "yes", "no\ufeff", decomposed)
    assert [label for label, _ in said(path)] == ["yes", "no", "yes", "no", None]
    assert read_labels(path).scale_of("c").classes == ("no", "yes")
    twice = table(tmp_path, human("a\u200b", "yes"), human("a", "no"))
    assert "labels item 'a' on 'c' twice" in faults(twice)[0][2]


@pytest.mark.parametrize("word", ["weiß nicht", "unklar", "nicht beurteilbar", "No aplicable", "s/o", "k. A"])
def test_more_words_for_no_answer_abstain(tmp_path, word):
    assert said(labelled(tmp_path, "yes", "no", word))[2] == (None, "abstained")


def test_an_item_number_that_a_spreadsheet_shortened_is_refused(tmp_path):
    path = table(tmp_path, human("1.23457E+12", "yes"), human("1,5E+15", "no"))
    assert [(row, column) for row, column, _ in faults(path)] == [(2, "item"), (3, "item")]


def test_seven_and_seven_point_zero_are_reported_as_alike(tmp_path):
    labels = read_labels(table(tmp_path, human("7.0", "yes"), human("7", "no", annotator="ben")))
    assert any("'7.0' / '7'" in note for note in labels.notes)


@pytest.mark.parametrize(
    ("lines", "message"),
    [
        (["item,criterion,annotator,role,Label,label", "a,c,ann,human,yes,no"], "differ only in case"),
        (["item,criterion,annotator,role,label,Prompt,prompt", "a,c,ann,human,yes,p,q"], "differ only in case"),
        (["item,criterion,annotator,role,label,label", "a,c,ann,human,yes,no"], "appears twice"),
    ],
)
def test_a_field_with_two_columns_is_refused(tmp_path, lines, message):
    ((row, _, told),) = faults(written(tmp_path, *lines))
    assert row == 1
    assert message in told


def test_a_heading_may_hold_line_breaks_special_blanks_and_a_byte_order_mark(tmp_path):
    path = written(tmp_path, '"item\n",criterion,\ufeffannotator,role,label\u00a0', "a,c,ann,human,yes")
    assert said(path) == [("yes", "ok")]


def test_lines_with_two_cells_may_stand_above_the_heading(tmp_path):
    path = written(tmp_path, "Study:,ABC", "Date:,2026-01-01", "", LONG, "a,c,ann,human,yes")
    assert said(path) == [("yes", "ok")]
    assert faults(written(tmp_path, "Study:,ABC", LONG, "a,c,ann,robot,yes"))[0][0] == 3


@pytest.mark.parametrize("ending", ["\r", "\r\n", "\n"])
def test_line_ends_may_differ_and_quoted_fields_may_hold_them(tmp_path, ending):
    lines = "item;criterion;annotator;role;label;rationale", '1;c;ann;human;yes;"one' + ending + 'two; three"'
    path = tmp_path / "labels.csv"
    path.write_bytes((ending.join(lines) + "\n2;c;ann;human;no;\r\n").encode())
    assert said(path) == [("yes", "ok"), ("no", "ok")]


@pytest.mark.parametrize("encoding", ["utf-16", "utf-16-le", "utf-16-be"])
def test_utf_16_is_refused_by_its_name(tmp_path, encoding):
    path = tmp_path / "labels.csv"
    path.write_bytes((LONG + "\na,c,ann,human,yes\n").encode(encoding))
    with pytest.raises(BadInput, match="UTF-16") as refused:
        read_labels(path)
    assert "UTF-8" in refused.value.remedy


def test_windows_1252_is_refused_with_row_and_column(tmp_path):
    path = tmp_path / "labels.csv"
    path.write_bytes((LONG + "\na,c,Dr. Müller,human,yes\n").encode("cp1252"))
    assert faults(path)[0] == (2, "3", "the text is not UTF-8")


def test_a_column_that_is_nearly_a_criterion_is_refused_and_others_are_noted(tmp_path):
    first, second = (leaf.id for leaf in RUBRIC.leaves[:2])
    near = written(tmp_path, f"item,annotator,{first},{second}x,Ward", "1,ann,yes,x,A", name="near.csv")
    ((row, column, message),) = faults(near, rubric=RUBRIC)
    assert (row, column) == (1, f"{second}x")
    assert f"{second!r} has no column" in message
    far = written(tmp_path, f"item,annotator,{first},Ward", "1,ann,yes,A", name="far.csv")
    assert any("not read: 'Ward'" in note for note in read_labels(far, rubric=RUBRIC).notes)


def book(folder, rows, prepare=None):
    made = openpyxl.Workbook()
    for row in rows:
        made.active.append(row)
    if prepare is not None:
        prepare(made, made.active)
    made.save(folder / "labels.xlsx")
    return folder / "labels.xlsx"


ROWS = [list(HEADING), ["a", "c", "ann", "human", "yes"], ["b", "c", "ann", "human", "no"]]


def hide_row(made, sheet):
    sheet.auto_filter.ref = "A1:E3"
    sheet.row_dimensions[3].hidden = True


def hide_column(made, sheet):
    sheet.column_dimensions["E"].hidden = True


def cross_out(made, sheet):
    sheet["E2"].font = Font(strike=True)


def add_hidden_sheet(made, sheet):
    other = made.create_sheet("Old")
    other.append(["old"])
    other.sheet_state = "hidden"


@pytest.mark.parametrize(
    ("prepare", "note"),
    [
        (hide_row, "1 rows are hidden, perhaps by a filter"),
        (hide_column, "Hidden columns are read too: E"),
        (cross_out, "1 cells are crossed out and read all the same: E2"),
        (add_hidden_sheet, "hidden sheets were not read: Old"),
    ],
)
def test_what_a_workbook_does_not_show_is_noted(tmp_path, prepare, note):
    labels = read_labels(book(tmp_path, ROWS, prepare))
    assert [label.label for label in labels.table] == ["yes", "no"]
    assert any(note in told for told in labels.notes)


def test_percentages_of_a_workbook_are_refused_like_those_of_a_text_file(tmp_path):
    def percent(made, sheet):
        sheet["E2"].number_format = "0%"

    path = book(tmp_path, [list(HEADING), ["a", "c", "ann", "human", 0.8], ["b", "c", "ann", "human", 80]], percent)
    assert faults(path) == [(2, "label", "the label '80%' is a percentage")]


def test_leading_zeros_that_a_format_shows_are_kept(tmp_path):
    def zeros(made, sheet):
        sheet["A2"].number_format = "000"

    path = book(tmp_path, [list(HEADING), [7, "c", "ann", "human", "yes"], ["b", "c", "ann", "human", "no"]], zeros)
    assert read_labels(path).table.row(0).item == "007"


def test_cells_merged_over_columns_fill_no_other_column(tmp_path):
    path = book(tmp_path, [list(HEADING), ["a", None, "ann", "human", "yes"]], lambda _, s: s.merge_cells("A2:B2"))
    assert faults(path) == [(2, "criterion", "the criterion is empty")]


def test_a_long_number_as_an_item_is_refused(tmp_path):
    path = book(tmp_path, [list(HEADING), [12345678901234567890, "c", "ann", "human", "yes"]])
    assert faults(path)[0][:2] == (2, "item")


def test_escaped_characters_of_a_workbook_are_read(tmp_path):
    rows = [list(HEADING), ["a", "c", "ann", "human", "yes_x000D_"], ["b", "c", "ann", "human", "no"]]
    assert [label.label for label in read_labels(book(tmp_path, rows)).table] == ["yes", "no"]
