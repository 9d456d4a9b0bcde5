"""Lines of large files: plain, gzipped, or standard input, which is copied to a temporary file to be read twice."""

import gzip
import shutil
import sys
import tempfile
import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import BinaryIO, Protocol

from rich.console import Console
from rich.progress import BarColumn, DownloadColumn, Progress, TaskID, TextColumn, TimeRemainingColumn

from judge_server.core.errors import BadInput

STANDARD_INPUT = "-"
LONGEST_LINE = 64 * 2**20


class Readable(Protocol):
    def readline(self, size: int, /) -> bytes: ...


class Writable(Protocol):
    def write(self, data: bytes, /) -> int: ...


class RowFile:
    """A file that can be read several times. Use ``opened``."""

    def __init__(self, name: str, path: Path) -> None:
        self.name = name
        self._path = path

    def lines(self, doing: str) -> Iterator[tuple[int, bytes]]:
        """(number, line) of every nonblank line. Raises BadInput if the file cannot be read."""
        try:
            with self._path.open("rb") as raw, _progress() as progress:
                task = progress.add_task(doing, total=self._path.stat().st_size)
                yield from self._numbered(raw, progress, task)
        except (OSError, EOFError, zlib.error) as fault:
            raise BadInput(f"{self.name}: {fault}.", remedy="Name a file that can be read.") from None

    def _numbered(self, raw: BinaryIO, progress: Progress, task: TaskID) -> Iterator[tuple[int, bytes]]:
        packed = raw.read(2) == b"\x1f\x8b"
        raw.seek(0)
        stream: Readable = gzip.GzipFile(fileobj=raw) if packed else raw
        number = 0
        while line := stream.readline(LONGEST_LINE + 1):
            number += 1
            if len(line) > LONGEST_LINE:
                raise BadInput(
                    f"{self.name}, line {number} is longer than {LONGEST_LINE // 2**20} MiB.",
                    remedy="Write one JSON object a line.",
                )
            if line.strip():
                yield number, line
            if number % 1_000 == 0:
                progress.update(task, completed=raw.tell())
        progress.update(task, completed=raw.tell())


@contextmanager
def opened(name: str) -> Iterator[RowFile]:
    """The file of this name; ``-`` is standard input."""
    if name != STANDARD_INPUT:
        if not Path(name).is_file():
            raise BadInput(f"{name} is no file.", remedy="Name a file of JSON lines, or - for standard input.")
        yield RowFile(name, Path(name))
        return
    with tempfile.NamedTemporaryFile() as kept:
        shutil.copyfileobj(sys.stdin.buffer, kept)
        kept.flush()
        yield RowFile("standard input", Path(kept.name))


@contextmanager
def written(name: str) -> Iterator[Writable]:
    """The output of rows: ``-`` is standard output, and a name that ends in .gz is gzipped. An existing file is
    replaced only when all rows are written."""
    if name == "-":
        yield sys.stdout.buffer
        sys.stdout.buffer.flush()
        return
    path = Path(name)
    beside = path.with_name(f".{path.name}.part")
    try:
        with gzip.open(beside, "wb") if path.suffix == ".gz" else beside.open("wb") as stream:
            yield stream
        beside.replace(path)
    except OSError as fault:
        raise BadInput(
            f"--output {name}: {fault.strerror or fault}.", remedy="Name a file that can be written."
        ) from None
    finally:
        beside.unlink(missing_ok=True)


def _progress() -> Progress:
    console = Console(stderr=True)
    columns = (TextColumn("{task.description}"), BarColumn(), DownloadColumn(), TimeRemainingColumn())
    return Progress(*columns, console=console, disable=not console.is_terminal)
