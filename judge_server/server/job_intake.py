"""Receive a job: its items are stored as they arrive, and the job exists only when all of them are stored."""

import asyncio
import hashlib
import json
import secrets
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from functools import partial
from typing import Any

from judge_server.core.errors import BadInput, JobConflict, StoreUnavailable, TooLarge, UploadStalled
from judge_server.core.job import Job, JobStatus, JobTerms
from judge_server.models.protocol import Priority
from judge_server.server.service import parsed
from judge_server.store.job_records import JobItem, JobRecords, Keyed
from judge_server.util.canonical import canonical_json
from judge_server.util.concurrency import run_periodically
from judge_server.util.parsing import parse_unique_json
from judge_server.util.time_limit import within

_ITEMS_AT_ONCE = 500
_CHARACTERS_AT_ONCE = 1_000_000
_EXTENSIONS_PER_PATIENCE = 6


@dataclass(frozen=True, slots=True)
class JobSize:
    """Limits of one job: items, bytes in all, and bytes of one item."""

    items: int
    total_bytes: int
    item_bytes: int


@dataclass
class Intake:
    """Receives one job. ``key`` is scoped to the caller. ``patience_seconds``: how long the store keeps an upload whose
    server has stopped."""

    records: JobRecords
    limits: JobSize
    terms: JobTerms
    key: str | None
    patience_seconds: float = 60.0
    _digest: Any = field(init=False)

    def __post_init__(self) -> None:
        self.key = None if self.key is None else f"{self.terms.caller} {self.key}"
        self._digest = hashlib.sha256(canonical_json(self.terms.model_dump(mode="json")).encode())

    async def take(self, items: AsyncIterator[str]) -> tuple[Job, bool]:
        """The job, and whether it is new. ``items`` are JSON texts, which may arrive slowly.

        Raises BadInput for a faulty or missing item, TooLarge beyond a limit, JobConflict if the key belongs to a job
        with other content, and UploadStalled if the store dropped the upload; then nothing is kept.
        """
        await self.records.forget_expired()
        known = None if self.key is None else await self.records.keyed(self.key)
        if known is not None:
            return await self._same(known, items), False
        job = Job(
            id=f"job_{secrets.token_hex(12)}",
            status=JobStatus.RECEIVING,
            created_at=datetime.now(UTC),
            terms=self.terms,
        )
        priority = int(Priority[self.terms.priority.upper()])
        await self.records.begin(job, priority=priority, key=self.key, patience_seconds=self.patience_seconds)
        try:
            async with self._extended(job.id):
                total = 0
                async for part in self._parts(items):
                    await self.records.add(job.id, part, patience_seconds=self.patience_seconds)
                    total += len(part)
            return await self._sealed(job.id, total), True
        except BaseException:
            await self.records.discard(job.id)
            raise

    @asynccontextmanager
    async def _extended(self, job_id: str) -> AsyncIterator[None]:
        """Keep the upload alive in the store inside the block."""
        extend = partial(self.records.extend, job_id, patience_seconds=self.patience_seconds)
        pause = partial(asyncio.sleep, self.patience_seconds / _EXTENSIONS_PER_PATIENCE)
        extending = asyncio.create_task(
            run_periodically("an upload", extend, pause, transient=(StoreUnavailable, UploadStalled))
        )
        try:
            yield
        finally:
            extending.cancel()

    async def _sealed(self, job_id: str, total: int) -> Job:
        if not total:
            raise BadInput("items: the list is empty.", remedy="Send at least one submission.")
        return await self.records.seal(job_id, total=total, digest=self._digest.hexdigest())

    async def _same(self, known: Keyed, items: AsyncIterator[str]) -> Job:
        async for _ in self._parts(items):
            pass
        if known.digest is None:
            raise JobConflict(
                "A job with this Idempotency-Key is still being received.",
                remedy="Send the same request again in a minute.",
                retry_after_seconds=self.patience_seconds,
            )
        if known.digest != self._digest.hexdigest():
            raise JobConflict(
                f"This Idempotency-Key belongs to the job {known.job.id}, which has other content.",
                remedy="Use a new key for new content.",
                job=known.job.id,
            )
        return known.job

    async def _parts(self, items: AsyncIterator[str]) -> AsyncIterator[Sequence[JobItem]]:
        part: list[JobItem] = []
        characters = position = 0
        async for text in items:
            if position >= self.limits.items:
                raise TooLarge(
                    f"The job has more than {self.limits.items} items.",
                    remedy="Split it, or raise max_job_items in the server's settings.",
                    max_items=self.limits.items,
                )
            self._digest.update(text.encode("utf-8", "surrogatepass") + b"\n")
            part.append(JobItem(position, text))
            position += 1
            characters += len(text)
            if len(part) >= _ITEMS_AT_ONCE or characters >= _CHARACTERS_AT_ONCE:
                yield part
                part, characters = [], 0
        if part:
            yield part


async def listed(items: Sequence[Any]) -> AsyncIterator[str]:
    """Items of a JSON body."""
    for item in items:
        yield json.dumps(item, separators=(",", ":"), allow_nan=False)


async def lines(chunks: AsyncIterator[bytes], limits: JobSize, silence_seconds: float = 30.0) -> AsyncIterator[str]:
    """Items of a body of JSON Lines as they arrive; blank lines are skipped. Raises BadInput naming the line that is
    not a JSON object, TooLarge, and UploadStalled if nothing arrives for ``silence_seconds``."""
    line = bytearray()
    received = number = 0
    while True:
        try:
            with within(silence_seconds):
                chunk = await anext(chunks, None)
        except TimeoutError:
            raise UploadStalled(
                f"Nothing arrived for {silence_seconds:g} s.", remedy="Send the whole request again, without pauses."
            ) from None
        if chunk is None:
            break
        received += len(chunk)
        if received > limits.total_bytes:
            raise TooLarge(
                f"The upload is larger than {limits.total_bytes} bytes.",
                remedy="Split it, or raise max_job_bytes in the server's settings.",
                max_bytes=limits.total_bytes,
            )
        start = 0
        while (end := chunk.find(b"\n", start)) >= 0:
            line += chunk[start:end]
            number += 1
            if (text := await _text(line, number, limits)) is not None:
                yield text
            line, start = bytearray(), end + 1
        line += chunk[start:]
        if len(line) > limits.item_bytes:
            raise _too_long(number + 1, limits)
    if (text := await _text(line, number + 1, limits)) is not None:
        yield text


async def _text(line: bytearray, number: int, limits: JobSize) -> str | None:
    """A line that holds a JSON object; None for a blank one."""
    if len(line) > limits.item_bytes:
        raise _too_long(number, limits)
    if not line or line.isspace():
        return None
    try:
        content = bytes(line)
        item = await parsed(content, parse_unique_json)
    except ValueError as fault:
        raise BadInput(f"line {number}: {fault}.", remedy="Correct the line; nothing was kept.", line=number) from None
    if not isinstance(item, dict):
        raise BadInput(
            f"line {number}: not a JSON object.", remedy="Each line is one submission; nothing was kept.", line=number
        )
    return content.decode("utf-8").strip()


def _too_long(number: int, limits: JobSize) -> TooLarge:
    return TooLarge(
        f"line {number}: longer than {limits.item_bytes} bytes.",
        remedy="Shorten it, or raise max_body_bytes in the server's settings.",
        max_bytes=limits.item_bytes,
    )
