"""verl 0.9: ``reward.custom_reward_function.path=pkg://judge_client.adapters.verl`` (``compute_score``).

verl puts whatever it gets into a tensor: None would be a TypeError far from here, and NaN a reward. It scores every
sample on its own, so there is no mean of a group either.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from judge_client.adapters.asynchronous import async_reward
from judge_client.adapters.kept import Profile
from judge_client.adapters.label import sample_of
from judge_client.errors import BadSample, JudgeFailed
from judge_client.rewarder import Rewarder
from judge_client.scored import Scored

PROFILE = Profile("verl", Rewarder, bears=("raise", "number"))


@async_reward("verl 0.9 awaits it; or use the reward manager judge_client.adapters.verl_manager.")
async def compute_score(  # noqa: PLR0913 - verl names each
    data_source: str,
    solution_str: str,
    ground_truth: Any,
    extra_info: Mapping[str, Any] | None = None,
    *,
    criteria: Sequence[str] = (),
    components: Sequence[str] = (),
    prompt_key: str = "raw_prompt",
    reward_router_address: str | None = None,
    reward_model_tokenizer: Any = None,
    **settings: Any,
) -> dict[str, float | None]:
    """The reward as ``score``, and the metrics of ``shown``, under the same keys for every sample.

    ``settings``: arguments of Rewarder, from ``reward_kwargs``. ``criteria``: ids whose values are shown too.
    ``components``: tags or ids that are rewards of their own (``algorithm.gdpo_reward_keys=[component/NAME]``).
    ``prompt_key``: of ``extra_info``, where verl's agent loop puts the conversation. ``extra_info`` may hold
    ``reference``, ``facts``, ``rubric`` and ``judge``; ``ground_truth`` is the reference, or an envelope of them.
    """
    columns = _columns(extra_info)
    if columns and prompt_key != "raw_prompt" and prompt_key not in columns:
        raise BadSample(
            f"prompt_key: extra_info has no {prompt_key!r}.", remedy=f"It has {', '.join(map(str, columns))}."
        )
    sample = sample_of(solution_str, prompt=columns.get(prompt_key), label=ground_truth, columns=columns)
    return shown(await PROFILE.rewarder(settings).ascore_one(sample), criteria, components)


def _columns(extra_info: Any) -> Mapping[str, Any]:
    if extra_info is not None and not isinstance(extra_info, Mapping):
        raise BadSample(
            f"extra_info is a {type(extra_info).__name__}, no object.",
            remedy='Write it as {"name": …} in the data set.',
        )
    return extra_info or {}


def shown(scored: Scored, criteria: Sequence[str], components: Sequence[str] = ()) -> dict[str, float | None]:
    """What verl logs. A criterion without a value is None, which verl leaves out of its means. A component without one
    raises JudgeFailed: verl's GDPO would make it NaN."""
    values = scored.metrics
    found: dict[str, float | None] = {
        "score": scored.reward,
        "judge_failed": values["judge_failed"],
        "judge_coverage": values.get("coverage"),
    }
    found |= {f"criterion/{name}": values.get(f"criterion/{name}") for name in criteria}
    return found | {f"component/{name}": _known(scored, name) for name in components}


def _known(scored: Scored, name: str) -> float:
    value = scored.component(name)
    if value is None:
        raise JudgeFailed(
            f"The component {name!r} has no verdict.", remedy="Mark its criteria with verdict: required in the rubric."
        )
    return value
