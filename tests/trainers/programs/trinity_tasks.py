"""Tasks of Trinity-RFT, made by its formatter and run by its workflows over a scripted model, in one process.

    trinity_tasks.py RUNS.json RESULTS.json

A run: ``taskset`` (what stands in Trinity's configuration), ``row`` and ``answers``. A result: rewards and metrics, or
the error.
"""

import asyncio
import json
import sys
from pathlib import Path

from omegaconf import OmegaConf
from trinity.buffer.schema.formatter import TaskFormatter
from trinity.common.config import StorageConfig
from trinity.common.experience import Experience

from judge_client import JudgeClientError


class Scripted:
    """Answers as Trinity's ModelWrapper does."""

    def __init__(self, answers):
        self.answers = answers
        self.asked = []

    async def chat_async(self, messages, n, **arguments):
        self.asked.append(messages)
        return [Experience(tokens=[1, 2, 3], prompt_length=2, response_text=answer) for answer in self.answers[:n]]


async def done(run):
    config = OmegaConf.to_object(OmegaConf.merge(OmegaConf.structured(StorageConfig), run["taskset"]))
    task = TaskFormatter(config).format(run["row"])
    try:
        workflow = task.to_workflow(Scripted(run["answers"]))
        workflow.set_repeat_times(len(run["answers"]), 0)
        found = await workflow.run_async()
    except JudgeClientError as error:
        return {"error": f"{type(error).__name__}: {error}"}
    return [{"reward": one.reward, "metrics": one.metrics, "run": one.eid.run} for one in found]


async def main(runs):
    return {name: await done(run) for name, run in runs.items()}


if __name__ == "__main__":
    runs = json.loads(Path(sys.argv[1]).read_text())
    Path(sys.argv[2]).write_text(json.dumps(asyncio.run(main(runs))))
