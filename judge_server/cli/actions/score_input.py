"""What ``judge-server score`` reads: submissions, and rows of other projects' formats that become submissions.

JSON Lines are read as they arrive, so that a pipe can be judged while it is written. Other files (JSON, YAML, TOML,
Parquet, gzip, folders) are read a record at a time.
"""

import asyncio
import os
import sys
import threading
import zlib
from collections import Counter
from collections.abc import AsyncIterator, Iterator, Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, BinaryIO, Final

from judge_server.authoring.interchange import FORMATS, format_of
from judge_server.authoring.interchange.record import LINES, MOST_BYTES, files_of
from judge_server.authoring.interchange.tracked import tracked, unpacked, unread
from judge_server.cli.actions.rubric_exchange import records_in
from judge_server.cli.running import fail
from judge_server.core.errors import BadConfiguration, BadInput, BadSubmission
from judge_server.core.submission import Submission
from judge_server.util.bounded import unzipped
from judge_server.util.parsing import parse_unique_json

STANDARD_INPUT: Final = "-"
RESPONSES: Final = ("response", "completion", "output", "model_output", "model_response", "generation", "prediction")
_LOG: Final = "inspect"
_MOST_TOLD: Final = 12


@dataclass(frozen=True)
class ScoreLine:
    """One submission of the input: its plain data, or why it cannot be read."""

    item: Any = None
    fault: BadSubmission | None = None


@dataclass
class ForeignRows:
    """Makes submissions of rows in other projects' formats, and counts what was read and what was not carried over.

    A row is foreign if it has a field that no submission has, or a list as its rubric, and a known format fits it. One
    that names a rubric, or holds one of ours, is never read as another format's, and none if ``rubric_given``."""

    rubric_given: bool = False
    forms: Counter[str] = field(default_factory=Counter)
    left: Counter[str] = field(default_factory=Counter)

    def submission(self, item: Any, where: str, form: str | None = None) -> Any:
        """The item itself, or the submission that a foreign row holds. ``form``: its format if it is known. Raises
        BadSubmission for a row without a response, or whose rubric cannot be read."""
        form = form or self._form(item, where)
        if form is None:
            return item
        row = tracked(item)
        try:
            rubric = FORMATS[form].read(row, where, "")
            made = FORMATS[form].submission(row)
        except BadInput as fault:
            raise BadSubmission(fault.detail, remedy=fault.remedy) from None
        own = {name: item[name] for name in Submission.model_fields if item.get(name) is not None and name != "rubric"}
        found = next((name for name in RESPONSES if item.get(name)), None)
        if found is None and "response" not in made:
            raise BadSubmission(
                f"{where} is a row of {form} without a response.",
                remedy=f"Put what is to be judged under response (or {', '.join(RESPONSES[1:])}).",
            )
        known = {*own, found}
        self.forms[form] += 1
        self.left.update({name: count for name, count in unread(row).items() if name not in known})
        answered = {} if found is None else {"response": item[found]}
        if isinstance(own.get("prompt"), str) and isinstance(made.get("prompt"), list):  # messages as JSON text
            own["prompt"] = made["prompt"]
        return {**made, **answered, **own, "rubric": rubric}

    def _form(self, item: Any, where: str) -> str | None:
        if self.rubric_given or not isinstance(item, Mapping):
            return None
        rubric = item.get("rubric")
        if rubric is not None and not _lists_criteria(rubric):
            return None
        if rubric is None and set(item) <= set(Submission.model_fields):
            return None
        name = None
        with suppress(BadInput):
            name = format_of(item, where)
        try:
            return name if name and len(FORMATS[name].split(item)) == 1 else None
        except BadInput as fault:
            raise BadSubmission(f"{where}: {fault.detail}", remedy=fault.remedy) from None

    def summary(self) -> str | None:
        """What was read as what, and what was not carried over; None if every line was a submission."""
        if not self.forms:
            return None
        named = ", ".join(f"{count} {name}" for name, count in self.forms.most_common())
        told = ", ".join(f"{name} ({count})" for name, count in self.left.most_common(_MOST_TOLD))
        more = f", and {len(self.left) - _MOST_TOLD} more" if len(self.left) > _MOST_TOLD else ""
        return f"read as rows of {named}" + (f"; not carried over: {told}{more}" if told else "")


def _lists_criteria(rubric: Any) -> bool:
    """Whether it holds a list of criteria, also as JSON or lines of a text, and is neither a name nor a rubric of
    ours."""
    held = unpacked(rubric)
    if isinstance(held, str):
        return "\n" in held.strip()
    return isinstance(held, list) or (isinstance(held, dict) and "id" not in held)


def total_of(file: str) -> int | None:
    """How many submissions JSON Lines hold, for the progress bar; None if only reading can tell. Ends the command if
    the file cannot be read."""
    if file == STANDARD_INPUT or not is_plain_lines(file):
        return None
    try:
        with _opened(file) as lines:
            return sum(bool(line.strip()) for line in lines)
    except OSError as fault:
        fail(f"{file}: {fault.strerror}.")


