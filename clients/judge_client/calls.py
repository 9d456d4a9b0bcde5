"""The routes beside scoring, one function each: what is sent, and what the answer means."""

from __future__ import annotations

import uuid
from collections.abc import Callable, Mapping, Sequence
from datetime import datetime
from typing import Any, TypeVar
from urllib.parse import quote

from judge_client.calibration import CalibrationList, CalibrationProgress
from judge_client.exam import ExamList, ExamProgress
from judge_client.exchange import Call
from judge_client.flow import Reply, Request
from judge_client.improvement import ImprovementList, ImprovementProgress
from judge_client.job import Job, JobPage, JobResult
from judge_client.judge import EngineList, EngineStatus, JudgeList, JudgeStatus, Ready
from judge_client.judgment import Judgment
from judge_client.label import Collected, LabelSet, LabelSetList, LabelSetSummary
from judge_client.options import (
    CalibrationOptions,
    CallOptions,
    ExamOptions,
    ImproveOptions,
    JudgmentFilter,
    LabelSetPage,
    SleepOptions,
    WakeOptions,
    checked,
)
from judge_client.rubric import Difference, Published, RubricDocument, RubricEntry, RubricList, Validation
from judge_client.run import RunSummary
from judge_client.sample import encode, samples_of
from judge_client.scoring import JSON, Samples
from judge_client.stored import JudgmentPage, RescoreList, RescoreResult
from judge_client.wire import parse, read

T = TypeVar("T")
RubricText = str | bytes | Mapping[str, Any]
MOST_RESCORED = 10_000
_JOBS = "/v1/jobs"


def _as(kind: type[T]) -> Callable[[Reply], T]:
    return lambda reply: read(kind, parse(reply.content))


def _get(kind: type[T], path: str, **query: Any) -> Call[T]:
    return Call(Request("GET", path, {name: _plain(value) for name, value in query.items()}), _as(kind))


def _post(kind: type[T], path: str, body: Mapping[str, Any]) -> Call[T]:
    given = {name: value for name, value in body.items() if value is not None}
    return Call(Request("POST", path, content=encode(given), headers=JSON), _as(kind))


def _once() -> dict[str, str]:
    """The same on every attempt of one call, so that a server that knows it does the work once."""
    return {"Idempotency-Key": uuid.uuid4().hex}


def _plain(value: Any) -> Any:
    return value.isoformat() if isinstance(value, datetime) else value


def _named(path: str, name: str) -> str:
    return f"{path}/{quote(name, safe='/@')}"


def judgments(**query: Any) -> Call[JudgmentPage]:
    return _get(JudgmentPage, "/v1/judgments", **checked("judgments", query, JudgmentFilter))


def judgment(judgment_id: str) -> Call[Judgment]:
    return _get(Judgment, _named("/v1/judgments", judgment_id))


def rescore(ids: Sequence[str], rubric: str | Mapping[str, Any]) -> Call[tuple[RescoreResult, ...]]:
    call = _post(RescoreList, "/v1/rescore", {"judgments": list(ids), "rubric": rubric})
    return Call(call.request, lambda reply: call.read(reply).results)


def rubrics() -> Call[tuple[RubricEntry, ...]]:
    call = _get(RubricList, "/v1/rubrics")
    return Call(call.request, lambda reply: call.read(reply).rubrics)


def rubric(name: str) -> Call[RubricDocument]:
    return _get(RubricDocument, _named("/v1/rubrics", name))


def publish_rubric(text: RubricText) -> Call[Published]:
    request = Request("POST", "/v1/rubrics", content=_written(text), headers={**_declared(text), **_once()})
    return Call(request, _as(Published))


def validate_rubric(text: RubricText) -> Call[Validation]:
    return Call(
        Request("POST", "/v1/rubrics/validate", content=_written(text), headers=_declared(text)), _as(Validation)
    )


def diff_rubrics(rubric_id: str, old: str, new: str | None) -> Call[Difference]:
    return _get(Difference, f"{_named('/v1/rubrics', rubric_id)}/diff", **{"from": old, "to": new})


def _written(text: RubricText) -> bytes:
    if isinstance(text, Mapping):
        return encode(text, "the rubric")
    return text if isinstance(text, bytes) else text.encode()


def _declared(text: RubricText) -> dict[str, str]:
    return JSON if isinstance(text, Mapping) else {"Content-Type": "application/yaml"}


def judges() -> Call[tuple[JudgeStatus, ...]]:
    call = _get(JudgeList, "/v1/judges")
    return Call(call.request, lambda reply: call.read(reply).judges)


def engines() -> Call[tuple[EngineStatus, ...]]:
    return _engines(_get(EngineList, "/v1/admin/engines"))


def sleep(**options: Any) -> Call[tuple[EngineStatus, ...]]:
    return _engines(_post(EngineList, "/v1/admin/sleep", checked("sleep", options, SleepOptions)))


def wake(**options: Any) -> Call[tuple[EngineStatus, ...]]:
    return _engines(_post(EngineList, "/v1/admin/wake", checked("wake", options, WakeOptions)))


def _engines(call: Call[EngineList]) -> Call[tuple[EngineStatus, ...]]:
    return Call(call.request, lambda reply: call.read(reply).engines)


def add_labels(label_set: str, labels: Sequence[Mapping[str, Any]], *, replace: bool) -> Call[Collected]:
    call = _post(Collected, "/v1/labels", {"label_set": label_set, "labels": list(labels), "replace": replace})
    request = Request("POST", call.request.path, content=call.request.content, headers={**JSON, **_once()})
    return Call(request, call.read)


