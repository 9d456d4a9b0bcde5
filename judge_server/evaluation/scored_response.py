"""One judged response of an evaluation, with its score overall and by tag."""

from collections.abc import Sequence
from typing import Final

from pydantic import Field

from judge_server.core.judgment import Judgment
from judge_server.core.model import Frozen

OVERALL: Final = "overall"


class ScoredResponse(Frozen):
    """``row``: its number in the set, from 1; ``prompt``: the key of the conversation, on which intervals are
    clustered. ``scores``: by name, among them ``overall``; empty if there is no score, and ``failure`` then says why.
    ``characters``: the length of the response; ``reward``: the judgment's, with probabilities instead of decisions."""

    row: int
    prompt: str
    scores: dict[str, float] = Field(default_factory=dict)
    characters: int = 0
    reward: float | None = None
    failure: str | None = None


def reward_scores(judgment: Judgment, tags: Sequence[str]) -> dict[str, float]:
    """The reward overall and for each tag of the row, and the judgment's components. Empty without a reward."""
    if judgment.reward is None:
        return {}
    components = {name: value for name, value in judgment.components.items() if value is not None}
    return {OVERALL: judgment.reward, **dict.fromkeys(tags, judgment.reward), **components}
