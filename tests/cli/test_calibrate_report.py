"""``calibrate report``, ``disagreements`` and ``compare`` from files in the long format."""

import csv
import json

import pytest
import typer
from typer.testing import CliRunner

from judge_server.cli.calibrate import app
from judge_server.cli.running import needs
from tests.report.build import xstest_csv
from tests.report.test_compute import binary

runner = CliRunner()
METRICS = set(
    """accuracy balanced_accuracy f1_macro f1_pairwise_balanced false_positive_rate youden_j cohen_kappa
    cohen_kappa_linear cohen_kappa_quadratic fleiss_kappa krippendorff_alpha_nominal krippendorff_alpha_ordinal
    krippendorff_alpha_interval gwet_ac1 gwet_ac2_linear gwet_ac2_quadratic icc pearson spearman kendall_tau_b
    pearson_per_item spearman_per_item kendall_tau_b_per_item rmse mae brier ece alt_test_winning_rate
    alt_test_advantage raw_agreement""".split()  # noqa: SIM905  # a list of thirty quoted names reads worse
)


@pytest.fixture
def labels(tmp_path):
    def write(name="labels.csv", rows=None, **extra):
        path = tmp_path / name
        with path.open("w", newline="") as file:
            writer = csv.writer(file)
            writer.writerow(["item", "criterion", "annotator", "role", "label", *extra])
            for annotator, said in (rows or binary()).items():
                for place, each in enumerate(said):
                    role = "judge" if annotator.startswith("j") else "human"
                    writer.writerow([f"i{place}", "c", annotator, role, each, *(of(place) for of in extra.values())])
        return path

    return write


def called(*arguments):
    result = runner.invoke(app, [str(argument) for argument in arguments])
    assert result.exit_code == 0, result.output
    return result.stdout


def test_json_has_the_agreed_shape_and_every_named_metric(labels):
    found = json.loads(called("report", labels(), "--json"))
    for side in (found["judges"]["j"]["overall"], found["judges"]["j"]["criteria"]["c"]):
        assert set(side) >= METRICS
        assert {"value", "low", "high", "n", "clusters"} <= set(side["cohen_kappa"])
    assert found["humans"]["overall"]["fleiss_kappa"]["value"] > 0
    assert found["judges"]["j"]["overall"]["brier"]["value"] is None
    assert found["judges"]["j"]["overall"]["brier"]["note"]


def test_xstest_has_the_published_kappa_with_an_interval_clustered_by_prompt(tmp_path):
    found = json.loads(called("report", xstest_csv(tmp_path / "xstest.csv"), "--json"))
    kappa = found["judges"]["gpt4"]["overall"]["cohen_kappa"]
    assert kappa["value"] == pytest.approx(0.645, abs=0.001)
    assert kappa["low"] == pytest.approx(0.606, abs=0.01)
    assert kappa["high"] == pytest.approx(0.684, abs=0.01)
    assert (kappa["n"], kappa["clusters"]) == (2250, 450)


def test_a_person_reads_the_verdict_and_where_the_rest_is(labels):
    told = called("report", labels())
    assert "falls short of people" in " ".join(told.split())
    assert "-o report.html" in told


def test_documents_are_written_by_the_ending_of_their_names(labels, tmp_path):
    outputs = [tmp_path / f"report.{ending}" for ending in ("html", "md", "json")]
    called("report", labels(), *(part for path in outputs for part in ("-o", path)))
    assert outputs[0].read_text().startswith("<!doctype html>")
    assert outputs[1].read_text().startswith("# ")
    assert json.loads(outputs[2].read_text())["judges"]
    refused = runner.invoke(app, ["report", str(labels()), "-o", str(tmp_path / "report.pdf")])
    assert refused.exit_code == 2
    assert ".html" in refused.output


def test_the_worst_criterion_is_told_with_the_statement_of_the_rubric_that_was_named(labels, tmp_path):
    rubric = tmp_path / "r.yaml"
    rubric.write_text(
        "id: r\nversion: 1.0.0\ntitle: T\ncriteria:\n"
        "  - {id: c, statement: Names the dose., points: 1}\n  - {id: d, statement: Names the risk., points: 1}\n"
    )
    path = labels()
    rows = path.read_text().splitlines()
    people = {f"{item},h1": said for item, _, who, _, said in (row.split(",") for row in rows) if who == "h1"}
    for row in rows[1:]:
        item, _, annotator, role, said = row.split(",")
        rows.append(f"{item},d,{annotator},{role},{people[item + ',h1'] if role == 'judge' else said}")
    path.write_text("\n".join(rows) + "\n")
    told = " ".join(called("report", path, "--rubric", rubric).split())
    assert "Worst of 2 criteria: c (Names the dose.), κ" in told
    assert "Worst of 2 criteria: c, κ" in " ".join(called("report", path).split())
    rubric.write_text(rubric.read_text().replace("id: c,", "id: e,").replace("id: d,", "id: f,"))
    refused = runner.invoke(app, ["report", str(path), "--rubric", str(rubric)])
    assert refused.exit_code == 2
    assert "none of the criteria" in refused.output
    rubric.write_text("id: r\nversion: 1.0.0\ncriteria: []\n")
    broken = runner.invoke(app, ["report", str(path), "--rubric", str(rubric)])
    assert broken.exit_code == 2
    assert "in the rubric" in broken.output


