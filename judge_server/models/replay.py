"""Answers replayed from a file, and the recorder that writes such files from any other model."""

import asyncio
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any, TextIO, TypeVar

from pydantic import ValidationError

from judge_server.core.errors import BadConfiguration, JudgeFailure, ModelUnavailable
from judge_server.core.model import Frozen
from judge_server.models.protocol import Capabilities, Completion, Model, Request
from judge_server.models.recording_format import Recording, RecordingEntry, RecordingHeader, key_of
from judge_server.models.registry import read_options

LineT = TypeVar("LineT", RecordingHeader, RecordingEntry)


class RecordedOptions(Frozen):
    """There are no options."""


def create(rest: str, options: Mapping[str, Any]) -> "Replay":
    """A model from the name of a file. Raises BadConfiguration."""
    read_options(RecordedOptions, "recorded", options)
    if not rest.strip():
        raise BadConfiguration("The recorded model has no file.", remedy="Write recorded:FILE.")
    return Replay(Path(rest.strip()))


class Replay:
    """A Model that replays recorded answers, under the name of the model that gave them."""

    def __init__(self, path: Path) -> None:
        self.name = path.stem
        self.revision = ""
        self.notice: str | None = None
        self.capacity = 1_024
        self.capabilities = Capabilities(logprobs=False, structured=False)
        self._path = path
        self._recording: Recording | None = None

    async def start(self) -> None:
        """Read the file. Raises BadConfiguration that names the first unusable line."""
        recording = await asyncio.to_thread(read_recording, self._path)
        model = recording.model
        self.name, self.revision = model.name, model.revision
        self.notice = f"These answers of {model.name!r} are replayed from a recording. {model.notice or ''}".strip()
        self.capabilities = Capabilities(
            model.logprobs,
            model.structured,
            model.context_tokens,
            model.relisting,
            model.limits,
            model.decisions,
        )
        self._recording = recording

    async def complete(self, request: Request) -> Completion:
        if self._recording is None:
            raise ModelUnavailable(f"The recording {self._path} is not read yet.", remedy="Start the model first.")
        entry = self._recording.entries.get(key_of(request))
        if entry is None:
            raise ModelUnavailable(
                f"The recording {self._path} holds no answer to this request.",
                remedy="Record it; rubric, prompts, mode, sampling and material must be those of the recording.",
            )
        return entry.replayed()

    async def healthy(self) -> bool:
        return self._recording is not None

    async def close(self) -> None:
        self._recording = None


class Recorder:
    """A Model that asks another one and appends each answer to a file. Failures are not recorded."""

    def __init__(self, model: Model, path: Path) -> None:
        self.model = model
        self._path = path
        self._file: TextIO | None = None

    @property
    def name(self) -> str:
        return self.model.name

    @property
    def revision(self) -> str:
        return self.model.revision

    @property
    def notice(self) -> str | None:
        return self.model.notice

    @property
    def capacity(self) -> int:
        return self.model.capacity

    @property
    def capabilities(self) -> Capabilities:
        """Without batches: each answer is recorded under its own question."""
        return replace(self.model.capabilities, label_batch=0)

    async def start(self) -> None:
        """Start the model and open the file, which is new or of the same model. Raises BadConfiguration."""
        await self.model.start()
        if self._file is None:
            self._file = await asyncio.to_thread(self._open)

    async def complete(self, request: Request) -> Completion:
        completion = await self.model.complete(request)
        if self._file is None:
            raise ModelUnavailable(f"The recording {self._path} is not open.", remedy="Start the model first.")
        if any(isinstance(one, JudgeFailure) for one in completion.decisions):
            return completion
        self._file.write(RecordingEntry.of(request, completion).model_dump_json() + "\n")
        self._file.flush()
        return completion

    async def healthy(self) -> bool:
        return self._file is not None and await self.model.healthy()

    async def close(self) -> None:
        file, self._file = self._file, None
        if file is not None:
            file.close()
        await self.model.close()

    def _open(self) -> TextIO:
        header = RecordingHeader.of(self.model)
        try:
            fresh = not self._path.exists() or self._path.stat().st_size == 0
            if not fresh and read_recording(self._path).model != header.model:
                raise BadConfiguration(
                    f"The recording {self._path} is of another model than {self.name!r}.",
                    remedy="Record into a new file.",
                )
            file = self._path.open("a", encoding="utf-8")
        except OSError as error:
            raise _unreadable(self._path, error) from None
        if fresh:
            file.write(header.model_dump_json() + "\n")
        return file


def read_recording(path: Path) -> Recording:
    """The whole file; if a request has several answers, the last one counts. Raises BadConfiguration."""
    try:
        lines = path.read_text("utf-8").split("\n")
    except (OSError, UnicodeDecodeError) as error:
        raise _unreadable(path, error) from None
    header = _line(RecordingHeader, lines[0], path, 1)
    entries = [_line(RecordingEntry, line, path, number) for number, line in enumerate(lines[1:], 2) if line.strip()]
    return Recording(header.model, {entry.key: entry for entry in entries})


def _line(kind: type[LineT], line: str, path: Path, number: int) -> LineT:
    try:
        return kind.model_validate_json(line)
    except ValidationError as error:
        first = error.errors(include_url=False, include_input=False)[0]
        field = ".".join(str(part) for part in first["loc"])
        raise BadConfiguration(
            f"{path}, line {number}: {f'{field}: ' if field else ''}{first['msg']}.",
            remedy="The first line names the model, every other one holds key and completion. Record the file anew.",
        ) from None


def _unreadable(path: Path, error: Exception) -> BadConfiguration:
    why = error.strerror if isinstance(error, OSError) else "it is not UTF-8 text"
    return BadConfiguration(f"The recording {path} cannot be used: {why}.", remedy="Name a file made by a recorder.")
