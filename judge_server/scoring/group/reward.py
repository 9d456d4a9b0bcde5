"""The reward of a member: its own, or how it stands to the others, below what the rubric's gates leave."""

from math import fsum

from judge_server.core.judgment import Judgment
from judge_server.core.outcome import GATE_UNDECIDED
from judge_server.core.reward import read_gates
from judge_server.core.rubric import Rubric
from judge_server.core.verdict import Failure

_UNEXPLAINED = Failure(type="no_verdict", detail="The response has no reward.")


def own_reward(judgment: Judgment) -> float | Failure:
    return judgment.reward if judgment.reward is not None else judgment.error or _UNEXPLAINED


def relative_reward(judgment: Judgment, relative: float, weight: float, rubric: Rubric) -> float | Failure:
    """``weight`` of the relative reward and the rest of the member's own. A gate that fired caps it as it caps the
    member's own reward; one that could not be read leaves it undecided if it could have lowered it. What could not be
    judged or kept at all has no reward, whatever the comparison found."""
    if not judgment.id:
        return judgment.error or _UNEXPLAINED
    value = relative
    if weight < 1:
        own = own_reward(judgment)
        if isinstance(own, Failure):
            return own
        value = fsum((weight * relative, (1 - weight) * own))
    gates = read_gates(
        rubric,
        {leaf.id: [verdict for verdict in judgment.verdicts if verdict.criterion == leaf.id] for leaf in rubric.leaves},
    )
    value = min(value, gates.ceiling(assumed=True))
    return GATE_UNDECIDED if any(gate.reward < value for gate in gates.unread) else value
