"""Notice that another model answers behind the same address.

Three things are compared with what was there at the start: the name and fingerprint in each answer, what the servers
say of the model, and the answers to fixed questions. An answer that comes after an interruption counts only when the
model has been recognised again; one that comes from another model never counts. If other addresses still serve the
model, one that serves another is left out, until it serves the model again.
"""

import asyncio
import logging
from collections.abc import Callable, Sequence
from collections.abc import Set as AbstractSet
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from typing import Final, Protocol

from judge_server.core.errors import (
    DeadlineExceeded,
    JudgeChanged,
    JudgeFailure,
    ModelUnavailable,
    StoreUnavailable,
)
from judge_server.core.model_signature import ModelSignature
from judge_server.core.price import Price
from judge_server.models.protocol import (
    Capabilities,
    Completion,
    ModelAddress,
    Priced,
    Reach,
    Replaceable,
    Request,
    Spread,
)
from judge_server.models.recognition import Round, round_of, signature_of
from judge_server.models.sleeping import SleepLevel, sleeper_of
from judge_server.util.canonical import digest
from judge_server.util.concurrency import together
from judge_server.util.time_limit import until, within

ROUNDS: Final = 3
_FIRST_ASKED: Final = 2
_PATIENCE_SECONDS: Final = 15.0
_DECLARED: Final = "its servers say something else of it"
_LOG = logging.getLogger(__name__)
Questions = Callable[[Capabilities], tuple[Request, ...]]


class SignatureRecords(Protocol):
    """Where signatures are kept, so that a restart and other processes agree on them: the store."""

    async def signatures(self, key: str) -> tuple[ModelSignature, ...]: ...

    async def add_signature(self, key: str, place: int, signature: ModelSignature) -> None:
        """Keeps the first signature that is added for a place."""


@dataclass(frozen=True, slots=True)
class Replacement:
    """Another model than at the start answers, ``since`` then at the latest; the former one was recognised last at
    ``before``."""

    before: datetime
    since: datetime
    why: str


@dataclass(frozen=True, slots=True)
class _Recognised:
    """``interruptions`` and ``severed``: those after which the model was recognised. ``marks``: names and fingerprints
    in its answers. ``declared``: what its servers say of it. ``mixed``: its addresses do not serve the same."""

    signature: ModelSignature
    marks: frozenset[str]
    declared: frozenset[str]
    interruptions: int
    severed: int
    mixed: bool
    at: datetime

    def fits(self, one: Round, declared: frozenset[str] | None) -> bool:
        """Whether an address that answered so, and says this of itself, serves this model."""
        same = one.marks <= self.marks and not self.signature.differs(one.reactions)
        return same and (declared is None or declared <= self.declared)


