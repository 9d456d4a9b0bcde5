"""calibrate fit: from labels to maps that scoring applies."""

import json

import pytest

from judge_server.core.fitted_map import MapSet
from tests.cli.judged_labels import HELPFUL, run, write


def score(folder, *flags):
    """The judgment of a helpful response."""
    line = {"prompt": "My head aches.", "response": HELPFUL.format("case 0")}
    (folder / "lines.jsonl").write_text(json.dumps(line), encoding="utf-8")
    words = ["lines.jsonl", "--rubric", "water.yaml", "--model", "baseline", "--output", "judgments.jsonl", *flags]
    run(folder, "score", *words)
    return json.loads((folder / "judgments.jsonl").read_text("utf-8"))


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    made = tmp_path_factory.mktemp("fit")
    write(made, 200, right=0.8)
    rubrics = ["--rubric", "water.yaml"]
    run(made, "calibrate", "run", "--labels", "labels.csv", *rubrics, "--model", "baseline", "--out", "judged.csv")
    return made


def fit(folder, *flags, status: int = 0):
    return run(folder, "calibrate", "fit", "judged.csv", "--rubric", "water.yaml", *flags, status=status)


def test_brier_score_and_calibration_error_are_printed_before_and_after(folder):
    told = fit(folder, "--no-apply").stdout
    assert "held out by prompt" in told
    assert "water" in told
    assert "not in use" in told
    (result,) = json.loads(fit(folder, "--no-apply", "--json").stdout)["fits"]
    assert result["outcome"] == "fitted"
    assert result["fitted"]["quality"]["brier_after"] < result["brier"]
    assert result["fitted"]["quality"]["ece_after"] < result["ece"]


def test_maps_are_applied_in_scoring_named_in_the_judgment_and_taken_back(folder):
    database = ["--database", "sqlite:///judge-server.db"]
    raw = score(folder, *database)
    assert raw["judge"]["calibration"] is None
    applied = json.loads(fit(folder, "--json").stdout)
    assert applied["applied"] is True
    mapped = score(folder, *database)
    assert mapped["judge"]["calibration"] == applied["maps"]
    assert mapped["verdicts"][0]["raw"] == raw["verdicts"][0]["value"]
    assert mapped["reward"] < raw["reward"]
    words = ["--labels", "labels.csv", "--rubric", "water.yaml", "--model", "baseline", "--out", "mapped.csv"]
    run(folder, "calibrate", "run", *words)
    refused = run(folder, "calibrate", "fit", "mapped.csv", "--rubric", "water.yaml", status=2)
    assert "applied in this run already" in refused.stderr
    assert "--raw" in refused.stderr
    assert "raw again" in fit(folder, "--undo").stdout
    assert score(folder, *database)["judge"]["calibration"] is None


def test_maps_are_written_to_a_file_that_settings_can_name(folder):
    fit(folder, "--no-apply", "--out", "maps.json")
    maps = MapSet.of_json((folder / "maps.json").read_text("utf-8"))
    (folder / "config.toml").write_text('fitted_maps = ["maps.json"]\n', encoding="utf-8")
    assert score(folder, "--config", "config.toml")["judge"]["calibration"] == maps.id
    (folder / "maps.json").write_text("{}", encoding="utf-8")
    done = run(folder, "score", "lines.jsonl", "--config", "config.toml", status=2)
    assert "fitted_maps: maps.json cannot be used" in done.stderr


def test_too_few_labels_are_refused_with_the_number_needed(folder):
    told = fit(folder, "--min-labels", 5000, "--json", status=1).stdout
    (result,) = json.loads(told)["fits"]
    assert result["needed"] == {"labels": 5000}


def test_rows_of_another_rubric_content_are_refused(folder):
    text = (folder / "water.yaml").read_text("utf-8").replace("plenty of water", "enough water")
    (folder / "changed.yaml").write_text(text, encoding="utf-8")
    refused = run(folder, "calibrate", "fit", "judged.csv", "--rubric", "changed.yaml", status=2)
    assert "not under medical/water@1.0.0" in refused.stderr


def test_rows_from_elsewhere_are_measured_but_only_kept_for_a_named_fingerprint(folder, tmp_path):
    (tmp_path / "judged.csv").write_text((folder / "judged.csv").read_text("utf-8"), encoding="utf-8")
    (tmp_path / "water.yaml").write_text((folder / "water.yaml").read_text("utf-8"), encoding="utf-8")
    assert "Not kept" in " ".join(fit(tmp_path).stdout.split())
    fit(tmp_path, "--fingerprint", "sha256:elsewhere", "--out", "maps.json")
    maps = MapSet.of_json((tmp_path / "maps.json").read_text("utf-8"))
    assert maps.fingerprint == "sha256:elsewhere"
