"""A run sends labelled items through the scoring path: rows beside people's, failures typed, resumable, remembered."""

from dataclasses import replace

import pytest

from judge_server.calibration.fit import fit
from judge_server.calibration.journal import Journal
from judge_server.calibration.matching import match, with_positives
from judge_server.calibration.pairing import rows_digest
from judge_server.calibration.run import CalibrationTask, run
from judge_server.core.calibration import RULES
from judge_server.core.errors import BadInput, ModelUnavailable
from judge_server.core.fitted_map import FittedMap, MapSet, Platt, Quality, Threshold
from judge_server.labels.label import CriterionScale, Item, Label
from judge_server.labels.readers import read_labels
from judge_server.labels.writing import write_labels
from judge_server.models.baseline import LexicalBaseline
from judge_server.scoring.calibration_state import ActiveMaps, CalibrationState
from tests.calibration.measured import NO, YES, label_set, rows_of, rubric
from tests.scoring.assembly import judge, scorer
from tests.scripted_model import ScriptedModel, labelled, yes

GOOD = "Drink water, and see a doctor if it lasts."
QUALITY = Quality(
    labels=90, items=60, clusters=30, folds=5, brier_before=0.3, brier_after=0.2, ece_before=0.2, ece_after=0.05
)


def human(item: str, label: str, criterion: str = "c0", annotator: str = "h0") -> Label:
    return Label(item=item, criterion=criterion, annotator=annotator, role="human", label=label, cluster=f"p-{item}")


def items(*names: str, **more) -> dict[str, Item]:
    return {name: Item(id=name, prompt=f"My head aches ({name}).", response=f"{GOOD} {name}", **more) for name in names}


async def started(model=None, **more):
    speaker = judge(model or ScriptedModel(yes(0.9)), **more)
    await speaker.start()
    return speaker


def task_of(labels, speaker, judged=None, **more) -> CalibrationTask:
    asked = judged or rubric()
    return CalibrationTask(labels, "dev", asked, match(asked, labels), speaker.reference, **more)


def judged_rows(result, name: str = "main"):
    return {(row.item, row.criterion): row for row in result.labels.table if row.annotator == name}


async def test_the_judges_rows_stand_beside_the_peoples():
    speaker = await started()
    labels = label_set([human("a", YES), human("b", NO)], items=items("a", "b"))
    result = await run(scorer(speaker), task_of(labels, speaker))
    rows = judged_rows(result)
    assert {key: (row.label, row.probability, row.role) for key, row in rows.items()} == {
        ("a", "c0"): (YES, pytest.approx(0.9), "judge"),
        ("b", "c0"): (YES, pytest.approx(0.9), "judge"),
    }
    assert rows["a", "c0"].cluster == "p-a"
    assert sum(row.role == "human" for row in result.labels.table) == 2
    record = result.calibration
    assert (record.items, record.statuses, record.failures) == (2, {"ok": 2}, {})
    assert record.judge.fingerprint == speaker.reference.fingerprint
    assert record.rubric.digest == rubric().digest
    assert record.labels.digest == labels.digest
    assert record.summary["criteria"]["c0"]["accuracy"]["value"] == 0.5


async def test_the_file_is_recognised_when_it_is_read_again(tmp_path):
    speaker = await started()
    labels = label_set([human("a", YES), human("b", NO)], items=items("a", "b"))
    result = await run(scorer(speaker), task_of(labels, speaker))
    for name in ("out.csv", "out.jsonl"):
        write_labels(result.labels, tmp_path / name)
        assert rows_digest(read_labels(tmp_path / name), "main") == result.calibration.rows


async def test_the_reason_of_the_judge_becomes_the_rationale():
    speaker = await started(mode="reason")
    labels = label_set([human("a", YES)], items=items("a"))
    row = judged_rows(await run(scorer(speaker), task_of(labels, speaker)))["a", "c0"]
    assert (row.label, row.rationale) == (YES, "because")


