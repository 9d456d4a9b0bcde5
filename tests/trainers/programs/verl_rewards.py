"""Rollouts through verl's RewardLoopManager, on local Ray, under several configurations.

    verl_rewards.py EXAMPLE_FOLDER RUNS.json RESULTS.json

A run: ``overrides``, ``rollouts`` and ``apart`` (each rollout in a batch of its own). A result: for each batch its
rewards, where they stand, and what verl would log; or the error. ``in_process`` runs verl's worker without Ray.
"""

import json
import sys
import tempfile
from pathlib import Path

sys.path.insert(0, sys.argv[1])

from batch import batch_of, write_tokenizer
from reward_loop import configured, local_ray, reward_loop
from verl.experimental.reward_loop.reward_loop import RewardLoopWorker
from verl.experimental.reward_loop.reward_manager.base import RewardManagerBase


def told(data, scored):
    scores = scored.batch["rm_scores"]
    lengths = data.batch["attention_mask"][:, data.batch["prompts"].shape[1] :].sum(dim=1)
    return {
        "rewards": [row[length - 1].item() for row, length in zip(scores, lengths, strict=True)],
        "sums": scores.sum(dim=1).tolist(),
        "extra": {name: scored.non_tensor_batch[name].tolist() for name in scored.meta_info["reward_extra_keys"]},
    }


def attempt(score, rollouts, tokenizer):
    data = batch_of(rollouts, tokenizer)
    try:
        return score(data)
    except Exception as error:  # noqa: BLE001 - the error is the result
        return {"error": type(error).__name__, "text": str(error)}


def on_ray(run, batches, tokenizer, folder):
    with reward_loop(configured(folder, *run["overrides"])) as manager:
        return [attempt(lambda data: told(data, manager.compute_rm_score(data)), batch, tokenizer) for batch in batches]


def in_process(run, batches, tokenizer, folder):
    def score(data):
        worker = RewardLoopWorker(configured(folder, *run["overrides"]))
        outputs = worker.loop.run_until_complete(worker.compute_score_batch(data))
        return {"rewards": [float(one["reward_score"]) for one in outputs]}

    return [attempt(score, batch, tokenizer) for batch in batches]


def without_policy(rollouts, tokenizer):
    """What verl makes of None and NaN: why the adapter lets neither through."""
    return {
        name: attempt(
            lambda data, value=value: {"sums": RewardManagerBase.assemble_rm_scores(data, [value]).sum(dim=1).tolist()},
            rollouts[:1],
            tokenizer,
        )
        for name, value in (("none", None), ("nan", float("nan")))
    }


def main():
    plan = json.loads(Path(sys.argv[2]).read_text())
    runs, rollouts = plan["runs"], plan["rollouts"]
    with tempfile.TemporaryDirectory() as folder, local_ray():
        every = [*rollouts, *(one for run in runs.values() for one in run.get("rollouts", ()))]
        texts = [rollout["response"] + rollout["messages"][-1]["content"] for rollout in every]
        tokenizer = write_tokenizer(texts, Path(folder))
        results = {"without_policy": without_policy(rollouts, tokenizer)}
        for name, run in runs.items():
            played = run.get("rollouts", rollouts)
            batches = [[rollout] for rollout in played] if run.get("apart") else [played]
            how = in_process if run.get("in_process") else on_ray
            results[name] = how(run, batches, tokenizer, Path(folder))
    Path(sys.argv[3]).write_text(json.dumps(results))


main()
