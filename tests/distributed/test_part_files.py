"""The folder of Parquet parts: what an earlier run left is found by content, and what nobody keeps is removed."""

from datetime import UTC, datetime

import numpy as np
import pyarrow.fs as arrow_fs
import pyarrow.parquet as pq
import pytest

from judge_server.core.coordinates import Coordinates, content_key
from judge_server.core.errors import BadInput, BadSubmission
from judge_server.core.judgment import Judgment
from judge_server.core.outcome import JudgmentStatus
from judge_server.distributed.part_files import PartFiles, ScoredRow
from judge_server.scoring.batch import failed_judgment


def _row(number, digest, reward=0.5):
    judgment = Judgment(
        id=f"j{number}",
        reward=reward,
        status=JudgmentStatus.OK,
        coverage=1.0,
        submission=Coordinates(id=str(number)),
        submission_digest=digest,
        created_at=datetime.now(UTC),
    )
    return ScoredRow("in.jsonl", number, judgment)


def _failed(number):
    return ScoredRow("in.jsonl", number, failed_judgment(BadSubmission("no response"), Coordinates()))


def _key(number, digest):
    return content_key(digest, Coordinates(id=str(number)))


@pytest.fixture
def parts(tmp_path):
    made = PartFiles(arrow_fs.LocalFileSystem(), str(tmp_path / "out"))
    made.begin(resume=False)
    return made


def test_rewarded_rows_are_found_again_and_failed_ones_are_not(parts):
    parts.write("a-1", [_row(1, "x"), _failed(2), _row(3, "x")])
    parts.write("a-2", [_row(1, "x"), _row(4, "y")])
    kept = parts.kept()
    assert len(kept.keys) == 4
    assert kept.places_of(_key(9, "x")) == []
    both = kept.places_of(_key(1, "x"))
    assert len(both) == 2
    assert {parts.judgment_at(kept.files, place).id for place in both} == {"j1"}
    (fourth,) = kept.places_of(_key(4, "y"))
    assert parts.judgment_at(kept.files, fourth).id == "j4"


def test_rows_that_nobody_keeps_are_removed_with_their_files(parts, tmp_path):
    parts.write("a-1", [_row(1, "x"), _failed(2), _row(3, "z")])
    parts.write("a-2", [_row(4, "y")])
    kept = parts.kept()
    taken = np.array(kept.places_of(_key(3, "z")), dtype=np.int64)
    assert parts.keep_only(kept.files, taken) == 3
    assert pq.read_table(tmp_path / "out").column("place").to_pylist() == [3]
    assert sorted(one.name for one in (tmp_path / "out").iterdir()) == ["part-a-1.parquet"]


def test_an_unfinished_file_is_no_part_and_a_folder_with_parts_is_not_overwritten(parts, tmp_path):
    (tmp_path / "out" / ".part-a-9.parquet").write_bytes(b"half")
    parts.begin(resume=False)
    parts.write("a-1", [_row(1, "x")])
    parts.finish({"rows": 1})
    assert (tmp_path / "out" / "_SUCCESS").read_text() == '{"rows": 1}'
    with pytest.raises(BadInput, match="earlier run"):
        parts.begin(resume=False)
    parts.begin(resume=True)
    assert not (tmp_path / "out" / "_SUCCESS").exists()
    assert len(parts.kept().files) == 1
