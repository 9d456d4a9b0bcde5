"""ROLL: a reward worker for a domain of the RLVR pipeline:

rewards:
  consultation:
    worker_cls: judge_client.adapters.roll.JudgeRewardWorker

Settings come from the environment; ``judge_api_url``, ``judge_api_key`` and ``judge_model_name`` of the worker go
before JUDGE_URL, JUDGE_API_KEY and JUDGE_NAME.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from statistics import fmean
from typing import Any

import torch
from roll.distributed.executor.worker import Worker
from roll.distributed.scheduler.decorator import Dispatch, register
from roll.distributed.scheduler.protocol import DataProto
from roll.models.model_providers import default_tokenizer_provider

from judge_client.adapters.decoded import DecodedRewarder
from judge_client.adapters.kept import Profile, number_of
from judge_client.adapters.label import sample_of
from judge_client.sample import Sample
from judge_client.scored import Scored

PROFILE = Profile("ROLL", DecodedRewarder, bears=("raise", "neutral", "number"))
SETTINGS = {"judge_api_url": "url", "judge_api_key": "api_key", "judge_model_name": "judge"}


class JudgeRewardWorker(Worker):
    """Rewards of whole responses. The data set's columns may be ``messages`` or ``prompt`` (else the decoded prompt is
    taken apart), ``ground_truth`` (a reference or an envelope), ``reference``, ``facts``, ``rubric`` and ``judge``."""

    def __init__(self, worker_config: Any) -> None:
        super().__init__(worker_config=worker_config)
        self.rank_info.dp_rank = self.rank_info.rank
        self.rank_info.dp_size = self.rank_info.world_size
        self.tokenizer = default_tokenizer_provider(model_args=worker_config.model_args)
        given = {ours: getattr(worker_config, theirs, None) for theirs, ours in SETTINGS.items()}
        self.rewarder = PROFILE.rewarder({name: value for name, value in given.items() if value is not None})

    @register(dispatch_mode=Dispatch.ONE_TO_ALL)
    def initialize(self, pipeline_config: Any) -> None:
        """Nothing to load: the judge runs elsewhere."""

    @register(dispatch_mode=Dispatch.DP_MP_COMPUTE, clear_cache=False)
    def compute_rewards(self, data: Any) -> Any:
        """``token_level_rewards`` (zeros), ``response_level_rewards`` and ``scores``, in 32 bits, and metrics. Raises
        JudgeFailed, at which ROLL stops, unless ``on_failure`` says otherwise."""
        scored = self.rewarder.score(list(self._samples(data)))
        rewards = torch.tensor([number_of(one) for one in scored], dtype=torch.float32)
        output = DataProto.from_dict(
            tensors={
                "token_level_rewards": torch.zeros_like(data.batch["responses"], dtype=torch.float32),
                "response_level_rewards": rewards,
                "scores": rewards.clone(),
            }
        )
        output.meta_info = {"metrics": _metrics(scored)}
        return output

    def _samples(self, data: Any) -> Iterator[Sample]:
        prompts = self._texts(data.batch["prompts"])
        responses = self._texts(data.batch["responses"])
        for place, (prompt, response) in enumerate(zip(prompts, responses, strict=True)):
            row = {name: values[place] for name, values in data.non_tensor_batch.items()}
            yield sample_of(response, prompt=row.get("messages") or prompt, label=row.get("ground_truth"), columns=row)

    def _texts(self, ids: Any) -> list[str]:
        """With the template's own marks, which tell turns apart, and without padding."""
        padding = self.tokenizer.pad_token or ""
        texts = self.tokenizer.batch_decode(ids, skip_special_tokens=False)
        return [_unpadded(text, padding) for text in texts]


def _unpadded(text: str, padding: str) -> str:
    """Padding repeats on either side; the end of a text is often the same token, once."""
    if not padding:
        return text
    while text.startswith(padding):
        text = text[len(padding) :]
    while text.endswith(padding):
        text = text[: -len(padding)]
    return text


def _metrics(scored: Sequence[Scored]) -> Mapping[str, float]:
    """A judgment that failed has no coverage of 0: the mean is over the others."""
    covered = [one.metrics["coverage"] for one in scored if "coverage" in one.metrics]
    failed = {"judge/failed": sum(one.failure is not None for one in scored) / len(scored)}
    return {**failed, "judge/coverage": fmean(covered)} if covered else failed
