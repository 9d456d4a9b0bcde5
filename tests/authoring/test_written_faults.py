"""What physicians write in rubric files and mean otherwise: each fault with its line and how to write it."""

import pytest

from judge_server.authoring.parsing import parse
from judge_server.core.errors import BadRubric

HEAD = "id: t/faults\nversion: 1.0.0\ntitle: T\ncriteria:\n  - id: c\n"


def faults(text):
    with pytest.raises(BadRubric) as refused:
        parse(text)
    return [(one["line"], one["message"], one["suggestion"]) for one in refused.value.extensions["findings"]]


def scale(option):
    options = f"    options:\n      - {{label: x, value: 0}}\n      - {option}\n"
    return f"{HEAD}    kind: scale\n    statement: How kind?\n{options}"


def test_a_decimal_comma_in_braces():
    (found,) = faults(scale("{label: y, value: 0,5}"))
    assert found == (10, "value: 0,5 is read as two entries, 0 and 5", "write 0.5, with a decimal point")


def test_a_thousands_comma_in_braces():
    check = "    kind: check\n    statement: S is short.\n    check: {kind: length, unit: words, max: 1,000}\n"
    (found,) = faults(HEAD + check)
    advice = "write 1000 for thousands, or 1.000 with a decimal point"
    assert found == (8, "max: 1,000 is read as two entries, 1 and 000", advice)


def test_a_comma_in_a_text_in_braces():
    (found,) = faults(scale("{label: y, value: 1, description: Names A, B or C}"))
    assert found[0] == 10
    assert found[1] == "'B or C' has no value: inside braces a comma ends the text"
    assert found[2] == 'put the text in quotes: description: "Names A, B or C"'


@pytest.mark.parametrize(
    ("line", "advice"),
    [
        ("points: 2,5", "write 2.5, with a decimal point"),
        ("points: 1,000", "write 1000 for thousands, or 1.000 with a decimal point"),
        ("points: two", "give a number, such as 5 or -2.5"),
    ],
)
def test_a_number_with_a_comma(line, advice):
    (found,) = faults(f"{HEAD}    statement: Names water.\n    {line}\n")
    assert (found[0], found[2]) == (7, advice)


def test_a_statement_that_begins_with_a_greater_sign():
    (found,) = faults(f"{HEAD}    statement: > 38 °C is called fever.\n    points: 2\n")
    assert found[0] == 6
    assert found[2].endswith('put the text in quotes: statement: "> 38 °C is called fever."')


def test_a_number_sign_in_a_statement_is_not_cut_silently():
    (found,) = faults(f"{HEAD}    statement: Names ticket #12 of the list.\n")
    assert found[0] == 6
    assert found[1] == "the text ends before '#12 of the list.', which is a comment"
    assert 'statement: "Names ticket #12 of the list."' in found[2]


@pytest.mark.parametrize("line", ['statement: "Names ticket #12."', "statement: Names C# code."])
def test_other_number_signs_are_fine(line):
    parse(f"{HEAD}    {line}\n")


def test_comments_after_ids_and_numbers_are_fine():
    parse(f"{HEAD}    statement: Names water.\n    # as labels say\n    points: 2     # twice as much\n")


def test_a_tab_as_indentation():
    (found,) = faults(f"{HEAD}\tstatement: Names water.\n")
    assert (found[0], found[2]) == (6, "the line begins with a tab: indent with spaces")


@pytest.mark.parametrize(
    "line", ["\u00a0   statement: Names water.", "    statement:\u00a0Names water.", "  \u202f statement: Names water."]
)
def test_a_blank_that_is_no_space(line):
    (found,) = faults(f"{HEAD}{line}\n")
    assert found[0] == 6
    assert "a space-like character (U+" in found[1]
    assert found[2].startswith("write plain spaces")


def test_a_byte_order_mark():
    (found,) = faults(b"\xef\xbb\xbf" + HEAD.encode() + b"    statement: Names water.\n")
    assert found == (1, "it begins with a byte order mark", "save it as UTF-8 without BOM")


def test_windows_1252():
    (found,) = faults((HEAD + "    statement: Fever above 38 °C.\n").encode("cp1252"))
    assert found[0] == 6
    assert "in Windows-1252 it is '°'" in found[1]
    assert found[2] == "save it as UTF-8"


def test_an_undeclared_fact_has_its_place():
    text = HEAD.replace("criteria:", "facts:\n  - {name: allergy, type: boolean}\ncriteria:")
    (found,) = faults(f"{text}    statement: Names water.\n    when: {{facts.alergy: true}}\n")
    assert found == (9, "the fact 'alergy' is not declared", "did you mean facts.allergy?")
