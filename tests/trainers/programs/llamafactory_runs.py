"""Several short PPO runs of LLaMA-Factory, each in a process of its own that is forked after the imports.

    llamafactory_runs.py RUNS.json RESULTS.json

A run: the arguments of ``llamafactory-cli train``; ``output_dir`` is put in. A result: what was logged, whether the
adapter that was saved has learned anything, and the error that ended the run.
"""

import gc
import json
import multiprocessing
import sys
import tempfile
from pathlib import Path

import llamafactory.train.ppo.workflow  # noqa: F401 - what every run would import again
from llamafactory.train.tuner import run_exp
from safetensors.torch import load_file


def has_learned(folder):
    """The second matrix of every LoRA layer begins as zeros."""
    saved = Path(folder) / "adapter_model.safetensors"
    weights = load_file(saved) if saved.exists() else {}
    second = [weight for name, weight in weights.items() if "lora_B" in name]
    return any(weight.any().item() for weight in second) and all(weight.isfinite().all().item() for weight in second)


def run_alone(run, answers):
    with tempfile.TemporaryDirectory() as folder:
        error = None
        try:
            run_exp({**run, "output_dir": folder})
        except Exception as fault:  # noqa: BLE001 - whatever ends the training is the result
            error = {"type": type(fault).__name__, "detail": str(fault)}
        logged = Path(folder) / "trainer_log.jsonl"
        lines = logged.read_text().splitlines() if logged.exists() else []
        log = [step for step in map(json.loads, lines) if "reward" in step]
        answers.send({"error": error, "log": log, "learned": has_learned(folder)})


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