async def test_an_abstention_is_an_empty_label_with_its_cause():
    speaker = await started(ScriptedModel(lambda _: labelled(Maybe=0.9, Yes=0.05)))
    labels = label_set([human("a", YES)], items=items("a"))
    result = await run(scorer(speaker), task_of(labels, speaker))
    row = judged_rows(result)["a", "c0"]
    assert (row.label, row.status, row.probability) == (None, "abstained", None)
    assert row.rationale.startswith("abstained (low_label_mass):")
    assert result.calibration.failures == {"low_label_mass": 1}


async def test_a_judge_that_cannot_be_reached_is_typed_and_never_a_label():
    def down(_):
        raise ModelUnavailable("The model is down.")

    speaker = await started(ScriptedModel(down))
    labels = label_set([human("a", YES)], items=items("a"))
    result = await run(scorer(speaker), task_of(labels, speaker))
    assert judged_rows(result)["a", "c0"].label is None
    assert result.calibration.statuses == {"unavailable": 1}
    assert result.calibration.failures == {"judge_unavailable": 1}


async def test_a_scale_is_written_with_the_probability_of_each_class():
    options = [{"label": name, "value": value} for name, value in (("poor", 0), ("fair", 0.4), ("good", 1))]
    judged = rubric(criteria=[{"id": "c0", "kind": "scale", "statement": "How good is it?", "options": options}])
    speaker = await started(ScriptedModel(lambda _: labelled(A=0.1, B=0.2, C=0.7)))
    scale = CriterionScale(criterion="c0", kind="ordinal", classes=("poor", "fair", "good"))
    labels = label_set([human("a", "good")], scale, items=items("a"))
    row = judged_rows(await run(scorer(speaker), task_of(labels, speaker, judged)))["a", "c0"]
    assert row.label == "good"
    assert row.probabilities == {"poor": pytest.approx(0.1), "fair": pytest.approx(0.2), "good": pytest.approx(0.7)}


async def test_more_classes_than_met_or_not_are_written_as_two():
    scale = CriterionScale(criterion="c0", kind="nominal", classes=("no", "maybe", "yes"), positive="yes")
    labels = label_set([human("a", "maybe"), human("b", "yes")], scale, items=items("a", "b"))
    speaker = await started(ScriptedModel(yes(0.2)))
    result = await run(scorer(speaker), task_of(labels, speaker))
    assert [row.label for row in result.labels.table if row.role == "human"] == ["not yes", "yes"]
    assert judged_rows(result)["a", "c0"].label == "not yes"
    assert result.labels.scale_of("c0").positive == "yes"


async def test_fitted_maps_and_their_thresholds_are_applied_as_in_serving():
    speaker = await started(ScriptedModel(yes(0.9)))
    threshold = Threshold(target=0.05, value=0.8, false_positive_rate=0.04, true_positive_rate=0.6, negatives=50)
    curve = Platt(kind="platt", slope=0.5, intercept=0.0)  # 0.9 becomes 0.75
    fitted = FittedMap(curve=curve, pool="criterion", quality=QUALITY, thresholds=(threshold,))
    labels = label_set([human("a", YES)], items=items("a"))
    maps = MapSet(
        rules=RULES,
        judge="main", fingerprint=speaker.reference.fingerprint, rubric=rubric().reference,
        labels=labels.digest, maps={"c0": fitted}, created_at="2026-01-01T00:00:00Z",
    )  # fmt: skip
    measuring = scorer(speaker, calibration_state=CalibrationState(ActiveMaps([maps])).for_measuring(raw=False))
    result = await run(measuring, task_of(labels, speaker, maps=maps))
    row = judged_rows(result)["a", "c0"]
    assert (row.label, row.probability) == (NO, pytest.approx(0.75))
    assert result.calibration.judge.calibration == maps.id


async def test_an_interrupted_run_goes_on_where_it_stood(tmp_path):
    labels = label_set([human(name, YES) for name in "abcd"], items=items(*"abcd"))
    model = ScriptedModel(yes(0.9))
    speaker = await started(model)
    task = task_of(labels, speaker)

    def pull_the_plug():
        if len(model.asked) == 2:
            raise RuntimeError("the plug was pulled")

    with pytest.raises(RuntimeError), Journal(tmp_path / "out.csv", task.heading) as journal:
        await run(scorer(speaker), task, journal=journal, advance=pull_the_plug, concurrency=1)
    asked, steps = len(model.asked), []
    with Journal(tmp_path / "out.csv", task.heading) as journal:
        assert len(journal.known) == 2
        result = await run(scorer(speaker), task, journal=journal, advance=lambda: steps.append(1))
        journal.finish()
    assert (result.resumed, len(model.asked) - asked, len(steps)) == (2, 2, 4)
    assert len(judged_rows(result)) == 4
    assert list(tmp_path.iterdir()) == []


