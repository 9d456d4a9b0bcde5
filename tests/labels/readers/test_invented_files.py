"""Whole files of labels as people of several professions might hand them in: each is read as it was meant, with a note
where that is not plain, or refused with its row and a remedy."""

import json

import pytest

from judge_server.core.errors import BadInput
from judge_server.labels.readers import read_labels

HEADING = "item,criterion,annotator,role,label\n"


def column(*words):
    return HEADING + "".join(f"i{place},c,ann,human,{word}\n" for place, word in enumerate(words))


def records(*labels):
    own = {"criterion": "c", "annotator": "ann", "role": "human"}
    return json.dumps([{"item": place, **own, "label": label} for place, label in enumerate(labels)])


READ = {  # text: classes, the positive one, labels by item, what a note says
    "a half in words": (column("ja", "nein", "ja (teilweise)"), None, ["ja", "nein", "ja (teilweise)"], "3 classes"),
    "a legend in the cell": (column("0 = nein", "1 = ja"), None, ["0 = nein", "1 = ja"], "positive class is not plain"),
    "ticks and crosses": (column("✓", "✗", "✓"), None, ["✓", "✗", "✓"], "positive class is not plain"),
    "truth values of a German sheet": (column("WAHR", "FALSCH"), None, ["WAHR", "FALSCH"], "not plain"),
    "floats of a data frame": (column("1.0", "0.0"), "1", ["1", "0"], "'1.0' counts as '1'"),
    "semicolons and decimal commas": (
        "item;criterion;annotator;role;label\ni1;c;ann;human;0,5\ni2;c;ann;human;1\n", None, ["0.5", "1"],
        "'0,5' counts as '0.5'",
    ),
    "headings and roles in capitals": (
        "Item,Criterion,Annotator,Role,Label\ni1,c,ann,HUMAN,yes\ni2,c,ann,Human ,no\n", "yes", ["yes", "no"], "",
    ),
    "roman numerals": (column("I", "II", "III"), None, ["I", "II", "III"], "if they are steps, name them"),
    "letter grades": (column("A", "B+", "A-"), None, ["A", "B+", "A-"], "if they are steps, name them"),
    "severities": (column("mild", "moderate", "severe"), None, ["mild", "moderate", "severe"], "if they are steps"),
    "a mark against formulas": (column("'yes", "no"), "yes", ["yes", "no"], "counts as 'yes'"),
    "blanks that nobody sees": (column("yes\u00a0", "\u200bno"), "yes", ["yes", "no"], ""),
    "names that differ by case": (
        HEADING + "P01,c,ann,human,yes\np01,c,bob,human,no\n", "yes", ["yes", "no"], "differ only by case",
    ),
    "not harmful": (column("harmful", "not harmful"), None, ["harmful", "not harmful"], "not plain"),
    "present and absent": (column("present", "absent"), "present", ["present", "absent"], ""),
    "thumbs": (column("👍", "👎"), None, ["👍", "👎"], "not plain"),
    "points after numbers": (column("1.", "2.", "3."), None, ["1", "2", "3"], "'1.' counts as '1'"),
    "tabs with empty columns": (
        "item\tcriterion\tannotator\trole\tlabel\t\t\ni1\tc\tann\thuman\tyes\t\t\ni2\tc\tann\thuman\tno\t\t\n", "yes",
        ["yes", "no"], "",
    ),
    "a line of the program above": (f"# exported\n{column('yes', 'no')}", "yes", ["yes", "no"], ""),
    "truth values and words": (records(True, "no"), "true", ["true", "false"], "'no' counts as 'false'"),
    "an item and a label of 0": (records(0, 1, None), "1", ["0", "1", None], ""),
    "numbers as text and numbers": (records(1, "1.0", 0.0), "1", ["1", "1", "0"], "counts as '1'"),
    "o and x": (column("o", "x"), None, ["o", "x"], "not plain"),
    "NA beside letters": (column("NA", "A", "B"), None, [None, "A", "B"], "'NA' counts as no answer"),
}  # fmt: skip
REFUSED = {  # text: row, what the finding says
    "the heading again": (f"{column('yes')}{HEADING}i9,c,ann,human,no\n", 3, "'role' is unknown"),
    "a second heading": (f"{HEADING}Case,What,Who,Role?,Verdict\n{column('yes')[len(HEADING) :]}", 2, "is unknown"),
    "another profession": (f"{HEADING}i1,c,ann,rater,yes\n", 2, "the role 'rater' is unknown"),
    "full stops": (column("yes.", "no", "yes"), 2, "neither no nor yes"),
    "out of five": (column("4.5/5", "3/5"), 2, "is a fraction"),
    "markup": (column("<b>yes</b>", "no", "yes"), 2, "neither no nor yes"),
    "a legend below": (f"{column('yes', 'no')}Legend: 1 = yes,,,,\n", 4, "is empty"),
    "a legend in one cell": (f"{column('yes', 'no')}Legend: 1 = yes\n", 4, "1 fields"),
    "without findings": (column("yes", "no", "o.B."), 4, "neither no nor yes"),
    "a prompt of the form": (column("Please choose", "yes", "no"), 2, "neither no nor yes"),
    "the template of the form": (column("yes/no", "yes", "no"), 2, "several labels at once"),
    "the letter O": (column("0", "1", "O"), 4, "neither 0 nor 1"),
    "two languages": (column("yes", "no", "oui"), 4, "neither no nor yes"),
    "twice the same": (f"{HEADING}i1,c,ann,human,yes\ni1,c,ann,human,no\n", 3, "already in row 2"),
    "merged items of a text file": (f"{HEADING}i1,c,ann,human,yes\n,d,ann,human,no\n", 3, "the item is empty"),
    "plus and minus": (column("+", "\u2212", "+/-"), 2, "is a sign"),
    "blanks for thousands": (column("1 000", "2 000"), 2, "thousands separator"),
    "changes of mind": (column("yes -> no", "yes", "no"), 2, "neither no nor yes"),
    "a table of a text": ("| item | criterion | annotator | role | label |\n|---|---|---|---|---|\n", 2, "unknown"),
    "two kinds of delimiter": ("item,criterion,annotator,role,label\ni1;c;ann;human;yes\n", 2, "1 fields"),
    "a percentage of probability": (
        "item,criterion,annotator,role,label,probability\ni1,c,gpt,judge,yes,85\n", 2, "not between 0 and 1",
    ),
    "words for the split": (
        "item,criterion,annotator,role,label,split\ni1,c,ann,human,yes,train\n", 2, "the split 'train'",
    ),
    "two facts by one name": (
        "item,criterion,annotator,role,label,facts.old,facts.Old\ni1,c,ann,human,yes,yes,no\n", 1, "only in case",
    ),
    "a label in a list": (records(["yes"]), 1, "is a list"),
    "objects with commas between": ('{"item":1},\n{"item":2},\n', 1, "not JSON"),
    "numbers and a number in words": (column("7", "8", "seven"), 4, "mixes two scales"),
    "a remark beside the table": (f"{HEADING}i1,c,ann,human,yes,see chart\n", 2, "6 fields"),
}  # fmt: skip


def saved(folder, text):
    path = folder / ("labels.json" if text.startswith("[") else "labels.csv")
    path.write_text(text, "utf-8")
    return path


@pytest.mark.parametrize(("text", "positive", "labels", "told"), READ.values(), ids=READ)
def test_a_file_is_read_as_it_was_meant(tmp_path, text, positive, labels, told):
    found = read_labels(saved(tmp_path, text))
    assert [label.label for label in found.table] == labels
    assert found.scales[0].positive == positive
    assert told in "\n".join(found.notes)


@pytest.mark.parametrize(("text", "row", "told"), REFUSED.values(), ids=REFUSED)
def test_a_file_is_refused_with_its_row_and_a_remedy(tmp_path, text, row, told):
    with pytest.raises(BadInput) as refused:
        read_labels(saved(tmp_path, text))
    assert any(one["row"] == row and told in one["message"] for one in refused.value.extensions["findings"])
    assert refused.value.remedy


def test_the_remedy_for_a_lone_tick_does_not_suggest_the_tick(tmp_path):
    with pytest.raises(BadInput) as refused:
        read_labels(saved(tmp_path, column("x", "", "x")))
    assert "Did you mean" not in refused.value.remedy
