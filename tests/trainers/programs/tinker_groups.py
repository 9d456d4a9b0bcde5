"""Group rollouts of the Tinker cookbook with judged groups, in one process.

    tinker_groups.py RUNS.json RESULTS.json CHECKPOINT

A run: fields of RubricGroupBuilder, and ``strategy``. A result: the group, null where it was skipped, or the error.
The page's module is importable as ``page``; its groups stand under that name.
"""

import asyncio
import itertools
import json
import pickle
import sys
from pathlib import Path
from types import SimpleNamespace

from page import ConsultationsBuilder
from tinker_cookbook.renderers import get_renderer
from tinker_cookbook.rl.rollout_strategy import FailFast, RetryOnFailure
from tinker_cookbook.rl.rollouts import do_group_rollout_and_filter_constant_reward
from tinker_cookbook.tokenizer_utils import get_tokenizer

from judge_client import JudgeClientError
from judge_client.adapters.tinker import RubricGroupBuilder

QUESTION = "I have had a headache since yesterday."
RENDERER = "qwen3_disable_thinking"


class Scripted:
    """Samples as tinker.SamplingClient does, from a list that repeats."""

    def __init__(self, tokenizer, answers):
        self.tokenizer = tokenizer
        self.answers = itertools.cycle(answers)

    async def sample(self, prompt, num_samples, sampling_params):
        tokens = self.tokenizer.encode(next(self.answers) + "<|im_end|>", add_special_tokens=False)
        sequence = SimpleNamespace(tokens=tokens, logprobs=[-1.0] * len(tokens), stop_reason="stop", sequence_id=None)
        return SimpleNamespace(sequences=[sequence], prompt_cache_hit_tokens=0)


async def rolled(builder, client, strategy=None):
    try:
        group = await do_group_rollout_and_filter_constant_reward(
            client,
            pickle.loads(pickle.dumps(builder)),
            max_tokens=64,
            temperature=1.0,
            do_remove_constant_reward_groups=False,
            strategy=strategy,
        )
    except JudgeClientError as error:
        return {"error": f"{type(error).__name__}: {error}"}
    return group and {"rewards": group.get_total_rewards(), "metrics": group.metrics_G}


async def main(runs, checkpoint):
    tokenizer = get_tokenizer(checkpoint)
    renderer = get_renderer(RENDERER, tokenizer, model_name=checkpoint)
    results = {}
    for name, run in runs.items():
        builder = RubricGroupBuilder(QUESTION, renderer, group_size=3, **run["fields"])
        strategy = RetryOnFailure() if run.get("strategy") == "retry" else FailFast()
        results[name] = await rolled(builder, Scripted(tokenizer, run["answers"]), strategy)
    dataset, _ = await ConsultationsBuilder(model_name=checkpoint)()
    answers = Scripted(tokenizer, ["Drink water.", "See a doctor if it lasts.", "Rest."])
    results["page"] = [await rolled(dataset.get_batch(place)[0], answers) for place in range(len(dataset))]
    return results


if __name__ == "__main__":
    runs = json.loads(Path(sys.argv[1]).read_text())
    Path(sys.argv[2]).write_text(json.dumps(asyncio.run(main(runs, sys.argv[3]))))
