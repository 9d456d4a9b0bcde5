"""ms-swift's GRPO under a judge-server that fails in the middle: ms_swift_outage.py FOLDER CHECKPOINT STEPS"""

import json
import logging
import os
import sys
from pathlib import Path

from swift.pipelines import rlhf_main

QUESTIONS = ("I have had a headache.", "My child has a fever.")
PLUGIN = """
import os, sys
sys.path.insert(0, os.environ["PROGRAMS"])
from gated_reward import Gate
from judge_client.adapters.ms_swift import SyncRubricReward, orms

GATE = Gate(os.environ["GATE"])


class Outage(SyncRubricReward):
    def __call__(self, completions, **given):
        step = given["trainer_state"].global_step
        return GATE.around(step, lambda: super(Outage, self).__call__(completions, **given))


orms["outage"] = Outage
"""
SETTINGS = {
    "rlhf_type": "grpo",
    "model_type": "qwen3",
    "template": "qwen3",
    "check_model": "false",
    "use_cpu": "true",
    "torch_dtype": "float32",
    "tuner_type": "full",
    "num_generations": "4",
    "per_device_train_batch_size": "4",
    "max_completion_length": "8",
    "logging_steps": "1",
    "report_to": "none",
    "save_strategy": "no",
    "dataloader_num_workers": "0",
    "reward_funcs": "outage",
}


def main():
    folder, checkpoint, steps = Path(sys.argv[1]), sys.argv[2], sys.argv[3]
    logging.basicConfig(level=logging.WARNING)
    os.environ |= {"GATE": str(folder), "PROGRAMS": str(Path(__file__).parent)}
    rows = [{"messages": [{"role": "user", "content": question}]} for question in QUESTIONS]
    (folder / "prompts.jsonl").write_text("\n".join(map(json.dumps, rows)))
    (folder / "plugin.py").write_text(PLUGIN)
    given = SETTINGS | {"model": checkpoint, "max_steps": steps, "output_dir": str(folder / "out")}
    given |= {"dataset": str(folder / "prompts.jsonl"), "external_plugins": str(folder / "plugin.py")}
    error = None
    try:
        rlhf_main([part for name, value in given.items() for part in (f"--{name}", value)])
    except Exception as fault:  # noqa: BLE001 - whatever ends the training is the result
        error = {"type": type(fault).__name__, "detail": str(fault)}
    (folder / "result.json").write_text(json.dumps({"error": error}))


if __name__ == "__main__":
    main()
