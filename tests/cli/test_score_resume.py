"""``judge-server score --resume``: an output that ended early is gone on with, by content."""

import json
import signal
from dataclasses import replace
from pathlib import Path

from tests.command import judge_server, start
from tests.served import until
from tests.stub_judge import StubJudge, faithful
from tests.submissions import checking, rubric, submission
from tests.yardstick import PATIENCE_SECONDS

ITEMS = [
    submission(rubric=rubric(), response=f"Call 911 now. Case {number}.", id=f"case {number}") for number in range(40)
]


def written(path: Path, *items: object) -> Path:
    path.write_text("".join(json.dumps(item) + "\n" for item in items))
    return path


def rewards(path: Path) -> list[tuple[str, float | None]]:
    return [(one["submission"]["id"], one["reward"]) for one in map(json.loads, path.read_text().splitlines())]


def score(file: Path, output: Path, model: str = "baseline", *flags: str):
    ended = judge_server("score", file, "--model", model, "--output", output, *flags)
    assert ended.returncode == 0, ended.stderr
    return ended


def test_a_killed_run_goes_on_where_it_ended_and_asks_nothing_twice(tmp_path):
    file, output = written(tmp_path / "in.jsonl", *ITEMS), tmp_path / "out.jsonl"
    seconds = [0.05]
    with StubJudge(lambda body: replace(faithful()(body), delay_seconds=seconds[0])) as judge:
        process = start("score", file, "--model", judge.specification, "--output", output, "--concurrency", "2")
        until(lambda: output.exists() and output.read_bytes().count(b"\n") >= 5)
        process.send_signal(signal.SIGKILL)
        process.communicate(timeout=PATIENCE_SECONDS)
        with output.open("ab") as cut:
            cut.write(b'{"id": "jdg_cut')
        there, before, seconds[0] = output.read_bytes().count(b"\n"), len(judge.bodies), 0.0
        ended = score(file, output, judge.specification, "--resume")
        bodies = [json.dumps(body) for body in judge.bodies[before:]]
    assert f"{there} judgments kept from {output}; 1 of its lines were no judgment" in ended.stderr
    asked = sum(any(f"Case {case}." in body for body in bodies) for case in range(len(ITEMS)))
    assert asked == len(ITEMS) - there
    assert [name for name, _ in rewards(output)] == [item["id"] for item in ITEMS]
    assert None not in dict(rewards(output)).values()
    assert [path.name for path in tmp_path.iterdir() if path.name.startswith("out")] == ["out.jsonl"]


def test_an_input_in_another_order_with_new_lines_keeps_what_it_has_and_another_rubric_keeps_nothing(tmp_path):
    first = [submission(rubric=checking("help"), response=f"help {number}", id=str(number)) for number in range(4)]
    output = tmp_path / "out.jsonl"
    score(written(tmp_path / "a.jsonl", *first), output)
    more = [submission(rubric=checking("help"), response="new", id="new"), *reversed(first), first[0]]
    ended = score(written(tmp_path / "b.jsonl", *more), output, "baseline", "--resume")
    assert "4 judgments kept" in ended.stderr, "each judgment is given out once"
    assert [name for name, _ in rewards(output)] == ["new", "3", "2", "1", "0", "0"]
    changed = [{**item, "rubric": checking("other")} for item in first]
    ended = score(written(tmp_path / "c.jsonl", *changed), output, "baseline", "--resume")
    assert "0 judgments kept" in ended.stderr
    assert {reward for _, reward in rewards(output)} == {0.0}


def test_another_judge_or_a_failed_judgment_is_judged_anew(tmp_path):
    file, output = written(tmp_path / "in.jsonl", *ITEMS[:3]), tmp_path / "out.jsonl"
    with StubJudge(faithful(0.9)) as judge:
        score(file, output, judge.specification)
    assert "0 judgments kept" in score(file, output, "baseline", "--resume").stderr
    bad = written(tmp_path / "bad.jsonl", *ITEMS[:1], submission(rubric="no/such", id="bad"))
    score(bad, output)
    ended = score(bad, output, "baseline", "--resume")
    assert "1 judgment kept" in ended.stderr
    assert rewards(output)[1] == ("bad", None)


def test_what_a_second_run_wrote_before_it_was_killed_is_kept_by_the_third(tmp_path):
    items = [submission(rubric=checking("help"), response=f"help {number}", id=str(number)) for number in range(4)]
    file, output = written(tmp_path / "in.jsonl", *items), tmp_path / "out.jsonl"
    score(file, output)
    whole = output.read_text().splitlines(keepends=True)
    output.write_text("".join(whole[:1]) + whole[1][:40])
    (tmp_path / "out.jsonl.resumed").write_text("".join(whole[1:3]) + whole[3][:40])
    ended = score(file, output, "baseline", "--resume")
    assert "3 judgments kept" in ended.stderr
    assert output.read_text().splitlines(keepends=True)[:3] == whole[:3]


def test_resuming_needs_a_file_and_starts_one_that_is_not_there(tmp_path):
    file = written(tmp_path / "in.jsonl", submission(rubric=checking(), id="one"))
    refused = judge_server("score", file, "--resume")
    assert refused.returncode == 2
    assert "--output FILE" in refused.stderr
    score(file, tmp_path / "new.jsonl", "baseline", "--resume")
    assert [name for name, _ in rewards(tmp_path / "new.jsonl")] == ["one"]
