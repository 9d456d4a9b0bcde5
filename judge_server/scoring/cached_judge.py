"""Answers of judges: read from the cache (the most recent in the process, others in the store), shared with a call in
flight, or asked and then cached.

Criteria, comparisons within a group and graders all ask through ``CachedJudge``. The cache key covers judge, question
and input; only usable readings are cached."""

import asyncio
import hashlib
import logging
from collections import defaultdict
from collections.abc import Callable, Coroutine, Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache, partial
from math import inf
from typing import Any, Protocol

from judge_server.core.criterion import Choice, Judged
from judge_server.core.erasure import NO_SOURCES, Sources
from judge_server.core.errors import BudgetSpent, DeadlineExceeded, JudgeFailure, ModelUnavailable
from judge_server.core.judgment import Usage
from judge_server.core.step import Step
from judge_server.core.verdict import Failure, Verdict, VerdictStatus
from judge_server.judging.answer import Answer, Judge, Reading, Terms, content_of, failed, reading_of
from judge_server.judging.judge_input import JudgeInput
from judge_server.models.reserved import RESERVED_DIGEST
from judge_server.scheduling.single_flight import Claims, Share, SingleFlight
from judge_server.scoring.plan import Question
from judge_server.util.concurrency import in_steps
from judge_server.util.log_throttle import LogThrottle
from judge_server.util.lru import BoundedCache
from judge_server.util.time_limit import within

_LOG = logging.getLogger(__name__)
SHOWN_DIGITS = 32
_TIMEOUT = failed(Failure.of(DeadlineExceeded("The deadline passed before the judge answered.")))


class Memory(Protocol):
    """Persistent storage of readings: the store."""

    async def recall(self, keys: Sequence[str]) -> Mapping[str, Mapping[str, Any]]: ...

    def keep(self, entries: Mapping[str, Mapping[str, Any]], sources: Sources) -> "asyncio.Future[None]":
        """Queue ``entries`` to be written; the future says how it went."""


def cache_key(fingerprint: str, criterion: Judged, material: JudgeInput) -> str:
    """Everything that determines a reading, in 64 hexadecimal digits: what was shown, then who was asked what."""
    return material.digest[:SHOWN_DIGITS] + _asked_digits(fingerprint, criterion.question_digest)


@lru_cache(maxsize=8_192)  # the questions of a rubric are asked about every response
def _asked_digits(fingerprint: str, question: str) -> str:
    asked = f"{fingerprint}\n{RESERVED_DIGEST}\n{question}"
    return hashlib.sha256(asked.encode()).hexdigest()[:-SHOWN_DIGITS]


class VerdictCache:
    """The most recent readings in the process, the rest in the memory behind it.

    If the memory fails or takes longer than ``seconds``, the cause is logged and the judge is asked. ``size``: readings
    kept in the process."""

    def __init__(self, memory: Memory | None = None, size: int = 100_000) -> None:
        self._memory = memory
        self._recent: BoundedCache[str, Reading] = BoundedCache(size)
        self._throttle = LogThrottle()

    def __len__(self) -> int:
        return len(self._recent)

    def contents(self, keys: Sequence[str]) -> dict[str, dict[str, Any]]:
        """The readings that are in this process, as JSON objects."""
        found = {key: self._recent.get(key) for key in keys}
        return {key: content_of(reading) for key, reading in found.items() if reading is not None}

    def forget(self, keys: Iterable[str]) -> None:
        """Drop all readings of what was shown under ``keys`` from the process; the owner of the memory erases that."""
        shown = {key[:SHOWN_DIGITS] for key in keys}
        for key in [one for one in self._recent if one[:SHOWN_DIGITS] in shown]:
            self._recent.discard(key)

    async def recall(self, keys: Sequence[str], seconds: float | None = None) -> dict[str, Reading]:
        """The known readings among ``keys``."""
        found: dict[str, Reading] = {}
        unknown: list[str] = []
        for key in keys:
            reading = self._recent.get(key)
            if reading is None:
                unknown.append(key)
            else:
                found[key] = reading
        if unknown:
            for key, content in (await self._recalled(unknown, seconds)).items():
                try:
                    found[key] = reading_of(content)
                except (KeyError, TypeError, ValueError):
                    _LOG.warning("the remembered verdict %s cannot be read", key)
                else:
                    self._recent.put(key, found[key])
        return found

    def remember(self, readings: Mapping[str, Reading], sources: Sources = NO_SOURCES) -> None:
        """Keep ``readings``. Nobody waits until they are written: the judgment that is saved after them goes into the
        same commit or a later one."""
        for key, reading in readings.items():
            self._recent.put(key, reading)
        if readings and self._memory is not None:
            entries = {key: content_of(reading) for key, reading in readings.items()}
            try:
                self._memory.keep(entries, sources).add_done_callback(self._written)
            except Exception as fault:  # noqa: BLE001 - a cache that fails costs work, not correctness
                self._failed("written", fault)

    def _written(self, done: "asyncio.Future[None]") -> None:
        fault = None if done.cancelled() else done.exception()
        if fault is not None:
            self._failed("written", fault)

    async def _recalled(self, keys: Sequence[str], seconds: float | None) -> Mapping[str, Mapping[str, Any]]:
        """What the memory knows; nothing if it fails or takes too long."""
        if self._memory is None or seconds == 0:
            return {}
        try:
            with within(seconds):
                return await self._memory.recall(keys)
        except TimeoutError:
            return {}
        except Exception as fault:  # noqa: BLE001 - a cache that fails costs work, not correctness
            self._failed("read", fault)
            return {}

    def _failed(self, done: str, fault: BaseException) -> None:
        more = self._throttle.of(done)
        if more is not None:
            _LOG.warning("verdicts could not be %s: %s%s", done, fault, more)


