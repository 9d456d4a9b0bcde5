"""``judge-server score`` with Parquet, gzip and folders, in and out, and with files in them that cannot be read."""

import gzip
import json
import signal
from dataclasses import replace
from pathlib import Path

import pyarrow as pa
import pytest
from pyarrow import parquet

from tests.command import judge_server, start
from tests.served import until
from tests.stub_judge import StubJudge, faithful
from tests.submissions import checking, rubric, submission
from tests.yardstick import PATIENCE_SECONDS

ITEMS = [submission(rubric=checking("help"), response=f"help {number}", id=str(number)) for number in range(6)]
MEDICAL = ("--rubric", "medical/consultation")


def lines(*items: object) -> bytes:
    return b"".join(json.dumps(item).encode() + b"\n" for item in items)


def table(path: Path, *rows: dict[str, object]) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    names = dict.fromkeys(name for row in rows for name in row)
    parquet.write_table(pa.Table.from_pylist([{name: row.get(name) for name in names} for row in rows]), path)
    return path


def score(source: Path, output: Path, *flags: object, model: str = "baseline"):
    ended = judge_server("score", source, "--output", output, "--model", model, *flags)
    assert ended.returncode == 0, ended.stderr
    return ended


def rows(path: Path) -> list[dict[str, object]]:
    return parquet.read_table(path).to_pylist()


def answers(*numbers: int) -> list[dict[str, object]]:
    return [{"prompt": "I have a fever.", "response": f"Drink {n} glasses.", "id": f"r{n}"} for n in numbers]


def test_a_folder_becomes_a_table_of_the_same_judgments_in_order(tmp_path):
    folder = tmp_path / "in"
    table(folder / "deep" / "er" / "b.parquet", *answers(2, 3))
    (folder / "a.jsonl").write_bytes(lines(*answers(0, 1)))
    (folder / "c.ndjson.gz").write_bytes(gzip.compress(lines(*answers(5))))
    (folder / "b.json").write_text(json.dumps(answers(4)))
    score(folder, tmp_path / "out.parquet", *MEDICAL)
    score(folder, tmp_path / "out.jsonl", *MEDICAL)
    made, told = rows(tmp_path / "out.parquet"), map(json.loads, (tmp_path / "out.jsonl").read_text().splitlines())
    assert [row["id"] for row in made] == ["r0", "r1", "r4", "r5", "r2", "r3"]
    assert [(row["reward"], row["status"]) for row in made] == [(one["reward"], one["status"]) for one in told]
    assert [json.loads(row["judgment"])["reward"] for row in made] == [row["reward"] for row in made]
    assert sorted(path.name for path in tmp_path.iterdir()) == ["in", "out.jsonl", "out.parquet"]


def test_a_killed_run_leaves_lines_beside_the_table_and_the_next_asks_nothing_twice(tmp_path):
    items = [submission(rubric=rubric(), response=f"Call 911 now. Case {n}.", id=f"case {n}") for n in range(40)]
    source, output, beside = (tmp_path / name for name in ("in.jsonl", "out.parquet", "out.parquet.jsonl"))
    source.write_bytes(lines(*items))
    seconds = [0.05]
    with StubJudge(lambda body: replace(faithful()(body), delay_seconds=seconds[0])) as judge:
        model = judge.specification
        process = start("score", source, "--model", model, "--output", output, "--concurrency", "2")
        until(lambda: beside.exists() and beside.read_bytes().count(b"\n") >= 5)
        process.send_signal(signal.SIGKILL)
        process.communicate(timeout=PATIENCE_SECONDS)
        assert not output.exists()
        there, before, seconds[0] = beside.read_bytes().count(b"\n"), len(judge.bodies), 0.0
        assert f"{there} judgments kept" in score(source, output, "--resume", model=model).stderr
        again = [json.dumps(body) for body in judge.bodies[before:]]
        assert sum(any(f"Case {n}." in body for body in again) for n in range(40)) == 40 - there
        assert [row["id"] for row in rows(output)] == [item["id"] for item in items]
        assert not beside.exists()
        source.write_bytes(lines(items[0] | {"id": "new"}, *reversed(items)))
        assert "40 judgments kept" in score(source, output, "--resume", model=model).stderr
    assert [row["id"] for row in rows(output)] == ["new", *(item["id"] for item in reversed(items))]


def test_an_output_named_gz_is_gzipped_and_gone_on_with(tmp_path):
    source, output = tmp_path / "in.jsonl", tmp_path / "out.jsonl.gz"
    source.write_bytes(lines(*ITEMS))
    score(source, output)
    assert gzip.decompress(output.read_bytes()).count(b"\n") == 6
    assert "6 judgments kept" in score(source, output, "--resume").stderr
    assert sorted(path.name for path in tmp_path.iterdir()) == ["in.jsonl", "out.jsonl.gz"]


