"""What a request asks to be done as a job, taken into the store line by line; nothing counts until all of it is in."""

import hashlib
import json
import secrets
from collections.abc import AsyncIterator, Iterator, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

from judge_server.core.errors import BadInput, JobConflict, TooLarge
from judge_server.core.job import Job, JobStatus, JobTerms
from judge_server.models.protocol import Priority
from judge_server.store.job_records import JobItem, JobRecords, Keyed
from judge_server.util.canonical import canonical_json
from judge_server.util.parsing import parse_json

_ITEMS_AT_ONCE = 500
_CHARACTERS_AT_ONCE = 4_000_000
_PATIENCE_SECONDS = 30.0


@dataclass(frozen=True, slots=True)
class Limits:
    """Of one job: items, bytes in all, and bytes of one item."""

    items: int
    total_bytes: int
    item_bytes: int


@dataclass
class Intake:
    """Takes one job in. ``key`` is the caller's own: another's job may have the same."""

    records: JobRecords
    limits: Limits
    terms: JobTerms
    key: str | None
    _digest: Any = field(init=False)

    def __post_init__(self) -> None:
        self.key = None if self.key is None else f"{self.terms.caller} {self.key}"
        self._digest = hashlib.sha256(canonical_json(self.terms.model_dump(mode="json")).encode())

    async def take(self, items: AsyncIterator[str]) -> tuple[Job, bool]:
        """The job, and whether it is new. ``items`` are JSON texts.

        Raises BadInput for a faulty or missing item, TooLarge beyond a limit, and JobConflict where the key stands for
        a job of other content; then nothing is kept.
        """
        for lost in await self.records.expired():
            await self.records.discard(lost)
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
        await self.records.begin(job, priority=priority, key=self.key, patience_seconds=_PATIENCE_SECONDS)
        try:
            total = 0
            async for part in self._parts(items):
                await self.records.add(job.id, part, patience_seconds=_PATIENCE_SECONDS)
                total += len(part)
            return await self._sealed(job.id, total), True
        except BaseException:
            await self.records.discard(job.id)
            raise

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
                retry_after_seconds=_PATIENCE_SECONDS,
            )
        if known.digest != self._digest.hexdigest():
            raise JobConflict(
                f"This Idempotency-Key stands for the job {known.job.id}, which was begun with other content.",
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


async def lines(chunks: AsyncIterator[bytes], limits: Limits) -> AsyncIterator[str]:
    """Items of a body of JSON Lines, as they come in; blank lines are passed over. Raises BadInput naming the line that
    is no JSON object, and TooLarge."""
    rest = bytearray()
    seen = number = 0
    async for chunk in chunks:
        seen += len(chunk)
        if seen > limits.total_bytes:
            raise TooLarge(
                f"The upload is larger than {limits.total_bytes} bytes.",
                remedy="Split it, or raise max_job_bytes in the server's settings.",
                max_bytes=limits.total_bytes,
            )
        rest += chunk
        whole, newline, tail = rest.rpartition(b"\n")
        if newline:
            for line in whole.split(b"\n"):
                number += 1
                for text in _text(line, number, limits):
                    yield text
            rest = tail
        elif len(rest) > limits.item_bytes:
            raise _too_long(number + 1, limits)
    for text in _text(rest, number + 1, limits):
        yield text


def _text(line: bytes | bytearray, number: int, limits: Limits) -> Iterator[str]:
    if len(line) > limits.item_bytes:
        raise _too_long(number, limits)
    if not line.strip():
        return
    try:
        item = parse_json(bytes(line))
    except ValueError as fault:
        raise BadInput(f"line {number}: {fault}.", remedy="Correct the line; nothing was kept.", line=number) from None
    if not isinstance(item, dict):
        raise BadInput(
            f"line {number}: not a JSON object.", remedy="Each line is one submission; nothing was kept.", line=number
        )
    yield bytes(line).decode("utf-8").strip()


def _too_long(number: int, limits: Limits) -> TooLarge:
    return TooLarge(
        f"line {number}: longer than {limits.item_bytes} bytes.",
        remedy="Shorten it, or raise max_body_bytes in the server's settings.",
        max_bytes=limits.item_bytes,
    )
