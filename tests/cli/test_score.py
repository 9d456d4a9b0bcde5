"""``judge-server score``: JSONL in, JSONL out."""

import json
import signal
import subprocess
import sys

import pytest

from tests.command import PROGRAM, judge_server, start
from tests.served import until
from tests.server.faults import only_for
from tests.stub_judge import Reply, StubJudge
from tests.submissions import checking, rubric, submission
from tests.yardstick import HANG_SECONDS, PATIENCE_SECONDS


def lines(*items: object) -> str:
    return "".join((item if isinstance(item, str) else json.dumps(item)) + "\n" for item in items)


def judgments(text: str) -> list[dict]:
    return [json.loads(line) for line in text.splitlines()]


def test_every_line_becomes_a_judgment_in_order_whatever_is_wrong_with_it():
    bad = [
        "{no json",
        '{"prompt": NaN}',
        "[" * 100_000,
        "5",
        submission(rubric="medical/consultatoin"),
        submission(response=[{"role": "user", "content": "x"}]),
        '{"prompt": "p", "response": "\\ud800"}',
    ]
    whole = lines(submission(rubric=checking(), id="first"), *bad, "", submission(rubric=checking("x y"), id="last"))
    ended = judge_server("score", "-", "--model", "baseline", stdin=whole)
    found = judgments(ended.stdout)
    assert ended.returncode == 0
    assert len(found) == len(bad) + 2
    assert [found[0]["reward"], found[-1]["reward"]] == [1.0, 0.0]
    assert [found[0]["submission"]["id"], found[-1]["submission"]["id"]] == ["first", "last"]
    for one in found[1:-1]:
        assert one["reward"] is None
        assert one["status"] == "failed"
        assert one["error"]["type"] in {"bad_submission", "unknown_rubric"}
    assert [one["error"]["detail"].split(":")[0] for one in found[1:4]] == ["line 2", "line 3", "line 4"]
    assert "9 submissions: 7 failed, 2 ok (no reward: 6 x bad_submission, 1 x unknown_rubric)" in ended.stderr
    assert "scoring" not in ended.stderr  # the progress bar is for terminals


def test_unknown_metadata_of_messages_is_counted_and_unknown_content_refuses_its_line():
    said = {"role": "assistant", "content": "x y"}
    whole = lines(
        submission(rubric=checking(), response=[{**said, "trace": "t"}]),
        submission(rubric=checking(), response=[{**said, "pages": ["a text"]}]),
    )
    ended = judge_server("score", "-", "--model", "baseline", stdin=whole)
    first, second = judgments(ended.stdout)
    assert any("trace (1)" in notice for notice in first["notices"])
    assert (second["reward"], "pages" in second["error"]["detail"]) == (None, True)
    assert "unknown metadata of messages was left out in 1 submission" in ended.stderr


def test_a_line_that_is_no_utf_8_is_typed_with_its_number(tmp_path):
    file = tmp_path / "mixed.jsonl"
    file.write_bytes(json.dumps(submission(rubric=checking())).encode() + b'\n{"prompt": "\xff"}\n')
    ended = judge_server("score", file)
    first, second = judgments(ended.stdout)
    assert ended.returncode == 0
    assert first["reward"] == 1.0
    assert second["error"]["detail"].startswith("line 2: not valid UTF-8 at byte 12")


def test_a_rubric_file_holds_for_lines_that_name_none_and_the_output_for_a_file(tmp_path):
    (tmp_path / "word.json").write_text(json.dumps(checking()))
    (tmp_path / "in.jsonl").write_text(lines(submission(rubric=None), submission(rubric=checking("banana"))))
    ended = judge_server("score", "in.jsonl", "--rubric", "word.json", "--output", "out.jsonl", cwd=tmp_path)
    assert ended.returncode == 0
    assert ended.stdout == ""
    assert [one["reward"] for one in judgments((tmp_path / "out.jsonl").read_text())] == [1.0, 0.0]


def test_a_rubric_of_the_library_or_of_a_directory_is_named(tmp_path):
    (tmp_path / "word.yaml").write_text(json.dumps(checking()))
    bundled = judge_server("score", "-", "--rubric", "medical/hedging@3.1.1", stdin=lines(submission(rubric=None)))
    own = judge_server(
        "score", "-", "--rubrics", tmp_path, "--rubric", "test/word", stdin=lines(submission(rubric=None))
    )
    assert judgments(bundled.stdout)[0]["rubric"]["id"] == "medical/hedging"
    assert "understands nothing" in bundled.stderr
    assert judgments(own.stdout)[0]["reward"] == 1.0


def test_judgments_are_written_as_they_are_made_and_a_waiting_pipe_holds_nothing_up():
    process = start("score", "-", "--model", "baseline", stdin=subprocess.PIPE)
    assert process.stdin is not None
    assert process.stdout is not None
    with process:
        for word in ("emergency", "banana"):
            process.stdin.write(lines(submission(rubric=checking(word))).encode())
            process.stdin.flush()
            assert json.loads(process.stdout.readline())["reward"] == (1.0 if word == "emergency" else 0.0)
        process.stdin.close()
        assert process.wait(PATIENCE_SECONDS) == 0


