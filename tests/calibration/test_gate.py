"""The gate: pass, fail, or not enough evidence, with the numbers; the published judges of creative writing all fail."""

import re

import numpy as np
import pytest

from judge_server.calibration.gate import certificate, gate
from judge_server.calibration.policy import Policy, read_policy
from judge_server.core.calibration import Decision
from judge_server.core.errors import BadConfiguration, BadInput
from judge_server.labels.label import CriterionScale, Item, Label
from tests.calibration.measured import NO, YES, label_set, rows_of, rubric


def judged(items: int = 400, *, right: float = 0.95, people: int = 2, seed: int = 0, criterion: str = "c0", **more):
    """People see the truth nine times of ten, the judge with probability ``right``; an item is a prompt."""
    random = np.random.default_rng(seed)
    for number in range(items):
        truth = bool(random.random() < 0.5)
        common = {"item": f"i{number}", "criterion": criterion, "cluster": f"p{number}"}
        for person in range(people):
            seen = truth == bool(random.random() < more.get("human", 0.9))
            yield Label(annotator=f"h{person}", role="human", label=YES if seen else NO, **common)
        said = more.get("always") or (YES if truth == bool(random.random() < right) else NO)
        yield Label(annotator="main", role="judge", label=said, **common)


def policy(*rules, **more) -> Policy:
    return Policy.model_validate({"name": "test", "rules": list(rules)} | more)


KAPPA = {"metric": "cohen_kappa", "min_low": 0.4}
GAP = {"metric": "cohen_kappa", "max_gap": 0.2}
RATE = {"metric": "false_positive_rate", "max_high": 0.15}


def test_a_good_judge_passes_with_its_numbers():
    result = gate(label_set(judged()), "main", read_policy())
    assert result.decision is Decision.PASS
    _, kappa, gap, rate = result.findings
    assert 0.4 < kappa.low < kappa.value < kappa.high
    assert gap.gap < 0
    assert gap.ceiling == pytest.approx(0.64, abs=0.1)
    assert rate.high < 0.15
    assert (kappa.clusters, kappa.criterion) == (kappa.items, "c0")


def test_a_judge_near_chance_fails_every_demand():
    result = gate(label_set(judged(right=0.55)), "main", read_policy())
    assert result.decision is Decision.FAIL
    assert [finding.decision for finding in result.findings[1:]] == [Decision.FAIL] * 3
    assert re.search(
        r"Agreement with each person beyond chance \(κ\), over all criteria: \.\d\d \[.*\], at least \.40 is demanded",
        result.findings[1].reason,
    )
    assert "human ceiling" in result.gap.reason


def test_a_value_above_whose_interval_reaches_below_is_not_enough_evidence():
    finding = gate(
        label_set(judged(130, right=0.85, people=1)), "main", policy({"metric": "cohen_kappa", "min_low": 0.42})
    ).findings[1]
    assert finding.low < 0.42 < finding.value
    assert finding.decision is Decision.NOT_ENOUGH_EVIDENCE
    assert finding.needed > 130
    assert f"about {finding.needed} prompts would tell, {finding.needed - 130} more than now" in finding.reason


@pytest.mark.parametrize(
    ("items", "clusters", "said"),
    [(60, 60, "60 items, 100 are needed: 40 more"), (200, 10, "10 prompts, 30 are needed: 20 more")],
)
def test_too_few_items_or_prompts_conclude_nothing(items, clusters, said):
    labels = [
        label.model_copy(update={"cluster": f"p{int(label.item[1:]) % clusters}"}) for label in judged(items, people=1)
    ]
    result = gate(label_set(labels), "main", policy(KAPPA))
    assert result.decision is Decision.NOT_ENOUGH_EVIDENCE
    assert said in result.findings[1].reason


def test_one_annotator_has_no_ceiling():
    labels = label_set(judged(people=1))
    required = gate(labels, "main", policy(KAPPA, GAP))
    assert required.decision is Decision.NOT_ENOUGH_EVIDENCE
    assert "no human ceiling" in required.findings[2].reason
    assert gate(labels, "main", policy(KAPPA, GAP | {"ceiling": "where known"})).decision is Decision.PASS


def test_a_judge_that_always_says_the_same_fails():
    result = gate(label_set(judged(always=YES)), "main", policy(KAPPA, GAP))
    assert [finding.decision for finding in result.findings[1:]] == [Decision.FAIL] * 2
    assert "same label" in result.findings[1].reason


