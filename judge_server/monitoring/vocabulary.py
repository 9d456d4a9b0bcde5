"""Detects bursts of words and phrases in highly rewarded responses, such as flattery or echoes of criteria."""

import hashlib
import re
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from statistics import median
from typing import Final

import numpy as np

from judge_server.core.monitor import MonitorFinding, MonitorLimits
from judge_server.monitoring.clustered import Numbers, Sample, probability_of_change, sample, share
from judge_server.monitoring.deciding import Frame, finding, holm
from judge_server.store.observation import Observed, Windows
from judge_server.util.concurrency import cooperatively

_WORD: Final = re.compile(r"[^\W\d_](?:[\w'’-]{0,30}\w)?")
_MOST_DOCUMENTS: Final = 400
_MOST_WORDS: Final = 400
_MOST_TERMS: Final = 2_000
_LONGEST_PHRASE: Final = 3
_SHOWN: Final = 6
_LEAST_SHARE: Final = 0.05


@dataclass(frozen=True, slots=True)
class _Burst:
    term: str
    before: Sample
    after: Sample
    p: float

    @property
    def rise(self) -> float:
        return self.after.mean - self.before.mean


def vocabulary(frame: Frame, windows: Windows, limits: MonitorLimits) -> list[MonitorFinding]:
    """Document frequencies of words and of phrases of up to three words, in the better half of the responses of each
    window. Words of the prompt do not count, because answers repeat them."""
    before, after = _better(windows.baseline), _better(windows.recent)
    enough = min(len(before), len(after)) >= frame.least
    if not enough or min(len({one.cluster for one in rows}) for rows in (before, after)) < frame.least_clusters:
        return [frame.too_little("Rewarded responses with their texts", len(after), len(before))]
    tested = _tested(
        [_terms(one) for one in cooperatively(before)], [_terms(one) for one in cooperatively(after)], before, after
    )
    real = holm([one.p for one in tested], frame.level)
    bursts = [one for one, significant in zip(tested, real, strict=True) if significant and _great(one, limits)]
    bursts.sort(key=lambda one: (-one.rise, -len(one.term), one.term))
    if not bursts:
        risen = max(tested, key=lambda one: one.rise, default=None)
        text = "No word or phrase has become much more frequent in rewarded responses."
        if risen is None:
            empty = sample([0.0] * len(after), [one.cluster for one in after])
            return [finding(frame, "ok", share(empty), 0.0, len(before), None, text)]
        now = share(risen.after)
        return [finding(frame, "ok", now, risen.before.mean, risen.before.n, risen.p, text, risen.term)]
    first = bursts[0]
    shown = _distinct([one.term for one in bursts])
    text = (
        f"“{first.term}” stands in {first.after.mean:.0%} of rewarded responses ({first.before.mean:.0%} before); "
        f"{len(bursts)} words and phrases burst. Read some of these responses: if the words say nothing, tell the "
        "judge so in the criteria, or normalise them away, and audit what was rewarded."
    )
    now = share(first.after)
    return [finding(frame, "alarm", now, first.before.mean, first.before.n, first.p, text, ", ".join(shown))]


def _better(rows: Sequence[Observed]) -> list[Observed]:
    """At most 400 responses with a reward of at least the window's median, sampled by the digest of their ids."""
    rewards = [one.reward for one in rows if one.reward is not None]
    if not rewards:
        return []
    middle = median(rewards)
    own = [one for one in rows if one.response and one.reward is not None and one.reward >= middle]
    own.sort(key=lambda one: hashlib.blake2b(one.id.encode("utf-8", "surrogatepass"), digest_size=8).digest())
    return own[:_MOST_DOCUMENTS]


def _terms(one: Observed) -> set[str]:
    asked = set(_words(one.prompt or ""))
    words = _words(one.response or "")
    return set(_phrases(words, asked))


def _words(text: str) -> list[str]:
    return _WORD.findall(text.casefold())[:_MOST_WORDS]


def _phrases(words: list[str], asked: set[str]) -> Iterator[str]:
    new = [word not in asked for word in words]
    for place, word in enumerate(words):
        if new[place]:
            yield word
        for length in range(2, min(_LONGEST_PHRASE, len(words) - place) + 1):
            if any(new[place : place + length]):
                yield " ".join(words[place : place + length])


def _tested(
    old: list[set[str]], new: list[set[str]], before: Sequence[Observed], after: Sequence[Observed]
) -> list[_Burst]:
    """Terms frequent enough in both windows combined (which does not bias the comparison), each with its test."""
    counts = Counter(term for terms in (*old, *new) for term in terms)
    least = max(10, int(_LEAST_SHARE * (len(old) + len(new))))
    kept = [term for term, count in counts.most_common(_MOST_TERMS) if count >= least]
    if not kept:
        return []
    (totals, weights), (recent, recent_weights) = _counted(old, before, kept), _counted(new, after, kept)
    tested = []
    for place, term in cooperatively(enumerate(kept)):
        samples = Sample(totals[:, place], weights, len(old)), Sample(recent[:, place], recent_weights, len(new))
        tested.append(_Burst(term, *samples, probability_of_change(*samples)))
    return tested


def _counted(documents: list[set[str]], rows: Sequence[Observed], terms: list[str]) -> tuple[Numbers, Numbers]:
    """Documents with each term by prompt, shape (prompts, terms), and all documents by prompt."""
    prompts = {name: number for number, name in enumerate(dict.fromkeys(one.cluster for one in rows))}
    places = {term: place for place, term in enumerate(terms)}
    totals, weights = np.zeros((len(prompts), len(terms))), np.zeros(len(prompts))
    for document, row in zip(documents, rows, strict=True):
        prompt = prompts[row.cluster]
        weights[prompt] += 1
        totals[prompt, [places[term] for term in document if term in places]] += 1
    return totals, weights


def _great(burst: _Burst, limits: MonitorLimits) -> bool:
    seen = burst.before.mean + 1 / burst.before.n
    return burst.rise >= limits.vocabulary_rise and burst.after.mean >= limits.vocabulary_ratio * seen


def _distinct(terms: list[str]) -> list[str]:
    """The first few that do not overlap."""
    shown: list[str] = []
    for term in terms:
        if not any(term in one or one in term for one in shown):
            shown.append(term)
        if len(shown) == _SHOWN:
            break
    return shown