async def test_a_journal_of_another_judge_or_rubric_is_begun_anew(tmp_path):
    labels = label_set([human("a", YES)], items=items("a"))
    speaker = await started()
    task = task_of(labels, speaker)
    with Journal(tmp_path / "out.csv", task.heading) as journal:
        await run(scorer(speaker), task, journal=journal)
    with Journal(tmp_path / "out.csv", task.heading.model_copy(update={"fingerprint": "sha256:other"})) as journal:
        assert journal.known == {}


async def test_what_the_judge_could_not_be_reached_for_is_asked_again(tmp_path):
    def down(_):
        raise ModelUnavailable("The model is down.")

    labels = label_set([human("a", YES)], items=items("a"))
    speaker = await started(ScriptedModel(down))
    task = task_of(labels, speaker)
    with Journal(tmp_path / "out.csv", task.heading) as journal:
        await run(scorer(speaker), task, journal=journal)
    with Journal(tmp_path / "out.csv", task.heading) as journal:
        assert journal.known == {}


async def test_items_without_text_are_named_before_the_judge_is_asked():
    model = ScriptedModel(yes(0.9))
    speaker = await started(model)
    labels = label_set([human("a", YES), human("b", NO)], items=items("a"))
    with pytest.raises(BadInput, match="1 of 2 items have no text to judge: b") as refused:
        await run(scorer(speaker), task_of(labels, speaker))
    assert "prompt and response" in refused.value.remedy
    assert model.asked == []


async def test_only_what_people_labelled_is_written():
    scales = [CriterionScale(criterion=name, kind="binary", classes=(NO, YES), positive=YES) for name in ("c0", "c1")]
    labels = label_set([human("a", YES), human("b", NO, "c1")], *scales, items=items("a", "b"))
    speaker = await started()
    result = await run(scorer(speaker), task_of(labels, speaker, rubric("c0", "c1")))
    assert set(judged_rows(result)) == {("a", "c0"), ("b", "c1")}


async def test_the_rows_of_an_earlier_run_are_replaced_and_other_judges_kept():
    earlier = [
        Label(item="a", criterion="c0", annotator=name, role="judge", label=NO, probability=0.1, cluster="p-a")
        for name in ("main", "other")
    ]
    speaker = await started()
    labels = label_set([human("a", YES), *earlier], items=items("a"))
    result = await run(scorer(speaker), task_of(labels, speaker))
    assert judged_rows(result)["a", "c0"].label == YES
    assert judged_rows(result, "other")["a", "c0"].label == NO


async def test_kqa_the_baseline_judges_real_answers_and_a_curve_makes_its_values_honest():
    rows = rows_of("kqa_nli_physicians.csv")
    texts, said = {}, []
    for number, row in enumerate(rows):
        name = f"claim-{number}"
        texts[name] = Item(id=name, prompt=row["Question"], response=row["answer"], reference=row["claim"])
        said += [
            Label(
                item=name, criterion="c0", annotator=f"physician-{who}", role="human", label=row[f"label_{who}"],
                cluster=row["Question"],
            )
            for who in range(3)
        ]  # fmt: skip
    scale = CriterionScale(criterion="c0", kind="nominal", classes=("Contradiction", "Neutral", "Entailment"))
    labels = with_positives(label_set(said, scale, items=texts), {"c0": "Entailment"})
    statement = {"id": "c0", "statement": "The response says what the reference says.", "reference": "required"}
    judged, speaker = rubric(criteria=[statement]), await started(LexicalBaseline())
    result = await run(scorer(speaker), task_of(labels, speaker, judged))
    assert result.calibration.statuses == {"ok": 399}
    (fitted,) = fit(result.labels, "main", judged)
    assert fitted.outcome == "fitted"
    assert fitted.fitted.quality.brier_after < fitted.brier - 0.015
    assert fitted.fitted.quality.ece_after < fitted.ece / 2


