"""Notice that another model answers behind the same address.

Three things are compared with what was there at the start: the name and fingerprint in each answer, what the servers
say of the model, and the answers to fixed questions. An answer that comes after an interruption counts only when the
model has been recognised again; one that comes from another model never counts.
"""

import asyncio
import logging
import time
from collections.abc import Callable, Sequence
from collections.abc import Set as AbstractSet
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from math import exp, isnan
from typing import Final, Protocol

from judge_server.core.errors import (
    DeadlineExceeded,
    JudgeChanged,
    JudgeFailure,
    ModelUnavailable,
    StoreUnavailable,
)
from judge_server.core.model_signature import ModelSignature, Reaction, mean_of, noise_of
from judge_server.core.price import Price
from judge_server.models.protocol import Capabilities, Completion, Model, Priced, Reach, Replaceable, Request, Spread
from judge_server.models.sleeping import SleepLevel, sleeper_of
from judge_server.util.canonical import digest
from judge_server.util.concurrency import together

ROUNDS: Final = 3
_FIRST_ASKED: Final = 2
_PATIENCE_SECONDS: Final = 15.0
_QUESTION_SECONDS: Final = 60.0
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
        self._generation = 0
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
            async with self._lock, asyncio.timeout(_PATIENCE_SECONDS):
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
                remedy="Put the former model back, or accept the new judge: judge-server run repin RUN --reason TEXT.",
            )
        return completion

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
            elif (await self._model.declared() or known.declared) != known.declared:
                await self._meet(_DECLARED, frozenset())

    def _unsure(self, known: _Recognised) -> bool:
        return self._answers != self._answers_checked or known.interruptions != self._model.interruptions

    async def _recognise(self, origin: str, deadline: float | None) -> None:
        """Return when the model that gave an answer of this origin is known. Raises JudgeFailure."""
        left = None if deadline is None else deadline - time.monotonic()
        try:
            async with asyncio.timeout(left), self._lock:
                while (known := self._known) is not None:
                    if origin not in known.marks:
                        await self._meet(f"an answer names {origin!r} instead of {_listed(known.marks)}", {origin})
                    elif known.interruptions != self._model.interruptions:
                        parts = self._model.parts(interrupted=True) or self._model.parts()
                        await self._compare(known, parts, every=known.severed != self._model.severed)
                    else:
                        return
        except TimeoutError:
            raise DeadlineExceeded("The deadline passed before the model was recognised again.") from None

    async def _compare(self, known: _Recognised, parts: Sequence[Model], *, every: bool) -> None:
        """Ask each part ``every`` question, or those that the model is least certain of and, unless they are answered
        as before, the others too; meet the model anew if anything differs."""
        declared = await self._model.declared()
        questions = self._questions(self.capabilities)
        first = range(len(questions)) if every else known.signature.least_certain(_FIRST_ASKED)
        rounds = await together([_round(part, questions, first) for part in parts])
        if not every and not all(known.signature.repeats(one.reactions) for one in rounds):
            rounds = await together([_round(part, questions, range(len(questions))) for part in parts])
        self.checks += 1
        if not any(one.answered for one in rounds):
            raise ModelUnavailable(f"The model {self.name!r} was interrupted, and could not be recognised again yet.")
        marks = frozenset[str]().union(*(one.marks for one in rounds))
        if declared is not None and declared != known.declared:
            await self._meet(_DECLARED, marks)
        elif strange := marks - known.marks:
            await self._meet(f"its answers name {_listed(strange)} instead of {_listed(known.marks)}", marks)
        elif known.mixed or any(known.signature.differs(one.reactions) for one in rounds):
            await self._meet("it answers the fixed questions otherwise", marks)
        else:
            here = self._model
            self._known = replace(known, interruptions=here.interruptions, severed=here.severed, at=datetime.now(UTC))

    async def _meet(self, why: str, marks: AbstractSet[str]) -> None:
        """Find out what the model can do, and recognise it among the known ones; it may be a new one. ``marks``: those
        of answers before. Raises JudgeFailure, and StoreUnavailable."""
        before, former = self._known, self.revision
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

    async def _rounds(self, questions: Sequence[Request], signatures: Sequence[ModelSignature]) -> list[list["_Round"]]:
        """By address that answers: one round if a known signature fits, else several. Raises ModelUnavailable."""
        parts = self._model.parts()
        by_part: list[list[_Round]] = [[] for _ in parts]
        answering: list[list[_Round]] = []
        for _ in range(ROUNDS):
            found = await together([_round(part, questions, range(len(questions))) for part in parts])
            for rounds, one in zip(by_part, found, strict=True):
                rounds.append(one)
            answering = [rounds for rounds in by_part if any(one.answered for one in rounds)]
            if answering and _place(signatures, answering) is not None:
                break
        if not answering:
            raise ModelUnavailable(f"The model {self.name!r} does not answer the questions that it is recognised by.")
        return answering

    async def _signature(
        self, key: str, signatures: tuple[ModelSignature, ...], by_part: Sequence[Sequence["_Round"]]
    ) -> tuple[int, ModelSignature]:
        """The known signature that fits, or else a new one, which another process may have added meanwhile."""
        found = _place(signatures, by_part)
        while found is None:
            made, place = _made_of([one for rounds in by_part for one in rounds]), len(signatures)
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


