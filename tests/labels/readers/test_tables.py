"""Tables as spreadsheets save them: blank, title and merged rows, sep= lines, workbooks, a column a criterion."""

import csv
import zipfile
from datetime import date

import openpyxl
import pytest
from hypothesis import given as drawn
from hypothesis import strategies

from judge_server.core.errors import BadInput
from judge_server.labels.readers import read_labels
from judge_server.labels.readers.heading import marked, unmarked
from judge_server.labels.readers.layout import Layout
from judge_server.labels.writing import write_labels
from tests.labels.readers.rows import HEADING, faults, human, table
from tests.labels.readers.test_words import RUBRIC

LONG = ",".join(HEADING)


def written(folder, *lines, name="labels.csv"):
    (folder / name).write_text("\n".join(lines) + "\n", "utf-8")
    return folder / name


def workbook(folder, *rows, merged=(), name="labels.xlsx"):
    book = openpyxl.Workbook()
    for row in rows:
        book.active.append(row)
    for block in merged:
        book.active.merge_cells(block)
    book.save(folder / name)
    return folder / name


def told(path, **options):
    return [(label.item, label.criterion, label.annotator, label.label) for label in read_labels(path, **options).table]


EXPECTED = [("a", "c", "ann", "yes"), ("b", "c", "ann", "no")]


@pytest.mark.parametrize(
    "lines",
    [
        ("", LONG, "", "a,c,ann,human,yes", ",,,,", "b,c,ann,human,no", ""),
        ("sep=,", LONG, "a,c,ann,human,yes", "b,c,ann,human,no"),
        ('"sep=;"', LONG.replace(",", ";"), "a;c;ann;human;yes", "b;c;ann;human;no"),
        ("Ratings 2026", LONG, "a,c,ann,human,yes", "b,c,ann,human,no"),
        ("Ratings 2026,,,,", ",,,,", LONG, "a,c,ann,human,yes", "b,c,ann,human,no"),
        ("Ward A, first round", LONG.replace(",", ";"), "a;c;ann;human;yes", "b;c;ann;human;no"),
        (LONG + ",,", "a,c,ann,human,yes,,", "b,c,ann,human,no,,"),
        (LONG, "a,c,ann,human,yes,", "b,c,ann,human,no,"),
    ],
    ids=[
        "blank rows",
        "sep",
        "quoted sep",
        "title",
        "merged title",
        "title with a comma",
        "trailing",
        "trailing below",
    ],
)
def test_a_table_as_a_spreadsheet_saves_it(tmp_path, lines):
    assert told(written(tmp_path, *lines)) == EXPECTED


def test_rows_are_counted_as_the_spreadsheet_counts_them(tmp_path):
    path = written(tmp_path, "Title", "", LONG, "a,c,ann,human,yes", "", "b,c,ann,robot,no")
    assert faults(path)[0][:2] == (6, "role")


def test_what_stands_beyond_the_heading_is_refused(tmp_path):
    path = written(tmp_path, LONG, "a,c,ann,human,yes,more")
    assert faults(path) == [(2, None, "6 fields, but the heading has 5")]


def test_a_workbook_is_read(tmp_path):
    rows = [list(HEADING), ["a", "c", "ann", "human", True], [None] * 5, ["b", "c", "ann", "human", False]]
    assert told(workbook(tmp_path, *rows)) == [("a", "c", "ann", "true"), ("b", "c", "ann", "false")]


def test_merged_cells_hold_their_value_in_every_row(tmp_path):
    rows = [["Ratings"], list(HEADING), ["a", "c", "ann", "human", "yes"], [None, "d", "ann", "human", "no"]]
    path = workbook(tmp_path, *rows, merged=["A1:E1", "A3:A4"])
    assert told(path) == [("a", "c", "ann", "yes"), ("a", "d", "ann", "no")]


def test_numbers_of_a_workbook_are_numbers(tmp_path):
    rows = [list(HEADING), [7, "c", "ann", "human", 3.0], [8, "c", "ann", "human", 0.5]]
    assert told(workbook(tmp_path, *rows)) == [("7", "c", "ann", "3"), ("8", "c", "ann", "0.5")]


def test_a_date_in_a_workbook_is_refused(tmp_path):
    path = workbook(tmp_path, list(HEADING), ["a", "c", "ann", "human", date(2026, 10, 8)])
    assert faults(path)[0][:2] == (2, "label")
    assert "is a date" in faults(path)[0][2]


def test_a_formula_without_a_value_is_refused(tmp_path):
    path = workbook(tmp_path, list(HEADING), ["a", "c", "ann", "human", "=1+1"])
    assert faults(path) == [(2, "E", "the formula has no value")]


