import pytest

from judge_server.agreement.judge import Measurement
from judge_server.agreement.resampling import Resampling
from judge_server.calibration.comparison import compare
from judge_server.core.errors import BadInput
from tests.report.build import label_set, panel_of

HOW = Measurement(resampling=Resampling(replicates=200))


def versions(items: int = 120):
    truth = ["yes" if place % 2 else "no" for place in range(items)]
    turned = {"yes": "no", "no": "yes"}
    old = [turned[said] if place % 3 == 0 else said for place, said in enumerate(truth)]
    new = [turned[said] if place % 12 == 0 else said for place, said in enumerate(truth)]
    return truth, old, new


def sets(criterion_old="c", criterion_new="c"):
    truth, old, new = versions()
    return (
        label_set(panel_of({"h1": truth, "j": old}, criterion_old)),
        label_set(panel_of({"h1": truth, "j": new}, criterion_new)),
    )


def test_a_better_version_is_told_with_what_it_fixed_and_broke():
    found = compare(*(part for each in sets() for part in (each, "j")), HOW)
    assert (found.overall.fixed, found.overall.broken, found.overall.n) == (30, 0, 120)
    assert found.overall.mcnemar.p < 0.001
    assert found.overall.difference["cohen_kappa"].low > 0
    assert found.text.startswith("The new run is better: it corrects 30 and breaks 0")


def test_nearly_always_the_commoner_label_is_not_called_better():
    """By hand: 100 no and 20 yes; the old one is right on 60 and 18, the new one on all no and 2 yes."""
    truth = ["no"] * 100 + ["yes"] * 20
    old = ["no"] * 60 + ["yes"] * 40 + ["yes"] * 18 + ["no"] * 2
    new = ["no"] * 100 + ["yes"] * 2 + ["no"] * 18
    before, after = (label_set(panel_of({"h1": truth, "j": said})) for said in (old, new))
    found = compare(before, "j", after, "j", HOW)
    assert (found.overall.fixed, found.overall.broken) == (40, 16)
    assert found.overall.exact.p < 0.01
    assert found.overall.balanced.before == pytest.approx((0.6 + 0.9) / 2)
    assert found.overall.balanced.after == pytest.approx((1.0 + 0.1) / 2)
    assert found.overall.adjusted_p == 1.0
    assert found.text.startswith("There is no clear difference")
    assert "every label counted alike, 55.0% instead of 75.0%" in found.text
    assert compare(after, "j", before, "j", HOW).text.startswith("There is no clear difference")


def test_the_difference_is_that_of_the_two_values():
    found = compare(*(part for each in sets() for part in (each, "j")), HOW).overall
    expected = found.new["accuracy"].value - found.old["accuracy"].value
    assert found.difference["accuracy"].value == pytest.approx(expected)


def test_a_version_compared_with_itself_shows_no_difference():
    old, _ = sets()
    found = compare(old, "j", old, "j", HOW)
    assert found.overall.mcnemar.p is None
    assert found.text.startswith("No difference can be tested")


def test_criteria_that_only_one_version_has_are_named():
    truth, old, new = versions()
    before = label_set([*panel_of({"h1": truth, "j": old}, "a"), *panel_of({"h1": truth, "j": old}, "gone")])
    after = label_set([*panel_of({"h1": truth, "j": new}, "a"), *panel_of({"h1": truth, "j": new}, "added")])
    found = compare(before, "j", after, "j", HOW)
    assert (found.only_old, found.only_new, set(found.criteria)) == (("gone",), ("added",), {"a"})


def test_the_human_labels_of_one_file_serve_both():
    truth, old, new = versions()
    found = compare(label_set(panel_of({"h1": truth, "j": old})), "j", label_set(panel_of({"jnew": new})), "jnew", HOW)
    assert found.overall.n == 120


def test_nothing_in_common_is_refused_with_what_to_do():
    with pytest.raises(BadInput, match="share no criterion"):
        compare(*(part for each in sets("a", "b") for part in (each, "j")), HOW)
    old, new = sets()
    with pytest.raises(BadInput, match="no judge 'k'"):
        compare(old, "k", new, "j", HOW)
