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


@pytest.mark.parametrize("line", ["guidance: see # 3", "any_of:\n      - water # 3\n      - bread"])
def test_a_number_after_a_number_sign_is_not_cut_silently_in_any_text(line):
    (found,) = faults(f"{HEAD}    statement: Names one of these.\n    {line}\n")
    assert found[1] == "the text ends before '# 3', which is a comment"


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


@pytest.mark.parametrize(
    "text",
    [
        "*Important* names it",
        "%5 loss of weight is named",
        "@home care is named",
        "`code` is named",
        "[optional] Names it",
        "{optional} Names it",
        '"Stop" is said',
        "'Don't take it' is said",
        "- names it",
        "? names it",
        "Names the dose: 500 mg",
    ],
)
def test_a_statement_that_yaml_takes_for_something_else_is_shown_in_quotes(text):
    (found,) = faults(f"{HEAD}    statement: {text}\n    points: 2\n")
    assert found[0] == 6
    assert found[2].startswith("put the text in quotes: statement: ")
    written = found[2].removeprefix("put the text in quotes: ")
    parsed = parse(f"{HEAD}    {written}\n    points: 2\n")
    assert parsed.rubric.leaves[0].statement == text


@pytest.mark.parametrize("text", ["&x names it", "!Important names it"])
def test_an_anchor_or_a_tag_is_told_to_be_quoted(text):
    (found,) = faults(f"{HEAD}    statement: {text}\n")
    assert found[0] == 6
    assert "quote" in found[2]


def test_a_comment_in_braces_is_told_at_the_next_line():
    (found,) = faults(HEAD.replace("- id: c\n", "- {id: c, statement: Names # of tablets, points: 1}\n"))
    assert "cut off at ' #'" in found[2]


def test_a_number_sign_in_an_item_of_a_list_is_not_cut_silently():
    items = "    statement: Names one of these.\n    any_of:\n      - pathway #3 of the list\n      - rest\n"
    (found,) = faults(HEAD + items)
    assert found == (
        8,
        "the text ends before '#3 of the list', which is a comment",
        'put all of it in quotes: - "pathway #3 of the list"; or give the comment a line of its own',
    )
    parse(HEAD + items.replace("pathway #3 of the list", "pathway  # as in the label"))


@pytest.mark.parametrize("number", ["1.500", "-2.500", "12.000"])
def test_a_number_that_may_hold_thousands(number):
    (found,) = faults(f"{HEAD}    statement: Names water.\n    points: {number}\n")
    whole, rest = number.split(".")
    assert found[:2] == (7, f"{number} may be a decimal or thousands")
    assert f"write {whole}{rest} for thousands" in found[2]
    parse(f"{HEAD}    statement: Names water.\n    points: 2.125\n")


def test_a_dash_from_a_word_processor_before_an_entry():
    (found,) = faults("id: t/t\nversion: 1.0.0\ntitle: T\ncriteria:\n– id: c\n  statement: Names water.\n")
    assert found[0] in (5, 6)


@pytest.mark.parametrize("encoding", ["utf-16", "utf-16-le", "utf-16-be"])
def test_utf_16(encoding):
    (found,) = faults(HEAD.encode(encoding))
    assert found == (1, "it is UTF-16 or no text", "save it as UTF-8")


def test_a_fraction_where_a_whole_number_is_needed():
    check = "    kind: check\n    statement: S is short.\n    check: {kind: length, unit: words, max: 10.5}\n"
    (found,) = faults(HEAD + check)
    assert found[2] == "write it without a point or comma, such as 1000"


CRITERION = f"{HEAD}    statement: Names the dose.\n"
OPTIONS = f"{HEAD}    kind: scale\n    statement: How kind?\n    options:"


@pytest.mark.parametrize(
    ("text", "line", "advice"),
    [
        (f"{CRITERION}    points: \"3\"\n", 7, "such as 5 or -2.5"),
        (f"{CRITERION}    points: 3 points\n", 7, "such as 5 or -2.5"),
        (f"{CRITERION}    points: \u22123\n", 7, "such as 5 or -2.5"),
        (f"{CRITERION}    points: 50%\n", 7, "such as 5 or -2.5"),
        (f"{CRITERION}    points:\n", 7, "such as 5 or -2.5"),
        (f"{CRITERION}    point: 3\n", 7, "did you mean 'points'?"),
        (f"{CRITERION}    when: pregnant\n", 7, "when: {facts.pregnant: true}"),
        (f"{CRITERION}    when: {{pregnant: true}}\n", 7, "{facts.pregnant: true}"),
        (f"{CRITERION}    gate: yes\n", 7, "gate: {when: met, reward: 0}"),
        (CRITERION.replace("1.0.0", "1.0"), 2, "like 1.0.0"),
        (CRITERION.replace("1.0.0", "2026-11-29"), 2, "like 1.0.0"),
        (CRITERION.replace("id: c", "id: Dose check"), 5, "like red_flags"),
        (CRITERION.replace("id: c", "id: 1"), 5, 'write it in quotes: "1"'),
        (CRITERION.replace("  - id", "  * id"), 5, "begin each entry of a list with '- '"),
        (CRITERION.replace("    statement", "    kind: Scale\n    statement"), 5, "did you mean 'scale'?"),
        (f"{HEAD}    statement:\n    points: 2\n", 6, "one sentence that can be true or false"),
        (f"{HEAD}    statment: Names.\n", 6, "did you mean 'statement'?"),
        (f'{HEAD}    statement: "Names the dose.\u201d\n', 6, 'statement: "Names the dose."'),
        (f"{OPTIONS} [cold, warm]\n", 8, "- {label: poor, value: 0}"),
        (f"{OPTIONS} cold, warm\n", 8, "- {label: poor, value: 0}"),
        (f"{OPTIONS}\n      cold: 0\n      warm: 1\n", 9, "- {label: poor, value: 0}"),
        (f"{OPTIONS}\n      - {{label: 1, value: 0}}\n      - {{label: b, value: 1}}\n", 9, 'write it in quotes: "1"'),
        (f"{OPTIONS}\n      - {{label: yes, value: 1}}\n      - {{label: no, value: 0}}\n", 5, "begin with the worst"),
        (f"{OPTIONS}\n      - {{label: a, value: 0}}\n      - {{label: A, value: 1}}\n", 5, "rename one"),
        (f"{OPTIONS}\n      - {{label: a, value: 0}}\n      - {{label: b, value: 5}}\n", 10, "at most 1"),
        (f"{OPTIONS}\n      - {{label: a, value: 0}}\n", 9, "at least 2"),
        (f"{CRITERION}---\n{CRITERION}", 7, "one rubric a file"),
        ("id: t/f\nversion: 1.0.0\ntitle: T\ncriteria: Names the dose\n", 4, "one '- ' line for each criterion"),
        (f"```yaml\n{CRITERION}```\n", 1, "in quotes"),
    ],
)  # fmt: skip
def test_a_file_as_it_might_be_typed_is_refused_with_its_line_and_how_to_write_it(text, line, advice):
    found = faults(text)
    assert any(place == line and advice in (told or "") for place, _, told in found), found
    assert all(told for _, _, told in found), found
