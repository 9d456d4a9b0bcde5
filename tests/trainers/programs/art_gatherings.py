"""Groups of trajectories gathered by ART under several rewards of judge_client, in one process.

    art_gatherings.py RUNS.json RESULTS.json POLICY_URL

A run: ``options`` of RubricReward, and ``metadata`` of the groups. A result: the groups, or the error.
"""

import asyncio
import json
import pickle
import sys
from pathlib import Path

import art
from openai import AsyncOpenAI

from judge_client import JudgeClientError
from judge_client.adapters.art import RubricReward

QUESTIONS = ["I have had a headache since yesterday.", "My child has a fever."]
ROLLOUTS = 3


async def rollout(policy, question, turns):
    said = [{"role": "user", "content": question}]
    for turn in range(turns):
        if turn:
            said.append({"role": "user", "content": "And then?"})
        completion = await policy.chat.completions.create(
            model="policy", messages=art.Trajectory(messages_and_choices=said).messages()
        )
        said.append(completion.choices[0])
    return art.Trajectory(messages_and_choices=said)


async def gathered(run, policy):
    reward = pickle.loads(pickle.dumps(RubricReward(**run["options"])))
    groups = [
        art.TrajectoryGroup(
            (rollout(policy, question, run.get("turns", 1)) for _ in range(ROLLOUTS)), metadata=run.get("metadata", {})
        )
        for question in QUESTIONS
    ]
    try:
        kept = await art.gather_trajectory_groups(groups, after_each=reward, pbar_desc=None)
    except JudgeClientError as error:
        return {"error": f"{type(error).__name__}: {error}"}
    return {
        "groups": [group.model_dump(mode="json", include={"trajectories", "metrics", "exceptions"}) for group in kept]
    }


async def main(runs, policy_url):
    async with AsyncOpenAI(base_url=policy_url, api_key="none", max_retries=0) as policy:
        return {name: await gathered(run, policy) for name, run in runs.items()}


if __name__ == "__main__":
    runs = json.loads(Path(sys.argv[1]).read_text())
    Path(sys.argv[2]).write_text(json.dumps(asyncio.run(main(runs, sys.argv[3]))))
