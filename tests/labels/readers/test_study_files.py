"""What studies, statistics programs and spreadsheets add to a table: codes for no answer, sums below it, formats that
show another text than the cell holds."""

import openpyxl
import pytest
from openpyxl.comments import Comment
from openpyxl.styles import PatternFill

from judge_server.core.errors import BadInput
from judge_server.labels.readers import read_labels
from judge_server.labels.readers.layout import Layout
from tests.labels.readers.rows import HEADING, faults, human, judge, table


def rows(*words):
    return [human(f"i{place}", word) for place, word in enumerate(words)]


def scale_of(path, **options):
    return read_labels(path, **options).scales[0]


@pytest.mark.parametrize(
    ("words", "code"),
    [
        (("1", "2", "3", "5", "99"), "99"),
        (("1", "2", "3", "5", "-99"), "-99"),
        (("0", "1", "1", "9"), "9"),
        (("1", "2", "3", "888"), "888"),
        (("1", "2", "5", "-1"), "-1"),
        (("10", "20", "100", "999"), "999"),
    ],
)
def test_a_code_for_no_answer_is_no_step_of_the_scale(tmp_path, words, code):
    path = table(tmp_path, *rows(*words))
    ((row, column, message),) = faults(path)
    assert (row, column) == (1 + len(words), "label")
    assert "code for no answer" in message
    labels = read_labels(path, mapping=[("*", code, "")])
    assert labels.table.row(len(words) - 1).label is None


@pytest.mark.parametrize(
    "words",
    [("7", "8", "9"), ("1", "5", "9"), ("-1", "0", "1"), ("40", "60", "99"), ("0", "10"), ("-2", "-1", "0", "1")],
)
def test_numbers_near_the_others_are_steps(tmp_path, words):
    assert {float(name) for name in scale_of(table(tmp_path, *rows(*words))).classes} >= set(map(float, words))


@pytest.mark.parametrize("name", ["Total", "MEAN:", "Summe", "Moyenne", "grand total"])
def test_a_row_of_sums_below_the_table_is_no_item(tmp_path, name):
    path = table(tmp_path, *rows("1", "2", "3"), human(name, "2.5"))
    assert faults(path) == [(5, "item", f"the item {name!r} looks like a row of sums or means")]


def test_an_item_may_be_called_total_above_others(tmp_path):
    path = table(tmp_path, human("total", "yes"), *rows("no", "yes"))
    assert len(read_labels(path).table) == 3


def test_sums_below_a_wide_table_are_refused_in_every_column(tmp_path):
    path = table(tmp_path, ("1", "3", "4"), ("2", "1", "5"), ("mean", "2", "4.5"), heading=("id", "ann", "bob"))
    wide = Layout(columns={"item": "id"}, constants={"criterion": "c"}, annotators={"ann": "human", "bob": "human"})
    assert {found[:2] for found in faults(path, layout=wide)} == {(4, "item")}


def test_a_judge_in_another_language_than_the_people_is_refused(tmp_path):
    people = rows("VRAI", "FAUX", "VRAI")
    path = table(tmp_path, *people, judge("i0", "true"), judge("i1", "false"))
    assert "no label of 'gpt' is on the scale of 'c' (FAUX, VRAI)" in faults(path)[0][2]
    labels = read_labels(path, mapping=[("*", "true", "VRAI"), ("*", "false", "FAUX")])
    assert labels.table.row(3).label == "VRAI"


def test_f_beside_other_letters_is_a_grade(tmp_path):
    assert scale_of(table(tmp_path, *rows("A", "B", "F", "C"))).classes == ("A", "B", "C", "F")
    assert scale_of(table(tmp_path, *rows("T", "F", "F"))).positive == "T"


def test_classes_that_may_be_steps_are_noted(tmp_path):
    notes = read_labels(table(tmp_path, *rows("poor", "fair", "good"))).notes
    assert any("without an order" in note and "--scale 'c=WORST<...<BEST'" in note for note in notes)
    notes = read_labels(table(tmp_path, *rows("1", "2", "2"), name="codes.csv")).notes
    assert any("if 1 means yes and 2 no" in note for note in notes)


def test_the_second_of_two_equal_headings_is_refused_under_its_new_name(tmp_path):
    path = table(tmp_path, ("a", "c", "ann", "human", "yes", "no"), heading=(*HEADING, "label.1"))
    assert faults(path) == [(1, "label.1", "the column 'label.1' is a second 'label'")]


@pytest.mark.parametrize("head", ["<html><table>", '<?xml version="1.0"?><Workbook>', "\ufeff<!DOCTYPE html>"])
def test_a_page_named_like_a_sheet_is_told_as_such(tmp_path, head):
    path = tmp_path / "labels.xls"
    path.write_text(head, "utf-8")
    with pytest.raises(BadInput, match="page of HTML or XML"):
        read_labels(path)


def book(folder, labels, prepare):
    made = openpyxl.Workbook()
    made.active.append(list(HEADING))
    for place, label in enumerate(labels):
        made.active.append([f"i{place}", "c", "ann", "human", label])
    prepare(made.active)
    made.save(folder / "labels.xlsx")
    return folder / "labels.xlsx"


def formatted(number_format):
    def prepare(sheet):
        for row in range(2, sheet.max_row + 1):
            sheet.cell(row, 5).number_format = number_format

    return prepare


@pytest.mark.parametrize("number_format", ['"unmet";;"met"', ";;;", '[=1]"yes";[=0]"no"', "0;-0;;@", '"n/a"'])
def test_a_format_that_shows_another_text_than_the_number_is_refused(tmp_path, number_format):
    found = faults(book(tmp_path, [0, 1, 1], formatted(number_format)))
    assert found[0][:2] == (2, "E")
    assert "shows something else than its number 0" in found[0][2]


@pytest.mark.parametrize(
    "number_format", ["General", "0", "0.0", '0 "pts"', "#,##0;-#,##0", '_-* #,##0_-;_-* "-"??_-', "@"]
)
def test_a_format_that_shows_the_number_changes_nothing(tmp_path, number_format):
    assert scale_of(book(tmp_path, [0, 1, 1], formatted(number_format))).classes == ("0", "1")


def test_the_rounding_error_of_a_formula_is_no_class(tmp_path):
    path = book(tmp_path, [4.999999999999999, 5, 1.0000000000000002, 2], formatted("General"))
    assert scale_of(path).classes == ("1", "2", "5")


def test_comments_colours_and_cells_merged_over_columns_are_noted(tmp_path):
    def prepare(sheet):
        sheet["E2"].comment = Comment("no, after all", "ann")
        sheet["E3"].fill = PatternFill("solid", fgColor="00FF00")
        sheet.merge_cells("D4:E4")

    notes = read_labels(book(tmp_path, [None, None, None], prepare)).notes
    for told in (
        "1 cells have comments, which are not read: E2",
        "merged over columns count as the first of them: D4:E4",
    ):
        assert any(told in note for note in notes)
    assert any("No row has a label. Colours" in note for note in notes)
