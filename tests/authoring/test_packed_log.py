"""inspect_ai's packed logs: bounded, in inspect_ai's order, and equal to the same log as JSON."""

import json
import struct
import zipfile

import pyarrow as pa
import pytest

from judge_server.authoring.interchange import FORMATS
from judge_server.authoring.interchange.packed_log import packed_log
from judge_server.authoring.interchange.record import records
from judge_server.authoring.interchange.tracked import tracked
from judge_server.core.errors import BadInput

SCORERS = [{"name": "inspect_ai/model_graded_fact", "options": {"partial_credit": True}}]
HEADER = {"version": 2, "status": "success", "eval": {"task": "rivers", "scorers": SCORERS}, "results": {}}
LONG = "The Nile, " * 20


def sample(name, epoch=1, **fields):
    output = {"model": "m", "choices": [{"message": {"role": "assistant", "content": f"Answer {name}."}}],
              "completion": f"Answer {name}."}  # fmt: skip
    return {"id": name, "epoch": epoch, "input": f"Question {name}?", "target": f"Target {name}.", "output": output} | (
        fields
    )


def packed(path, *samples, header="header.json", method=zipfile.ZIP_DEFLATED):
    with zipfile.ZipFile(path, "w", method) as archive:
        archive.writestr("_journal/start.json", json.dumps({"version": 2, "eval": HEADER["eval"]}))
        for one in samples:
            archive.writestr(f"samples/{one['id']}_epoch_{one['epoch']}.json", json.dumps(one))
        archive.writestr("summaries.json", "[]")
        if header:
            archive.writestr(header, json.dumps(HEADER))
    return path


def submissions(path):
    return [
        FORMATS["inspect"].submission(part)
        for _, record in records(path)
        for part in FORMATS["inspect"].split(tracked(record))
    ]


def test_samples_come_in_the_order_of_inspect_with_their_texts(tmp_path):
    path = packed(tmp_path / "a.eval", sample(10), sample(2), sample(2, 2), sample("b"))
    assert submissions(path) == [
        {"id": str(name), "prompt": f"Question {name}?", "reference": f"Target {name}.", "response": f"Answer {name}."}
        for name in (2, 10, "b", 2)
    ]
    assert [where for where, _ in records(path)] == [f"{path}:{number}" for number in range(1, 5)]


def test_a_packed_log_says_what_the_same_log_says_as_json(tmp_path):
    samples = [sample(1), sample(2)]
    whole = tmp_path / "a.json"
    whole.write_text(json.dumps(HEADER | {"samples": samples}))
    assert submissions(packed(tmp_path / "a.eval", *samples)) == submissions(whole)


def test_a_log_that_still_runs_is_read_by_its_start(tmp_path):
    assert len(submissions(packed(tmp_path / "a.eval", sample(1), header=None))) == 1


@pytest.mark.filterwarnings("ignore:Duplicate name")
def test_of_a_sample_that_was_written_twice_the_later_counts(tmp_path):
    later = sample(1) | {"target": "Later."}
    assert [one["reference"] for one in submissions(packed(tmp_path / "a.eval", sample(1), later))] == ["Later."]


def test_texts_kept_as_attachments_stand_in_their_places(tmp_path):
    kept = {"attachments": {"k1": LONG, "k2": "Which river?"}, "target": "attachment://k1"}
    one = sample(1, **kept, input=[{"role": "user", "content": "attachment://k2"}])
    one["output"]["completion"] = "attachment://k1"
    assert submissions(packed(tmp_path / "a.eval", one)) == [
        {"id": "1", "prompt": [{"role": "user", "content": "Which river?"}], "reference": LONG, "response": LONG}
    ]


def test_an_attachment_that_is_not_there_is_refused_by_name(tmp_path):
    with pytest.raises(BadInput, match="no attachment 'k3'"):
        submissions(packed(tmp_path / "a.eval", sample(1, target="attachment://k3")))


def test_an_answer_stands_in_the_choices_if_there_is_no_completion(tmp_path):
    one = sample(1)
    del one["output"]["completion"]
    one["output"]["choices"][0]["message"]["content"] = [
        {"type": "reasoning", "reasoning": "Hm."}, {"type": "text", "text": "A."}, {"type": "text", "text": "B."},
    ]  # fmt: skip
    assert submissions(packed(tmp_path / "a.eval", one))[0]["response"] == "A.\nB."