@dataclass(frozen=True, slots=True)
class JudgeCall:
    """One call of a judge. ``keys``: the cache key of each answer of ``ask``, in order; ``sources``: the question's."""

    judge: str
    keys: tuple[str, ...]
    ask: Callable[[], Coroutine[Any, Any, tuple[Answer, ...]]]
    sources: tuple[bytes, ...] = ()

    @property
    def key(self) -> str:
        return self.keys[0] if len(self.keys) == 1 else "\n".join(self.keys)


@dataclass(frozen=True, slots=True)
class Answers:
    """By key: readings from the cache, and answers of judges that arrived before the deadline."""

    known: Mapping[str, Reading]
    fresh: Mapping[str, Answer]

    def of(self, key: str) -> Answer:
        """A failure with type ``timeout`` if no answer came in time."""
        reading = self.known.get(key)
        return self.fresh.get(key, _TIMEOUT) if reading is None else Answer(reading=reading)

    @property
    def usage(self) -> Usage:
        return Usage.total([answer.usage for answer in self.fresh.values()])

    @property
    def model_seconds(self) -> float:
        """Of the slowest answer."""
        return max((answer.model_seconds for answer in self.fresh.values()), default=0.0)


@dataclass(frozen=True, slots=True)
class CachedAnswers:
    """Verdicts in the order of the questions, and their cost."""

    verdicts: tuple[Verdict, ...]
    usage: Usage
    model_seconds: float


Calls = Callable[[Sequence[str]], Iterable[JudgeCall]]


