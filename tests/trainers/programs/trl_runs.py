"""Several short training runs of TRL in one process, each with a reward of judge_client.

    trl_runs.py RUNS.json RESULTS.json CHECKPOINT

A run: ``trainer`` (grpo, rloo, online_dpo), ``reward`` (a class of the adapter), ``options`` of it, ``rows`` of the
data set, ``beside``: another reward that is always 1. A result: what the trainer logged, and the error that ended it.
"""

import json
import logging
import pickle
import sys
import tempfile
from pathlib import Path

import torch
from datasets import Dataset
from transformers import AutoModelForCausalLM, AutoTokenizer, set_seed
from trl import GRPOConfig, GRPOTrainer, RLOOConfig, RLOOTrainer

from judge_client.adapters import trl as adapter

GENERATIONS = 4


def one(completions, **_):
    return [1.0 for _ in completions]


def online_dpo():
    from trl.experimental.online_dpo import OnlineDPOConfig, OnlineDPOTrainer

    return OnlineDPOConfig, OnlineDPOTrainer


def trainer_of(run, checkpoint, folder):
    pair = run["trainer"] == "online_dpo"
    config, trainer = (
        online_dpo() if pair else {"grpo": (GRPOConfig, GRPOTrainer), "rloo": (RLOOConfig, RLOOTrainer)}[run["trainer"]]
    )
    groups = {"num_generations": GENERATIONS, "max_completion_length": 8, "beta": 0.0}
    settings = {
        "output_dir": folder,
        "max_steps": 2,
        "logging_steps": 1,
        "learning_rate": 1e-3,
        "per_device_train_batch_size": 2 if pair else 2 * GENERATIONS,
        "use_cpu": True,
        "bf16": False,
        "report_to": "none",
        "save_strategy": "no",
        "disable_tqdm": True,
        **({"max_new_tokens": 8} if pair else groups),
    }
    tokenizer = AutoTokenizer.from_pretrained(checkpoint)
    reward = pickle.loads(pickle.dumps(getattr(adapter, run["reward"])(**run["options"])))
    more = {"ref_model": AutoModelForCausalLM.from_pretrained(checkpoint)} if pair else {}
    return trainer(
        model=AutoModelForCausalLM.from_pretrained(checkpoint),
        reward_funcs=[reward, one] if run.get("beside") else [reward],
        args=config(**settings),
        train_dataset=Dataset.from_list(run["rows"]),
        processing_class=tokenizer,
        **more,
    )


def watched(trainer):
    """What the trainer knew at every step about each completion."""
    steps, compute = [], trainer._generate_and_score_completions

    def note(*arguments, **named):
        done = compute(*arguments, **named)
        logs = trainer._logs
        steps.append(
            {
                "rewards": {name: list(values) for name, values in logs["rewards"].items()},
                "advantages": list(logs["advantages"]),
                "extra": {name: list(values) for name, values in logs["extra"].items()},
            }
        )
        return done

    trainer._generate_and_score_completions = note
    return steps


def run_once(run, checkpoint):
    set_seed(1)
    with tempfile.TemporaryDirectory() as folder:
        trainer = trainer_of(run, checkpoint, folder)
        steps = watched(trainer) if hasattr(trainer, "_generate_and_score_completions") else []
        reward, error = trainer.reward_funcs[0], None
        before = torch.cat([weight.detach().flatten().clone() for weight in trainer.model.parameters()])
        try:
            trainer.train()
        except Exception as fault:  # noqa: BLE001 - whatever ends the training is the result
            error = {"type": type(fault).__name__, "detail": str(fault)}
        after = torch.cat([weight.detach().flatten() for weight in trainer.model.parameters()])
        return {
            "error": error,
            "log": trainer.state.log_history,
            "steps": steps,
            "counts": reward.rewarder.counts,
            "moved": not torch.equal(before, after),
            "finite": bool(torch.isfinite(after).all()),
        }


def main():
    runs, results, checkpoint = sys.argv[1:]
    logging.getLogger("judge_client").setLevel(logging.ERROR)
    done = {name: run_once(run, checkpoint) for name, run in json.loads(Path(runs).read_text()).items()}
    Path(results).write_text(json.dumps(done))


if __name__ == "__main__":
    main()
