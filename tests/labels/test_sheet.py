"""Sheets to fill in: written for a rubric and items, filled in, and read back without a flag."""

import csv
import json

import openpyxl
import pytest
from typer.testing import CliRunner

from judge_server.cli.calibrate import app
from judge_server.labels.readers import read_labels

RUNNER = CliRunner()
RUBRIC = """
id: t/sheet
version: 1.0.0
title: T
criteria:
  - {id: water, statement: "= Names water, and how much."}
  - {id: allergy, statement: Names an alternative., when: {facts.allergy: true}}
  - id: tone
    kind: scale
    statement: How kind?
    options:
      - {label: cold, value: 0}
      - {label: fair, value: 0.5}
      - {label: warm, value: 1}
  - {id: short, kind: check, check: {kind: length, unit: words, max: 300}}
"""
ITEMS = [
    {"id": 0, "prompt": "Q 0", "response": "=1+1", "facts": {"allergy": "yes"}},
    {"id": 1, "prompt": [{"role": "user", "content": "Q 1"}], "response": "-- drink", "facts": {"allergy": False}},
]


def run(*words, status=0):
    result = RUNNER.invoke(app, [str(word) for word in words])
    assert result.exit_code == status, result.output
    return result.stdout + result.stderr


@pytest.fixture
def made(tmp_path):
    (tmp_path / "r.yaml").write_text(RUBRIC, "utf-8")
    (tmp_path / "items.jsonl").write_text("".join(json.dumps(item) + "\n" for item in ITEMS), "utf-8")

    def make(*flags, status=0):
        return run(
            "sheet", "--rubric", tmp_path / "r.yaml", "--items", tmp_path / "items.jsonl", "--annotator", "Dr. Ann",
            *flags, status=status,
        )  # fmt: skip

    return tmp_path, make


HEADINGS = ["= Names water, and how much. [water: unmet < met]", "Names an alternative. [allergy: unmet < met]",
            "How kind? [tone: cold < fair < warm]"]  # fmt: skip


def check(labels):
    assert [(label.item, label.criterion, label.label) for label in labels.table] == [
        ("0", "water", "met"),
        ("1", "water", "unmet"),
        ("0", "allergy", "met"),
        ("1", "allergy", None),
        ("0", "tone", "warm"),
    ]
    assert {label.annotator for label in labels.table} == {"Dr. Ann"}
    assert labels.items["0"].response == "=1+1"
    assert labels.items["1"].response == "-- drink"
    assert [scale.kind for scale in labels.scales] == ["binary", "binary", "ordinal"]
    assert labels.scale_of("water").positive == "met"
    assert labels.table.row(0).rationale == "=good"


def test_a_csv_sheet_goes_out_and_comes_back(made):
    folder, make = made
    assert "2 items, 3 criteria" in make()
    path = folder / "items.Dr_Ann.csv"
    with path.open(encoding="utf-8-sig", newline="") as file:
        rows = list(csv.reader(file))
    assert rows[0][5:] == [f"'{HEADINGS[0]}", *HEADINGS[1:], "notes"]
    assert rows[1][3] == "'=1+1"
    assert rows[2][6] == "n/a"
    rows[1][5:] = ["met", "met", "warm", "'=good"]
    rows[2][5] = "unmet"
    with path.open("w", encoding="utf-8", newline="") as file:
        csv.writer(file, delimiter=";").writerows(rows)
    check(read_labels(path))
    assert "5 labels of 1 human" in run("import", path, "--out", folder / "labels.csv")
    make(status=2)


def test_a_workbook_goes_out_and_comes_back(made):
    folder, make = made
    make("--xlsx")
    path = folder / "items.Dr_Ann.xlsx"
    book = openpyxl.load_workbook(path)
    sheet = book.active
    assert [cell.value for cell in sheet[1]][5:] == [*HEADINGS, "notes"]
    assert sheet["D2"].data_type == "s"
    assert sheet["D2"].value == "=1+1"
    assert all(cell.data_type != "f" for row in sheet.iter_rows() for cell in row)
    rules = {str(rule.sqref): rule.formula1 for rule in sheet.data_validations.dataValidation}
    assert rules == {"F2:F3": '"met,unmet,n/a"', "G2:G3": '"met,unmet,n/a"', "H2:H3": '"warm,fair,cold,n/a"'}
    for place, word in (("F2", "met"), ("G2", "met"), ("H2", "warm"), ("F3", "unmet")):
        sheet[place] = word
    sheet["I2"].value = "=good"
    sheet["I2"].data_type = "s"
    book.save(path)
    check(read_labels(path))