def label_sets() -> Call[tuple[LabelSetSummary, ...]]:
    call = _get(LabelSetList, "/v1/label-sets")
    return Call(call.request, lambda reply: call.read(reply).label_sets)


def label_set(name: str, **query: Any) -> Call[LabelSet]:
    return _get(LabelSet, _named("/v1/label-sets", name), **checked("label_set", query, LabelSetPage))


def calibrate(labels: str, rubric: str | Mapping[str, Any], **options: Any) -> Call[CalibrationProgress]:
    """A second one would be another calibration: it is sent again only if the first was not begun."""
    body = {"labels": labels, "rubric": rubric, **checked("calibrate", options, CalibrationOptions)}
    call = _post(CalibrationProgress, "/v1/calibrations", body)
    request = Request("POST", call.request.path, content=call.request.content, headers={**JSON, **_once()})
    return Call(request, call.read, repeatable=False)


def calibrations(limit: int, cursor: str | None) -> Call[CalibrationList]:
    return _get(CalibrationList, "/v1/calibrations", limit=limit, cursor=cursor)


def calibration(calibration_id: str) -> Call[CalibrationProgress]:
    return _get(CalibrationProgress, _named("/v1/calibrations", calibration_id))


def examine(**options: Any) -> Call[ExamProgress]:
    """A second one would be another exam: it is sent again only if the first was not begun."""
    call = _post(ExamProgress, "/v1/exams", checked("examine", options, ExamOptions))
    request = Request("POST", call.request.path, content=call.request.content, headers={**JSON, **_once()})
    return Call(request, call.read, repeatable=False)


def exams(judge: str | None, limit: int, cursor: str | None) -> Call[ExamList]:
    return _get(ExamList, "/v1/exams", judge=judge, limit=limit, cursor=cursor)


def exam(exam_id: str) -> Call[ExamProgress]:
    return _get(ExamProgress, _named("/v1/exams", exam_id))


def improve(labels: str, rubric: str | Mapping[str, Any], **options: Any) -> Call[ImprovementProgress]:
    """A second one would be another attempt: it is sent again only if the first was not begun."""
    body = {"labels": labels, "rubric": rubric, **checked("improve", options, ImproveOptions)}
    call = _post(ImprovementProgress, "/v1/improvements", body)
    request = Request("POST", call.request.path, content=call.request.content, headers={**JSON, **_once()})
    return Call(request, call.read, repeatable=False)


def improvements(limit: int, cursor: str | None) -> Call[ImprovementList]:
    return _get(ImprovementList, "/v1/improvements", limit=limit, cursor=cursor)


def improvement(improvement_id: str) -> Call[ImprovementProgress]:
    return _get(ImprovementProgress, _named("/v1/improvements", improvement_id))


def cancel_improvement(improvement_id: str) -> Call[ImprovementProgress]:
    return Call(Request("DELETE", _named("/v1/improvements", improvement_id)), _as(ImprovementProgress))


def improvement_file(improvement_id: str, name: str) -> Call[str]:
    path = _named(f"{_named('/v1/improvements', improvement_id)}/files", name)
    return Call(Request("GET", path), lambda reply: reply.content.decode("utf-8", "replace"))


def begin_job(samples: Samples, key: str | None, **wishes: Any) -> Call[Job]:
    """Lines, of which the server takes more than of JSON; a rubric that is an object has no place beside lines."""
    known = checked("begin_job", wishes, CallOptions)
    asked = {name: value for name, value in known.items() if value is not None}
    headers = _once() if key is None else {"Idempotency-Key": key}
    items = [sample.submission() for sample in samples_of(samples)]
    if isinstance(asked.get("rubric"), Mapping):
        content = encode({**asked, "items": items}, "the job")
        return Call(Request("POST", _JOBS, content=content, headers={**JSON, **headers}), _as(Job))
    content = b"\n".join(encode(item, f"samples[{place}]") for place, item in enumerate(items))
    headers["Content-Type"] = "application/jsonl"
    return Call(Request("POST", _JOBS, asked, content, headers), _as(Job))


def jobs(status: str | None, limit: int, cursor: str | None) -> Call[JobPage]:
    return _get(JobPage, _JOBS, status=status, limit=limit, cursor=cursor)


def job(job_id: str) -> Call[Job]:
    return _get(Job, _named(_JOBS, job_id))


def cancel_job(job_id: str) -> Call[Job]:
    return Call(Request("DELETE", _named(_JOBS, job_id)), _as(Job))


def job_results(job_id: str, after: int) -> Call[list[JobResult]]:
    return Call(Request("GET", f"{_named(_JOBS, job_id)}/results", {"after": after}), _lines)


def _lines(reply: Reply) -> list[JobResult]:
    found = (parse(line) for line in reply.content.splitlines())
    return [read(JobResult, {"index": one.get("index"), "judgment": one}, "result") for one in found]


def run_summary(run: str) -> Call[RunSummary]:
    return _get(RunSummary, "/v1/runs/summary", run=run)


def healthz() -> Call[dict[str, Any]]:
    return _get(dict[str, Any], "/healthz")


def readyz() -> Call[Ready]:
    return _get(Ready, "/readyz")


def metrics() -> Call[str]:
    return Call(Request("GET", "/metrics"), lambda reply: reply.content.decode("utf-8", "replace"))
