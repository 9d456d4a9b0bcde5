"""Trains a LoRA adapter on rows of token ids, in a process of its own: ``python adapter_training.py TASK.json``.

It runs under an interpreter that has TRL, peft and datasets and needs no other file of this package. It writes a line
of JSON for each step to standard output, a checkpoint every ``checkpoint_steps`` steps, and goes on from the last whole
one; at the end the adapter, and ``trained.json`` beside it. The task's fields stand in ``tuning.TrainingTask``.
"""

import importlib.metadata
import json
import platform
import sys
import time
from pathlib import Path
from typing import Any

IGNORED = -100  # of labels: tokens that add nothing to the loss
PACKAGES = ("datasets", "peft", "torch", "transformers", "trl")
STATE = "trainer_state.json"  # what a checkpoint writes last


def rows_of(path: Path) -> list[dict[str, list[int]]]:
    """Only the last token, the answer, is learnt."""
    rows = []
    for line in path.read_text("utf-8").splitlines():
        ids = json.loads(line)["input_ids"]
        rows.append({"input_ids": ids, "labels": [IGNORED] * (len(ids) - 1) + ids[-1:]})
    return rows


def last_checkpoint(folder: Path) -> Path | None:
    """The newest one that is whole; None if there is none."""
    for path in sorted(folder.glob("checkpoint-*"), key=lambda path: -int(path.name.rpartition("-")[2])):
        try:
            json.loads((path / STATE).read_text("utf-8"))
        except (OSError, ValueError):
            continue  # a kill came while it was written
        return path
    return None


def _spent(log: Path) -> float:
    """Seconds of training before this process."""
    seconds = 0.0
    for line in log.read_text("utf-8").splitlines() if log.exists() else ():
        try:
            seconds += json.loads(line)["took"]
        except (ValueError, KeyError):
            continue  # the line that a kill cut off
    return seconds


def _watching(base: Any, log: Path, seconds: float | None) -> Any:
    """A callback of the trainer that tells each step and ends the training if its time is over."""

    class StepLog(base):  # type: ignore[misc]  # transformers is not followed by mypy
        def __init__(self) -> None:
            self.spent, self.since = _spent(log), time.monotonic()
            self.loss: float | None = None
            self.took, self.stopped = 0.0, False

        def on_step_end(self, _args: Any, state: Any, control: Any, **_: Any) -> None:
            now = time.monotonic()
            self.took, self.since = now - self.since, now
            self.spent += self.took
            if seconds is not None and self.spent >= seconds and state.global_step < state.max_steps:
                self.stopped = control.should_training_stop = control.should_save = True

        def on_log(self, _args: Any, state: Any, _control: Any, logs: dict[str, float], **_: Any) -> None:
            if "loss" not in logs:
                return  # the summary at the end
            self.loss = logs["loss"]
            told = {"step": state.global_step, "steps": state.max_steps, "loss": self.loss, "took": round(self.took, 3)}
            with log.open("a", encoding="utf-8") as file:
                file.write("\n" + json.dumps(told))
            sys.stdout.write(json.dumps(told) + "\n")
            sys.stdout.flush()

    return StepLog()


def _configuration(task: dict[str, Any], folder: Path, sft: Any, *, on_gpu: bool) -> Any:
    return sft(
        output_dir=str(folder),
        num_train_epochs=task["epochs"],
        learning_rate=task["learning_rate"],
        lr_scheduler_type="constant",
        per_device_train_batch_size=task["batch"],
        max_length=None,
        seed=task["seed"],
        data_seed=task["seed"],
        save_steps=task["checkpoint_steps"],
        save_total_limit=2,
        logging_steps=1,
        use_cpu=not on_gpu,
        bf16=on_gpu,
        gradient_checkpointing=on_gpu,
        disable_tqdm=True,
        report_to="none",
    )


def train(task: dict[str, Any]) -> dict[str, Any]:
    """Write the adapter. The result: steps, the last loss, whether time ended it, and versions."""
    rows = rows_of(Path(task["rows"]))
    import torch
    from datasets import Dataset
    from peft import LoraConfig
    from transformers import AutoModelForCausalLM, AutoTokenizer, TrainerCallback
    from trl import SFTConfig, SFTTrainer

    out, on_gpu = Path(task["out"]), torch.cuda.is_available()
    checkpoints, log = out / "checkpoints", out / "steps.jsonl"
    torch.manual_seed(task["seed"])
    dtype = torch.bfloat16 if on_gpu else torch.float32
    watch = _watching(TrainerCallback, log, task["seconds"])
    trainer = SFTTrainer(
        model=AutoModelForCausalLM.from_pretrained(task["base"], dtype=dtype, revision=task["revision"]),
        args=_configuration(task, checkpoints, SFTConfig, on_gpu=on_gpu),
        train_dataset=Dataset.from_list(rows),
        processing_class=AutoTokenizer.from_pretrained(task["base"], revision=task["revision"]),
        peft_config=LoraConfig(
            r=task["rank"], lora_alpha=2 * task["rank"], target_modules="all-linear", task_type="CAUSAL_LM"
        ),
        callbacks=[watch],
    )
    earlier = last_checkpoint(checkpoints)
    trainer.train(resume_from_checkpoint=None if earlier is None else str(earlier))
    trainer.save_model(task["adapter"])
    return {
        "steps": trainer.state.global_step,
        "planned_steps": trainer.state.max_steps,
        "stopped": watch.stopped,
        "loss": watch.loss,
        "seconds": round(watch.spent, 1),
        "versions": {name: importlib.metadata.version(name) for name in PACKAGES}
        | {"python": platform.python_version()},
    }


if __name__ == "__main__":
    given = json.loads(Path(sys.argv[1]).read_text("utf-8"))
    trained = train(given)
    written = Path(given["out"], "trained.json.part")  # a kill leaves no half of it under its name
    written.write_text(json.dumps(trained), encoding="utf-8")
    written.replace(written.with_suffix(""))