def test_files_of_a_folder_that_cannot_be_read_are_told_and_the_others_are_judged(tmp_path):
    folder = tmp_path / "in"
    whole = table(folder / "a.parquet", *answers(*range(50))).read_bytes()
    (folder / "b.parquet").write_bytes(whole[:-20])
    (folder / "c.parquet").write_bytes(b"")
    (folder / "d.jsonl").write_bytes(lines(*answers(60)) + b'{"prompt": "cut\n' + lines(*answers(61)))
    (folder / "e.json").write_bytes(b"[{]")
    (folder / "f.jsonl.gz").write_bytes(gzip.compress(lines(*answers(62)))[:15])
    (folder / "g.jsonl").symlink_to(tmp_path / "nothing")
    (folder / "h.jsonl").write_bytes(b"")
    table(folder / "i.parquet", {"prompt": "p", "response": 5, "id": "number"})
    table(folder / "j.parquet", {"prompt": "p", "response": b"\xff", "id": "bytes"})
    for hidden in ("_delta_log/0.json", ".cache/0.jsonl", "._a.parquet"):
        (folder / hidden).parent.mkdir(exist_ok=True)
        (folder / hidden).write_bytes(b"{")
    ended = score(folder, tmp_path / "out.parquet", *MEDICAL)
    made = rows(tmp_path / "out.parquet")
    assert [row["id"] for row in made if row["reward"] is not None] == [
        *(f"r{number}" for number in range(50)),
        "r60",
        "r61",
    ]
    failed = [row for row in made if row["reward"] is None]
    assert {row["error"] for row in failed} == {"bad_submission"}
    told = [str(row["detail"]) for row in failed]
    assert all(f"{name}." in " ".join(told) for name in "bcdefg"), told
    assert len(told) == 8
    assert "(no reward: 8 x bad_submission)" in ended.stderr


def test_a_single_file_that_cannot_be_read_ends_the_command_with_one_message(tmp_path):
    source = tmp_path / "a.parquet"
    source.write_bytes(table(source, *answers(1)).read_bytes()[:-20])
    ended = judge_server("score", source, "--model", "baseline", *MEDICAL)
    assert ended.returncode == 2
    assert "a.parquet cannot be read as Parquet" in ended.stderr
    assert "Traceback" not in ended.stderr


def test_an_empty_folder_is_told(tmp_path):
    ended = judge_server("score", tmp_path, "--model", "baseline", *MEDICAL)
    assert ended.returncode == 2
    assert "holds no .jsonl" in ended.stderr


@pytest.mark.parametrize("name", ["in/out.jsonl", "in/deep/../out.parquet", "in/a.jsonl"])
def test_an_output_within_the_input_is_refused_and_the_input_stays(tmp_path, name):
    (tmp_path / "in" / "deep").mkdir(parents=True)
    source = tmp_path / "in" / "a.jsonl"
    source.write_bytes(lines(*ITEMS))
    read = source if name.endswith("a.jsonl") else tmp_path / "in"
    ended = judge_server("score", read, "--model", "baseline", "--output", tmp_path / name, "--resume")
    assert ended.returncode == 2
    assert "Name a file elsewhere." in ended.stderr
    assert source.read_bytes() == lines(*ITEMS)


def test_a_table_that_holds_no_judgments_is_no_earlier_output(tmp_path):
    source = tmp_path / "in.jsonl"
    source.write_bytes(lines(*ITEMS))
    other = table(tmp_path / "other.parquet", {"colour": "red"})
    ended = judge_server("score", source, "--model", "baseline", "--output", other, "--resume")
    assert ended.returncode == 2
    assert "holds no judgments" in ended.stderr
    assert rows(other) == [{"colour": "red"}]


def test_fields_that_only_some_rows_have_are_absent_from_the_others(tmp_path):
    """A column has one type for all rows: what a row lacks is null there."""
    said = [{"role": "user", "content": "Greet."}]
    given = [
        ITEMS[0] | {"rubric": None, "facts": {"age": 5}, "tags": ["a"]},
        ITEMS[1] | {"rubric": None, "prompt": "Greet."},
        ITEMS[2] | {"rubric": None, "step": 3, "explain": True},
    ]
    table(tmp_path / "in" / "a.parquet", *[{name: one for name, one in item.items() if one} for item in given])
    talks = [said, [*said, {"role": "assistant", "content": "Hi.", "name": "a", "tool_call_id": None}]]
    table(tmp_path / "in" / "b.parquet", *[{"prompt": talk, "response": "Hello."} for talk in talks])
    score(tmp_path / "in", tmp_path / "out.parquet", *MEDICAL)
    assert [row["status"] for row in rows(tmp_path / "out.parquet")] == ["ok"] * 5
