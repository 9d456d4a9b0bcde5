"""miles: ``--custom-rm-path judge_client.adapters.miles.reward``, for single samples and, with ``--group-rm``, groups.

miles took slime's interface over; settings and columns are those of ``judge_client.adapters.slime``.
"""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from judge_client.adapters import slime
from judge_client.adapters.asynchronous import async_reward

ONE = replace(slime.ONE, trainer="miles")
GROUP = replace(slime.GROUP, trainer="miles with --group-rm")


@async_reward("Give it to miles as --custom-rm-path, which awaits it.")
async def reward(args: Any, samples: Any, **_of_miles: Any) -> slime.Reward | list[slime.Reward]:
    """As ``judge_client.adapters.slime.reward``. Raises JudgeFailed, at which miles stops, unless ``on_failure`` says
    otherwise."""
    return await slime.rewards_for(args, samples, ONE, GROUP)
