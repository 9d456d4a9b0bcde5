"""Bands of a cascade: replayed by hand arithmetic, chosen on dev, reported on the locked test split only."""

import json

import numpy as np
import pytest
from typer.testing import CliRunner

from judge_server.calibration.cascade_choice import Wanted, choose_cascade
from judge_server.cli import app
from judge_server.core.errors import BadInput
from judge_server.labels.label import Label
from tests.calibration.measured import NO, YES, label_set, rubric


def answers(values, first, then, *, criterion="c0", start=0):
    """Items whose true label is the first of each row: (label, P(met) of the first judge, of the second)."""
    for number, (said, cheap, strong) in enumerate(zip(values, first, then, strict=True), start):
        common = {"item": f"{criterion}-{number}", "criterion": criterion, "cluster": f"p{number}"}
        yield Label(annotator="h", role="human", label=YES if said else NO, **common)
        for judge, value in (("cheap", cheap), ("strong", strong)):
            yield Label(annotator=judge, role="judge", label=YES if value >= 0.5 else NO, probability=value, **common)


def simulated(count, seed=0, start=0):
    """The cheap judge is right if it is sure, and a coin between .3 and .7; the strong one is always right."""
    random = np.random.default_rng(seed)
    said = random.random(count) < 0.5
    sure = random.random(count) < 0.7
    cheap = np.where(sure, np.where(said, 0.95, 0.05), random.uniform(0.3, 0.7, count))
    return answers(said, cheap, np.where(said, 0.9, 0.1), start=start)


def test_a_replay_is_hand_arithmetic():
    rows = [(1, 0.9, 0.1), (1, 0.6, 0.9), (0, 0.4, 0.9), (0, 0.55, 0.2), (0, 0.1, 0.2)] * 6
    labels = label_set(answers(*zip(*rows, strict=True)))
    (found,) = choose_cascade(labels, None, ("cheap", "strong"), rubric(), Wanted(agreement=0.8))
    assert found.first == pytest.approx(4 / 5)  # only .55 is wrong
    assert found.then == pytest.approx(3 / 5)  # .1 on a yes, .9 on a no
    by_band = {point.band: point for point in found.curve}
    assert by_band[(0.5, 0.5)].asked == 0
    assert by_band[(0.5, 0.5)].agreement == pytest.approx(4 / 5)
    narrow = by_band[(0.5, 0.55)]
    assert (narrow.asked, narrow.agreement) == (pytest.approx(1 / 5), pytest.approx(1.0))
    assert found.chosen.band == (0.5, 0.5)


def test_the_cheapest_band_for_an_agreement_and_the_best_within_a_budget():
    labels = label_set(simulated(400))
    (found,) = choose_cascade(labels, None, ("cheap", "strong"), rubric(), Wanted(agreement=0.99))
    assert found.chosen.agreement >= 0.99
    assert found.chosen.asked == pytest.approx(0.3, abs=0.06)
    (within,) = choose_cascade(labels, None, ("cheap", "strong"), rubric(), Wanted(budget=0.1))
    assert within.chosen.asked <= 0.1
    assert within.chosen.agreement >= found.first
    agreements = [point.agreement for point in found.curve]
    assert agreements == sorted(agreements)


def test_no_band_is_an_answer():
    rows = [(1, 0.4, 0.3), (0, 0.6, 0.7)] * 20
    labels = label_set(answers(*zip(*rows, strict=True)))
    (found,) = choose_cascade(labels, None, ("cheap", "strong"), rubric(), Wanted(agreement=0.9))
    assert found.chosen is None
    assert "no band reaches" in found.reason
    few = label_set(answers([1] * 5, [0.9] * 5, [0.9] * 5))
    (found,) = choose_cascade(few, None, ("cheap", "strong"), rubric(), Wanted(agreement=0.9))
    assert "at least 30" in found.reason


def without_verdict(labels, judge, *items):
    """The labels, where that judge gave no verdict on these items."""
    silent = {"label": None, "probability": None, "status": "abstained"}
    return [one.model_copy(update=silent) if one.annotator == judge and one.item in items else one for one in labels]


def test_a_question_without_a_verdict_of_the_first_judge_goes_to_the_second_in_every_band():
    rows = [(1, 0.9, 0.9), (0, 0.1, 0.1)] * 20
    given = without_verdict(answers(*zip(*rows, strict=True)), "cheap", *(f"c0-{number}" for number in range(10)))
    (found,) = choose_cascade(label_set(given), None, ("cheap", "strong"), rubric(), Wanted(agreement=0.9))
    assert found.labels == 40
    assert found.first == pytest.approx(30 / 40)
    assert (found.chosen.asked, found.chosen.agreement) == (pytest.approx(10 / 40), pytest.approx(1.0))
    (within,) = choose_cascade(label_set(given), None, ("cheap", "strong"), rubric(), Wanted(budget=0.2))
    assert within.chosen is None
    assert "without a verdict" in within.reason


def test_no_verdict_of_the_second_judge_agrees_with_nobody():
    rows = [(1, 0.5, 0.9), (0, 0.1, 0.1)] * 20
    given = without_verdict(answers(*zip(*rows, strict=True)), "strong", "c0-0", "c0-2")
    (found,) = choose_cascade(label_set(given), None, ("cheap", "strong"), rubric(), Wanted(budget=1.0))
    assert found.then == pytest.approx(38 / 40)
    by_band = {point.band: point for point in found.curve}
    assert by_band[(0.5, 0.5)].agreement == pytest.approx(38 / 40)