class WatchedModel:
    """A model with addresses, and what it is recognised by. ``questions``: the fixed ones for what a model can do;
    ``key``: what the specification says of the model. ``listeners`` are called at once if another model answers."""

    def __init__(self, model: Replaceable, questions: Questions, records: SignatureRecords, key: str) -> None:
        self._model = model
        self._questions = questions
        self._records = records
        self.key = key
        self._known: _Recognised | None = None
        self._started = False
        self._generation = self._barrings = 0
        self._first = ""
        self._revision: str | None = None
        self._answers = self._answers_checked = 0
        self._lock = asyncio.Lock()
        self.changed = asyncio.Event()
        self.listeners: list[Callable[[], None]] = []
        self.replacement: Replacement | None = None
        self.checks = 0
        self.changes = 0

    @property
    def name(self) -> str:
        return self._model.name

    @property
    def revision(self) -> str:
        """That of the model which was recognised last, also while the one that answers now is being looked at."""
        return self._model.revision if self._revision is None else self._revision

    @property
    def notice(self) -> str | None:
        return self._model.notice

    @property
    def capacity(self) -> int:
        return self._model.capacity

    @property
    def capabilities(self) -> Capabilities:
        return self._model.capabilities

    @property
    def reach(self) -> Reach:
        if isinstance(self._model, Spread):
            return self._model.reach
        raise AttributeError("reach")

    @property
    def price(self) -> Price | None:
        return self._model.price if isinstance(self._model, Priced) else None

    @property
    def recognised_at(self) -> datetime | None:
        return None if self._known is None else self._known.at

    @property
    def replaced(self) -> str | None:
        """In words, that another model answers than at the start; None if none does."""
        there = self.replacement
        if there is None:
            return None
        since = f"since {there.since:%Y-%m-%d %H:%M:%S} UTC or earlier, after {there.before:%Y-%m-%d %H:%M:%S} UTC"
        return f"{self.name}: another model answers {since}: {there.why}"

    async def sleep(self, level: SleepLevel) -> None:
        await sleeper_of(self._model).sleep(level)

    async def wake(self, level: SleepLevel) -> None:
        await sleeper_of(self._model).wake(level)

    async def start(self) -> None:
        """Start the model and recognise it, or take its signature if it is new. A model without parts, such as one with
        fallbacks, cannot be watched."""
        await self._model.start()
        self._started = True
        if not self._model.parts():
            return
        try:
            async with self._lock:
                with within(_PATIENCE_SECONDS):
                    await self._meet("", frozenset())
        except (JudgeFailure, StoreUnavailable, TimeoutError) as fault:
            said = "it gave no answer in time" if isinstance(fault, TimeoutError) else fault
            _LOG.warning("the model %s is not watched yet: %s", self.name, said)

    async def healthy(self) -> bool:
        return await self._model.healthy()

    async def close(self) -> None:
        await self._model.close()

    async def complete(self, request: Request) -> Completion:
        generation = self._generation
        while True:
            barrings = self._barrings
            completion = await self._model.complete(request)
            self._answers += 1
            known = self._known
            if known is not None and (
                completion.origin not in known.marks or known.interruptions != self._model.interruptions
            ):
                await self._recognise(completion.origin, request.deadline)
            if self._generation != generation:
                raise JudgeChanged(
                    f"Another model answers at the address of {self.name!r} than when the question was asked.",
                    remedy="Put the former model back, or accept the new judge: judge-server run repin RUN --reason "
                    "TEXT.",
                )
            if self._barrings == barrings:
                return completion
            # an address was left out meanwhile, and it may have given this answer

    async def check(self) -> None:
        """Compare everything now. A model that is away since the start is not asked. Questions are asked only if the
        model was used since the last time, or is another than at the start. Raises JudgeFailure if it gives no
        answer."""
        async with self._lock:
            known = self._known
            if not self._started or not self._model.parts():
                return
            if known is None:
                await self._meet("", frozenset())
            elif self.replacement is not None or self._unsure(known):
                await self._compare(known, self._model.parts(), every=True)
                self._answers_checked = self._answers
            elif (await self._model.declared() or known.declared) != known.declared and not await self._left_out(known):
                await self._meet(_DECLARED, frozenset())

    def _unsure(self, known: _Recognised) -> bool:
        return self._answers != self._answers_checked or known.interruptions != self._model.interruptions

    async def _recognise(self, origin: str, deadline: float | None) -> None:
        """Return when the model that gave an answer of this origin is known. Raises JudgeFailure."""
        try:
            with until(deadline):
                async with self._lock:
                    while (known := self._known) is not None:
                        if origin not in known.marks and await self._left_out(known):
                            return
                        if origin not in known.marks:
                            await self._meet(f"an answer names {origin!r} instead of {_listed(known.marks)}", {origin})
                        elif known.interruptions != self._model.interruptions:
                            parts = self._model.parts(interrupted=True) or self._model.parts()
                            await self._compare(known, parts, every=known.severed != self._model.severed)
                        else:
                            return
        except TimeoutError:
            raise DeadlineExceeded("The deadline passed before the model was recognised again.") from None

    async def _left_out(self, known: _Recognised) -> bool:
        """Leave out the addresses that serve another model than the known one, if others still serve that, and take
        back those that do again. Whether any is left out now."""
        parts = self._model.parts()
        if known.mixed or len(parts) < 2:
            return False
        questions = self._questions(self.capabilities)
        there, right = set[int](), set[int]()
        for _ in range(ROUNDS):
            rounds = await together([round_of(part, questions, range(len(questions))) for part in parts])
            said = await together([part.declared() for part in parts])
            there |= {at for at, one in enumerate(rounds) if one.answered}
            right |= {at for at, one in enumerate(rounds) if one.answered and known.fits(one, said[at])}
            if right == there:
                break
        if right == there or not right:
            return False
        now, newly = datetime.now(UTC), [parts[at] for at in there - right if not parts[at].barred]
        for at in there:
            parts[at].bar(at not in right)
        if newly:
            self._barrings += 1
            self.replacement = Replacement(known.at, now, "at one of its addresses, which is left out")
            self.changed.set()
            _LOG.error("an address of %s serves another model than the others: it is left out", self.name)
        here = self._model
        self._known = replace(known, interruptions=here.interruptions, severed=here.severed, at=now)
        return True

    async def _compare(self, known: _Recognised, parts: Sequence[ModelAddress], *, every: bool) -> None:
        """Ask each part ``every`` question, or those that the model is least certain of and, unless they are answered
        as before, the others too; meet the model anew if anything differs."""
        declared = await self._model.declared()
        questions = self._questions(self.capabilities)
        first = range(len(questions)) if every else known.signature.least_certain(_FIRST_ASKED)
        rounds = await together([round_of(part, questions, first) for part in parts])
        if not every and not all(known.signature.repeats(one.reactions) for one in rounds):
            rounds = await together([round_of(part, questions, range(len(questions))) for part in parts])
        self.checks += 1
        if not any(one.answered for one in rounds):
            raise ModelUnavailable(f"The model {self.name!r} was interrupted, and could not be recognised again yet.")
        marks = frozenset[str]().union(*(one.marks for one in rounds))
        alike = not known.mixed and all(known.fits(one, None) for one in rounds if one.answered)
        if not (alike and declared in (None, known.declared)) and await self._left_out(known):
            return
        if declared is not None and declared != known.declared:
            await self._meet(_DECLARED, marks)
        elif strange := marks - known.marks:
            await self._meet(f"its answers name {_listed(strange)} instead of {_listed(known.marks)}", marks)
        elif known.mixed or any(known.signature.differs(one.reactions) for one in rounds):
            await self._meet("it answers the fixed questions otherwise", marks)
        else:
            for part, one in zip(parts, rounds, strict=True):
                if part.barred and one.answered:
                    self._take_back(part)
            here = self._model
            self._known = replace(known, interruptions=here.interruptions, severed=here.severed, at=datetime.now(UTC))

    def _take_back(self, part: ModelAddress) -> None:
        part.bar(False)
        _LOG.info("an address of %s serves the same model as the others again", self.name)
        if self.revision == self._first and not any(other.barred for other in self._model.parts()):
            self.replacement = None
            self.changed.set()

    async def _meet(self, why: str, marks: AbstractSet[str]) -> None:
        """Find out what the model can do, and recognise it among the known ones; it may be a new one. ``marks``: those
        of answers before. Raises JudgeFailure, and StoreUnavailable."""
        before, former = self._known, self.revision
        for part in self._model.parts():
            if part.barred:
                part.bar(False)
        if before is not None:
            await self._model.relearn()
        declared = await self._model.declared()
        questions = self._questions(self.capabilities)
        key = digest({"model": self.key, "revision": self._model.revision, "questions": _texts(questions)})
        signatures = await self._records.signatures(key)
        by_part = await self._rounds(questions, signatures)
        place, signature = await self._signature(key, signatures, by_part)
        suffix = "" if place == 0 else f"signature {signature.id}"  # empty for the first that was ever met
        self._revision = " ".join(filter(None, (self._model.revision, suffix)))
        self._known = _Recognised(
            signature,
            marks=frozenset(marks).union(*(one.marks for rounds in by_part for one in rounds)),
            declared=(before.declared if before else frozenset()) if declared is None else declared,
            interruptions=self._model.interruptions,
            severed=self._model.severed,
            mixed=_place((signature,), by_part) is None,
            at=datetime.now(UTC),
        )
        self._tell(self._known, before, former, why)

    async def _rounds(self, questions: Sequence[Request], signatures: Sequence[ModelSignature]) -> list[list[Round]]:
        """By address that answers: one round if a known signature fits, else several. Raises ModelUnavailable."""
        parts = self._model.parts()
        by_part: list[list[Round]] = [[] for _ in parts]
        answering: list[list[Round]] = []
        for _ in range(ROUNDS):
            found = await together([round_of(part, questions, range(len(questions))) for part in parts])
            for rounds, one in zip(by_part, found, strict=True):
                rounds.append(one)
            answering = [rounds for rounds in by_part if any(one.answered for one in rounds)]
            if answering and _place(signatures, answering) is not None:
                break
        if not answering:
            raise ModelUnavailable(f"The model {self.name!r} does not answer the questions that it is recognised by.")
        return answering

    async def _signature(
        self, key: str, signatures: tuple[ModelSignature, ...], by_part: Sequence[Sequence[Round]]
    ) -> tuple[int, ModelSignature]:
        """The known signature that fits, or else a new one, which another process may have added meanwhile."""
        found = _place(signatures, by_part)
        while found is None:
            made, place = signature_of([one for rounds in by_part for one in rounds]), len(signatures)
            await self._records.add_signature(key, place, made)
            signatures = await self._records.signatures(key)
            found = place if signatures[place] == made else _place(signatures, by_part)
        return found, signatures[found]

    def _tell(self, now: _Recognised, before: _Recognised | None, former: str, why: str) -> None:
        if now.mixed:
            _LOG.error("the addresses of %s do not serve the same model", self.name)
        if before is None:
            self._first = self.revision
            for tell in self.listeners:
                tell()
            return
        if self.revision == former:
            _LOG.info("the model %s is still the same, though %s", self.name, why)
            return
        self._generation += 1
        self.changes += 1
        self.replacement = None if self.revision == self._first else Replacement(before.at, now.at, why)
        for tell in self.listeners:
            tell()
        self.changed.set()
        _LOG.error(
            "another model answers as %s: %s. The former one was recognised last at %s; verdicts since then are in "
            "doubt. Its judges have another fingerprint from now on, and runs that are pinned to the former one stop.",
            self.name,
            why,
            before.at.isoformat(timespec="seconds"),
        )


def _place(signatures: Sequence[ModelSignature], by_part: Sequence[Sequence[Round]]) -> int | None:
    """The first signature that a round of every address fits."""
    for place, signature in enumerate(signatures):
        if all(any(one.answered and not signature.differs(one.reactions) for one in rounds) for rounds in by_part):
            return place
    return None


def _texts(questions: Sequence[Request]) -> list[str]:
    return ["\0".join(turn.text for turn in one.prompt.turns) for one in questions]


def _listed(marks: AbstractSet[str]) -> str:
    return ", ".join(sorted(repr(one) for one in marks)) or "nothing"
