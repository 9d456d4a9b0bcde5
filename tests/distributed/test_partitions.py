"""Partitions of an input: together they hold each row once, whatever their size."""

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from judge_server.core.errors import BadInput
from judge_server.distributed.partitions import filesystem_of, partitions_of, rows_of

_LINES = [b'{"a": 1}\n', b"\n", b'{"a": "\xc3\xa4' + b"x" * 9_000 + b'"}\n', b"not JSON\r\n", b'{"a": 3}']


def _read(url, rows):
    system, _ = filesystem_of(url)
    return [row for partition in partitions_of(url, rows) for row in rows_of(system, partition)]


@pytest.mark.parametrize("rows", [1, 2, 3, 1_000])
def test_lines_are_cut_between_lines_and_none_is_lost_or_read_twice(tmp_path, rows):
    content = b"".join(_LINES * 7)
    path = tmp_path / "in.jsonl"
    path.write_bytes(content)
    found = _read(str(path), rows)
    assert b"".join(line for _, line in found) == content.replace(b"\n\n", b"\n")
    assert all(content[place : place + len(line)] == line for place, line in found)


@pytest.mark.parametrize("rows", [1, 7, 100, 5_000])
def test_parquet_rows_keep_their_numbers_over_row_groups(tmp_path, rows):
    table = pa.table({"response": [f"r{number}" for number in range(500)], "id": [None] * 500})
    pq.write_table(table, tmp_path / "in.parquet", row_group_size=64)
    assert _read(str(tmp_path / "in.parquet"), rows) == [(number, {"response": f"r{number}"}) for number in range(500)]


def test_a_folder_is_read_by_name_and_other_files_in_it_are_left(tmp_path):
    (tmp_path / "b.jsonl").write_text('{"b": 1}\n')
    (tmp_path / "a").mkdir()
    (tmp_path / "a" / "c.jsonl").write_text('{"c": 1}\n')
    (tmp_path / "_SUCCESS").write_text("")
    for aside in ("_delta_log", ".cache", "a/_old"):
        (tmp_path / aside).mkdir()
        (tmp_path / aside / "0.jsonl").write_text('{"d": 1}\n')
    (tmp_path / "notes.txt").write_text("x")
    assert [line for _, line in _read(f"file://{tmp_path}", 10)] == [b'{"c": 1}\n', b'{"b": 1}\n']


@pytest.mark.parametrize(
    ("name", "said"),
    [
        ("absent.jsonl", "no such file"),
        ("in.yaml", "only JSON Lines"),
        ("empty", "holds no .jsonl"),
        ("s9://x", "s9"),
        ("cut.parquet", "cut.parquet cannot be read as Parquet"),
    ],
)
def test_what_cannot_be_read_is_said_before_work_starts(tmp_path, name, said):
    (tmp_path / "in.yaml").write_text("a: 1")
    pq.write_table(pa.table({"response": ["a"] * 50}), tmp_path / "whole")
    (tmp_path / "cut.parquet").write_bytes((tmp_path / "whole").read_bytes()[:-9])
    (tmp_path / "empty").mkdir()
    with pytest.raises(BadInput, match=said):
        partitions_of(name if "://" in name else str(tmp_path / name), 10)
