import gzip
import json

import pytest
from typer.testing import CliRunner

from judge_server.cli import app
from tests.command import judge_server

RUNNER = CliRunner()


def rollouts(prompt, *rewards, **more):
    return [{"prompt": prompt, "reward": reward, "response": f"r{n}", **more} for n, reward in enumerate(rewards)]


ROWS = [
    *rollouts("easy", 1, 1, 1, 1, topic="a"),
    *rollouts("hard", 0, 0, 0, 0, topic="b"),
    *rollouts("good", 1, 0, 1, 0, topic="b", answer={"x": [1]}),
    *rollouts("failing", 1, None, None, 0, topic="a"),
    *rollouts("fair", 1, 0, 0, 0, topic="a"),
]


def written(path, rows):
    text = "\n".join(row if isinstance(row, str) else json.dumps(row) for row in rows).encode()
    path.write_bytes(gzip.compress(text) if path.suffix == ".gz" else text)
    return path


def run(*words, status=0, stdin=None):
    result = RUNNER.invoke(app, ["data", "difficulty", *map(str, words)], input=stdin)
    assert result.exit_code == status, result.output
    return result


def told(*words, **more):
    return json.loads(run(*words, "--json", **more).stdout)


def rows_of(path):
    text = gzip.decompress(path.read_bytes()) if path.suffix == ".gz" else path.read_bytes()
    return [json.loads(line) for line in text.splitlines()]


def test_prompts_inside_the_band_are_written_with_their_own_fields(tmp_path):
    out = tmp_path / "kept.jsonl"
    shown = run(written(tmp_path / "r.jsonl", ROWS), "--output", out).stdout
    assert rows_of(out) == [{"prompt": "good", "topic": "b", "answer": {"x": [1]}}, {"prompt": "fair", "topic": "a"}]
    for words in ("0.50 – 0.60", "1  too hard", "1  too easy", "1  not enough evidence", "2  kept"):
        assert words in shown
    assert "5 prompts, 20 rollouts, 2 of them without a reward; 2 prompts kept" in shown


def test_a_program_is_told_the_counts_the_histogram_and_the_groups(tmp_path):
    report = told(written(tmp_path / "r.jsonl", ROWS), "--group-by", "topic")
    assert {place: count for place, count in report["counts"].items() if count} == {
        "kept": 2, "too_hard": 1, "too_easy": 1, "too_few": 1,
    }  # fmt: skip
    assert (report["prompts"], report["rollouts"], report["failed_rollouts"]) == (5, 20, 2)
    assert [bar["prompts"] for bar in report["histogram"]] == [1, 0, 1, 0, 0, 1, 0, 0, 0, 1]
    assert report["groups"] == {"a": {"too_easy": 1, "too_few": 1, "kept": 1}, "b": {"too_hard": 1, "kept": 1}}


@pytest.mark.parametrize("name", ["r.jsonl", "r.jsonl.gz", "named_otherwise"])
def test_plain_and_packed_files_and_standard_input_read_alike(tmp_path, name):
    source = written(tmp_path / "r.jsonl.gz", ROWS) if name.endswith("gz") else written(tmp_path / name, ROWS)
    out = tmp_path / "kept.jsonl.gz"
    expected = told(source, "-o", out)
    assert [row["prompt"] for row in rows_of(out)] == ["good", "fair"]
    out.unlink()
    assert told("-", "-o", out, stdin=source.read_bytes()) == expected
    assert [row["prompt"] for row in rows_of(out)] == ["good", "fair"]


def test_rows_can_go_to_standard_output_and_the_figures_to_standard_error(tmp_path):
    done = judge_server("data", "difficulty", written(tmp_path / "r.jsonl", ROWS), "--output", "-")
    assert [json.loads(line)["prompt"] for line in done.stdout.splitlines()] == ["good", "fair"]
    assert "2 prompts kept" in done.stderr


def test_several_rewards_may_stand_in_one_line(tmp_path):
    rows = [
        {"id": n, "rewards": rewards} for n, rewards in enumerate([[1, 0, 1, 0], [1, 1, 1, 1], [0.2, 0.9, 0.9, None]])
    ]
    source = written(tmp_path / "r.jsonl", rows)
    assert told(source)["counts"]["kept"] == 1
    assert told(source, "--min-rollouts", 3)["counts"]["kept"] == 2
    assert told(source, "--min-rollouts", 3, "--mean", "--low", 0.6, "--high", 0.7)["counts"]["kept"] == 1


def test_kept_rows_can_carry_their_figures(tmp_path):
    out = tmp_path / "kept.jsonl"
    run(written(tmp_path / "r.jsonl", ROWS), "-o", out, "--annotate", "--min-rollouts", 2)
    found = {row["prompt"]: row["difficulty"] for row in rows_of(out)}
    assert found["failing"] == {"rate": 0.5, "rollouts": 2, "failed": 2}
    assert found["fair"] == {"rate": 0.25, "rollouts": 4, "failed": 0}


def test_rollouts_are_joined_to_rows_of_prompts(tmp_path):
    prompts = [{"prompt": text, "level": level} for level, text in enumerate(["good", "fair", "never tried", "fair"])]
    out = tmp_path / "kept.jsonl"
    words = [written(tmp_path / "r.jsonl", ROWS), "--prompts", written(tmp_path / "p.jsonl", prompts), "-o", out]
    report = told(*words, "--group-by", "level")
    assert rows_of(out) == prompts[:2]
    assert report["groups"] == {"0": {"kept": 1}, "1": {"kept": 1}, "2": {"too_few": 1}, "3": {}}
    assert (report["prompts"], report["rollouts_without_prompt"], report["repeated_prompt_rows"]) == (3, 12, 1)
    shown = run(*words).stdout
    assert "12 rollouts are about no row of" in shown
    assert "repeat a prompt" in shown