def test_a_judge_without_probabilities_counts_by_its_labels():
    rows = [(1, 0.55, 0.9), (0, 0.1, 0.1)] * 20
    plain = [
        one.model_copy(update={"probability": None}) if one.annotator == "strong" else one
        for one in answers(*zip(*rows, strict=True))
    ]
    (found,) = choose_cascade(label_set(plain), None, ("cheap", "strong"), rubric(), Wanted(agreement=1.0))
    assert (found.labels, found.then) == (40, 1.0)


def test_by_criterion_each_has_its_own_band():
    from judge_server.labels.label import CriterionScale

    scales = [CriterionScale(criterion=n, kind="binary", classes=(NO, YES), positive=YES) for n in ("c0", "c1")]
    good = answers([1, 0] * 30, [0.9, 0.1] * 30, [0.5, 0.5] * 30)
    bad = answers([1, 0] * 30, [0.45, 0.55] * 30, [0.9, 0.1] * 30, criterion="c1")
    labels = label_set([*good, *bad], *scales)
    first, second = choose_cascade(
        labels, None, ("cheap", "strong"), rubric("c0", "c1"), Wanted(agreement=0.95), by_criterion=True
    )
    assert first.chosen.asked == 0
    assert second.chosen.asked == 1


def test_one_of_agreement_and_budget_is_needed():
    with pytest.raises(BadInput, match="one of the two"):
        choose_cascade(label_set(simulated(40)), None, ("cheap", "strong"), rubric(), Wanted())


def test_two_different_judges_are_needed():
    with pytest.raises(BadInput, match="Both judges"):
        choose_cascade(label_set(simulated(40)), None, ("cheap", "cheap"), rubric(), Wanted(budget=0.5))


@pytest.fixture
def files(tmp_path):
    lines = ["item,annotator,role,criterion,label,probability,cluster,split"]
    for seed, split, start in ((0, "dev", 0), (1, "test", 1_000)):
        lines += [
            f"{one.item},{one.annotator},{one.role},{one.criterion},{one.label},"
            f"{'' if one.probability is None else one.probability},{one.cluster},{split}"
            for one in simulated(200, seed, start)
        ]
    (tmp_path / "both.csv").write_text("\n".join(lines) + "\n")
    (tmp_path / "r.json").write_text(rubric().model_dump_json())
    return tmp_path


def run(files, *more):
    command = ["calibrate", "cascade", str(files / "both.csv"), "--rubric", str(files / "r.json")]
    return CliRunner().invoke(app, [*command, "--first", "cheap", "--then", "strong", *more])


def test_a_replay_on_the_items_that_chose_is_never_shown_as_held_out(files):
    done = run(files, "--agreement", "0.95")
    assert done.exit_code == 0, done.output
    assert "on the items that chose the band" in done.output
    assert "chose nothing" not in done.output
    assert 'cascade = {first = "cheap", then = "strong", band = [' in done.output
    (found,) = json.loads(run(files, "--agreement", "0.95", "--json").stdout)
    assert found["held_out"] is None


def test_the_locked_split_is_read_with_a_record_and_its_figures_are_its_own(files):
    done = run(files, "--agreement", "0.95", "--reader", "Ada", "--reason", "choosing a cascade", "--json")
    assert done.exit_code == 0, done.output
    (found,) = json.loads(done.stdout)
    held = found["held_out"]
    assert held["labels"] == 200
    assert held["low"] <= held["agreement"] <= held["high"]
    assert (files / "both.csv.readings.jsonl").read_text().count("choosing a cascade") == 1


def test_labels_without_a_locked_split_say_how_to_make_one(files):
    whole = (files / "both.csv").read_text().replace(",test\n", ",dev\n")
    (files / "both.csv").write_text(whole)
    done = run(files, "--agreement", "0.5")
    assert "dev split alone" in done.output
    assert "--split all" in done.output
    assert "--test-share" not in done.output
    (files / "both.csv").write_text(whole.replace(",dev\n", "\n").replace(",split\n", "\n", 1))
    done = run(files, "--agreement", "0.5")
    assert "--test-share" in done.output
    assert "--reader" not in done.output
    (files / "both.csv").write_text(whole)
    refused = run(files, "--agreement", "0.5", "--reader", "Ada", "--reason", "choosing a cascade")
    assert refused.exit_code != 0
    assert "no test split" in refused.output


def test_a_reading_of_a_stored_set_is_recorded_in_its_store(files, monkeypatch):
    monkeypatch.chdir(files)
    here = ["--database", "sqlite:///here.db"]
    kept = CliRunner().invoke(app, ["calibrate", "import", "both.csv", *here])
    assert kept.exit_code == 0, kept.output
    command = ["calibrate", "cascade", "both", "--rubric", "r.json", "--first", "cheap", "--then", "strong", *here]
    done = CliRunner().invoke(app, [*command, "--agreement", "0.95", "--reader", "Ada", "--reason", "choosing"])
    assert done.exit_code == 0, done.output
    assert not list(files.glob("*.readings.jsonl"))


def test_what_no_band_reaches_ends_with_1(files):
    assert run(files, "--agreement", "1", "--first", "strong", "--then", "cheap").exit_code in (0, 1)
    assert run(files, "--budget", "0.5", "--agreement", "0.9").exit_code != 0