@pytest.mark.parametrize(
    ("items", "message"),
    [
        ([{"prompt": "Q", "response": "A"}], "no item id"),
        ([{"id": "a", "response": "A"}], "has no prompt"),
        ([{"id": "a", "prompt": "Q", "response": "A"}, {"id": "a", "prompt": "Q", "response": "B"}], "another text"),
        ([{"id": "a", "prompt": "Q", "response": "A", "facts": {"allergy": "maybe"}}], "cannot be read as a truth"),
        ([{"id": "1-Feb", "prompt": "Q", "response": "A"}], "the item '1-Feb' is a date"),
    ],
)
def test_items_that_cannot_be_labelled_are_refused(made, items, message):
    folder, make = made
    (folder / "items.jsonl").write_text("".join(json.dumps(item) + "\n" for item in items), "utf-8")
    assert message in make(status=2)


def test_a_text_that_no_cell_holds_is_refused(made):
    folder, make = made
    (folder / "items.jsonl").write_text(json.dumps({"id": 1, "prompt": "Q", "response": "x" * 40_000}) + "\n", "utf-8")
    assert "a cell holds 32,767" in make("--xlsx", status=2)
    make()


def test_a_criterion_whose_fact_a_judge_will_read_is_left_open_and_one_whose_fact_is_given_is_not(made, tmp_path):
    _, make = made
    declared = """
facts:
  - {name: allergy, type: boolean, question: Is there an allergy?, ask: judge}
"""
    (tmp_path / "r.yaml").write_text(RUBRIC + declared, "utf-8")
    open_item = {"id": "open", "prompt": "Q", "response": "R"}
    with (tmp_path / "items.jsonl").open("a", encoding="utf-8") as file:
        file.write(json.dumps(open_item) + "\n")
    make("--out", tmp_path / "sheet.csv")
    with (tmp_path / "sheet.csv").open(encoding="utf-8-sig", newline="") as file:
        rows = {row["item"]: row for row in csv.DictReader(file)}
    assert [rows[name][HEADINGS[1]] for name in ("0", "1", "open")] == ["", "n/a", ""]


@pytest.mark.parametrize("kind", ["csv", "xlsx"])
def test_options_without_an_order_stay_without_one(made, tmp_path, kind):
    _, make = made
    nominal = """
  - id: sort
    kind: nominal
    statement: Which kind of answer is it?
    options:
      - {label: advice, value: 1}
      - {label: refusal, value: 0}
      - {label: question, value: 0}
"""
    (tmp_path / "r.yaml").write_text(RUBRIC.rstrip() + nominal, "utf-8")
    path = tmp_path / f"sheet.{kind}"
    make("--out", path)
    heading = "Which kind of answer is it? [sort: advice | refusal | question]"
    if kind == "csv":
        with path.open(encoding="utf-8-sig", newline="") as file:
            rows = list(csv.DictReader(file))
        rows[0][heading] = "refusal"
        with path.open("w", encoding="utf-8", newline="") as file:
            writer = csv.DictWriter(file, list(rows[0]))
            writer.writeheader()
            writer.writerows(rows)
    else:
        book = openpyxl.load_workbook(path)
        sheet = book.active
        column = [cell.value for cell in sheet[1]].index(heading) + 1
        sheet.cell(2, column).value = "refusal"
        book.save(path)
    labels = read_labels(path)
    assert labels.scale_of("sort").kind == "nominal"
    assert labels.scale_of("sort").classes == ("advice", "refusal", "question")
    assert [label.label for label in labels.table if label.criterion == "sort"] == ["refusal"]