def test_what_score_writes_is_joined_to_its_submissions(tmp_path):
    rubric = {
        "id": "t/r", "version": "1.0.0", "title": "T",
        "criteria": [{"id": "c", "kind": "check", "check": {"kind": "contains", "any": ["yes"]}}],
    }  # fmt: skip
    answers = {"p0": ["Oh yes.", "Well no.", "Say yes.", "Not so."], "p1": ["Oh yes."] * 4}
    given = [
        {"id": f"{group}-{n}", "group": group, "prompt": f"Ask {group}?", "response": text, "rubric": rubric}
        for group, texts in answers.items()
        for n, text in enumerate(texts)
    ]
    submissions, judged, out = written(tmp_path / "s.jsonl", given), tmp_path / "j.jsonl", tmp_path / "kept.jsonl"
    assert judge_server("score", submissions, "--output", judged, "--model", "baseline").returncode == 0
    assert "--prompts" in run(judged, "--output", out, status=2).stderr
    report = told(judged, "--prompts", submissions, "--output", out)
    assert (report["counts"]["kept"], report["counts"]["too_easy"]) == (1, 1)
    assert [row["group"] for row in rows_of(out)] == ["p0"]
    data_set = written(tmp_path / "d.jsonl", [{"id": "p0", "prompt": "Ask p0?"}, {"id": "p1", "prompt": "Ask p1?"}])
    told(judged, "--prompts", data_set, "--output", out)
    assert rows_of(out) == [{"id": "p0", "prompt": "Ask p0?"}]


def test_a_draw_is_the_same_every_time(tmp_path):
    rows = [row for n in range(40) for row in rollouts(f"p{n}", 1, 0, 1, 0)]
    source, out = written(tmp_path / "r.jsonl", rows), tmp_path / "kept.jsonl"
    report = told(source, "--target", 10, "--seed", 3, "-o", out)
    assert (report["counts"]["kept"], report["counts"]["not_drawn"]) == (10, 30)
    first = {row["prompt"] for row in rows_of(out)}
    told(written(source, rows[::-1]), "--target", 10, "--seed", 3, "-o", out)
    assert {row["prompt"] for row in rows_of(out)} == first
    told(source, "--target", 10, "--seed", 4, "-o", out)
    assert {row["prompt"] for row in rows_of(out)} != first
    assert "note: only 40 of the 50 prompts asked for are in the band" in run(source, "--target", 50).stdout


def test_a_bad_line_is_named_or_counted(tmp_path):
    source = written(tmp_path / "r.jsonl", [*ROWS, "", '{"prompt": "p"}', "{", *rollouts("late", 1, 0, 1, 0)])
    out = tmp_path / "kept.jsonl"
    out.write_text("what stood here")
    error = run(source, "-o", out, status=2).stderr
    assert "r.jsonl, line 22: no reward and no list rewards" in error
    assert "--skip-bad" in error
    assert out.read_text() == "what stood here"
    report = told(source, "--skip-bad", "-o", out)
    assert (report["bad_lines"], report["counts"]["kept"]) == (2, 3)
    assert report["first_fault"].endswith("line 22: no reward and no list rewards")
    assert [row["prompt"] for row in rows_of(out)] == ["good", "fair", "late"]
    assert "2 lines could not be read" in run(source, "--skip-bad").stdout


def test_what_cannot_be_done_is_said_in_one_line(tmp_path):
    source = written(tmp_path / "r.jsonl", ROWS)
    assert "is no file" in run(tmp_path / "none.jsonl", status=2).stderr
    assert "Swap the two" in run(source, "--low", 0.9, "--high", 0.1, status=2).stderr
    assert "inside or overlap" in run(source, "--interval", "odd", status=2).stderr
    assert "--output" in run(source, "-o", tmp_path / "no" / "where.jsonl", status=2).stderr
    many = written(tmp_path / "m.jsonl", [{"prompt": n, "reward": 1} for n in range(1_001)])
    assert "more than 1000 values" in run(many, "--group-by", "prompt", status=2).stderr
    cut = tmp_path / "cut.jsonl.gz"
    cut.write_bytes(gzip.compress(b'{"prompt": "p", "reward": 1}\n' * 5_000)[:-20])
    assert "cut.jsonl.gz" in run(cut, status=2).stderr


def test_hostile_texts_come_back_as_they_were(tmp_path):
    rows = [row for text in ("\ud800 half", "[red]🤒[/]\x00\u2028") for row in rollouts(text, 1, 0, 1, 0, topic=text)]
    source, out = written(tmp_path / "r.jsonl", rows), tmp_path / "kept.jsonl"
    shown = run(source, "-o", out, "--group-by", "topic").stdout
    assert all(words in shown for words in (r"\ud800 half", r"[red]🤒[/]\x00\u2028"))
    assert set(told(source, "--group-by", "topic")["groups"]) == {"\ud800 half", "[red]🤒[/]\x00\u2028"}
    assert rows_of(out) == [{"prompt": row["prompt"], "topic": row["topic"]} for row in rows[::4]]


def test_an_empty_file_has_no_prompts(tmp_path):
    out = tmp_path / "kept.jsonl"
    assert told(written(tmp_path / "r.jsonl", []), "-o", out)["prompts"] == 0
    assert out.read_text() == ""
    assert "0 prompts kept" in run(written(tmp_path / "r.jsonl", [])).stdout
