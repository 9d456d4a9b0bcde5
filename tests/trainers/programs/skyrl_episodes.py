"""Episodes of skyrl-gym under several settings, in one process.

    skyrl_episodes.py RUNS.json RESULTS.json

A run: ``settings`` for ``register``, ``config`` and ``extras`` for ``make``, ``actions``, and ``env``: an importable
class. A result: the output of the steps and the metrics, or the error.
"""

import json
import sys
from pathlib import Path

import skyrl_gym
from skyrl_gym.envs import register
from skyrl_gym.metrics import aggregate_for_environment

from judge_client import JudgeClientError

OURS = "judge_client.adapters.skyrl:RubricEnv"
PROMPT = [{"role": "user", "content": "I have had a headache since yesterday."}]


def played(name, run):
    register(name, entry_point=run.get("env", OURS), kwargs=run.get("settings"))
    try:
        with skyrl_gym.make(name, env_config=run.get("config", {}), extras=run.get("extras", {})) as env:
            env.init(PROMPT)
            steps = [env.step(action) for action in run.get("actions", ["Drink water."])]
            metrics = env.get_metrics()
    except JudgeClientError as error:
        return {"error": f"{type(error).__name__}: {error}"}
    return {"steps": steps, "metrics": aggregate_for_environment(name, [metrics, metrics])}


if __name__ == "__main__":
    runs = json.loads(Path(sys.argv[1]).read_text())
    Path(sys.argv[2]).write_text(json.dumps({name: played(name, run) for name, run in runs.items()}))
