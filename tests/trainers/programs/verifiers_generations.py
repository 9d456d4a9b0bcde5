"""Generations of verifiers 0.3 under several rubrics of judge_client, in one process.

    verifiers_generations.py RUNS.json RESULTS.json POLICY_URL

A run: ``options`` of RubricReward, or ``function``: a reward function that raises. A result: outputs, or the error.
"""

import asyncio
import json
import sys
from pathlib import Path

import verifiers as vf
from datasets import Dataset
from verifiers.types import ClientConfig

from judge_client import JudgeClientError
from judge_client.adapters.verifiers_rubric import RubricReward

QUESTIONS = ["I have had a headache since yesterday.", "My child has a fever."]
ROWS = [{"question": question, "answer": "See a doctor.", "info": {"facts": {"age": 4}}} for question in QUESTIONS]


async def raises(completion):
    raise RuntimeError("no reward")


def rubric_of(run):
    if run.get("function"):
        return vf.Rubric(funcs=[raises])
    reward = RubricReward(**run["options"])
    return vf.RubricGroup([reward, vf.Rubric(funcs=[one])]) if run.get("beside") else reward


async def one(completion):
    return 1.0


async def generated(run, policy_url):
    env = vf.SingleTurnEnv(dataset=Dataset.from_list(ROWS), rubric=rubric_of(run))
    client = ClientConfig(api_base_url=policy_url, api_key_var="POLICY_API_KEY", max_retries=0)
    generate = env.generate(
        env.get_dataset().repeat(2),
        client=client,
        model="policy",
        independent_scoring=run.get("independent", False),
        max_retries=run.get("max_retries", 0),
        state_columns=["trajectory"],
    )
    try:
        results = await generate
    except JudgeClientError as error:
        return {"error": f"{type(error).__name__}: {error}"}
    return {"outputs": results["outputs"], "avg_reward": results["metadata"]["avg_reward"]}


async def main(runs, policy_url):
    return {name: await generated(run, policy_url) for name, run in runs.items()}


if __name__ == "__main__":
    runs = json.loads(Path(sys.argv[1]).read_text())
    results = asyncio.run(main(runs, sys.argv[3]))
    Path(sys.argv[2]).write_text(json.dumps(results, default=str))
