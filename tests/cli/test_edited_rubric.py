"""A published version that was edited is refused by every command that scores or measures with it."""

import pytest
from typer.testing import CliRunner

from judge_server.authoring.publication import publish
from judge_server.cli import app

EDITED = """
id: t/edited
version: 1.0.0
title: T
criteria:
  - {id: water, statement: "Names water, and says how much.", points: 2}
"""


@pytest.mark.parametrize(
    "words",
    [
        ("score", "rows.jsonl", "--rubric", "rubrics/edited.yaml", "--model", "baseline"),
        ("score", "rows.jsonl", "--rubric", "t/edited", "--rubrics", "rubrics", "--model", "baseline"),
        ("calibrate", "run", "--labels", "labels.csv", "--rubric", "rubrics/edited.yaml", "--model", "baseline"),
        ("calibrate", "gate", "labels.csv", "--rubric", "rubrics/edited.yaml"),
        ("calibrate", "import", "labels.csv", "--rubric", "rubrics/edited.yaml", "--out", "out.csv"),
        ("calibrate", "report", "labels.csv", "--rubric", "rubrics/edited.yaml"),
        ("calibrate", "sheet", "--rubric", "rubrics/edited.yaml", "--items", "rows.jsonl", "--annotator", "ann"),
        ("attack", "--rubric", "rubrics/edited.yaml", "--model", "baseline"),
    ],
    ids=lambda words: f"{words[0]} {words[1]} {'file' if 'rubrics/edited.yaml' in words else 'id'}",
)
def test_a_published_version_that_was_edited_is_refused(tmp_path, monkeypatch, words):
    (tmp_path / "rubrics").mkdir()
    file = tmp_path / "rubrics" / "edited.yaml"
    file.write_text(EDITED, "utf-8")
    publish(file)
    file.write_text(EDITED.replace("points: 2", "points: 3"), "utf-8")
    (tmp_path / "rows.jsonl").write_text('{"prompt": "Q", "response": "A"}\n', "utf-8")
    heading = "item,criterion,annotator,role,label,prompt,response"
    rows = [heading, "a,water,ann,human,met,Q,A", "a,water,gpt,judge,met,,"]
    (tmp_path / "labels.csv").write_text("".join(f"{row}\n" for row in rows), "utf-8")
    monkeypatch.chdir(tmp_path)
    result = CliRunner().invoke(app, list(words))
    assert "is published with the digest" in result.output
    if words[1] != "rows.jsonl" or "rubrics/edited.yaml" in words:
        assert result.exit_code == 2
