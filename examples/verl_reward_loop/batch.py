"""Rollouts as verl's agent loop hands them to the reward loop."""

from pathlib import Path
from typing import Any

import numpy as np
import torch
from tensordict import TensorDict
from tokenizers import Tokenizer, decoders, models, pre_tokenizers, trainers
from transformers import PreTrainedTokenizerFast
from verl import DataProto

PAD, END = "<|endoftext|>", "<|im_end|>"
Rollout = dict[str, Any]


def write_tokenizer(texts: list[str], folder: Path) -> PreTrainedTokenizerFast:
    """A byte-level tokenizer of these texts, saved where ``actor_rollout_ref.model.path`` can point."""
    tokenizer = Tokenizer(models.BPE())
    tokenizer.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
    tokenizer.decoder = decoders.ByteLevel()
    alphabet = pre_tokenizers.ByteLevel.alphabet()
    tokenizer.train_from_iterator(
        texts, trainers.BpeTrainer(vocab_size=1_000, special_tokens=[PAD, END], initial_alphabet=alphabet)
    )
    fast = PreTrainedTokenizerFast(tokenizer_object=tokenizer, pad_token=PAD, eos_token=END)
    fast.save_pretrained(folder)
    return fast


def batch_of(rollouts: list[Rollout], tokenizer: PreTrainedTokenizerFast) -> DataProto:
    """``rollouts``: each with ``messages``, ``response``, and perhaps ``ground_truth`` and ``extra_info``.

    Prompts are padded on the left, responses on the right. The conversation stands in ``raw_prompt``, and in the extra
    fields that the agent loop merges into the reward function's ``extra_info``.
    """
    prompts = [tokenizer.encode(rollout["messages"][-1]["content"]) for rollout in rollouts]
    responses = [[*tokenizer.encode(rollout["response"]), tokenizer.eos_token_id] for rollout in rollouts]
    prompt_ids, prompt_mask = _padded(prompts, tokenizer.pad_token_id, left=True)
    response_ids, response_mask = _padded(responses, tokenizer.pad_token_id, left=False)
    tensors = {
        "prompts": prompt_ids,
        "responses": response_ids,
        "input_ids": torch.cat([prompt_ids, response_ids], dim=1),
        "attention_mask": torch.cat([prompt_mask, response_mask], dim=1),
    }
    columns = {
        "data_source": [rollout.get("data_source", "example") for rollout in rollouts],
        "raw_prompt": [rollout["messages"] for rollout in rollouts],
        "reward_model": [{"style": "rule", "ground_truth": rollout.get("ground_truth", "")} for rollout in rollouts],
        "extra_info": [dict(rollout.get("extra_info", {})) for rollout in rollouts],
        "tool_extra_fields": [{"raw_prompt": rollout["messages"]} for rollout in rollouts],
    }
    return DataProto(
        batch=TensorDict(tensors, batch_size=len(rollouts)),
        non_tensor_batch={name: _objects(values) for name, values in columns.items()},
    )


def _padded(rows: list[list[int]], padding: int, *, left: bool) -> tuple[torch.Tensor, torch.Tensor]:
    longest = max(len(row) for row in rows)
    ids, mask = torch.full((len(rows), longest), padding), torch.zeros((len(rows), longest), dtype=torch.int64)
    for place, row in enumerate(rows):
        where = slice(longest - len(row), longest) if left else slice(0, len(row))
        ids[place, where] = torch.tensor(row)
        mask[place, where] = 1
    return ids, mask


def _objects(values: list[Any]) -> np.ndarray:
    column = np.empty(len(values), dtype=object)
    column[:] = values
    return column
