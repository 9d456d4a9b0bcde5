"""POST /label/import: labels that people gave elsewhere, as a file, become a set that never changes."""

import asyncio
from collections.abc import Mapping
from dataclasses import replace
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
from judge_server.labels.readers.label_reading import names_in
from judge_server.labels.readers.layout import LONG, Layout
from judge_server.labels.splits import split_by_prompt
from judge_server.server.pages.rendering import SentFile, form_of, page
from judge_server.server.service import ServiceHere
from judge_server.wiring.service import Service

router = APIRouter(prefix="/label/import", include_in_schema=False)
_SETS: Final = TypeAdapter(SetName)
_SHOWN: Final = 20
_SHARES: Final = {"": None, "fifth": 0.2, "third": 1 / 3}


@router.post("")
async def imported(request: Request, service: ServiceHere) -> Response:
    """The set that was stored, or every row that cannot be read."""
    files: dict[str, SentFile] = {}
    fields = await form_of(request, files=files)
    name = fields.get("set", "").strip()
    try:
        found = await _read(service, fields, files.get("file", SentFile("", b"")))
        await keep(found, service.store.labels)
    except JudgeServerError as fault:
        return _told(request, name, status=fault.status, fault=fault)
    return _told(request, name, about=described(found))


async def _read(service: Service, fields: Mapping[str, str], file: SentFile) -> LabelSet:
    """Raises BadInput whose ``findings`` name rows, and UnknownRubric."""
    try:
        name = _SETS.validate_python(fields.get("set", "").strip())
    except ValidationError:
        raise BadInput("The set has no name.", remedy="Name it with letters, digits and . _ / -.") from None
    if not file.content:
        raise BadInput("No file is chosen.", remedy="Choose one with a label in each row.")
    given, share = fields.get("rubric", ""), _SHARES.get(fields.get("test", ""))
    rubric = await service.rubric_registry.get(given) if given else None
    found = replace(await asyncio.to_thread(_labels, file, rubric), id=name)
    return found if share is None else split_by_prompt(found, test_share=share)


def _labels(file: SentFile, rubric: Rubric | None) -> LabelSet:
    with TemporaryDirectory() as folder:
        path = Path(folder) / (Path(file.name.replace("\\", "/")).name[-80:] or "file")
        path.write_bytes(file.content)
        named = names_in(path)
        layout = LONG if "role" in named else Layout(constants={"role": "human"})
        return read_labels(path, rubric=rubric, layout=layout)


def _told(
    request: Request, name: str, *, status: int = 200, about: Any = None, fault: JudgeServerError | None = None
) -> Response:
    findings = () if fault is None else fault.extensions.get("findings") or ()
    more = 0 if fault is None else fault.extensions.get("count", len(findings)) - _SHOWN
    return page(
        request,
        "label_import.html",
        status=status,
        name=name,
        about=about,
        fault=fault,
        findings=[{"row": "", "column": "", "suggestion": "", **one} for one in findings[:_SHOWN]],
        more=max(more, 0),
    )
