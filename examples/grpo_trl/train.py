"""GRPO with TRL on a CPU: the rewards come from a running judge-server.

python examples/grpo_trl/train.py --steps 80 --out examples/grpo_trl/out
"""

import argparse
import json
import tempfile
from pathlib import Path

from datasets import Dataset
from policy import QUESTIONS, build
from transformers import set_seed
from trl import GRPOConfig, GRPOTrainer

from judge_client.adapters.trl import RubricReward

GENERATIONS = 16
TOKENS = 32


def main() -> None:
    """Trains, and writes what was logged."""
    given = _arguments()
    set_seed(given.seed)
    with tempfile.TemporaryDirectory() as folder:
        trainer = GRPOTrainer(
            model=str(build(Path(folder) / "policy", lessons=given.lessons, seed=given.seed)),
            reward_funcs=RubricReward("examples/short_advice"),
            args=_config(folder, given),
            train_dataset=Dataset.from_list([{"prompt": [{"role": "user", "content": one}]} for one in QUESTIONS]),
        )
        before = _said(trainer)
        trainer.train()
        log = [step for step in trainer.state.log_history if "reward" in step]
        given.out.mkdir(parents=True, exist_ok=True)
        told = {"steps": log, "before": before, "after": _said(trainer)}
        (given.out / "run.json").write_text(json.dumps(told, indent=1))


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--steps", type=int, default=80)
    parser.add_argument("--lessons", type=int, default=300, help="steps of next-token training before")
    parser.add_argument("--seed", type=int, default=7)
    parser.add_argument("--out", type=Path, default=Path(__file__).parent / "out")
    return parser.parse_args()


def _config(folder: str, given: argparse.Namespace) -> GRPOConfig:
    return GRPOConfig(
        output_dir=folder,
        max_steps=given.steps,
        per_device_train_batch_size=len(QUESTIONS) * GENERATIONS,
        num_generations=GENERATIONS,
        max_completion_length=TOKENS,
        learning_rate=5e-4,
        beta=0.1,
        lr_scheduler_type="constant",
        logging_steps=1,
        use_cpu=True,
        bf16=False,
        gradient_checkpointing=False,
        report_to="none",
        save_strategy="no",
        disable_tqdm=True,
        seed=given.seed,
    )


def _said(trainer: GRPOTrainer) -> list[str]:
    """One answer to each question."""
    model, tokenizer = trainer.model.eval(), trainer.processing_class
    answers = []
    for question in QUESTIONS:
        asked = tokenizer.apply_chat_template(
            [{"role": "user", "content": question}], add_generation_prompt=True, return_tensors="pt", return_dict=True
        )
        done = model.generate(**asked, max_new_tokens=TOKENS, do_sample=True)
        answers.append(tokenizer.decode(done[0][asked["input_ids"].shape[1] :], skip_special_tokens=True))
    model.train()
    return answers


if __name__ == "__main__":
    main()