def test_a_previous_report_shows_what_changed(labels, tmp_path):
    earlier = tmp_path / "earlier.json"
    rows = binary()
    called("report", labels(rows={**rows, "j": rows["h2"]}), "-o", earlier)
    found = json.loads(called("report", labels(), "--previous", earlier, "--json"))
    change = next(each for each in found["previous"] if each["metric"] == "accuracy")
    assert change["difference"] < 0
    refused = runner.invoke(app, ["report", str(labels()), "--previous", str(labels())])
    assert refused.exit_code == 2
    assert "not a report" in refused.output


def test_the_test_split_stays_locked_until_a_reader_and_a_reason_are_given(labels):
    path = labels(cluster=lambda place: f"p{place}", split=lambda place: "test" if place < 30 else "dev")
    assert json.loads(called("report", path, "--json"))["subject"]["items"] == 30
    refused = runner.invoke(app, ["report", str(path), "--split", "test"])
    assert refused.exit_code == 2
    assert "recorded" in refused.output
    read = called("report", path, "--split", "test", "--reader", "A. Reader", "--reason", "final check", "--json")
    assert json.loads(read)["subject"]["split"] == "test"
    assert "A. Reader" in path.with_name("labels.csv.readings.jsonl").read_text()


def test_faults_of_the_file_are_told_with_their_rows(labels):
    path = labels()
    path.write_text(path.read_text() + "i0,c,h1,human,yes\n")
    result = runner.invoke(app, ["report", str(path)])
    assert result.exit_code == 2
    assert "row" in result.output


def test_an_unknown_judge_is_refused_with_those_there_are(labels):
    result = runner.invoke(app, ["report", str(labels()), "--judge", "k"])
    assert result.exit_code == 2
    assert "There is j" in result.output


def test_disagreements_are_listed_for_readers_and_programs(labels):
    path = labels(rationale=lambda place: f"because {place}")
    told = called("disagreements", path, "-n", "3")
    assert "judge j said" in told
    found = json.loads(called("disagreements", path, "--limit", "3", "--json"))
    assert len(found["j"]) == 3
    assert found["j"][0]["judge"]["rationale"].startswith("because")


def test_two_versions_are_compared_and_two_judges_of_one_file_too(labels):
    rows = binary(120)
    both = labels("both.csv", {**rows, "j2": rows["h2"]})
    found = json.loads(called("compare", both, both, "--old-judge", "j", "--new-judge", "j2", "--json"))
    assert found["overall"]["fixed"] > found["overall"]["broken"]
    told = called("compare", labels("old.csv", rows), labels("new.csv", {**rows, "j": rows["h2"]}))
    assert "The new run is better" in told
    refused = runner.invoke(app, ["compare", str(both), str(both)])
    assert refused.exit_code == 2
    assert "--old-judge" in refused.output


def test_a_missing_library_is_told_with_what_to_install(capsys):
    with pytest.raises(typer.Exit):
        needs("calibration", "no_such_library")(dict)()
    assert "extra 'calibration'" in capsys.readouterr().err


def test_pairs_in_both_orders_come_with_swap_consistency(tmp_path):
    path = tmp_path / "pairs.csv"
    with path.open("w", newline="") as file:
        writer = csv.writer(file)
        writer.writerow(["item", "criterion", "annotator", "role", "label", "cluster"])
        for place in range(60):
            said = ["model_a", "model_b", "tie"][place % 3]
            turned = {"model_a": "model_b", "model_b": "model_a", "tie": "tie"}[said]
            for item, truth in ((f"{place}", said), (f"{place}@swapped", turned)):
                writer.writerow([item, "better", "ann", "human", truth, place])
                writer.writerow([item, "better", "first", "judge", "model_a", place])
                writer.writerow([item, "better", "fair", "judge", truth, place])
    found = json.loads(called("report", path, "--json"))["judges"]
    assert found["first"]["overall"]["swap_consistency"]["value"] == 0
    assert found["fair"]["criteria"]["better"]["swap_consistency"]["value"] == 1
    assert found["first"]["overall"]["preference_accuracy"]["value"] == pytest.approx(1 / 3)