@dataclass(frozen=True, slots=True)
class _Round:
    """The reactions of one address to the questions that it was asked, and the names that its answers had. ``worded``:
    they had no probabilities."""

    reactions: tuple[Reaction | None, ...]
    marks: frozenset[str]
    worded: bool

    @property
    def answered(self) -> bool:
        return any(one is not None for one in self.reactions)


async def _round(part: Model, questions: Sequence[Request], places: Sequence[int]) -> _Round:
    """``places``: of the questions to ask."""
    asked = [_answer(part, question) if place in places else _nothing() for place, question in enumerate(questions)]
    answers = await together(asked)
    there = [one for one in answers if one is not None]
    return _Round(
        tuple(None if one is None else reaction_of(one) for one in answers),
        frozenset(one.origin for one in there),
        worded=not any(one.candidates or one.decisions for one in there),
    )


async def _answer(part: Model, question: Request) -> Completion | None:
    try:
        return await part.complete(replace(question, deadline=time.monotonic() + _QUESTION_SECONDS))
    except JudgeFailure:
        return None


async def _nothing() -> None:
    return None


def reaction_of(completion: Completion) -> Reaction:
    """The distribution of the first token, or the word itself with probability 1 if there are no probabilities."""
    decision = completion.decisions[0] if completion.decisions else None
    if decision is not None and not isinstance(decision, JudgeFailure):
        return {str(place): share for place, share in enumerate(decision.shares)}
    found: dict[str, float] = {}
    for candidate in completion.candidates:
        if not isnan(candidate.logprob):
            text = candidate.text.strip().casefold()
            found[text] = found.get(text, 0.0) + exp(candidate.logprob)
    return found or {completion.text.strip().casefold(): 1.0}


def _place(signatures: Sequence[ModelSignature], by_part: Sequence[Sequence[_Round]]) -> int | None:
    """The first signature that a round of every address fits."""
    for place, signature in enumerate(signatures):
        if all(any(one.answered and not signature.differs(one.reactions) for one in rounds) for rounds in by_part):
            return place
    return None


def _made_of(rounds: Sequence[_Round]) -> ModelSignature:
    found = [one.reactions for one in rounds]
    noise, mean_noise = noise_of(found)
    reactions = mean_of(found)
    return ModelSignature(
        id=digest(list(reactions)).removeprefix("sha256:")[:12],
        reactions=reactions,
        noise=noise,
        mean_noise=mean_noise,
        worded=all(one.worded for one in rounds),
        since=datetime.now(UTC),
    )


def _texts(questions: Sequence[Request]) -> list[str]:
    return ["\0".join(turn.text for turn in one.prompt.turns) for one in questions]


def _listed(marks: AbstractSet[str]) -> str:
    return ", ".join(sorted(repr(one) for one in marks)) or "nothing"
