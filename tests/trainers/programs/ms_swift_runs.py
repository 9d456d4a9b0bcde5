"""Several short GRPO runs of ms-swift in one process, each configured by its environment.

    ms_swift_runs.py RUNS.json RESULTS.json CHECKPOINT PLUGIN.py

A run: ``reward`` (rubric, rubric_sync), ``dataset`` and ``environment``. A result: what was logged, and the error that
ended it.
"""

import json
import os
import sys
import tempfile
from pathlib import Path

from swift.pipelines import rlhf_main

SETTINGS = {
    "rlhf_type": "grpo",
    "model_type": "qwen3",
    "template": "qwen3",
    "tuner_type": "full",
    "use_cpu": "true",
    "torch_dtype": "float32",
    "num_generations": "4",
    "per_device_train_batch_size": "8",
    "max_steps": "2",
    "max_completion_length": "8",
    "logging_steps": "1",
    "report_to": "none",
    "save_strategy": "no",
    "learning_rate": "1e-3",
    "lr_scheduler_type": "constant",
    "warmup_ratio": "0",
    "check_model": "false",  # asks a model hub
    "dataloader_num_workers": "0",
}


def run_once(run, more):
    os.environ.update(run["environment"])
    with tempfile.TemporaryDirectory() as folder:
        given = {**SETTINGS, **more, "reward_funcs": run["reward"], "dataset": run["dataset"], "output_dir": folder}
        error = None
        try:
            rlhf_main([part for name, value in given.items() for part in (f"--{name}", value)])
        except Exception as fault:  # noqa: BLE001 - whatever ends the training is the result
            error = {"type": type(fault).__name__, "detail": str(fault)}
        logs = [json.loads(line) for path in Path(folder).rglob("logging.jsonl") for line in path.open()]
    for name in run["environment"]:
        del os.environ[name]
    return {"error": error, "log": [step for step in logs if "reward" in step]}


def main():
    runs, results, checkpoint, plugin = sys.argv[1:]
    more = {"model": checkpoint, "external_plugins": plugin}
    done = {name: run_once(run, more) for name, run in json.loads(Path(runs).read_text()).items()}
    Path(results).write_text(json.dumps(done))


if __name__ == "__main__":
    main()
