"""What a model wrote in an evaluation, kept line by line, so that a run that was ended goes on."""

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any, TextIO

from judge_server.core.errors import BadConfiguration
from judge_server.models.protocol import Completion
from judge_server.util.parsing import parse_json


class KeptResponses:
    """A context manager. ``known``: texts by what was asked; ``truncated``: responses that the token limit ended.
    Without a ``path`` nothing is kept."""

    def __init__(self, path: Path | None) -> None:
        self._path = path
        self._file: TextIO | None = None
        self.known: dict[str, str] = {}
        self.truncated = 0

    def __enter__(self) -> "KeptResponses":
        if self._path is None:
            return self
        try:
            before = self._path.read_text("utf-8") if self._path.exists() else ""
            for line in before.splitlines():
                self._note(line)
            self._file = self._path.open("a", encoding="utf-8")
            self._file.write("\n" if before and not before.endswith("\n") else "")
        except OSError as fault:
            raise BadConfiguration(
                f"{self._path}: {fault.strerror}.", remedy="Name another file with --keep."
            ) from None
        return self

    def __exit__(self, *_: object) -> None:
        if self._file is not None:
            self._file.close()

    def _note(self, line: str) -> None:
        try:
            kept = parse_json(line)
            self.known[kept["asked"]] = kept["response"]
        except (ValueError, KeyError, TypeError):
            return  # the line that a kill cut off

    def add(self, asked: str, row: Mapping[str, Any], completion: Completion) -> None:
        """Written at once, as a line of a file of responses. ``row``: the id or the prompt that it answers."""
        self.truncated += completion.truncated
        self.known[asked] = completion.text
        if self._file is not None:
            kept = {**row, "response": completion.text, "truncated": completion.truncated, "asked": asked}
            self._file.write(json.dumps(kept, ensure_ascii=False) + "\n")
            self._file.flush()
