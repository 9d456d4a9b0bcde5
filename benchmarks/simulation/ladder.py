"""``calibrate improve`` on judges whose fault is known: is it found on its rung, and is nothing claimed without one?"""

import asyncio
import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from benchmarks.simulation.cell import REPORTED, Cell, Demand, Outcome, Random
from judge_server.calibration.disagreement import Disagreement
from judge_server.calibration.improvement import Improvement, JudgeSetup, Rung
from judge_server.calibration.ladder import Ladder, LadderOptions
from judge_server.calibration.trial import Trial
from judge_server.core.criterion import AnyLeaf
from judge_server.core.errors import BadInput
from judge_server.core.judge import ExampleRule
from judge_server.core.rubric import Rubric
from judge_server.labels.label import CriterionScale, Item, Label
from judge_server.labels.label_set import LabelSet, Provenance
from judge_server.labels.splits import split_by_prompt
from judge_server.labels.table_builder import table_of

NO, YES = "no", "yes"
CRITERIA = ("c0", "c1")
CLEAR = "Says thing c0 in so many words."
BAIT = "certainly"
STATEMENTS = tuple(f"Says thing {name}." for name in CRITERIA)
RUBRIC = Rubric.model_validate(
    {
        "id": "simulated/ladder",
        "version": "1.0.0",
        "title": "Two criteria",
        "criteria": [
            {"id": name, "statement": statement} for name, statement in zip(CRITERIA, STATEMENTS, strict=True)
        ],
    }
)
EXAMPLES = (ExampleRule(source="revise", k=4),)
SIZES = (50, 100, 300, 1_000)


def people(items: int, seed: int = 0, each: int = 1, share: float = 0.3, met: float = 0.5) -> LabelSet:
    """``each`` items to a prompt, of which the share ``met`` meets a criterion. An item's truth on each criterion is in
    its name, a word of its own and now and then a keyword in its response."""
    random = np.random.default_rng(seed)
    labels, texts = [], {}
    for number in range(items):
        truth = (random.random(len(CRITERIA)) < met).astype(np.int64)
        item = f"i{number}-{''.join(map(str, truth))}"
        bait = f" {BAIT}" if random.random() < 0.6 else ""
        response = f"Answer{bait} with word{number} about pills taken twice every single day."
        texts[item] = Item(id=item, prompt=f"Question {number // each}: does it hurt?", response=response)
        labels += [
            Label(
                item=item,
                criterion=name,
                annotator="ann",
                role="human",
                label=YES if met else NO,
                cluster=f"p{number // each}",
            )
            for name, met in zip(CRITERIA, truth, strict=True)
        ]
    scales = tuple(CriterionScale(criterion=name, kind="binary", classes=(NO, YES), positive=YES) for name in CRITERIA)
    made = LabelSet("simulated", "1", Provenance(source="drawn"), scales, table_of(labels), texts)
    return split_by_prompt(made, test_share=share, seed=seed)


@dataclass(frozen=True)
class FaultyJudge:
    """Answers by the truth in an item's name and errs on a share of items, about each wording and setup anew.

    ``errs``: on every criterion. ``shift``: added to its probability of about .75 for what it says. ``misreads``: the
    share of items on which c0 is misread unless it is worded clearly. ``baited``: says that c0 is met if the keyword is
    there, unless it is shown examples. ``unsure``: the share of items about which it guesses, with a probability near
    .5; the second judge errs on .03. ``turned``: c0's labels mean the
    opposite of what both judges take them for. ``obeys``: c0 is met if the
    response has a word that its statement lists. ``lazy``: under any other wording it says no to nearly every item,
    whatever the item is."""

    errs: float = 0.05
    shift: float = 0.0
    misreads: float = 0.0
    baited: bool = False
    unsure: float = 0.0
    turned: bool = False
    obeys: bool = False
    lazy: bool = False
    seed: int = 0

    def _share(self, *key: object) -> float:
        """Uniform in [0, 1); independent for different keys, which no checksum would be."""
        text = "|".join(map(str, (self.seed, *key)))
        return int.from_bytes(hashlib.blake2b(text.encode(), digest_size=7).digest()) / 2**56

    async def __call__(self, asked: Rubric, labels: LabelSet, setup: JudgeSetup) -> LabelSet:
        rows = [label for label in labels.table if label.role == "human"]
        statements = {leaf.id: leaf.statement for leaf in asked.leaves}
        judged = []
        for row in rows:
            chance = self.chance(row, statements[row.criterion], labels.items[row.item].response or "", setup)
            said = YES if chance >= 0.5 else NO
            own = {"annotator": "main", "role": "judge", "label": said, "probability": chance}
            judged.append(row.model_copy(update=own))
        return replace(labels, table=table_of([*rows, *judged]))

    def chance(self, row: Label, statement: str, response: str, setup: JudgeSetup) -> float:
        first = self._first(row, statement, response, setup)
        strong = setup.second or (setup.band is not None and setup.band[0] <= first <= setup.band[1])
        return self._second(row) if strong else first

    def _second(self, row: Label) -> float:
        errs = 0.03 if self.unsure else self.errs
        met = self._met(row) != (self._share("second", row.item, row.criterion) < errs)
        if self.turned and row.criterion == CRITERIA[0]:
            met = not met
        return 0.9 if met else 0.1

    def _met(self, row: Label) -> bool:
        return row.item[-len(CRITERIA) :][CRITERIA.index(row.criterion)] == "1"

    def _first(self, row: Label, statement: str, response: str, setup: JudgeSetup) -> float:
        way = f"{statement}|{setup.examples is not None}"
        met, first = self._met(row), row.criterion == CRITERIA[0]
        if self._share("guess", row.item, row.criterion) < self.unsure:
            return 0.4 + 0.2 * self._share("value", way, row.item, row.criterion)
        wrong = self._share("wrong", way, row.item, row.criterion) < self.errs
        if first and self.misreads and statement != CLEAR:
            wrong = wrong or self._share("misread", row.item) < self.misreads
        said = met != wrong
        if first and self.baited and setup.examples is None:
            said = said or BAIT in response
        if first and self.obeys:
            said = said or any(word in statement.split() for word in response.split() if word.startswith("word"))
        if first and self.turned:
            said = not said
        if self.lazy and statement not in STATEMENTS:
            said = self._share("lazy", way, row.item, row.criterion) < 0.03
        noise = 0.15 * self._share("noise", way, row.item, row.criterion)
        return float(np.clip((0.75 - noise if said else 0.25 + noise) + self.shift, 0.01, 0.99))


