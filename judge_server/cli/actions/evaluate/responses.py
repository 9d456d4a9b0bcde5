"""Where an evaluation's responses come from: the rows, physicians, a file, or a model that writes them."""

import asyncio
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final, Protocol

import typer

from judge_server.authoring.interchange.row import submission_of
from judge_server.authoring.interchange.tracked import tracked
from judge_server.cli.actions.evaluate.kept_responses import KeptResponses
from judge_server.cli.actions.evaluate.rows import EvaluationRow
from judge_server.cli.actions.rubric_exchange import records_in
from judge_server.cli.actions.score_input import RESPONSES
from judge_server.cli.options import is_file
from judge_server.core.errors import BadInput
from judge_server.models.policy_server import PolicyServer, WritingOptions, create
from judge_server.settings.settings import Settings
from judge_server.util.canonical import digest
from judge_server.util.wording import many

ROWS: Final = "rows"
IDEAL: Final = "ideal"
REFERENCES: Final = "references"
_PHYSICIANS: Final = {IDEAL: "ideal_completion", REFERENCES: "ideal_completions_ref_completions"}


class ResponseSource(Protocol):
    """``name`` is told in tables and judgments. A row without a response is left out."""

    @property
    def name(self) -> str: ...

    async def responses(self, row: EvaluationRow) -> Sequence[Any]:
        """Texts, or lists of messages. Raises JudgeFailure if a model cannot write one."""


class RowResponses:
    """Those that the rows hold."""

    name = ROWS

    async def responses(self, row: EvaluationRow) -> Sequence[Any]:
        return _held(row.record)


@dataclass(frozen=True)
class PhysicianResponses:
    """HealthBench's physicians wrote the ``ideal`` ones, some from ``references`` that models wrote."""

    name: str

    async def responses(self, row: EvaluationRow) -> Sequence[Any]:
        data = row.record.get("ideal_completions_data")
        found = data.get(_PHYSICIANS[self.name]) if isinstance(data, Mapping) else None
        return [found] if isinstance(found, str) else found if isinstance(found, list) else []


class FileResponses:
    """JSON lines of a response with the id or the prompt of its row; simple-evals' results too."""

    def __init__(self, path: Path) -> None:
        self.name = path.name
        self._by_id: dict[str, list[Any]] = {}
        self._by_prompt: dict[str, list[Any]] = {}
        for where, record in records_in(path):
            for one in _results(record):
                self._note(one, where)

    def _note(self, record: Any, where: str) -> None:
        held = submission_of(tracked(record))
        found = _held(record) if isinstance(record, Mapping) else []
        if not found or not ({"id", "prompt"} & held.keys()):
            raise BadInput(
                f"{where} is no response: it needs one of {', '.join(RESPONSES)}, and prompt_id (or id) or prompt.",
                remedy='Write lines such as {"prompt_id": "…", "completion": "…"}.',
            )
        if "id" in held:
            self._by_id.setdefault(str(held["id"]), []).extend(found)
        else:
            self._by_prompt.setdefault(digest(held["prompt"]), []).extend(found)

    async def responses(self, row: EvaluationRow) -> Sequence[Any]:
        named = self._by_id.get(str(row.held["id"])) if "id" in row.held else None
        return named or self._by_prompt.get(digest(row.prompt)) or []


@dataclass(frozen=True)
class WrittenResponses:
    """A model writes ``samples`` responses to each row, unless it did before."""

    name: str
    server: PolicyServer
    writing: WritingOptions
    samples: int
    kept: KeptResponses

    async def responses(self, row: EvaluationRow) -> Sequence[Any]:
        return await asyncio.gather(*(self._response(row, number) for number in range(self.samples)))

    async def _response(self, row: EvaluationRow, number: int) -> str:
        messages = row.prompt if isinstance(row.prompt, list) else [{"role": "user", "content": row.prompt}]
        writing = self.writing
        if writing.seed is not None:
            writing = writing.model_copy(update={"seed": writing.seed + number})
        key = digest([self.name, messages, writing.model_dump(exclude_none=True), number])
        if (known := self.kept.known.get(key)) is not None:
            return known
        completion = await self.server.respond(messages, writing)
        about = {"id": row.held["id"]} if "id" in row.held else {"prompt": row.prompt}
        self.kept.add(key, {**about, "model": self.name}, completion)
        return completion.text


@dataclass(frozen=True)
class WritingPlan:
    """How a model writes. ``keep``: the file that holds what it wrote."""

    writing: WritingOptions
    samples: int
    keep: Path | None


@asynccontextmanager
async def opened_source(named: str, settings: Settings, plan: WritingPlan) -> AsyncIterator[ResponseSource]:
    """``rows``, ``ideal``, ``references``, a file, a configured judge's name, or a model's specification. Raises
    BadInput, BadConfiguration or ModelUnavailable."""
    if named == ROWS:
        yield RowResponses()
    elif named in _PHYSICIANS:
        yield PhysicianResponses(named)
    elif is_file(named):
        yield FileResponses(Path(named))
    else:
        configured = settings.judges.get(named)
        if configured is None and ":" not in named:
            raise BadInput(
                f"{named!r} is no file of responses, no model and no configured judge.",
                remedy="Give a file of JSON lines, openai:NAME@URL, rows, ideal or references.",
            )
        model, options = (named, {}) if configured is None else (configured.model or "", configured.engine)
        server = create(model, options)
        with KeptResponses(plan.keep) as kept:
            if plan.keep is not None and kept.known:
                known = many(len(kept.known), "response")
                typer.echo(f"{plan.keep} holds {known}: what was asked like this is not asked again", err=True)
            await server.start()
            try:
                yield WrittenResponses(named, server, plan.writing, plan.samples, kept)
            finally:
                await server.close()


def _held(record: Mapping[str, Any]) -> list[Any]:
    """What stands in the first field for responses that is not empty."""
    found = next((record[name] for name in RESPONSES if record.get(name)), None)
    return [] if found is None else [found]


def _results(record: Any) -> list[Any]:
    """The lines of a record: of simple-evals' results, its examples."""
    metadata = record.get("metadata") if isinstance(record, Mapping) else None
    examples = metadata.get("example_level_metadata") if isinstance(metadata, Mapping) else None
    if isinstance(examples, list):
        return examples
    return record if isinstance(record, list) else [record]