@pytest.mark.parametrize(
    ("given", "said"),
    [({"c0": "maybe"}, "no such class. They have no, yes"), ({"c9": YES}, "no such criterion. They have c0")],
)
def test_a_positive_class_that_is_not_there_is_refused(given, said):
    with pytest.raises(BadInput, match="no such") as refused:
        with_positives(label_set([human("a", YES), human("b", NO)]), given)
    assert said in str(refused.value)


async def test_a_criterion_of_step_scope_cannot_be_measured():
    judged = rubric(criteria=[{"id": "c0", "statement": "The step is sound.", "scope": "step"}])
    speaker = await started()
    labels = label_set([human("a", YES)], items=items("a"))
    with pytest.raises(BadInput, match="c0 judges steps"):
        await run(scorer(speaker), task_of(labels, speaker, judged))


def test_options_are_never_matched_by_their_order():
    options = [{"label": name, "value": value} for name, value in (("poor", 0), ("fair", 0.4), ("good", 1))]
    judged = rubric(criteria=[{"id": "c0", "kind": "scale", "statement": "How good is it?", "options": options}])
    scale = CriterionScale(criterion="c0", kind="ordinal", classes=("1", "2", "3"))
    with pytest.raises(BadInput, match=r"1, 2, 3 are not its options poor, fair, good.*--map 'c0:1=OPTION'"):
        match(judged, label_set([human("a", "3")], scale, items=items("a")))


@pytest.mark.parametrize("praise", ["pass", "Correct", "ok", "better"])
def test_praise_on_a_criterion_about_something_bad_is_asked_back(praise):
    judged = rubric(criteria=[{"id": "c0", "statement": "Invents a source.", "points": -2}])
    scale = CriterionScale(criterion="c0", kind="binary", classes=("worse", praise), positive=praise)
    labels = label_set([human("a", praise)], scale, items=items("a"))
    with pytest.raises(BadInput, match="negative points"):
        match(judged, labels)
    assert match(judged, with_positives(labels, {"c0": "worse"}))["c0"].positive == "worse"


async def test_criteria_that_depend_on_a_fact_the_judge_will_read_are_measured():
    audience = {"name": "audience", "values": ["patient", "clinician"], "question": "Who asks?", "ask": "judge"}
    leaf = {"id": "c0", "statement": "Says thing.", "points": 1, "when": {"facts.audience": "patient"}}
    conditional = rubric().model_validate(
        {"id": "medical/test", "version": "1.0.0", "title": "T", "facts": [audience], "criteria": [leaf]}
    )

    def script(request):
        return yes(0.9)(request) if request.prompt.text_of("criterion") else labelled(A=0.9, B=0.05, C=0.05)

    speaker = await started(ScriptedModel(script))
    labels = label_set([human("a", YES), human("b", NO)], items=items("a", "b"))
    result = await run(scorer(speaker), task_of(labels, speaker, conditional))
    assert {row.label for row in judged_rows(result).values()} == {YES}


async def test_what_people_only_abstained_on_is_not_asked_and_counts_as_unmeasured():
    leaves = [
        {"id": "c0", "statement": "Names water."},
        {"id": "c1", "statement": "Names an alternative.", "when": {"facts.allergy": True}},
    ]
    wanted = rubric().model_validate({"id": "medical/test", "version": "1.0.0", "title": "T", "criteria": leaves})
    silent = human("a", YES, "c1").model_copy(update={"label": None, "status": "abstained"})
    labels = label_set([human("a", YES), human("b", NO), silent], items=items("a", "b"))
    classes = {"kind": "binary", "classes": (NO, YES), "positive": YES}
    labels = replace(labels, scales=tuple(CriterionScale(criterion=name, **classes) for name in ("c0", "c1")))
    speaker = await started()
    result = await run(scorer(speaker), task_of(labels, speaker, wanted))
    assert {criterion for _, criterion in judged_rows(result)} == {"c0"}
    assert result.calibration.unmeasured == ("c1",)
