"""Sorts the prompts of a file of rollouts into kept or out, with one reason each. Takes some 350 bytes per prompt,
independent of the number of rollouts and the length of the text."""

from array import array
from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from hashlib import blake2b
from math import inf, isfinite

from judge_server.difficulty.band import Band, BandPlace, Tally


class Prompts:
    """The data of every prompt, in order of appearance. ``numbers``: key → index in that order; a prompt may have
    several keys."""

    def __init__(self) -> None:
        self.numbers: dict[bytes, int] = {}
        self.first_lines = array("Q")
        self.labels = array("H")
        self._known, self._passed, self._failed = array("I"), array("I"), array("I")
        self._total, self._least, self._most = array("d"), array("d"), array("d")

    def __len__(self) -> int:
        return len(self.first_lines)

    def number(self, key: bytes, line: int, label: int = 0) -> int:
        """The number of a prompt; a new key gets a new number."""
        number = self.numbers.setdefault(key, len(self.first_lines))
        if number == len(self.first_lines):
            self.first_lines.append(line)
            self.labels.append(label)
            for counts in (self._known, self._passed, self._failed):
                counts.append(0)
            self._total.append(0.0)
            self._least.append(inf)
            self._most.append(-inf)
        return number

    def also(self, number: int, keys: Iterable[bytes]) -> None:
        """Register other keys of a prompt, if no other prompt has them."""
        for key in keys:
            self.numbers.setdefault(key, number)

    def find(self, keys: Iterable[bytes]) -> int | None:
        """The number of the prompt with the first known key among these."""
        return next((number for key in keys if (number := self.numbers.get(key)) is not None), None)

    def add(self, number: int, rewards: Iterable[float | None], threshold: float) -> None:
        for reward in rewards:
            if reward is None:
                self._failed[number] += 1
                continue
            self._known[number] += 1
            self._passed[number] += reward >= threshold
            self._total[number] += reward
            self._least[number] = min(self._least[number], reward)
            self._most[number] = max(self._most[number], reward)

    def tally(self, number: int) -> Tally:
        return Tally(
            self._known[number],
            self._passed[number],
            self._failed[number],
            self._total[number],
            self._least[number],
            self._most[number],
        )

    def tallies(self) -> Iterator[Tally]:
        return (self.tally(number) for number in range(len(self)))


@dataclass(frozen=True, slots=True)
class Bar:
    """One bar of the histogram: prompts with ``start`` ≤ rate < ``end`` (the last bar includes its end)."""

    start: float
    end: float
    prompts: int
    kept: int


@dataclass(frozen=True)
class Selection:
    """``places``: one for each prompt. ``bars`` are over prompts with enough known rewards."""

    places: tuple[BandPlace, ...]
    bars: tuple[Bar, ...]

    def counts(self) -> dict[BandPlace, int]:
        found = Counter(self.places)
        return {place: found[place] for place in BandPlace}

    def kept(self) -> set[int]:
        return {number for number, place in enumerate(self.places) if place is BandPlace.KEPT}


def select(prompts: Prompts, band: Band, *, target: int | None = None, seed: int = 0, bars: int = 10) -> Selection:
    """Decide every prompt. ``target``: draw that many inside the band, as evenly over the bars of the histogram as
    possible. The draw depends on ``seed`` and the prompts, not on their order."""
    places = [band.place(tally) for tally in prompts.tallies()]
    rates = [band.rate(tally) for tally in prompts.tallies()]
    scale = _Scale.of(rates, places, bars)
    if target is not None:
        drawn = _draw(prompts, places, [scale.bar(rate) for rate in rates], target, seed)
        places = [
            BandPlace.NOT_DRAWN if place is BandPlace.KEPT and number not in drawn else place
            for number, place in enumerate(places)
        ]
    return Selection(tuple(places), scale.histogram(rates, places))


@dataclass(frozen=True, slots=True)
class _Scale:
    low: float
    high: float
    bars: int

    @staticmethod
    def of(rates: list[float | None], places: list[BandPlace], bars: int) -> "_Scale":
        """From 0 to 1, or wider if mean rewards exceed it."""
        shown = [
            rate for rate, place in zip(rates, places, strict=True) if rate is not None and place != BandPlace.TOO_FEW
        ]
        return _Scale(min([0.0, *shown]), max([1.0, *shown]), bars)

    def bar(self, rate: float | None) -> int:
        if rate is None:
            return 0
        share = (rate - self.low) / (self.high - self.low)
        return min(int(share * self.bars + 1e-9), self.bars - 1) if isfinite(share) else 0

    def histogram(self, rates: list[float | None], places: list[BandPlace]) -> tuple[Bar, ...]:
        all_of_them, kept = Counter[int](), Counter[int]()
        for rate, place in zip(rates, places, strict=True):
            if place is not BandPlace.TOO_FEW:
                all_of_them[self.bar(rate)] += 1
                kept[self.bar(rate)] += place is BandPlace.KEPT
        width = (self.high - self.low) / self.bars
        edges = [self.low + width * number for number in range(self.bars)] + [self.high]
        return tuple(Bar(edges[n], edges[n + 1], all_of_them[n], kept[n]) for n in range(self.bars))


def _draw(prompts: Prompts, places: list[BandPlace], bars: list[int], target: int, seed: int) -> set[int]:
    """At most ``target`` of the kept prompts: one from each bar in turn, in the order of their keys hashed with the
    seed."""
    dealt: set[int] = set()  # by its first key: further keys depend on the other prompts
    lots: dict[int, list[tuple[bytes, int]]] = defaultdict(list)
    for key, number in prompts.numbers.items():
        if places[number] is BandPlace.KEPT and number not in dealt:
            dealt.add(number)
            lots[bars[number]].append((blake2b(key, digest_size=16, salt=_salt(seed)).digest(), number))
    piles = [sorted(lots[bar], reverse=True) for bar in sorted(lots)]
    drawn: set[int] = set()
    while piles and len(drawn) < target:
        for pile in piles[: target - len(drawn)]:
            drawn.add(pile.pop()[1])
        piles = [pile for pile in piles if pile]
    return drawn


def _salt(seed: int) -> bytes:
    return (seed % 2**128).to_bytes(16, "big")