def zstandard(path, content):
    """A zip archive with one member packed with zstd (method 93), which zipfile cannot write before 3.14."""
    name, raw = b"samples/1_epoch_1.json", json.dumps(content).encode()
    header = json.dumps(HEADER).encode()
    with zipfile.ZipFile(path, "w", zipfile.ZIP_STORED) as archive:
        archive.writestr("header.json", header)
        packed_bytes = pa.Codec("zstd").compress(raw, asbytes=True)
        archive.writestr(name.decode(), packed_bytes)
    content = bytearray(path.read_bytes())
    for sign, at, size in ((b"PK\x03\x04", 8, 22), (b"PK\x01\x02", 10, 24)):
        place = -1
        while (place := content.find(sign, place + 1)) >= 0:
            if name in content[place : place + 100]:
                content[place + at : place + at + 2] = struct.pack("<H", 93)
                content[place + size : place + size + 4] = struct.pack("<I", len(raw))
    path.write_bytes(content)
    return path


def test_members_packed_with_zstd_are_read(tmp_path):
    path = zstandard(tmp_path / "a.eval", sample(1))
    assert [one["response"] for one in submissions(path)] == ["Answer 1."]


def test_an_unknown_packing_is_named(tmp_path):
    path = packed(tmp_path / "a.eval", sample(1), method=zipfile.ZIP_STORED)
    content = bytearray(path.read_bytes())
    for sign, at in ((b"PK\x03\x04", 8), (b"PK\x01\x02", 10)):
        place = -1
        while (place := content.find(sign, place + 1)) >= 0:
            if b"samples/1_" in content[place : place + 100]:
                content[place + at : place + at + 2] = struct.pack("<H", 97)
    path.write_bytes(content)
    with pytest.raises(BadInput, match=r"samples/1_epoch_1.json cannot be read: its compression method 97"):
        submissions(path)


@pytest.mark.parametrize("most_unpacked", [4_000_000, 10_000])
def test_a_member_that_unpacks_to_too_much_is_refused(tmp_path, most_unpacked):
    path = packed(tmp_path / "a.eval", sample(1, target="x" * 200_000))
    assert path.stat().st_size < 3_000
    with pytest.raises(BadInput, match=r"samples/1_epoch_1.json cannot be read: it is larger than"):
        list(packed_log(path, 100_000, most_unpacked))


@pytest.mark.parametrize(
    ("content", "told"),
    [(b"PK\x03\x04 cut off", "not a packed log"), (b"", "not a packed log"), (b"{}", "not a packed log")],
    ids=["cut", "empty", "json"],
)
def test_a_file_that_is_no_archive_is_refused(tmp_path, content, told):
    (tmp_path / "a.eval").write_bytes(content)
    with pytest.raises(BadInput, match=told):
        list(records(tmp_path / "a.eval"))


def in_pieces(archive, texts, shell):
    archive.writestr("samples/1_epoch_1/sample.json", json.dumps(shell))
    archive.writestr("samples/1_epoch_1/messages/0.json", "[]")
    for start, piece in texts.items():
        archive.writestr(f"samples/1_epoch_1/attachments/{start}.json", json.dumps(piece))


def test_a_sample_in_pieces_is_read_with_its_texts(tmp_path):
    shell = sample(1, input="attachment://2", target="attachment://0", message_refs=[[0, 2]])
    with zipfile.ZipFile(tmp_path / "a.eval", "w") as archive:
        archive.writestr("header.json", json.dumps(HEADER))
        in_pieces(archive, {2: ["Long question?"], 0: ["Long target.", "other"]}, shell)
        archive.writestr("samples/2_epoch_1.json", json.dumps(sample(2)))
    first, second = submissions(tmp_path / "a.eval")
    assert first == {"id": "1", "prompt": "Long question?", "reference": "Long target.", "response": "Answer 1."}
    assert second["prompt"] == "Question 2?"


@pytest.mark.parametrize(
    ("texts", "told"), [({0: {"a": 1}}, "no list of texts"), ({0: ["x"]}, "no attachment"), ({}, "no attachment")]
)
def test_pieces_that_miss_or_break_are_named(tmp_path, texts, told):
    with zipfile.ZipFile(tmp_path / "a.eval", "w") as archive:
        archive.writestr("header.json", json.dumps(HEADER))
        in_pieces(archive, texts, sample(1, input="attachment://7"))
    with pytest.raises(BadInput, match=told):
        submissions(tmp_path / "a.eval")