@pytest.mark.parametrize("reading", ["from a file", "from a pipe that stays open"])
def test_ctrl_c_keeps_what_was_written_and_ends_with_130(tmp_path, reading):
    file = tmp_path / "in.jsonl"
    file.write_text(lines(submission(rubric=checking()), submission()))
    with StubJudge(only_for("criterion-", Reply(delay_seconds=HANG_SECONDS))) as judge:
        source = file if reading == "from a file" else "-"
        process = start("score", source, "--model", judge.specification, stdin=subprocess.PIPE)
        assert process.stdin is not None
        assert process.stdout is not None
        with process:
            process.stdin.write(file.read_bytes())
            process.stdin.flush()
            first = json.loads(process.stdout.readline())
            before = judge.calls
            until(lambda: judge.calls >= before)
            process.send_signal(signal.SIGINT)
            assert process.wait(PATIENCE_SECONDS) == 130
            assert process.stdout.read() == b""
            errors = process.stderr.read().decode() if process.stderr else ""
    assert first["reward"] == 1.0
    assert "interrupted" in errors
    assert "Traceback" not in errors


def test_progress_is_shown_on_a_terminal_only(tmp_path):
    (tmp_path / "in.jsonl").write_text(lines(*[submission(rubric=checking())] * 3))
    inside = (
        "import os, pty, sys\n"
        f"os.environ['TERM'] = 'xterm'\nsys.exit(os.waitstatus_to_exitcode(pty.spawn([{str(PROGRAM)!r}, 'score', "
        "'in.jsonl', '--output', 'out.jsonl'])))"
    )
    ended = subprocess.run(
        [sys.executable, "-c", inside], cwd=tmp_path, capture_output=True, timeout=PATIENCE_SECONDS, check=False
    )
    assert ended.returncode == 0
    assert b"3/3" in ended.stdout
    assert len((tmp_path / "out.jsonl").read_text().splitlines()) == 3


def test_a_deadline_holds_for_each_line():
    with StubJudge(only_for("criterion-", Reply(delay_seconds=HANG_SECONDS))) as judge:
        ended = judge_server(
            "score", "-", "--model", judge.specification, "--deadline", 0.4, stdin=lines(submission(), submission())
        )
    assert [one["error"]["type"] for one in judgments(ended.stdout)] == ["timeout", "timeout"]


def test_flags_choose_mode_votes_and_engine_options():
    item = lines(submission(rubric=rubric(1)))
    with StubJudge() as judge:
        flags = ("--mode", "reason", "--votes", 3, "--engine", "max_in_flight=2")
        ended = judge_server("score", "-", "--model", judge.specification, *flags, stdin=item)
        (judged,) = judgments(ended.stdout)
        asked = [body for body in judge.bodies if "criterion-0 " in json.dumps(body)]
    assert judged["judge"]["mode"] == "reason"
    assert judged["usage"]["calls"] == len(asked) == 3
    assert judged["verdicts"][0]["reason"]


def test_judgments_are_kept_where_the_database_says(tmp_path):
    item = lines(submission(rubric=checking()))
    kept = judge_server("score", "-", "--database", f"sqlite:///{tmp_path}/kept.db", stdin=item, cwd=tmp_path)
    assert judge_server("score", "-", stdin=item, cwd=tmp_path).returncode == 0
    assert [path.name for path in tmp_path.glob("*.db")] == ["kept.db"]
    (one,) = judgments(kept.stdout)
    again = judge_server(
        "rescore", one["id"], "--rubric", "test/word@1.0.0", "--json", DATABASE_URL=f"sqlite:///{tmp_path}/kept.db"
    )
    assert again.returncode == 2  # judged by, never published: not addressable by name
    assert "test/word" in again.stderr
    own = judge_server("rescore", "--json", DATABASE_URL=f"sqlite:///{tmp_path}/kept.db")
    assert own.returncode == 0, own.stderr
    assert [json.loads(line)["difference"] for line in own.stdout.splitlines()] == [0.0]


def test_judgments_under_a_withdrawn_version_are_replayed_unchanged(tmp_path):
    config, database = tmp_path / "judge.toml", f"sqlite:///{tmp_path}/kept.db"
    config.write_text("allow_withdrawn = true\n")
    item = lines(submission(rubric="medical/consultation@1.0.0"))
    flags = ("--model", "baseline", "--config", config, "--database", database)
    (judged,) = judgments(judge_server("score", "-", *flags, stdin=item).stdout)
    assert judged["reward"] is not None
    own = judge_server("rescore", "--database", database)
    assert own.returncode == 0, own.stderr
    assert "1 judgment, 0 with another reward" in own.stdout
