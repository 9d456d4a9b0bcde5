"""Which vetoes of a rubric fired, and which could not be read."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from math import inf

from judge_server.core.criterion import Gate
from judge_server.core.outcome import GateFired
from judge_server.core.rubric import Rubric
from judge_server.core.verdict import Verdict


@dataclass(frozen=True, slots=True)
class Gates:
    fired: tuple[GateFired, ...]
    unread: tuple[Gate, ...]

    def ceiling(self, *, assumed: bool) -> float:
        """What the gates that fired leave; with ``assumed`` those that are only taken to have fired as well."""
        return min((gate.reward for gate in self.fired if assumed or not gate.assumed), default=inf)

    def might_lower(self, value: float) -> bool:
        """Whether a gate that was not read could take the reward below ``value``."""
        taken = [gate.reward for gate in self.fired if gate.assumed]
        return any(reward < value for reward in (*taken, *(gate.reward for gate in self.unread)))


def read_gates(rubric: Rubric, verdicts: Mapping[str, Sequence[Verdict]]) -> Gates:
    """``verdicts`` by criterion. Under the policy ``worst`` a gate without a verdict is taken to have fired."""
    fired: list[GateFired] = []
    unread: list[Gate] = []
    for leaf in rubric.leaves:
        if leaf.gate is None:
            continue
        found = verdicts[leaf.id]
        values = [verdict.value for verdict in found if verdict.value is not None]
        absent = not found or any(verdict.missing for verdict in found)
        read = any(leaf.gate.fires(value) for value in values)
        assumed = not read and absent and rubric.missing.policy == "worst"
        if read or assumed:
            gate = leaf.gate
            fired.append(GateFired(criterion=leaf.id, when=gate.when, reward=gate.reward, assumed=assumed))
        elif absent:
            unread.append(leaf.gate)
    return Gates(tuple(fired), tuple(unread))
