"""A judge that is shown labelled responses with each question, chosen for the response that it judges."""

import asyncio
from collections import defaultdict
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from typing import Final

from judge_server.core.criterion import Choice, Judged
from judge_server.core.judge import ExampleRule, JudgeSpecification
from judge_server.core.judgment import JudgeReference
from judge_server.judging.answer import Answer, Judge, Terms
from judge_server.judging.judge_input import JudgeInput, ShownExample, example_text
from judge_server.judging.prompt import EXAMPLES, NEWEST, labels_of, template_digest
from judge_server.judging.retrieval import Encoder, LexicalRanking, Ranking, VectorRanking
from judge_server.util.canonical import digest
from judge_server.util.concurrency import together
from judge_server.util.lru import BoundedCache

LONGEST_TEXT: Final = 2_000  # characters of an example's prompt, and of its response
_REMEMBERED: Final = 10_000


@dataclass(frozen=True, slots=True)
class LabelledResponse:
    """``label``: what most people said; ``met``: whether that means met, None if the scale does not say. ``cluster``:
    items of one cluster are about one prompt."""

    item: str
    criterion: str
    cluster: str
    prompt: str
    response: str
    label: str
    met: bool | None = None


class ExamplePool:
    """Labelled responses by criterion, ranked for a query. ``digest`` covers texts, labels, rule and ranking."""

    def __init__(self, rows: Iterable[LabelledResponse], rule: ExampleRule, encoder: Encoder | None = None) -> None:
        self.rule = rule
        self._rows: dict[str, tuple[LabelledResponse, ...]] = {}
        grouped: dict[str, list[LabelledResponse]] = defaultdict(list)
        for row in sorted(rows, key=lambda one: (one.criterion, one.item)):
            if not rule.criteria or row.criterion in rule.criteria:
                grouped[row.criterion].append(row)
        self._rows = {name: tuple(own) for name, own in grouped.items()}
        self._rankings = {name: _ranking(own, encoder) for name, own in self._rows.items()}
        self._same: dict[str, set[str]] = defaultdict(set)
        for row in (row for own in self._rows.values() for row in own):
            self._same[folded(row.prompt)].add(row.cluster)
        first: dict[str, str] = {}
        for row in sorted(self.rows, key=lambda one: one.item):
            first.setdefault(row.cluster, row.item)  # files name clusters in their own ways
        told = [[r.item, r.criterion, first[r.cluster], r.prompt, r.response, r.label, r.met] for r in self.rows]
        shown = [LONGEST_TEXT, template_digest(NEWEST, (EXAMPLES,))]
        self.digest = digest([told, rule.k, rule.by, encoder.digest if encoder else None, shown])

    @property
    def rows(self) -> tuple[LabelledResponse, ...]:
        return tuple(row for own in self._rows.values() for row in own)

    def chosen(self, material: JudgeInput, criterion: Judged) -> tuple[ShownExample, ...]:
        """The nearest last. None is about the prompt of ``material`` or repeats its response; no label stands on more
        than half of them (rounded up) while others are left."""
        rows = self._rows.get(criterion.id, ())
        if not rows:
            return ()
        asked = " ".join(text for _, text in material.turns)
        own, response = self._same.get(folded(asked), set()), material.step.text if material.step else material.response
        order = self._rankings[criterion.id].nearest(f"{asked}\n{response}")
        said = folded(response)
        left = [rows[place] for place in order if rows[place].cluster not in own]
        left = [row for row in left if folded(row.response) != said and folded(row.prompt) != folded(asked)]
        usable = [(row, word) for row in left if (word := verdict_of(row, criterion)) is not None]
        nearest = _balanced(usable, self.rule.k)
        return tuple(
            ShownExample(example_text(row.prompt, row.response, LONGEST_TEXT), word) for row, word in reversed(nearest)
        )


class ExemplifiedJudge:
    """``inner`` with the examples of a pool. ``inner`` is started and closed elsewhere."""

    by_criterion = True

    def __init__(self, specification: JudgeSpecification, inner: Judge, pool: ExamplePool) -> None:
        self.specification = specification
        self.inner = inner
        self.pool = pool
        self._chosen = BoundedCache[tuple[str, str], tuple[ShownExample, ...]](_REMEMBERED)

    @property
    def members(self) -> tuple[Judge]:
        return (self.inner,)

    def with_members(self, change: Callable[[Judge], Judge]) -> "ExemplifiedJudge":
        return ExemplifiedJudge(self.specification, change(self.inner), self.pool)

    async def start(self) -> None:
        """Nothing to start: the inner judge is started separately."""

    async def close(self) -> None:
        """Nothing to close: the inner judge is closed separately."""

    async def healthy(self) -> bool:
        return await self.inner.healthy()

    def forget_model(self) -> None:
        """The inner judge is told separately."""
        for known in ("explaining", "reference"):
            self.__dict__.pop(known, None)

    @property
    def criteria_per_call(self) -> int:
        """Each criterion has its own examples."""
        return 1

    @cached_property
    def explaining(self) -> Judge:
        return self.with_members(lambda inner: inner.explaining)

    @cached_property
    def reference(self) -> JudgeReference:
        own = self.inner.reference
        return own.model_copy(
            update={
                "name": self.specification.name,
                "fingerprint": digest({"judge": own.fingerprint, "examples": self.pool.digest}),
            }
        )

    async def ask(self, judge_input: JudgeInput, criteria: tuple[Judged, ...], terms: Terms) -> tuple[Answer, ...]:
        """One question for each criterion, with its examples; a question about the conversation has none."""
        if judge_input.about == "conversation":
            return await self.inner.ask(judge_input, criteria, terms)
        found = await together([self._ask(judge_input, criterion, terms) for criterion in criteria])
        return tuple(found)

    async def _ask(self, judge_input: JudgeInput, criterion: Judged, terms: Terms) -> Answer:
        key = (judge_input.digest, criterion.id)
        shown = self._chosen.get(key)
        if shown is None:
            shown = await asyncio.to_thread(self.pool.chosen, judge_input, criterion)
            self._chosen.put(key, shown)
        (answer,) = await self.inner.ask(replace(judge_input, examples=shown), (criterion,), terms)
        return answer


def verdict_of(row: LabelledResponse, criterion: Judged) -> str | None:
    """The label in which a judge would give people's verdict; None if the criterion has no such verdict."""
    labels = labels_of(criterion)
    if isinstance(criterion, Choice):
        options = [option.label.strip().casefold() for option in criterion.options]
        said = row.label.strip().casefold()
        return labels[options.index(said)] if said in options else None
    return None if row.met is None else labels[0 if row.met else 1]


def folded(text: str) -> str:
    return " ".join(text.casefold().split())


def _ranking(rows: Sequence[LabelledResponse], encoder: Encoder | None) -> Ranking:
    texts = [f"{row.prompt}\n{row.response}" for row in rows]
    return LexicalRanking(texts) if encoder is None else VectorRanking(texts, encoder)


def _balanced(usable: Sequence[tuple[LabelledResponse, str]], k: int) -> list[tuple[LabelledResponse, str]]:
    """The first ``k``, but no verdict more often than half of them (rounded up) while others are left."""
    most, taken, spare = -(-k // 2), list[int](), list[int]()
    seen: dict[str, int] = defaultdict(int)
    for place, (_, word) in enumerate(usable):
        if len(taken) == k:
            break
        (taken if seen[word] < most else spare).append(place)
        seen[word] += 1
    chosen = sorted([*taken, *spare[: k - len(taken)]])
    return [usable[place] for place in chosen]