class CachedJudge:
    """Never raises for a judge or a store that fails. A store that hangs costs at most ``store_seconds`` for reading,
    nothing for writing, and never the time that the judge needs."""

    def __init__(self, cache: VerdictCache, store_seconds: float = 5.0, claims: Claims | None = None) -> None:
        self.cache = cache
        self._claims = claims
        if claims is not None:
            claims.offer(cache.contents)
        self._store_seconds = store_seconds
        self._calls: SingleFlight[tuple[Answer, ...]] = SingleFlight()

    @property
    def in_flight(self) -> int:
        return len(self._calls)

    async def verdicts(self, judge: Judge, questions: Sequence[Question], terms: Terms) -> CachedAnswers:
        """A verdict for every question of a submission, with a value or with a typed failure."""
        fingerprint = judge.reference.fingerprint

        def key_of(one: Question) -> str:
            name = f"{fingerprint} {one.criterion.id}" if judge.by_criterion else fingerprint
            return cache_key(name, one.criterion, one.material)

        def verdict_for(asked: tuple[str, Question]) -> Verdict:
            key, one = asked
            return verdict_of(one.criterion, found.of(key), step=one.material.step, cached=key in found.known)

        keys = await in_steps(key_of, questions)  # steps times criteria are thousands
        by_key = dict(zip(keys, questions, strict=True))
        found = await self.answers(keys, lambda unknown: _calls(judge, by_key, unknown, terms), terms)
        verdicts = await in_steps(verdict_for, zip(keys, questions, strict=True))
        return CachedAnswers(tuple(verdicts), found.usage, found.model_seconds)

    async def answers(self, keys: Sequence[str], calls: Calls, terms: Terms) -> Answers:
        """``calls``: gives the calls that answer the keys missing from the cache."""
        left = terms.seconds_left
        most = self._store_seconds
        known = await self.cache.recall(keys, most if left is None else min(left / 4, most))
        unknown = [key for key in dict.fromkeys(keys) if key not in known]
        if not unknown or terms.seconds_left == 0:
            return Answers(known, {})
        if self._claims is None:
            return Answers(known, await self._asked(calls(unknown), terms))
        theirs, fresh = await self._with_others(self._claims, unknown, calls, terms)
        return Answers({**known, **theirs}, fresh)

    async def _with_others(
        self, claims: Claims, unknown: Sequence[str], calls: Calls, terms: Terms
    ) -> tuple[dict[str, Reading], dict[str, Answer]]:
        """Readings and answers, where other processes may be asking some of the questions already."""
        elsewhere = await claims.claim(unknown)
        mine = [key for key in unknown if key not in elsewhere]
        try:
            fresh = await self._asked(calls(mine), terms) if mine else {}
        finally:
            claims.release(mine)
        contents = await claims.readings(elsewhere, terms.seconds_left) if elsewhere else {}
        left = [key for key in elsewhere if key not in contents]  # that worker failed, or was stopped
        if left and terms.seconds_left != 0:
            fresh |= await self._asked(calls(left), terms)
        return {key: reading_of(content) for key, content in contents.items()}, fresh

    async def _asked(self, calls: Iterable[JudgeCall], terms: Terms) -> dict[str, Answer]:
        """The answers that arrive before the deadline; readings are remembered."""
        fresh = await self._ask(calls := tuple(calls), terms)
        readings = {key: answer.reading for key, answer in fresh.items() if answer.reading and _whole(answer.reading)}
        self.cache.remember(readings, {key: call.sources for call in calls if call.sources for key in call.keys})
        return fresh

    async def _ask(self, calls: Sequence[JudgeCall], terms: Terms) -> dict[str, Answer]:
        """The answers that arrive before the deadline. A call already in flight is shared."""
        answers: dict[str, Answer] = {}
        own: list[tuple[JudgeCall, Share[tuple[Answer, ...]]]] = []
        others: list[asyncio.Task[None]] = []

        def begin(call: JudgeCall) -> None:
            share = self._calls.join(call.key, call.ask, terms.priority)
            if share.started:
                own.append((call, share))
            else:
                held = _Waited(share)
                others.append(asyncio.create_task(self._share(call, held, terms, answers)))
                others[-1].add_done_callback(partial(self._leave, held))  # also if it never began

        try:
            await in_steps(begin, calls)
            await asyncio.wait([*(share.call.task for _, share in own), *others], timeout=terms.seconds_left)
        finally:
            for task in others:
                task.cancel()
            for _, share in own:
                self._calls.leave(share)
        for call, share in own:
            answers.update(_result(call, share))
        return answers

    async def _share(self, call: JudgeCall, held: "_Waited", terms: Terms, answers: dict[str, Answer]) -> None:
        """A shared call that another caller's deadline or budget ended is asked again while there is time."""
        while True:
            await asyncio.wait([held.share.call.task])
            found = _result(call, held.share)
            if held.share.started or terms.seconds_left == 0 or not any(_cut_short(one) for one in found.values()):
                answers.update(found)
                return
            self._calls.leave(held.share)
            held.share = self._calls.join(call.key, call.ask, terms.priority)

    def _leave(self, held: "_Waited", _: asyncio.Task[None]) -> None:
        self._calls.leave(held.share)


@dataclass(slots=True)
class _Waited:
    """The share of a call that is waited for now."""

    share: Share[tuple[Answer, ...]]


