"""The results of a run so far, so that an interrupted run can resume."""

from pathlib import Path
from typing import TextIO

from pydantic import ValidationError

from judge_server.authoring.writing import replace_file
from judge_server.calibration.run_rows import ItemRows
from judge_server.core.errors import BadConfiguration
from judge_server.core.model import Frozen


class Heading(Frozen):
    """What the rows depend on. A journal with another heading belongs to another run."""

    judge: str
    fingerprint: str
    rubric: str
    labels: str
    split: str
    maps: str | None = None


class Journal:
    """``OUT.partial.jsonl``: the heading, then a line for each item. A context manager; ``finish`` deletes it."""

    def __init__(self, out: Path, heading: Heading) -> None:
        self.path = out.with_name(out.name + ".partial.jsonl")
        self._heading = heading
        self._file: TextIO | None = None
        self.known: dict[str, ItemRows] = {}

    def __enter__(self) -> "Journal":
        try:
            self.known = self._read()
            kept = [self._heading.model_dump_json(), *map(_line, self.known.values())]
            replace_file(self.path, "\n".join(kept) + "\n")  # a kill leaves the old file or the new one
            self._file = self.path.open("a", encoding="utf-8")
        except OSError as fault:
            raise BadConfiguration(
                f"{self.path} cannot be written: {fault.strerror}.", remedy="Name another file with --out."
            ) from None
        return self

    def __exit__(self, *_: object) -> None:
        if self._file is not None:
            self._file.close()

    def add(self, rows: ItemRows) -> None:
        """Write an item at once. Items for which the judge could not be reached are not kept, so that they are asked
        again."""
        if self._file is not None and rows.complete:
            self._file.write(_line(rows) + "\n")
            self._file.flush()

    def finish(self) -> None:
        self.path.unlink(missing_ok=True)

    def _read(self) -> dict[str, ItemRows]:
        """Empty if the journal belongs to another run; an incomplete last line is skipped."""
        if not self.path.exists():
            return {}
        first, *lines = self.path.read_text("utf-8").splitlines() or [""]
        try:
            if Heading.model_validate_json(first) != self._heading:
                return {}
        except ValidationError:
            return {}
        known = {}
        for line in lines:
            try:
                rows = ItemRows.model_validate_json(line)
            except ValidationError:
                continue
            known[rows.item] = rows
        return known


def _line(rows: ItemRows) -> str:
    return rows.model_dump_json(exclude_defaults=True)
