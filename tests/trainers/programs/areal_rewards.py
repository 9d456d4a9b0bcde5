"""Rewards through AReaL's AsyncRewardWrapper, its process pool and its retries.

    areal_rewards.py RUNS.json RESULTS.json

A run: ``settings`` (of RubricReward; None: the function of the dotted path), ``response``, ``row``, and perhaps
``patience`` (the wrapper's seconds). AReaL's package imports a whole trainer when it is named, so it is named here
without running its first file.
"""

import asyncio
import importlib.util
import json
import sys
from pathlib import Path
from types import ModuleType

areal = ModuleType("areal")
areal.__path__ = list(importlib.util.find_spec("areal").submodule_search_locations)
sys.modules["areal"] = areal

from areal.api.reward_api import AsyncRewardWrapper  # noqa: E402 - see above

from judge_client.adapters.areal import RubricReward, reward_fn  # noqa: E402


async def rewarded(run):
    reward = reward_fn if run["settings"] is None else RubricReward(**run["settings"])
    wrapper = AsyncRewardWrapper(reward, timeout_seconds=run.get("patience", 15), max_workers=1)
    return await wrapper(run["prompt"], run["response"], [1], [2], **run["row"])


def attempt(run):
    try:
        return {"reward": asyncio.run(rewarded(run))}
    except Exception as error:  # noqa: BLE001 - the error is the result
        return {"error": type(error).__name__, "text": str(error)}


if __name__ == "__main__":
    runs = json.loads(Path(sys.argv[1]).read_text())
    Path(sys.argv[2]).write_text(json.dumps({name: attempt(run) for name, run in runs.items()}))
