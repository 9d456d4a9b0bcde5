"""GRPO with TRL under a judge-server that fails in the middle: trl_outage.py FOLDER CHECKPOINT STEPS"""

import json
import logging
import sys
from pathlib import Path

from datasets import Dataset
from gated_reward import Gate
from transformers import AutoModelForCausalLM, AutoTokenizer, set_seed
from trl import GRPOConfig, GRPOTrainer

from judge_client.adapters.trl import SyncRubricReward

QUESTIONS = ("I have had a headache.", "My child has a fever.")


def main():
    folder, checkpoint, steps = Path(sys.argv[1]), sys.argv[2], int(sys.argv[3])
    logging.basicConfig(level=logging.WARNING)
    gate, inner = Gate(folder), SyncRubricReward("test/outage")

    def outage(prompts, completions, **given):
        step = given["trainer_state"].global_step
        return gate.around(step, lambda: inner(prompts, completions, **given))

    set_seed(1)
    trainer = GRPOTrainer(
        model=AutoModelForCausalLM.from_pretrained(checkpoint),
        processing_class=AutoTokenizer.from_pretrained(checkpoint),
        reward_funcs=[outage],
        args=GRPOConfig(
            output_dir=str(folder / "out"),
            max_steps=steps,
            num_generations=4,
            per_device_train_batch_size=4,
            max_completion_length=8,
            logging_steps=1,
            use_cpu=True,
            bf16=False,
            report_to="none",
            save_strategy="no",
            disable_tqdm=True,
        ),
        train_dataset=Dataset.from_list([{"prompt": question} for question in QUESTIONS]),
    )
    error = None
    try:
        trainer.train()
    except Exception as fault:  # noqa: BLE001 - whatever ends the training is the result
        error = {"type": type(fault).__name__, "detail": str(fault)}
    rewarder = inner.rewarder
    told = {"error": error, "log": trainer.state.log_history, "pinned": rewarder.pinned, "counts": rewarder.counts}
    (folder / "result.json").write_text(json.dumps(told | {"on_failure": str(rewarder.on_failure)}))


if __name__ == "__main__":
    main()
