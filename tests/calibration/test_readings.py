"""What counts as a reading of a judge: programs' answers do not, and a criterion that was never asked is an error."""

from datetime import UTC, datetime

import pytest

from judge_server.calibration.gate import gate
from judge_server.calibration.matching import match
from judge_server.calibration.pairing import pairs_of
from judge_server.calibration.policy import read_policy
from judge_server.calibration.readings import unfitted
from judge_server.core.calibration import RULES
from judge_server.core.errors import BadInput
from judge_server.core.fitted_map import MapSet
from judge_server.labels.label import CriterionScale, Label
from judge_server.report.compute import ReportContent, compute
from tests.calibration.measured import NO, YES, label_set, rubric
from tests.calibration.test_gate import judged


def checked(labels, criterion="words"):
    """The same items with a criterion that a program answers, always as people do."""
    for label in labels:
        yield label
        if label.annotator in {"h0", "main"}:
            who = {"annotator": "checks", "role": "check"} if label.role == "judge" else {}
            yield label.model_copy(update={"criterion": criterion, "label": YES, **who})


QUALITY = dict.fromkeys(("labels", "items", "clusters", "folds"), 5) | dict.fromkeys(
    ("brier_before", "brier_after", "ece_before", "ece_after"), 0.1
)
SCALES = [CriterionScale(criterion=name, kind="binary", classes=(NO, YES), positive=YES) for name in ("c0", "words")]


def test_an_answer_of_a_program_is_no_reading_of_the_judge():
    alone = compute(label_set(judged()))
    beside = compute(label_set(checked(judged()), *SCALES))
    assert beside.judges["main"].overall == alone.judges["main"].overall
    assert beside.verdicts["main"].gap == alone.verdicts["main"].gap
    assert beside.checks["words"]["accuracy"].value == 1
    assert "words" not in beside.subject.criteria


def test_a_gate_passes_no_judge_on_what_a_program_answers():
    alone, beside = label_set(judged()), label_set(checked(judged()), *SCALES)
    assert gate(beside, "main", read_policy()).findings == gate(alone, "main", read_policy()).findings


def unasked(rationale):
    for label in judged():
        yield label
        if label.role == "human":
            yield label.model_copy(update={"criterion": "words"})
        elif rationale:
            silent = {"criterion": "words", "label": None, "status": "abstained", "rationale": rationale}
            yield label.model_copy(update=silent)


@pytest.mark.parametrize("rationale", [None, "not_applicable"])
def test_a_labelled_criterion_that_was_never_asked_is_an_error(rationale):
    labels = label_set(unasked(rationale), *SCALES)
    with pytest.raises(BadInput, match="main was never asked 1 of the labelled criteria: 'words'"):
        compute(labels)
    with pytest.raises(BadInput, match="never asked"):
        gate(labels, "main", read_policy())
    assert compute(labels, ReportContent(criteria=("c0",))).judges["main"].overall


def test_a_judge_that_abstained_was_asked():
    assert compute(label_set(unasked("abstained"), *SCALES)).judges["main"].overall


def test_labels_hold_one_role_an_annotator():
    assert Label(item="i", criterion="c", annotator="checks", role="check", label="yes", cluster="i").role == "check"


def test_prompts_that_maps_were_fitted_on_do_not_test_them():
    labels = label_set(judged(40))
    maps = MapSet(
        judge="main",
        fingerprint="sha256:" + "0" * 64,
        rubric=rubric().reference,
        labels=labels.digest,
        maps={"c0": {"curve": {"kind": "platt", "slope": 1, "intercept": 0}, "pool": "criterion", "quality": QUALITY}},
        items=tuple(f"i{number}" for number in range(30)),
        rules=RULES,
        created_at=datetime.now(UTC),
    )
    assert unfitted(labels, maps).counts.items == 10
    with pytest.raises(BadInput, match="fitted on every prompt"):
        unfitted(labels, maps.model_copy(update={"items": tuple(f"i{number}" for number in range(40))}))
    assert unfitted(labels, None) is labels


def seen_by(labels, *people):
    """The same labels, and further ones by these people, who always agree with the judge after having seen it."""
    labels = list(labels)
    said = {label.item: label.label for label in labels if label.annotator == "main"}
    for label in labels:
        yield label
        if label.annotator == "h0":
            for name in people:
                yield label.model_copy(update={"annotator": name, "label": said[label.item], "saw_judge": True})


def test_labels_given_after_seeing_the_judge_count_in_no_figure_and_the_report_names_them():
    blind, seen = compute(label_set(judged())), compute(label_set(seen_by(judged(), "looked", "peeked")))
    assert seen.judges == blind.judges
    assert seen.humans == blind.humans
    assert seen.subject.humans == blind.subject.humans
    (told,) = (line for line in seen.warnings if "after seeing the judge's answer" in line)
    assert "by looked, peeked are left out" in told


def test_labels_given_after_seeing_the_judge_earn_no_certificate_and_no_curve():
    whole, blind = label_set(seen_by(judged(), "looked")), label_set(judged())
    decided, wanted = (gate(one, "main", read_policy()) for one in (whole, blind))
    assert (decided.decision, decided.findings) == (wanted.decision, wanted.findings)
    matches = match(rubric(), blind)
    mine, others = (pairs_of(one, "main", matches)["c0"] for one in (whole, blind))
    assert (mine.raw.tolist(), mine.target.tolist()) == (others.raw.tolist(), others.target.tolist())


def test_a_judge_is_not_measured_if_everybody_had_seen_its_answer():
    every = [one if one.role == "judge" else one.model_copy(update={"saw_judge": True}) for one in judged()]
    with pytest.raises(BadInput, match="Everybody had seen"):
        compute(label_set(every))