def test_people_who_all_say_the_same_prove_nothing():
    labels = [label.model_copy(update={"label": YES}) if label.role == "human" else label for label in judged()]
    assert gate(label_set(labels), "main", policy(KAPPA)).decision is Decision.NOT_ENOUGH_EVIDENCE


def test_a_judge_that_is_often_silent_fails():
    silent = {"label": None, "status": "abstained"}
    labels = [
        label.model_copy(update=silent) if label.role == "judge" and int(label.item[1:]) % 5 == 0 else label
        for label in judged()
    ]
    result = gate(label_set(labels), "main", policy(KAPPA))
    assert result.decision is Decision.FAIL
    assert "no usable label on 80 of 400 items (20%), 10% is allowed" in result.findings[0].reason


def test_each_criterion_can_be_demanded_by_itself():
    labels = [*judged(right=0.95, criterion="good"), *judged(right=0.5, criterion="bad", seed=1)]
    scales = [
        CriterionScale(criterion=name, kind="binary", classes=(NO, YES), positive=YES) for name in ("good", "bad")
    ]
    result = gate(label_set(labels, *scales), "main", policy(KAPPA | {"over": "each criterion"}))
    assert {finding.criterion: finding.decision for finding in result.findings[1:]} == {
        "good": Decision.PASS,
        "bad": Decision.FAIL,
    }
    named = gate(label_set(labels, *scales), "main", policy(KAPPA | {"criteria": ["good"]}))
    assert named.decision is Decision.PASS


def test_a_rate_of_false_positives_is_not_demanded_of_a_scale():
    steps = ("1", "2", "3")
    labels = [
        label.model_copy(update={"label": "3" if label.label == YES else steps[int(label.item[1:]) % 2]})
        for label in judged()
    ]
    result = gate(
        label_set(labels, CriterionScale(criterion="c0", kind="ordinal", classes=steps)), "main", policy(RATE)
    )
    assert result.decision is Decision.NOT_ENOUGH_EVIDENCE
    assert "No rule" in result.findings[1].reason


@pytest.mark.parametrize(
    ("rule", "said"),
    [
        ({"metric": "cohen_kapa", "min_low": 0.4}, "metric 'cohen_kapa'.*Did you mean cohen_kappa"),
        (KAPPA | {"criteria": ["c9"]}, "criterion 'c9'.*c0"),
    ],
)
def test_a_rule_that_names_what_is_not_there_is_refused(rule, said):
    with pytest.raises(BadConfiguration, match=said):
        gate(label_set(judged(100)), "main", policy(rule))


def test_a_judge_that_is_not_in_the_labels_is_refused():
    with pytest.raises(BadInput, match="no judge 'other'"):
        gate(label_set(judged(20)), "other", read_policy())


def test_a_certificate_binds_the_decision_to_a_fingerprint_and_a_rubrics_content():
    result = gate(label_set(judged(right=0.5)), "main", policy(KAPPA))
    made = certificate(result, fingerprint="sha256:f", rubric=rubric().reference, calibration="cal_1")
    assert (made.fingerprint, made.rubric.digest) == ("sha256:f", rubric().digest)
    assert made.decision is Decision.FAIL
    assert made.reasons == (result.findings[1].reason,)
    assert (made.policy, made.calibration, made.maps) == (policy(KAPPA).digest, "cal_1", None)


def creative_writing():
    """TTCW: three experts on each of 48 stories and 14 tests, and seven published judges."""
    labels = [
        Label(
            item=row["story_id"], criterion=f"test{row['ttcw_idx']}", annotator=f"expert{row['expert_idx']}",
            role="human", label=row["y"], cluster=row["story_id"],
        )
        for row in rows_of("ttcw_expert_labels.csv")
    ]  # fmt: skip
    for row in rows_of("ttcw_labels.csv"):
        story, test = re.fullmatch(r"story_(.*)_(test\d+)", row["id"]).groups()
        labels += [
            Label(item=story, criterion=test, annotator=name, role="judge", label=str(int(float(said))), cluster=story)
            for name, said in row.items()
            if name.startswith("judge_") and said
        ]
    names = sorted({label.criterion for label in labels})
    scales = [CriterionScale(criterion=name, kind="binary", classes=("0", "1"), positive="1") for name in names]
    return label_set(labels, *scales)


