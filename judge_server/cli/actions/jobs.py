"""Client of a running server's job routes."""

import json
import sys
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from types import TracebackType
from typing import Any, BinaryIO, NoReturn, Self

import httpx
import typer
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn, TimeRemainingColumn
from rich.table import Table

from judge_server.cli.actions.judgment_table import is_table, write_table
from judge_server.cli.actions.row_file import written
from judge_server.cli.running import fail
from judge_server.core.errors import BadInput, BadSubmission, MissingDependency
from judge_server.core.rubric import Rubric
from judge_server.util.parsing import read_json
from judge_server.util.proxy import proxy_of, via
from judge_server.util.wording import money

_LOOK_SECONDS = 0.5
_PATIENCE_SECONDS = 60.0
_ENDED = ("done", "cancelled")
_SPENT = ("judgments", "calls", "prompt_tokens", "cached_tokens", "completion_tokens", "dollars")


class Jobs:
    """The job routes of one server. A refusal ends the command with the server's message."""

    def __init__(self, url: str, api_key: str | None) -> None:
        headers = {"Authorization": f"Bearer {api_key}"} if api_key else {}
        self._url = url.rstrip("/")
        self._proxy = proxy_of(self._url)
        self._client = httpx.Client(
            base_url=self._url,
            headers=headers,
            timeout=httpx.Timeout(60, connect=5),
            proxy=self._proxy,
            transport=None if self._proxy else httpx.HTTPTransport(),  # httpx itself sends loopback through a proxy
        )

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, fault: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._client.close()

    def submit(self, file: Path, wishes: Mapping[str, Any], key: str | None) -> dict[str, Any]:
        headers = {"Content-Type": "application/jsonl"} | ({"Idempotency-Key": key} if key else {})
        given = {name: value for name, value in wishes.items() if value is not None}
        with _content(file) as content:
            return self._answer("POST", "/v1/jobs", params=given, content=content, headers=headers)

    def listed(self, status: str | None, limit: int) -> list[dict[str, Any]]:
        params = {"limit": limit} | ({"status": status} if status else {})
        jobs: list[dict[str, Any]] = self._answer("GET", "/v1/jobs", params=params)["jobs"]
        return jobs

    def found(self, job_id: str) -> dict[str, Any]:
        return self._answer("GET", f"/v1/jobs/{job_id}")

    def cancelled(self, job_id: str) -> dict[str, Any]:
        return self._answer("DELETE", f"/v1/jobs/{job_id}")

    def wait(self, job_id: str) -> dict[str, Any]:
        """Tolerates a server that is unreachable for less than a minute."""
        job = self.found(job_id)
        columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeElapsedColumn())
        console = Console(stderr=True)
        with Progress(*columns, TimeRemainingColumn(), console=console, disable=not console.is_terminal) as progress:
            bar = progress.add_task(job_id, total=job["total"])
            while job["status"] not in _ENDED:
                progress.update(bar, completed=_finished(job))
                time.sleep(_LOOK_SECONDS)
                job = self._found_again(job_id)
            progress.update(bar, completed=_finished(job))
        return job

    def results(self, job_id: str, output: Path | None) -> None:
        """As JSON lines, or as a Parquet file if ``output`` is named so."""
        try:
            with self._client.stream("GET", f"/v1/jobs/{job_id}/results") as answer:
                if answer.is_error:
                    answer.read()
                    _refused(answer)
                if output is not None and is_table(output):
                    write_table(output, answer.iter_lines())
                    return
                with written("-" if output is None else str(output)) as stream:
                    for chunk in answer.iter_bytes():
                        stream.write(chunk)
        except (BadInput, MissingDependency) as fault:
            fail(f"{fault.detail} {fault.remedy or ''}".strip())
        except OSError as fault:
            fail(f"--output {output}: {fault.strerror or fault}.")
        except httpx.HTTPError as fault:
            self._silent(fault)

    def cost(self, job_id: str) -> dict[str, dict[str, float]]:
        """What the judgments so far cost, by rubric: judgments, tokens, calls and dollars."""
        found: dict[str, dict[str, float]] = {}
        try:
            with self._client.stream("GET", f"/v1/jobs/{job_id}/results") as answer:
                if answer.is_error:
                    answer.read()
                    _refused(answer)
                for line in answer.iter_lines():
                    _add_cost(found, read_json(line))
        except httpx.HTTPError as fault:
            self._silent(fault)
        return found

    def _found_again(self, job_id: str) -> dict[str, Any]:
        give_up = time.monotonic() + _PATIENCE_SECONDS
        while True:
            try:
                answer = self._client.get(f"/v1/jobs/{job_id}")
                if answer.status_code < 500 or time.monotonic() > give_up:
                    return _read(answer)
            except httpx.TransportError as fault:
                if time.monotonic() > give_up:
                    fail(f"{self._url}{via(self._proxy)} does not answer: {fault}.")
            time.sleep(_LOOK_SECONDS)

    def _answer(self, method: str, path: str, **more: Any) -> dict[str, Any]:
        try:
            return _read(self._client.request(method, path, **more))
        except httpx.HTTPError as fault:
            self._silent(fault)

    def _silent(self, fault: httpx.HTTPError) -> NoReturn:
        fail(
            f"{self._url}{via(self._proxy)} does not answer: {fault}. Is judge-server serve running there? "
            "Name another with --url."
        )


