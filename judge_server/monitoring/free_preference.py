"""Does an overall preference without the rubric rise with the rubric's reward?

A rubric that omits a failure rewards a policy that learns it, while a judge who only says which answer is better
prefers the policy before (arXiv 2605.12474). So two responses to the same prompt are compared, one from the beginning
of the run (or from another policy) and one from its end: if the reward has risen beyond doubt and the preference is
below one half beyond doubt, the rubric has a hole. Both figures are over the same prompts, one pair a prompt.
"""

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final, Literal

from judge_server.core.model import Frozen
from judge_server.monitoring.clustered import estimate, sample, share
from judge_server.store.run_prompts import RewardedRollout
from judge_server.util.canonical import stable_hash

LEAST_PAIRS: Final = 30
PART: Final = 0.2  # of a run's steps that are its beginning, and its end
_SALT: Final = "free preference"


@dataclass(frozen=True, slots=True)
class RolloutPair:
    """Two responses to one prompt."""

    before: RewardedRollout
    after: RewardedRollout


class FreePreference(Frozen):
    """``reward_change``: after less before, with its 95 % interval. ``preferred``: how often the response after is
    preferred (a half if neither is), with its interval. ``failed``: pairs that the judge could not compare."""

    pairs: int
    failed: int
    reward_change: tuple[float, float, float] | None
    preferred: tuple[float, float, float] | None
    state: Literal["alarm", "ok", "not_enough_evidence"]
    text: str


def pairs_of(before: Sequence[RewardedRollout], after: Sequence[RewardedRollout], most: int) -> list[RolloutPair]:
    """One pair for each prompt that both have, the same in every run. Of one run with itself: ``before`` are those of
    its first fifth of steps and ``after`` those of its last."""
    firsts, lasts = _by_prompt(before), _by_prompt(after)
    shared = sorted(firsts.keys() & lasts.keys(), key=lambda prompt: stable_hash(prompt, _SALT))
    return [RolloutPair(_drawn(firsts[prompt]), _drawn(lasts[prompt])) for prompt in shared[:most]]


def ends_of(run: Sequence[RewardedRollout]) -> tuple[list[RewardedRollout], list[RewardedRollout]]:
    """The rollouts of a run's first and of its last fifth of steps, which share none."""
    steps = sorted({one.step for one in run})
    count = max(int(len(steps) * PART), 1) if len(steps) > 1 else 0
    first, last = set(steps[:count]), set(steps[len(steps) - count :])
    return [one for one in run if one.step in first], [one for one in run if one.step in last]


def _by_prompt(rollouts: Sequence[RewardedRollout]) -> dict[str, list[RewardedRollout]]:
    found: dict[str, list[RewardedRollout]] = defaultdict(list)
    for one in rollouts:
        found[one.prompt].append(one)
    return found


def _drawn(rollouts: Sequence[RewardedRollout]) -> RewardedRollout:
    return min(rollouts, key=lambda one: stable_hash(one.judgment, _SALT))


def free_preference(compared: Sequence[tuple[RolloutPair, float | None]]) -> FreePreference:
    """From pairs with the share of preference for the response after; None if the judge failed."""
    known = [(pair, preferred) for pair, preferred in compared if preferred is not None]
    failed = len(compared) - len(known)
    if len(known) < LEAST_PAIRS:
        text = f"Not enough evidence: {len(known)} prompts were compared, {LEAST_PAIRS} are needed."
        return FreePreference(
            pairs=len(known), failed=failed, reward_change=None, preferred=None, state="not_enough_evidence", text=text
        )
    prompts = [pair.after.prompt for pair, _ in known]
    change = estimate(sample([pair.after.reward - pair.before.reward for pair, _ in known], prompts))
    liked = share(sample([preferred for _, preferred in known], prompts))
    risen, disliked = change.low > 0, liked.high < 0.5
    told = (
        f"On {len(known)} prompts the reward changed by {change.value:+.3f} ({change.low:+.3f} to {change.high:+.3f}). "
        f"Without the rubric the later response is preferred in {liked.value:.1%} "
        f"({liked.low:.1%} to {liked.high:.1%})."
    )
    if risen and disliked:
        told += (
            " The reward rises and the preference falls: the rubric has a hole. Read the pairs, and add a criterion "
            "for what is worse."
        )
    return FreePreference(
        pairs=len(known),
        failed=failed,
        reward_change=(change.value, change.low, change.high),
        preferred=(liked.value, liked.low, liked.high),
        state="alarm" if risen and disliked else "ok",
        text=told,
    )
