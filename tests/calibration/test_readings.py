"""What counts as a reading of a judge: programs' answers do not, and a criterion that was never asked is an error."""

from datetime import UTC, datetime

import pytest

from judge_server.calibration.gate import gate
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
