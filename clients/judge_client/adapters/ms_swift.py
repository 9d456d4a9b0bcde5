"""ms-swift: a plugin file of one line, ``import judge_client.adapters.ms_swift``, and then ``--reward_funcs rubric``;
``rubric_sync`` is the sync twin. The environment configures both (JUDGE_RUBRIC, JUDGE_URL, …).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from swift.rewards import ORM, AsyncORM, orms

from judge_client.adapters.asynchronous import SettledRewards, async_reward
from judge_client.adapters.columns import USUAL, Columns, logged_step
from judge_client.adapters.conversation import parted
from judge_client.adapters.kept import Profile, number_of
from judge_client.rewarder import Rewarder
from judge_client.sample import Sample
from judge_client.scored import Scored

PROFILE = Profile("ms-swift, which counts a missing reward as 0,", Rewarder, bears=("raise", "neutral", "number"))


class RubricReward(AsyncORM):
    """Rewards from the judge-server. Raises JudgeFailed, which ends the training, unless JUDGE_ON_FAILURE is
    ``neutral`` or a number; BadConfiguration for ``drop``."""

    columns = USUAL

    def __init__(self, args: Any = None, **options: Any) -> None:
        super().__init__(args)
        self.rewarder = PROFILE.rewarder(options)

    @async_reward("Give ms-swift --reward_funcs rubric_sync (SyncRubricReward).")
    async def __call__(self, completions: Sequence[str], **given: Any) -> list[float]:
        return _numbers(await self.rewarder.ascore(_samples(self.columns, given)))


class SyncRubricReward(ORM):
    """RubricReward, one batch after the other."""

    columns = USUAL

    def __init__(self, args: Any = None, **options: Any) -> None:
        super().__init__(args)
        self.rewarder = PROFILE.rewarder(options)

    def __call__(self, completions: Sequence[str], **given: Any) -> list[float]:
        return SettledRewards(_numbers(self.rewarder.score(_samples(self.columns, given))))


def _samples(columns: Columns, given: Mapping[str, Any]) -> list[Sample]:
    """``messages``: whole conversations; what the model said since the last other turn is judged."""
    told = [parted(messages) for messages in given["messages"]]
    responses = [_text_or_turns(turns) for _, turns in told]
    return columns.samples([prompt for prompt, _ in told], responses, given, step=logged_step(given))


def _text_or_turns(turns: Sequence[Mapping[str, Any]]) -> str | Sequence[Mapping[str, Any]]:
    """One plain answer is text, in which the server finds a ``<think>`` element."""
    alone = turns[0] if len(turns) == 1 else {}
    return str(alone["content"]) if set(alone) == {"role", "content"} else turns


def _numbers(scored: Sequence[Scored]) -> list[float]:
    return [number_of(one) for one in scored]


orms["rubric"] = RubricReward
orms["rubric_sync"] = SyncRubricReward
