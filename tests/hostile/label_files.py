"""Hostile files of labels: tables, lines of JSON and Parquet."""

import io
import json
import struct
from collections.abc import Iterator

import pyarrow as pa
from pyarrow import parquet

SIZE = 100_000
LABELS = "item,criterion,annotator,role,label\n"


def label_files() -> Iterator[tuple[str, bytes]]:
    row = "a,c,ann,human,1\n"
    yield "many columns", (",".join(f"c{number}" for number in range(SIZE // 7)) + "\n").encode()
    yield "one column again and again", (LABELS.strip() + ",item" * (SIZE // 5) + "\n" + row).encode()
    yield "empty columns", ("," * SIZE + "\n").encode()
    yield "rows of another width", (LABELS + "a,b\n" * (SIZE // 40) + row).encode()
    yield "an open quotation mark", (LABELS + row + 'b,c,ann,human,"' + "x\n" * (SIZE // 2)).encode()
    yield "quotation marks in a row", (LABELS + '"' * SIZE).encode()
    yield "marks in fields", (LABELS + 'a,"b""c"d,e,f,g\n' * 100).encode()
    yield "NULs in fields", (LABELS + "a\0,c,ann,human,1\n" * 100).encode()
    yield "lone CRs", (LABELS + row).replace("\n", "\r").encode()
    yield "no UTF-8", LABELS.encode() + b"\xff,c,ann,human,1\n" * 1_000
    yield "formulas", (LABELS + "=1+1,@c,+ann,human,-1\n" * 100).encode()
    numbers = ("nan", "inf", "-inf", "1e400", "9" * 400, "0x10", "1_0", "\u0661", "")
    yield "odd numbers", (LABELS + "".join(f"i{n},c,ann,human,{text}\n" for n, text in enumerate(numbers))).encode()
    yield "names that cannot be shown", (LABELS + "\x1b[31m,c,ann,human,1\n" * 100).encode()
    yield "another delimiter every line", (LABELS + "a;c;ann;human;1\na\tc\tann\thuman\t1\n" * 100).encode()
    yield "an annotator who says two things", (LABELS + row + row.replace(",1", ",2")).encode()
    yield (
        "a Label Studio export",
        json.dumps([{"id": [], "annotations": [{"result": [{}, None, 1]}], "data": 1}]).encode(),
    )
    yield "a task without end", json.dumps([{"annotations": [[]] * 1_000, "data": {"a": "x" * SIZE}}]).encode()
    record = {"item": "a", "criterion": "c", "annotator": "ann", "role": "human"}
    for name, value in {
        "lists": [[]] * 100,
        "an object": {"a": {}},
        "a wide number": 10**30,
        "no number": "nan",
    }.items():
        line = json.dumps(record | {"label": value, "probability": value, "probabilities": {"1": value}, "tags": value})
        yield f"values that are {name}", line.encode()
    yield "probabilities", json.dumps(record | {"label": 1, "probabilities": "{" * 5_000}).encode()
    yield from _parquet()


def _parquet() -> Iterator[tuple[str, bytes]]:
    columns = {name: ["a"] for name in ("item", "criterion", "annotator", "role")}
    columns["role"] = ["human"]
    sound = _packed(pa.table(columns | {"label": ["1"]}))
    yield "a sound Parquet file", sound
    yield "half a Parquet file", sound[: len(sound) // 2]
    for place in range(8, len(sound), max(len(sound) // 12, 1)):
        yield f"a flipped byte at {place}", sound[:place] + bytes([sound[place] ^ 0xFF]) + sound[place + 1 :]
    yield "a footer longer than the file", b"PAR1" + b"\0" * 100 + struct.pack("<I", 2**31 - 1) + b"PAR1"
    yield "a footer of noise", b"PAR1" + b"\x15\x19" * 200 + struct.pack("<I", 400) + b"PAR1"
    nested = pa.table(columns | {"label": [[["x"]]]})
    yield "labels that are lists of lists", _packed(nested)
    yield "many columns", _packed(pa.table({f"c{number}": [1] for number in range(2_000)}))
    bomb = pa.table({name: pa.array(["x" * 1_000_000] * 100).dictionary_encode() for name in ("item", "label")})
    yield "a bomb", _packed(bomb)


def _packed(table: pa.Table) -> bytes:
    made = io.BytesIO()
    parquet.write_table(table, made, compression="zstd")
    return made.getvalue()