def _calls(judge: Judge, questions: Mapping[str, Question], keys: Sequence[str], terms: Terms) -> Iterable[JudgeCall]:
    """Questions on the same material go into one call, at most ``criteria_per_call`` of them."""
    by_material: dict[str, list[str]] = defaultdict(list)
    for key in keys:
        by_material[questions[key].material.digest].append(key)
    size = judge.criteria_per_call
    for same in by_material.values():
        for start in range(0, len(same), size):
            some = tuple(same[start : start + size])
            first, criteria = questions[some[0]], tuple([questions[key].criterion for key in some])
            ask = partial(judge.ask, first.material, criteria, terms)
            yield JudgeCall(judge.specification.name, some, ask, first.sources)


def _result(call: JudgeCall, share: Share[tuple[Answer, ...]]) -> dict[str, Answer]:
    """The answers of a call, none if it is still in flight. A judge that raises is treated as failed."""
    task = share.call.task
    if not task.done():
        return {}
    fault = None if task.cancelled() else task.exception()
    if fault is None and not task.cancelled():
        answers = task.result()
        if len(answers) == len(call.keys) and all(map(_whole_answer, answers)):
            if not share.take_cost():
                answers = tuple([answer._replace(usage=Usage(), model_seconds=0.0) for answer in answers])
            return dict(zip(call.keys, answers, strict=True))
    if not isinstance(fault, JudgeFailure):
        _LOG.error("judge %s broke its contract", call.judge, exc_info=fault)
        cause = type(fault).__name__ if fault else "an incomplete answer"
        fault = ModelUnavailable(f"The judge failed with {cause}.")
    return dict.fromkeys(call.keys, failed(Failure.of(fault)))


def _whole_answer(answer: Answer) -> bool:
    return (answer.reading is None) != (answer.failure is None)


def _whole(reading: Reading) -> bool:
    """Whether no panel member was missing: the verdict of an incomplete panel is used but not cached."""
    if not reading.panel:
        return True
    return any(opinion.decided for opinion in reading.panel) or all(
        opinion.status is VerdictStatus.OK for opinion in reading.panel
    )


def _cut_short(answer: Answer) -> bool:
    failures = [answer.failure, *(opinion.error for opinion in answer.panel)]
    return any(
        failure is not None and failure.type in (DeadlineExceeded.type, BudgetSpent.type) for failure in failures
    )


def _plain(reading: Reading) -> bool:
    """Whether it is nothing but numbers, and those are as a verdict has them, also if they were stored long ago."""
    mass = reading.label_mass
    numbers = type(reading.value) is float and 0.0 <= reading.value <= 1.0 and (mass is None or 0.0 <= mass < inf)
    return numbers and reading.reason is None and not reading.panel


def verdict_of(criterion: Judged, answer: Answer, *, step: Step | None = None, cached: bool = False) -> Verdict:
    """The verdict on ``criterion`` that corresponds to ``answer``: ``not_applicable`` if the criterion allows that and
    the judge thinks it likeliest."""
    reading = answer.reading
    decided = step is None and criterion.if_absent != "skip" and not isinstance(criterion, Choice)
    if decided and reading is not None and _plain(reading) and answer.status is VerdictStatus.OK:
        return Verdict.of_judge(criterion.id, criterion.points, reading.value, reading.label_mass, cached=cached)
    shown = reading or answer.distrusted
    shares = answer.reading.shares if answer.reading is not None and criterion.if_absent == "skip" else ()
    absent = bool(shares) and all(shares[-1] > share for share in shares[:-1])
    options = option = None
    if shown is not None and isinstance(criterion, Choice) and not absent:
        options = {o.label: share for o, share in zip(criterion.options, shown.shares, strict=False)}
        option = max(options, key=options.__getitem__)
    return Verdict(
        criterion=criterion.id,
        status=VerdictStatus.NOT_APPLICABLE if absent else answer.status,
        source="judge",
        points=criterion.points,
        value=answer.reading.value if answer.reading and not absent else None,
        met=shown.value if shown is not None and not isinstance(criterion, Choice) and not absent else None,
        option=option,
        options=options,
        reason=shown.reason if shown else None,
        label_mass=shown.label_mass if shown else None,
        cached=cached,
        panel=shown.panel if shown else answer.panel,
        error=answer.failure,
        **(step.place() if step else {}),
    )
