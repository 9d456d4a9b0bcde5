"""Several short GRPO runs of Axolotl, each in a process of its own that is forked after the imports.

    axolotl_runs.py RUNS.json RESULTS.json

A run: ``config``, as in a YAML file, ``rows`` of its data set and ``environment``. A result: what was logged, what the
trainer knew of each completion, and the error that ended it.
"""

import gc
import json
import multiprocessing
import os
import sys
import tempfile
from pathlib import Path

import axolotl.core.builders
import axolotl.core.trainers.grpo  # noqa: F401 - what every run would import again
import torch
import yaml
from axolotl.cli.args import TrainerCliArgs
from axolotl.cli.config import load_cfg
from axolotl.common.datasets import load_preference_datasets
from axolotl.train import execute_training, setup_model_and_trainer


def watched(trainer):
    """What the trainer logs of every completion, step by step."""
    steps, log = [], trainer.log

    def note(*arguments, **named):
        logs = trainer._logs
        if logs["advantages"]:
            rewards = {name: list(values) for name, values in logs["rewards"].items()}
            steps.append({"rewards": rewards, "advantages": list(logs["advantages"])})
        return log(*arguments, **named)

    trainer.log = note
    return steps


def weights(trainer):
    return torch.cat([weight.detach().flatten().clone() for weight in trainer.model.parameters()])


def trained(run):
    """In the working directory, with the environment of the run."""
    Path("prompts.jsonl").write_text("\n".join(map(json.dumps, run["rows"])))
    Path("grpo.yaml").write_text(yaml.safe_dump(run["config"]))
    cfg = load_cfg("grpo.yaml")
    trainer, *_ = setup_model_and_trainer(cfg, load_preference_datasets(cfg=cfg, cli_args=TrainerCliArgs()))
    steps, before, error = watched(trainer), weights(trainer), None
    try:
        execute_training(cfg, trainer, None)
    except Exception as fault:  # noqa: BLE001 - whatever ends the training is the result
        error = {"type": type(fault).__name__, "detail": str(fault)}
    after = weights(trainer)
    return {
        "error": error,
        "log": trainer.state.log_history,
        "steps": steps,
        "trainer": type(trainer).__name__,
        "moved": not torch.equal(before, after),
        "finite": bool(torch.isfinite(after).all()),
    }


def run_alone(run, answers):
    os.environ.update(run["environment"])
    with tempfile.TemporaryDirectory() as folder:
        os.chdir(folder)
        answers.send(trained(run))
        os.chdir("/")


def main():
    runs, results = sys.argv[1:]
    gc.freeze()
    forking, done = multiprocessing.get_context("fork"), {}
    for name, run in json.loads(Path(runs).read_text()).items():
        receiving, sending = forking.Pipe(duplex=False)
        process = forking.Process(target=run_alone, args=(run, sending))
        process.start()
        sending.close()
        done[name] = receiving.recv()
        process.join()
    Path(results).write_text(json.dumps(done))


if __name__ == "__main__":
    main()
