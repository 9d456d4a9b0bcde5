"""GRPO with TRL on a CPU: SmolLM2-135M-Instruct with LoRA, rewarded by a running judge-server.

python examples/grpo_smollm2/train.py --model CHECKPOINT --rubric examples/short_question --run NAME --out FOLDER
"""

import argparse
import json
import time
from pathlib import Path

import torch
from datasets import Dataset
from policy import configuration, lora, prompts
from transformers import AutoModelForCausalLM, AutoTokenizer, set_seed
from trl import GRPOTrainer

from judge_client.adapters.trl import RubricReward


def main() -> None:
    """Trains, and writes what TRL logged at each step to OUT/run.json, and its completions to OUT/completions."""
    given = _arguments()
    set_seed(given.seed)
    reward = RubricReward(given.rubric, run=given.run)
    given.out.mkdir(parents=True, exist_ok=True)
    trainer = GRPOTrainer(
        model=AutoModelForCausalLM.from_pretrained(given.model, dtype=torch.float32),
        processing_class=AutoTokenizer.from_pretrained(given.model),
        reward_funcs=reward,
        args=configuration(str(given.out), steps=given.steps, seed=given.seed),
        train_dataset=Dataset.from_list(prompts()),
        peft_config=lora(),
    )
    began = time.monotonic()
    trainer.train()
    seconds = time.monotonic() - began
    told = {
        "run": given.run,
        "rubric": given.rubric,
        "seconds": round(seconds, 1),
        "pinned": reward.rewarder.pinned,
        "counts": reward.rewarder.counts,
        "steps": [step for step in trainer.state.log_history if "reward" in step],
    }
    (given.out / "run.json").write_text(json.dumps(told, indent=1))


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--model", required=True, help="a checkpoint, such as examples/smollm2.py writes")
    parser.add_argument("--rubric", default="examples/short_question")
    parser.add_argument("--run", default="smollm2", help="the run's name in the server's store")
    parser.add_argument("--steps", type=int, default=45)
    parser.add_argument("--seed", type=int, default=7)
    parser.add_argument("--out", type=Path, default=Path(__file__).parent / "out")
    return parser.parse_args()


if __name__ == "__main__":
    main()
