"""Several short PPO runs of LLaMA-Factory, each in a process of its own that is forked after the imports.

    llamafactory_runs.py RUNS.json RESULTS.json

A run: the arguments of ``llamafactory-cli train``; ``output_dir`` is put in. A result: what was logged, and the error
that ended it.
"""

import gc
import json
import multiprocessing
import sys
import tempfile
from pathlib import Path

import llamafactory.train.ppo.workflow  # noqa: F401 - what every run would import again
from llamafactory.train.tuner import run_exp


def run_alone(run, answers):
    with tempfile.TemporaryDirectory() as folder:
        error = None
        try:
            run_exp({**run, "output_dir": folder})
        except Exception as fault:  # noqa: BLE001 - whatever ends the training is the result
            error = {"type": type(fault).__name__, "detail": str(fault)}
        logged = Path(folder) / "trainer_log.jsonl"
        lines = logged.read_text().splitlines() if logged.exists() else []
        answers.send({"error": error, "log": [step for step in map(json.loads, lines) if "reward" in step]})


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