def show(jobs: Sequence[Mapping[str, Any]], as_json: bool) -> None:
    if as_json:
        for job in jobs:
            typer.echo(json.dumps(job))
        return
    table = Table("job", "status", "finished", "ok", "partial", "failed", "created")
    for job in jobs:
        finished = f"{_finished(job)} of {job['total']}"
        counts = (str(job[name]) for name in ("ok", "partial", "failed"))
        table.add_row(job["id"], job["status"], finished, *counts, job["created_at"])
    Console().print(table)


def show_cost(found: Mapping[str, Mapping[str, float]], as_json: bool) -> None:
    if as_json:
        typer.echo(json.dumps(found))
        return
    table = Table("rubric", *(name.replace("_", " ") for name in _SPENT))
    for rubric, spent in found.items():
        table.add_row(rubric, *(money(spent[name]) if name == "dollars" else f"{spent[name]:.0f}" for name in _SPENT))
    Console().print(table)


def _add_cost(found: dict[str, dict[str, float]], judgment: Mapping[str, Any]) -> None:
    rubric = judgment.get("rubric") or {}
    spent = found.setdefault(str(rubric.get("id", "none")), dict.fromkeys(_SPENT, 0.0))
    spent["judgments"] += 1
    for name, amount in (judgment.get("usage") or {}).items():
        if name in spent:
            spent[name] += amount


def _finished(job: Mapping[str, Any]) -> int:
    return int(job["ok"] + job["partial"] + job["failed"])


def _read(answer: httpx.Response) -> dict[str, Any]:
    if answer.is_error:
        _refused(answer)
    body: dict[str, Any] = answer.json()
    return body


def _refused(answer: httpx.Response) -> None:
    try:
        problem = answer.json()
        words = f"{problem.get('detail', '')} {problem.get('remedy', '')}".strip()
    except (ValueError, AttributeError):
        words = answer.text[:500]
    fail(f"{answer.status_code}: {words}")


@contextmanager
def _content(file: Path) -> Iterator[Iterator[bytes]]:
    """What is sent: lines as they are, records of any other file or folder as JSON lines. Ends the command if there is
    something that cannot be read; a server keeps nothing of an upload that does not end."""
    from judge_server.cli.actions.score_input import is_plain_lines

    if str(file) == "-":
        yield _chunks(sys.stdin.buffer)
        return
    try:
        if not is_plain_lines(str(file)):
            yield _lines(str(file))
            return
        with file.open("rb") as stream:
            yield _chunks(stream)
    except OSError as fault:
        fail(f"{file}: {fault.strerror}.")
    except BadInput as fault:
        fail(f"{fault.detail} {fault.remedy or ''}".strip())


def _lines(file: str) -> Iterator[bytes]:
    from judge_server.cli.actions.score_input import ForeignRows, records

    rows = ForeignRows()
    for number, line in enumerate(records(file, rows), 1):
        if line.fault is not None:
            raise line.fault
        try:
            yield json.dumps(line.item, ensure_ascii=False, default=_plain).encode() + b"\n"
        except BadSubmission as fault:
            raise BadSubmission(f"Submission {number} of {file}: {fault.detail}", remedy=fault.remedy) from None
    if told := rows.summary():
        typer.echo(told, err=True)


def _plain(value: Any) -> Any:
    if isinstance(value, Rubric):
        return value.model_dump(mode="json", exclude_defaults=True)
    raise BadSubmission(
        f"a {type(value).__name__} is no member of a submission.", remedy="Write texts, numbers, lists and objects."
    )


def _chunks(stream: BinaryIO) -> Iterator[bytes]:
    while chunk := stream.read(256 * 1024):
        yield chunk
