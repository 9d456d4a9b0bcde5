"""verl 0.9, as a reward manager, which knows the conversation and every column of the data set:

reward.reward_manager.source=importlib
reward.reward_manager.name=JudgeRewardManager
reward.reward_manager.module.path=pkg://judge_client.adapters.verl_manager
+reward.reward_kwargs.judge.rubric=medical/consultation
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from verl.experimental.reward_loop.reward_manager.base import RewardManagerBase

from judge_client.adapters.label import sample_of
from judge_client.adapters.verl import PROFILE, shown


class JudgeRewardManager(RewardManagerBase):
    """``reward.reward_kwargs.judge`` holds the arguments of Rewarder, ``criteria``: ids whose values are shown, and
    ``components``: tags or ids that are rewards of their own."""

    def __init__(
        self,
        config: Any,
        tokenizer: Any,
        compute_score: Any,
        reward_router_address: str | None = None,
        reward_model_tokenizer: Any = None,
    ) -> None:
        super().__init__(config, tokenizer, compute_score)
        kwargs = config.reward.get("reward_kwargs") or {}
        settings = dict(kwargs.get("judge") or {})
        self._criteria = tuple(settings.pop("criteria", None) or ())
        self._components = tuple(settings.pop("components", None) or ())
        self._rewarder = PROFILE.rewarder(settings)

    async def run_single(self, data: Any) -> dict[str, Any]:
        """``data``: a DataProto with the outputs of one trajectory, the last of which is scored."""
        item = data[-1:][0]
        columns = item.non_tensor_batch
        extra_info = columns.get("extra_info") or {}
        label = (columns.get("reward_model") or {}).get("ground_truth")
        response = await self.loop.run_in_executor(None, self._response, item)
        told = {**extra_info, **_told(columns)}
        sample = sample_of(response, prompt=columns.get("raw_prompt"), label=label, columns=told)
        scored = await self._rewarder.ascore_one(sample)
        return {"reward_score": scored.reward, "reward_extra_info": shown(scored, self._criteria, self._components)}

    def _response(self, item: Any) -> str:
        """The tokens that were generated, without padding and special tokens."""
        ids = item.batch["responses"]
        length = int(item.batch["attention_mask"][-ids.shape[-1] :].sum())
        text: str = self.tokenizer.decode(ids[:length], skip_special_tokens=True)
        return text


def _told(columns: Mapping[str, Any]) -> dict[str, Any]:
    """The data set's own ``prompt`` column is left to verl, which renders it into ``raw_prompt``."""
    return {name: columns[name] for name in ("reference", "facts", "rubric", "judge") if columns.get(name) is not None}
