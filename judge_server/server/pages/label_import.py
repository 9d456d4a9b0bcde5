"""/label/import: labels that people gave elsewhere, as a file. The page shows how it reads the columns, and some rows;
the set is stored once somebody has agreed, and never changes."""

import asyncio
import binascii
from base64 import urlsafe_b64decode, urlsafe_b64encode
from collections.abc import Mapping
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any, Final

from fastapi import APIRouter, Request, Response
from pydantic import TypeAdapter, ValidationError

from judge_server.core.audit_queue import SetName
from judge_server.core.errors import BadInput, JudgeServerError
from judge_server.core.rubric import Rubric
from judge_server.labels.archive import described, keep
from judge_server.labels.label_set import LabelSet
from judge_server.labels.readers import read_labels
from judge_server.labels.readers.guessing import GuessedReading, read_guessing, require_once
from judge_server.labels.readers.label_reading import names_in
from judge_server.labels.readers.layout import LONG, Layout
from judge_server.labels.splits import split_by_prompt
from judge_server.server.pages.rendering import SentFile, form_of, page, sent_to
from judge_server.server.pages.shown_import import ShownImport, shown_import
from judge_server.server.service import ServiceHere
from judge_server.wiring.service import Service

router = APIRouter(prefix="/label/import", include_in_schema=False)
_SETS: Final = TypeAdapter(SetName)
_SHARES: Final = {"": None, "fifth": 0.2, "third": 1 / 3}
_COLUMN, _CONSTANT = "column.", "constant."
_MOST_FIELDS: Final = 60
_ROOM: Final = 64 * 1024  # of a form beside its file


@dataclass(frozen=True)
class ImportRequest:
    """What a form asks for. ``layout``: None before anybody has chosen columns."""

    name: str
    file: SentFile
    rubric: str
    test: str
    layout: Layout | None
    agreed: bool

    @property
    def content(self) -> str:
        """The file as the next form sends it back: nothing is kept on the server before somebody agrees."""
        return urlsafe_b64encode(self.file.content).decode("ascii")


@router.get("")
async def form(request: Request) -> Response:
    """Its form is part of the page before."""
    return sent_to(request, "/label#import")


@router.post("")
async def imported(request: Request, service: ServiceHere) -> Response:
    """How the file is read, with a sample; the stored set if the form agrees; or every row that cannot be read."""
    files: dict[str, SentFile] = {}
    fields = await form_of(request, _MOST_FIELDS, files=files)
    asked = _asked(fields, files)
    try:
        reading, names = await _read(service, asked)
        shown = shown_import(reading, names)
        if reading.labels is None or not asked.agreed:
            return _page(request, asked, shown, status=200 if reading.fault is None else reading.fault.status)
        found, share = replace(reading.labels, id=asked.name), _SHARES.get(asked.test)
        whole = found if share is None else split_by_prompt(found, test_share=share)
        await keep(whole, service.store.labels)
    except JudgeServerError as fault:
        return _page(request, asked, None, status=fault.status, fault=fault)
    return _page(request, asked, None, about=described(whole))


def _asked(fields: Mapping[str, str], files: Mapping[str, SentFile]) -> ImportRequest:
    file = files.get("file")
    if file is None:
        try:
            content = urlsafe_b64decode(fields.get("content", ""))
        except (binascii.Error, ValueError):
            content = b""
        file = SentFile(fields.get("filename", ""), content)
    layout = None
    if fields.get("act"):
        columns = {name.removeprefix(_COLUMN): fields[name] for name in fields if name.startswith(_COLUMN)}
        constants = {
            name.removeprefix(_CONSTANT): fields[name].strip() for name in fields if name.startswith(_CONSTANT)
        }
        chosen = {name: column for name, column in columns.items() if column}
        kept = {name: value for name, value in constants.items() if value and name not in chosen}
        layout = Layout(columns=chosen, constants=kept)  # a heading that is the field's own name is found
    return ImportRequest(
        name=fields.get("set", "").strip(),
        file=file,
        rubric=fields.get("rubric", ""),
        test=fields.get("test", ""),
        layout=layout,
        agreed=fields.get("act") == "keep",
    )


async def _read(service: Service, asked: ImportRequest) -> tuple[GuessedReading, list[str]]:
    """Raises BadInput for a form without a name or a file, and UnknownRubric."""
    try:
        _SETS.validate_python(asked.name)
    except ValidationError:
        raise BadInput("The set has no name.", remedy="Name it with letters, digits and . _ / -.") from None
    if not asked.file.content:
        raise BadInput("No file is chosen.", remedy="Choose one with a label in each row.")
    if len(asked.content) + _ROOM > service.settings.max_body_bytes:
        raise BadInput(
            "The file is too large for a page, which sends it twice.", remedy="judge-server calibrate import reads it."
        )
    rubric = await service.rubric_registry.get(asked.rubric) if asked.rubric else None
    return await asyncio.to_thread(_reading, asked.file, rubric, asked.layout)


def _reading(file: SentFile, rubric: Rubric | None, chosen: Layout | None) -> tuple[GuessedReading, list[str]]:
    with TemporaryDirectory() as folder:
        path = Path(folder) / (Path(file.name.replace("\\", "/")).name[-80:] or "file")
        path.write_bytes(file.content)
        names = names_in(path)
        layout = chosen or (LONG if "role" in names else Layout(constants={"role": "human"}))
        require_once(layout.columns)
        return read_guessing(path, layout, partial(_labels, path, rubric), guess=chosen is None), names


def _labels(path: Path, rubric: Rubric | None, layout: Layout) -> LabelSet:
    return read_labels(path, rubric=rubric, layout=layout)


def _page(
    request: Request,
    asked: ImportRequest,
    shown: ShownImport | None,
    *,
    status: int = 200,
    about: Any = None,
    fault: JudgeServerError | None = None,
) -> Response:
    return page(request, "label_import.html", status=status, asked=asked, shown=shown, about=about, fault=fault)