class Wordings:
    """Proposes one clear wording of c0, and one other of each criterion."""

    name = "wordings"

    async def propose(
        self, leaf: AnyLeaf, cases: Sequence[Disagreement], tries: int, trial: Trial
    ) -> Sequence[Mapping[str, Any]]:
        other = {"statement": f"Says {leaf.id} otherwise."}
        return [{"statement": CLEAR}, other] if leaf.id == CRITERIA[0] else [other]


async def climbed(judge: FaultyJudge, labels: LabelSet, seed: int = 0, second: str | None = "strong") -> Improvement:
    async def test() -> LabelSet:
        chosen = np.array([labels.splits[name] == "test" for name in labels.table.clusters.names])
        return replace(labels, table=labels.table.select(chosen[labels.table.clusters.codes]))

    options = LadderOptions("main", seed=seed, examples=EXAMPLES, second=second)
    return await Ladder(labels.split("dev"), RUBRIC, judge, options, Wordings(), test).climb()


@dataclass(frozen=True)
class Climb:
    """``rung``: where the fault is to be found; ``turned`` for a scale that is reported and not mended; None if there
    is no fault. ``met``: the share of items that meet a criterion. ``second``: whether there is a second judge."""

    judge: FaultyJudge
    items: int
    rung: Rung | str | None = None
    met: float = 0.5
    second: bool = True

    def __call__(self, random: Random) -> dict[str, Outcome]:
        seed = int(random.integers(2**31))
        try:
            found = asyncio.run(self._climbed(seed))
        except BadInput:  # too few prompts to divide
            return {"called improved": Outcome(0.0)} if self.rung is None else {"found on its rung": Outcome(0.0)}
        improved = found.outcome == "improved"
        if self.rung is None:
            return {"called improved": Outcome.of(improved)}
        if self.rung == "turned":
            right = [one.criterion for one in found.turned] == [CRITERIA[0]]
            return {"found on its rung": Outcome.of(right), "called improved": Outcome.of(improved)}
        kept = {one.rung for one in found.candidates if one.kept}
        return {"found on its rung": Outcome.of(improved and self.rung in kept)}

    async def _climbed(self, seed: int) -> Improvement:
        labels = people(self.items, seed, met=self.met)
        return await climbed(replace(self.judge, seed=seed), labels, seed, "strong" if self.second else None)


FAULTS: Mapping[str, tuple[FaultyJudge, str | None]] = {
    "no fault": (FaultyJudge(errs=0.15), None),
    "shifted threshold": (FaultyJudge(shift=0.3), "map"),
    "a criterion misread": (FaultyJudge(misreads=0.4), "wording"),
    "keyword bait": (FaultyJudge(baited=True), "examples"),
    "unsure": (FaultyJudge(unsure=0.4), "cascade"),
    "a scale turned round": (FaultyJudge(turned=True), "turned"),
}


RARELY = 0.1  # the share of items that meet a criterion, where labels are skewed
# there a second judge who errs as often is a real help: asked about what the first calls met, it takes back inventions
SKEWED: Mapping[str, FaultyJudge] = {
    "no fault, labels 90 to 10": FAULTS["no fault"][0],
    "other wordings say nearly always no, labels 90 to 10": FaultyJudge(errs=0.25, lazy=True),
}


def _claims(name: str, climb: Climb) -> Cell:
    return Cell(f"ladder: {name}, {climb.items} items", {"called improved": Demand(most=0.05)}, climb)


def _power(name: str, items: int) -> Cell:
    judge, rung = FAULTS[name]
    return Cell(f"power: ladder, {name}, {items} items", {"found on its rung": REPORTED}, Climb(judge, items, rung))


CELLS = (
    *(_claims("no fault", Climb(FAULTS["no fault"][0], items)) for items in SIZES),
    *(
        _claims(name, Climb(judge, items, met=RARELY, second=False))
        for name, judge in SKEWED.items()
        for items in SIZES
    ),
    *(_power(name, items) for name, (_, rung) in FAULTS.items() if rung for items in SIZES),
)
