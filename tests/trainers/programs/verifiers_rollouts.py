"""Rollouts of a taskset under several task configurations, in one process.

    verifiers_rollouts.py RUNS.json RESULTS.json POLICY_URL

A run: ``taskset`` (an importable module's name) and ``task`` (its configuration). A result: its episodes' records.
"""

import asyncio
import json
import sys
from pathlib import Path

from verifiers.v1.clients import EvalClientConfig, ModelContext
from verifiers.v1.types import SamplingConfig
from verifiers.v1.utils.loaders import load_environment, resolve_env_config

ROLLOUTS = 2
AGENT = {"harness": {"id": "in_process_harness"}, "runtime": {"type": "subprocess"}}


async def played(run, policy_url):
    env = load_environment(
        resolve_env_config({"taskset": {"id": run["taskset"], "task": run.get("task", {})}, "agent": AGENT})
    )
    context = ModelContext(client=EvalClientConfig(base_url=policy_url), model="policy", sampling=SamplingConfig())
    async with env.serving():
        slots = [slot for task in env.taskset for slot in env.slots(task, ROLLOUTS)]
        episodes = await asyncio.gather(*(env.run_slot(slot, context) for slot in slots))
    return [{**episode.to_record(), "total": episode.traces[0].reward} for episode in episodes]


async def main(runs, policy_url):
    return {name: await played(run, policy_url) for name, run in runs.items()}


if __name__ == "__main__":
    runs = json.loads(Path(sys.argv[1]).read_text())
    Path(sys.argv[2]).write_text(json.dumps(asyncio.run(main(runs, sys.argv[3]))))
