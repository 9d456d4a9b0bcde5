"""calibrate gate: exit statuses, reasons, certificates; a server that asks for them."""

import json
import sqlite3

import pytest

from judge_server.authoring.parsing import parse
from judge_server.core.calibration import Certificate
from judge_server.store.payload import decode, encode
from tests.cli.judged_labels import HELPFUL, RUBRIC, run, write
from tests.command import serving
from tests.project.repository import ROOT
from tests.served import until

TTCW = ROOT.parent / "shared" / "data" / "ttcw_expert_labels.csv"


def judged(folder, *flags, items: int = 300, **more):
    write(folder, items, **more)
    words = ["--labels", "labels.csv", "--rubric", "water.yaml", "--model", "baseline", "--out", "judged.csv"]
    run(folder, "calibrate", "run", *words, *flags)
    return folder


@pytest.fixture(scope="module")
def good(tmp_path_factory):
    return judged(tmp_path_factory.mktemp("gate"))


def test_a_judge_that_agrees_with_people_passes_with_status_0_and_a_certificate(good):
    told = run(good, "calibrate", "gate", "judged.csv").stdout
    assert "default: pass" in told
    assert "human ceiling" in told
    assert "certificate crt_" in told
    assert "policy: default" in told


def test_json_holds_every_finding(good):
    decided = json.loads(run(good, "calibrate", "gate", "judged.csv", "--json").stdout)["judges"]["default"]
    assert decided["decision"] == "pass"
    assert {finding["metric"] for finding in decided["findings"]} == {
        "missing",
        "cohen_kappa",
        "cohen_kappa_pairwise",
        "false_positive_rate",
    }
    assert decided["certificate"].startswith("crt_")


def aged(folder, table):
    """The stored rows of a table, as an older version of the statistical rules would have made them."""
    with sqlite3.connect(folder / "judge-server.db") as database:
        rows = database.execute(f"SELECT id, payload FROM {table}").fetchall()
        assert rows
        for name, payload in rows:
            database.execute(
                f"UPDATE {table} SET payload = ? WHERE id = ?",
                (encode(decode(Certificate, payload).model_copy(update={"rules": 1})), name),
            )


def test_certificates_are_listed_and_stale_ones_say_why_they_do_not_count(tmp_path):
    judged(tmp_path)
    run(tmp_path, "calibrate", "gate", "judged.csv")
    fresh = json.loads(run(tmp_path, "calibrate", "certificates", "--json").stdout)
    assert [(one["decision"], one["stale"]) for one in fresh["certificates"]] == [("pass", None)]
    assert fresh["maps"] == []
    aged(tmp_path, "certificate")
    (old,) = json.loads(run(tmp_path, "calibrate", "certificates", "--json").stdout)["certificates"]
    assert "version 1 of the statistical rules" in old["stale"]
    assert "stale" in run(tmp_path, "calibrate", "certificates").stdout


def test_without_a_database_there_are_no_certificates_to_list(tmp_path):
    told = run(tmp_path, "calibrate", "certificates", status=2)
    assert "no database here" in told.stderr


def test_a_policy_that_is_not_met_ends_with_status_1(good):
    policy = 'name = "strict"\n[[rules]]\nmetric = "cohen_kappa"\nmin_low = 0.99\n'
    (good / "strict.toml").write_text(policy, encoding="utf-8")
    told = run(good, "calibrate", "gate", "judged.csv", "--policy", "strict.toml", status=1).stdout
    assert "default: fail" in told
    assert "at least .99 is demanded" in told


def test_too_little_evidence_ends_with_status_3(tmp_path):
    told = run(judged(tmp_path, items=40), "calibrate", "gate", "judged.csv", status=3).stdout
    assert "default: not enough evidence" in told
    assert "100 are needed" in told


def test_rows_of_no_known_run_get_no_certificate(good, tmp_path):
    (tmp_path / "judged.csv").write_text((good / "judged.csv").read_text("utf-8"), encoding="utf-8")
    assert "no certificate" in run(tmp_path, "calibrate", "gate", "judged.csv").stdout
    assert not (tmp_path / "judge-server.db").exists()


