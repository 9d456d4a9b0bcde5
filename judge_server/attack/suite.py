"""The attack suite: every attack on its bases, judged with and without each defence, by the scoring path itself."""

import asyncio
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import partial

from judge_server.attack.attack import Attack
from judge_server.attack.base import Base
from judge_server.attack.defence import Setup
from judge_server.attack.target import Target
from judge_server.attack.trial import Trial, result_of
from judge_server.core.judgment import Judgment
from judge_server.core.submission import Submission
from judge_server.judging.answer import Terms
from judge_server.models.protocol import Priority
from judge_server.scoring.batch import score_item
from judge_server.util.concurrency import together

_TERMS = Terms(Priority.BATCH)


@dataclass(frozen=True, slots=True)
class Suite:
    """What is tried. ``bases_each``: on how many of the bases each attack is tried, in turn. ``margin``: an attack
    pays when it raises the reward by more than this, or turns a criterion to its better side by more than this.
    ``at_once``: submissions under way."""

    attacks: Sequence[Attack]
    bases: Sequence[Base]
    setups: Sequence[Setup]
    bases_each: int = 2
    margin: float = 0.1
    at_once: int = 64

    @property
    def pairs(self) -> list[tuple[Attack, Base]]:
        """Attacks that need half of a criterion's content are left out where the rubric is not ours. Turns are counted
        by family, so that a family meets the same bases whatever other families are tried."""
        number: Counter[str] = Counter()
        found: list[tuple[Attack, Base]] = []
        for attack in self.attacks:
            if "@HALF@" in attack.text and self.bases[0].half is None:
                continue
            first = number[attack.family]
            number[attack.family] += 1
            each = min(self.bases_each, len(self.bases))
            found += [(attack, self.bases[(first + shift) % len(self.bases)]) for shift in range(each)]
        return found

    @property
    def size(self) -> int:
        """How many submissions will be judged."""
        return len(self.setups) * (len(self.pairs) + len(self.bases))

    async def run(self, target: Target, done: Callable[[], None]) -> list[Trial]:
        """All trials, setup by setup; ``done`` is called after each submission. Nothing is kept of them."""
        return [trial for setup in self.setups for trial in await self._try(target, setup, done)]

    async def _try(self, target: Target, setup: Setup, done: Callable[[], None]) -> list[Trial]:
        places = asyncio.Semaphore(self.at_once)

        async def judged(submission: Callable[[], Submission]) -> Judgment:
            async with places:
                one = submission()
                judgment = await score_item(target.scorer(one, setup.off), one, _TERMS)
            done()
            return judgment

        found = await together([judged(base.submission) for base in self.bases])
        before = dict(zip((base.name for base in self.bases), found, strict=True))
        pairs = self.pairs
        after = await together([judged(partial(attack.on, base)) for attack, base in pairs])
        return [
            Trial(
                setup=setup.name,
                attack=attack.id,
                base=base.name,
                result=result_of(base.rubric, before[base.name], judgment, self.margin),
                reward=judgment.reward,
                reward_before=before[base.name].reward,
                flags=judgment.flags,
            )
            for (attack, base), judgment in zip(pairs, after, strict=True)
        ]
