"""A worker's partition: what cannot be read of it is told, and what was read before is judged."""

import pyarrow as pa
import pyarrow.parquet as pq

from judge_server.core.errors import BadSubmission
from judge_server.distributed.partition_scoring import read_rows
from judge_server.distributed.partitions import filesystem_of, partitions_of


def test_one_fault_stands_for_the_rows_behind_damage_and_those_before_are_read(tmp_path):
    path = tmp_path / "in.parquet"
    rows = [{"id": f"r{number}", "response": f"Rest for {number} days."} for number in range(20)]
    pq.write_table(pa.Table.from_pylist(rows), path, row_group_size=10, compression="zstd", use_dictionary=False)
    with pq.ParquetFile(path) as file:
        chunk = file.metadata.row_group(1).column(1)
    content = bytearray(path.read_bytes())
    start, size = chunk.data_page_offset, chunk.total_compressed_size
    content[start : start + size] = b"\xff" * size
    path.write_bytes(content)
    (partition,) = partitions_of(str(path), 100)
    found = list(read_rows(filesystem_of(str(path))[0], partition, lambda raw, where: raw))
    assert found[:-1] == list(enumerate(rows[:10]))
    place, fault = found[-1]
    assert place == 10
    assert isinstance(fault, BadSubmission)
    assert "in.parquet cannot be read from 10 to 20" in fault.detail


def test_a_row_that_is_no_submission_is_a_fault_in_its_place(tmp_path):
    path = tmp_path / "in.jsonl"
    path.write_bytes(b"{}\nx\n{}\n")

    def read(raw, where):
        if raw == b"x\n":
            raise BadSubmission(f"{where} is no JSON.")
        return raw

    (partition,) = partitions_of(str(path), 100)
    found = list(read_rows(filesystem_of(str(path))[0], partition, read))
    assert [place for place, _ in found] == [0, 3, 5]
    assert str(found[1][1]).startswith(f"{path}:3 is no JSON")
