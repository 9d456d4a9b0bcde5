"""verl's own reward loop, on local Ray and the CPU, scores rollouts with a rubric of a running judge-server.

    python examples/verl_reward_loop/reward_loop.py --url http://127.0.0.1:8000

``run.py`` beside this file starts the server, too.
"""

import argparse
import json
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import ray
import verl
from batch import Rollout, batch_of, write_tokenizer
from hydra import compose, initialize_config_dir
from verl import DataProto
from verl.experimental.reward_loop import RewardLoopManager

HERE = Path(__file__).parent
CONFIGURATION = Path(verl.__file__).parent / "trainer" / "config"


def read_rollouts(path: Path) -> list[Rollout]:
    """One rollout for every response of every line."""
    rows = [json.loads(line) for line in path.read_text().splitlines()]
    return [
        {"messages": [{"role": "user", "content": row["prompt"]}], "response": response}
        for row in rows
        for response in row["responses"]
    ]


def configured(tokenizer: Path, *overrides: str) -> Any:
    """The configuration of ``python -m verl.trainer.main_ppo OVERRIDES``."""
    few = ["reward.num_workers=1", f"actor_rollout_ref.model.path={tokenizer}"]
    with initialize_config_dir(str(CONFIGURATION), version_base=None):
        return compose("ppo_trainer", overrides=[*few, *overrides])


@contextmanager
def local_ray() -> Iterator[None]:
    """A Ray of two CPUs that ends with the block."""
    ray.init(num_cpus=2, include_dashboard=False, object_store_memory=100 * 2**20, logging_level="error")
    try:
        yield
    finally:
        ray.shutdown()


@contextmanager
def reward_loop(configuration: Any) -> Iterator[RewardLoopManager]:
    """verl's reward loop, whose workers end with the block."""
    manager = RewardLoopManager(configuration)
    try:
        yield manager
    finally:
        for worker in manager.reward_loop_workers:
            ray.kill(worker)


def show(rollouts: list[Rollout], scored: DataProto) -> None:
    """One line for each rollout: the reward that training would see, and what verl would log."""
    rewards = scored.batch["rm_scores"].sum(dim=-1).tolist()
    print(f"{'reward':>6}  {'failed':>6}  {'coverage':>8}  response")
    for place, rollout in enumerate(rollouts):
        failed, coverage = (scored.non_tensor_batch[name][place] for name in ("judge_failed", "judge_coverage"))
        print(f"{rewards[place]:6.3f}  {failed:6.0f}  {coverage:8.2f}  {rollout['response'][:60]}")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--url", default="http://127.0.0.1:8000")
    parser.add_argument("--rubric", default="medical/consultation")
    arguments = parser.parse_args()
    rollouts = read_rollouts(HERE / "rollouts.jsonl")
    with tempfile.TemporaryDirectory() as folder, local_ray():
        tokenizer = write_tokenizer([rollout["response"] for rollout in rollouts], Path(folder))
        configuration = configured(
            Path(folder),
            "reward.custom_reward_function.path=pkg://judge_client.adapters.verl",
            f"+reward.custom_reward_function.reward_kwargs.url={arguments.url}",
            f"+reward.custom_reward_function.reward_kwargs.rubric={arguments.rubric}",
        )
        with reward_loop(configuration) as manager:
            show(rollouts, manager.compute_rm_score(batch_of(rollouts, tokenizer)))


if __name__ == "__main__":
    main()
