"""open-instruct: ``import judge_client.adapters.open_instruct`` before the verifiers are built; rows of the data set
``judge_server`` are then judged, as the environment configures it.

open-instruct finds its verifiers among the direct subclasses of VerifierFunction.
"""

from __future__ import annotations

from typing import Any

from open_instruct.ground_truth_utils import VerificationResult, VerifierConfig, VerifierFunction

from judge_client.adapters.decoded import DecodedRewarder
from judge_client.adapters.kept import Profile, number_of
from judge_client.adapters.label import sample_of
from judge_client.sample import Sample
from judge_client.scored import Scored

PROFILE = Profile("open-instruct", DecodedRewarder, bears=("raise", "number"))


class JudgeServerVerifier(VerifierFunction):
    """The label is the reference, or an envelope of ``prompt``, ``reference``, ``facts``, ``rubric`` and ``judge``."""

    def __init__(self, verifier_config: VerifierConfig | None = None) -> None:
        super().__init__("judge_server", weight=1.0, verifier_config=verifier_config)
        self.rewarder = PROFILE.rewarder({})  # as configured here, also where Ray's workers know less

    async def async_call(
        self,
        tokenized_prediction: list[int],
        prediction: str,
        label: Any,
        query: str | None = None,
        rollout_state: dict[str, Any] | None = None,
    ) -> VerificationResult:
        """Raises JudgeFailed, at which open-instruct stops, unless JUDGE_ON_FAILURE is a number."""
        return _result(await self.rewarder.ascore_one(_sample(prediction, label, query)))

    def __call__(
        self,
        tokenized_prediction: list[int],
        prediction: str,
        label: Any,
        query: str | None = None,
        rollout_state: dict[str, Any] | None = None,
    ) -> VerificationResult:
        """``async_call``, blocking."""
        return _result(self.rewarder.score_one(_sample(prediction, label, query)))


def _sample(prediction: str, label: Any, query: str | None) -> Sample:
    return sample_of(prediction, prompt=query, label=label)


def _result(scored: Scored) -> VerificationResult:
    reason = f"No reward ({scored.failure}): {scored.detail}" if scored.failure else None
    return VerificationResult(score=number_of(scored), reasoning=reason)