async def lines_of(file: str, rows: ForeignRows) -> AsyncIterator[ScoreLine]:
    """The submissions of a file, a folder or standard input (``-``), as they arrive. A thread reads them, because
    reading a pipe may block while judgments are due. Raises BadConfiguration if there is nothing that can be read."""
    loop = asyncio.get_running_loop()
    read: asyncio.Queue[ScoreLine | Exception | None] = asyncio.Queue(maxsize=256)

    def hand_over(item: ScoreLine | Exception | None) -> None:
        asyncio.run_coroutine_threadsafe(read.put(item), loop).result()

    def work() -> None:
        with suppress(RuntimeError):  # the loop was closed: the lines are no longer needed
            try:
                for line in _json_lines(file, rows) if is_plain_lines(file) else records(file, rows):
                    hand_over(line)
                hand_over(None)
            except Exception as fault:  # noqa: BLE001 - raised where the lines are awaited, which would wait for ever
                hand_over(fault)

    threading.Thread(target=work, daemon=True, name="lines").start()
    while (item := await read.get()) is not None:
        if isinstance(item, OSError):
            raise BadConfiguration(f"{file}: {item.strerror}.", remedy="Name a file that can be read.")
        if isinstance(item, Exception):
            raise item
        yield item


def is_plain_lines(file: str) -> bool:
    """Whether lines are read as they come; any name but those of other kinds of files."""
    if file == STANDARD_INPUT:
        return True
    path = Path(file)
    return not path.is_dir() and not path.name.lower().endswith(
        (".json", ".gz", ".parquet", ".yaml", ".yml", ".toml", ".eval")
    )


def _json_lines(file: str, rows: ForeignRows) -> Iterator[ScoreLine]:
    with _opened(file) as stream:
        for number, line in enumerate(stream, 1):
            if line.strip():
                yield line_of(line, f"{file}:{number}", rows, f"line {number}")


def _lines_in(path: Path, rows: ForeignRows) -> Iterator[ScoreLine]:
    """As lines of a file of their own, from one that may be gzipped."""
    try:
        with unzipped(path) as stream:
            for number, line in enumerate(iter(lambda: stream.readline(MOST_BYTES), b""), 1):
                if line.strip():
                    yield line_of(line, f"{path}:{number}", rows)
    except (OSError, EOFError, ValueError, zlib.error) as fault:
        raise BadInput(f"{path} cannot be read: {getattr(fault, 'strerror', None) or fault}.") from None


def line_of(content: bytes, where: str, rows: ForeignRows, named: str | None = None) -> ScoreLine:
    """The submission of a line of JSON. ``named``: how a fault of it calls the line, if not ``where``."""
    try:
        return submission_of(parse_unique_json(content.removeprefix(b"\xef\xbb\xbf")), where, rows)
    except ValueError as fault:
        return ScoreLine(fault=BadSubmission(f"{named or where}: {fault}"))


def records(file: str, rows: ForeignRows) -> Iterator[ScoreLine]:
    """The submissions of a file that is not plain lines, or of a folder. Raises BadInput for a file that cannot be
    read; in a folder it is a fault among the submissions, and the other files are read."""
    alone = not Path(file).is_dir()
    for path in files_of(Path(file)):
        try:
            yield from _lines_in(path, rows) if _holds_lines(path) else _submissions_in(path, rows)
        except BadInput as fault:
            if alone:
                raise
            named = "" if str(path) in fault.detail else f"{path}: "
            yield ScoreLine(fault=BadSubmission(f"{named}{fault.detail}", remedy=fault.remedy))


def _holds_lines(path: Path) -> bool:
    return path.name.lower().removesuffix(".gz").endswith(LINES)


def _submissions_in(path: Path, rows: ForeignRows) -> Iterator[ScoreLine]:
    for where, record in records_in(path):
        try:
            form, parts = _parts(record)
        except BadInput as fault:
            yield ScoreLine(fault=BadSubmission(str(fault)))
            continue
        for part in parts:
            yield submission_of(part, where, rows, form)


def _parts(record: Any) -> tuple[str | None, list[Any]]:
    """The submissions of one record, and their format if it is known: a log holds samples, an array items."""
    if FORMATS[_LOG].fits(record):
        return _LOG, FORMATS[_LOG].split(record)
    return None, record if isinstance(record, list) else [record]


def submission_of(item: Any, where: str, rows: ForeignRows, form: str | None = None) -> ScoreLine:
    """The submission of a record."""
    try:
        return ScoreLine(item=rows.submission(item, where, form))
    except BadSubmission as fault:
        return ScoreLine(fault=fault)


def _opened(file: str) -> BinaryIO:
    """A separate stream for the thread: a shared one could not be closed while the thread reads."""
    return os.fdopen(os.dup(sys.stdin.fileno()), "rb") if file == STANDARD_INPUT else Path(file).open("rb")