def test_a_rubric_of_which_only_a_part_was_labelled_is_not_passed(tmp_path):
    write(tmp_path)
    more = "  - id: rest\n    statement: Recommends resting in a dark room.\n    points: 1\n"
    (tmp_path / "water.yaml").write_text(RUBRIC + more, encoding="utf-8")
    words = ["--labels", "labels.csv", "--rubric", "water.yaml", "--model", "baseline", "--out", "judged.csv"]
    assert "no labels for rest" in run(tmp_path, "calibrate", "run", *words, status=2).stderr
    run(tmp_path, "calibrate", "run", *words, "--partial")
    told = run(tmp_path, "calibrate", "gate", "judged.csv", status=3).stdout
    assert "The rubric also asks the judge about rest" in told


def test_rows_of_another_rubric_content_are_refused(good):
    (good / "other.yaml").write_text(RUBRIC.replace("1.0.0", "1.1.0"), encoding="utf-8")
    refused = run(good, "calibrate", "gate", "judged.csv", "--rubric", "other.yaml", status=2)
    assert "not under medical/water@1.1.0" in refused.stderr


def test_the_shipped_policy_is_printed_and_can_be_used_as_it_stands(good):
    (good / "policy.toml").write_text(run(good, "calibrate", "gate", "--print-policy").stdout, encoding="utf-8")
    run(good, "calibrate", "gate", "judged.csv", "--policy", "policy.toml")


def test_a_file_or_a_judge_that_is_not_there_is_named(good):
    assert "name a FILE" in run(good, "calibrate", "gate", status=2).stderr
    assert "neither a file" in run(good, "calibrate", "gate", "none.csv", status=2).stderr
    assert "no judge 'x'" in run(good, "calibrate", "gate", "judged.csv", "--judge", "x", status=2).stderr


def test_a_server_that_requires_it_serves_only_what_has_passed(tmp_path):
    judged(tmp_path)
    (tmp_path / "rubrics" / "medical").mkdir(parents=True)
    (tmp_path / "rubrics" / "medical" / "water.yaml").write_text(RUBRIC, encoding="utf-8")
    changed = RUBRIC.replace("1.0.0", "1.1.0").replace("plenty of water", "enough water")
    (tmp_path / "config.toml").write_text("calibration_refresh_seconds = 0.1\n", encoding="utf-8")
    item = {"prompt": "My head aches.", "response": HELPFUL.format("case 0"), "rubric": "medical/water"}
    flags = ["--model", "baseline", "--require-calibrated", "--rubrics", "rubrics", "--config", "config.toml"]
    with serving(*flags, cwd=tmp_path) as (client, _):
        refused = client.post("/v1/score", json=item)
        assert refused.status_code == 409
        assert refused.json()["type"] == "urn:judge-server:error:not_calibrated"
        assert "no certificate" in refused.json()["detail"]
        batch = client.post("/v1/score/batch", json={"items": [item]}).json()
        assert batch["rewards"] == [None]
        assert batch["results"][0]["error"]["type"] == "not_calibrated"
        run(tmp_path, "calibrate", "gate", "judged.csv")
        until(lambda: client.post("/v1/score", json=item).status_code == 200)
        assert client.post("/v1/score", json=item).json()["reward"] > 0.5
        inline = item | {"rubric": _as_json(changed)}
        assert client.post("/v1/score", json=inline).status_code == 409


def _as_json(text: str):
    return parse(text.encode()).rubric.model_dump(mode="json", exclude_defaults=True)


@pytest.mark.skipif(not TTCW.exists(), reason="needs ttcw_expert_labels.csv in ../shared/data")
def test_all_seven_published_judges_of_ttcw_fail_the_default_policy_from_the_command_line(tmp_path):
    files = ["--from", str(TTCW), "--from", str(TTCW.with_name("ttcw_labels.csv"))]
    run(tmp_path, "calibrate", "import", "ttcw", *files, "--out", "ttcw.csv")
    told = run(tmp_path, "calibrate", "gate", "ttcw.csv", "--json", status=1).stdout
    judges = json.loads(told)["judges"]
    assert {judge: found["decision"] for judge, found in judges.items()} == dict.fromkeys(judges, "fail")
    assert len(judges) == 7
    gaps = [finding["gap"] for found in judges.values() for finding in found["findings"] if finding["gap"] is not None]
    assert len(gaps) == 7
    assert min(gaps) > 0.2
