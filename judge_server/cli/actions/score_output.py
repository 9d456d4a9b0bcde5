"""Where ``judge-server score`` writes: JSON lines, each as soon as its judgment is known.

An output that is packed, as Parquet or by gzip, is made of such lines when all are there. Until then they stand beside
it, in ``NAME.jsonl``, where a run that is killed leaves them for the next one.
"""

import gzip
import shutil
import sys
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import TextIO

from judge_server.cli.actions.earlier_output import EarlierOutput, resumed
from judge_server.cli.actions.judgment_table import is_table, judgments_in, require_tables, write_table
from judge_server.core.errors import BadInput
from judge_server.util.bounded import unzipped


@contextmanager
def output_of(path: Path | None, *, resume: bool) -> Iterator[tuple[EarlierOutput | None, TextIO]]:
    """What an earlier run wrote, if this one goes on with it, and where judgments go. Without ``path`` that is standard
    output. Raises BadInput if it cannot be written, and MissingDependency."""
    if path is None:
        yield None, sys.stdout
        return
    lines = path.with_name(f"{path.name}.jsonl") if _is_packed(path) else path
    if is_table(path):
        require_tables(path)
    with ExitStack() as files:
        with _told(path):
            if lines != path and resume and path.exists() and not lines.exists():
                _unpack(path, lines)
            opened = files.enter_context(resumed(lines) if resume else _begun(lines))
        yield opened
    if lines != path:
        with _told(path):
            _pack(lines, path)


@contextmanager
def _told(path: Path) -> Iterator[None]:
    try:
        yield
    except OSError as fault:
        remedy = "Name a file that can be written."
        raise BadInput(f"--output {path}: {fault.strerror or fault}.", remedy=remedy) from None


def refuse_to_read(output: Path | str | None, source: str) -> None:
    """Raises BadInput if the output is what is read, or lies in it: it would be overwritten, or judged."""
    if output is None or source == "-":
        return
    read, written = (one if "://" in one else str(Path(one).resolve()) for one in (source, str(output)))
    if written == read or written.startswith(f"{read.rstrip('/')}/"):
        what = "is what is read" if written == read else f"lies in {source}, which is read"
        raise BadInput(f"--output {output} {what}.", remedy="Name a file elsewhere.")


def _is_packed(path: Path) -> bool:
    return is_table(path) or path.suffix.lower() == ".gz"


@contextmanager
def _begun(path: Path) -> Iterator[tuple[None, TextIO]]:
    with path.open("w", encoding="utf-8") as sink:
        yield None, sink


def _unpack(path: Path, lines: Path) -> None:
    """Raises OSError, and BadInput for a file that was not packed by ``_pack``."""
    beside = lines.with_name(f".{lines.name}")
    try:
        if is_table(path):
            with beside.open("w", encoding="utf-8") as sink:
                sink.writelines(f"{judgment}\n" for judgment in judgments_in(path))
        else:
            with unzipped(path) as packed, beside.open("wb") as sink_of_bytes:
                shutil.copyfileobj(packed, sink_of_bytes)
        beside.replace(lines)
    except EOFError as fault:
        raise BadInput(f"{path} is no whole file of gzip: {fault}", remedy="Name another file.") from None
    finally:
        beside.unlink(missing_ok=True)


def _pack(lines: Path, path: Path) -> None:
    """The packed file appears whole, and the lines go. Raises OSError."""
    if is_table(path):
        with lines.open(encoding="utf-8") as stream:
            write_table(path, (line.rstrip("\n") for line in stream))
    else:
        beside = path.with_name(f".{path.name}")
        try:
            with lines.open("rb") as stream_of_bytes, gzip.open(beside, "wb") as packed:
                shutil.copyfileobj(stream_of_bytes, packed)
            beside.replace(path)
        finally:
            beside.unlink(missing_ok=True)
    lines.unlink()