def test_a_workbook_with_two_full_sheets_is_refused(tmp_path):
    book = openpyxl.Workbook()
    book.active.append(HEADING)
    book.create_sheet("more").append(["x", "y"])
    book.save(tmp_path / "two.xlsx")
    with pytest.raises(BadInput, match="2 sheets with contents: Sheet, more"):
        read_labels(tmp_path / "two.xlsx")


@pytest.mark.parametrize("content", [b"PK\x03\x04 no archive", b"PK\x03\x04"])
def test_a_damaged_workbook_is_refused(tmp_path, content):
    (tmp_path / "x.xlsx").write_bytes(content)
    with pytest.raises(BadInput, match="zip archive"):
        read_labels(tmp_path / "x.xlsx")


SHEET = ("item,annotator,c,tone,notes", "a,ann,met,warm,fine", "b,ann,n/a,cold,", "a,bob,,fair,")


def test_a_column_may_hold_one_criterion(tmp_path):
    path = written(tmp_path, *SHEET)
    expected = [
        ("a", "c", "ann", "met"),
        ("b", "c", "ann", None),
        ("a", "tone", "ann", "warm"),
        ("b", "tone", "ann", "cold"),
        ("a", "tone", "bob", "fair"),
    ]
    assert told(path, rubric=RUBRIC) == expected
    assert told(path, layout=Layout(criteria={"c": "c", "tone": "tone"})) == expected
    assert {label.role for label in read_labels(path, rubric=RUBRIC).table} == {"human"}
    assert read_labels(path, rubric=RUBRIC).table.row(0).rationale == "fine"


def test_a_heading_may_be_the_statement(tmp_path):
    path = written(tmp_path, "item,annotator,names water", "a,ann,met", "b,ann,unmet")
    assert told(path, rubric=RUBRIC) == [("a", "c", "ann", "met"), ("b", "c", "ann", "unmet")]


def test_without_a_rubric_the_remedy_is_told(tmp_path):
    with pytest.raises(BadInput) as refused:
        read_labels(written(tmp_path, *SHEET))
    assert any("--criterion-column" in str(one) for one in refused.value.extensions["findings"])


@drawn(strategies.text(alphabet="'=+-@\t\rx1 ", max_size=6))
def test_a_mark_is_taken_off_again(text):
    assert unmarked(marked(text)) == text
    assert not marked(text).startswith(("=", "@", "\t", "\r"))


def test_labels_that_begin_like_formulas_are_texts_and_read_back_equal(tmp_path):
    texts = ['=HYPERLINK("x")', "+1 is good", "-x", "@sum", "\tindented", "'=quoted", "'plain", "-1"]
    rows = [(*human(f"i{place}", "yes"), text) for place, text in enumerate(texts)]
    labels = read_labels(table(tmp_path, *rows, heading=(*HEADING, "response"), name="in.jsonl.csv"))
    assert [labels.items[f"i{place}"].response for place in range(5)] == texts[:5]
    write_labels(labels, tmp_path / "out.csv")
    with (tmp_path / "out.csv").open(encoding="utf-8", newline="") as file:
        cells = [cell for row in csv.reader(file) for cell in row]
    assert not [cell for cell in cells if cell.startswith(("=", "+", "@", "\t"))]
    assert read_labels(tmp_path / "out.csv").digest == labels.digest


def test_a_workbook_that_unpacks_to_too_much_is_refused_before_it_is_read(tmp_path):
    path = tmp_path / "bomb.xlsx"
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive, archive.open("xl/workbook.xml", "w") as file:
        for _ in range(257):
            file.write(bytes(2**20))
    assert path.stat().st_size < 2**20
    with pytest.raises(BadInput, match="257 MiB unpacked"):
        read_labels(path)


def test_entities_of_a_workbook_are_not_expanded(tmp_path):
    path = workbook(tmp_path, list(HEADING), ["a", "c", "ann", "human", "yes"])
    bomb = tmp_path / "entities.xlsx"
    with zipfile.ZipFile(path) as source, zipfile.ZipFile(bomb, "w") as target:
        for entry in source.infolist():
            content = source.read(entry)
            if entry.filename == "xl/worksheets/sheet1.xml":
                content = b'<!DOCTYPE x [<!ENTITY a "aaaa"><!ENTITY b "&a;&a;&a;">]>' + content.replace(
                    b">yes<", b">&b;<"
                )
            target.writestr(entry, content)
    with pytest.raises(BadInput, match="cannot be read as a workbook"):
        read_labels(bomb)