def test_ttcw_all_seven_published_judges_fail_with_their_gap_to_the_human_ceiling():
    labels = creative_writing()
    judges = labels.table.annotators_of("judge")
    results = [gate(labels, judge, read_policy()) for judge in judges]
    assert len(results) == 7
    for result in results:
        assert result.decision is Decision.FAIL
        assert result.gap.ceiling == pytest.approx(0.407, abs=0.01)
        assert result.gap.gap > 0.2
        assert re.search(r"human ceiling of \.4\d+: the gap is \.\d+ \[\.\d+, \.\d+\]", result.gap.reason)


def several(rates, items, *, right=None, seed=0, tag=None):
    """Criteria with these base rates; the judge is independent of the truth, or right with a probability each."""
    random = np.random.default_rng(seed)
    for place, rate in enumerate(rates):
        for number in range(items):
            truth = bool(random.random() < rate)
            said = bool(random.random() < rate) if right is None else truth == bool(random.random() < right[place])
            if tag is not None and number < tag:
                said = not truth
            common = {"item": f"i{number}", "criterion": f"c{place}", "cluster": f"p{number}"}
            yield Label(annotator="h0", role="human", label=YES if truth else NO, **common)
            yield Label(annotator="main", role="judge", label=YES if said else NO, **common)


def scales(number):
    return [CriterionScale(criterion=f"c{c}", kind="binary", classes=(NO, YES), positive=YES) for c in range(number)]


@pytest.mark.parametrize("items", [100, 300])
def test_a_judge_at_chance_within_each_criterion_is_never_certified(items):
    labels = label_set(several([0.95, 0.05] * 6, items), *scales(12))
    result = gate(labels, "main", read_policy())
    assert result.decision is Decision.FAIL
    assert "proven" not in result.criteria.values()


def test_one_criterion_of_twelve_at_chance_is_not_hidden_by_the_others():
    labels = label_set(several([0.5] * 12, 150, right=[0.5, *[0.95] * 11]), *scales(12))
    result = gate(labels, "main", read_policy())
    assert result.decision is Decision.FAIL
    assert result.criteria == {"c0": "failed"} | {f"c{place}": "proven" for place in range(1, 12)}


def test_a_light_criterion_need_not_be_proven_but_may_not_be_bad():
    criteria = [
        {"id": "c0", "statement": "Says thing c0.", "points": 0.5},
        *({"id": f"c{place}", "statement": f"Says thing {place}.", "points": 5} for place in (1, 2)),
    ]
    known = rubric(criteria=criteria)
    unclear = label_set(several([0.5] * 3, 300, right=[0.72, 0.98, 0.98], seed=3), *scales(3))
    result = gate(unclear, "main", read_policy(), known)
    assert result.criteria == {"c0": "not shown", "c1": "proven", "c2": "proven"}
    assert result.decision is Decision.PASS
    assert gate(unclear, "main", read_policy()).decision is not Decision.PASS  # without a rubric every one counts
    bad = label_set(several([0.5] * 3, 150, right=[0.5, 0.95, 0.95]), *scales(3))
    assert gate(bad, "main", read_policy(), known).decision is Decision.FAIL


def test_a_kind_of_items_that_is_bad_is_named_and_fails():
    items = {f"i{number}": Item(id=f"i{number}", tags=("rare",) if number < 40 else ()) for number in range(800)}
    labels = label_set(several([0.5], 800, right=[0.97], tag=40), *scales(1), items=items)
    result = gate(labels, "main", read_policy())
    assert result.kinds == {"rare": "failed"}
    assert result.decision is Decision.FAIL


def test_missing_labels_count_as_wrong_from_two_in_a_hundred_on():
    def silent(share):
        for label in judged(400, right=0.9):
            gone = label.role == "judge" and int(label.item[1:]) < share * 400
            yield label.model_copy(update={"label": None, "status": "abstained"}) if gone else label

    few, many = (gate(label_set(silent(share)), "main", policy(KAPPA)).findings[1] for share in (0.01, 0.09))
    assert few.missing is None
    assert many.missing == pytest.approx(0.09)
    assert many.value < few.value - 0.1
    assert "36 of 400 labels are missing, and count as wrong" in many.reason
