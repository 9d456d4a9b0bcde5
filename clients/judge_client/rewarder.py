"""What every adapter is built on: samples in, rewards out, and a policy for judges that fail."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from typing import Any

from judge_client import errors
from judge_client.backoff import Backoff
from judge_client.configuration import Address, Terms
from judge_client.connection import DEFAULT_CONNECTIONS, Connection
from judge_client.counts import Counts
from judge_client.errors import BadConfiguration, JudgeFailed, Momentary
from judge_client.flow import Flow
from judge_client.judgment import Judgment
from judge_client.on_failure import OnFailure
from judge_client.sample import Sample
from judge_client.scored import Scored, with_policy
from judge_client.scoring import Conduct, score_batch
from judge_client.splitting import Limits

_OF_THE_RUBRIC = {kind.type: kind for kind in (errors.UnknownRubric, errors.BadRubric, errors.NotCalibrated)}


class Rewarder:
    """Rewards under one rubric, or under the one that each sample names.

    Every argument falls back to the environment: JUDGE_RUBRIC, JUDGE_URL, JUDGE_API_KEY, JUDGE_NAME, JUDGE_ON_FAILURE,
    JUDGE_DEADLINE_SECONDS, JUDGE_PRIORITY. ``attempts``: how often a request is sent before the server counts as not
    reachable. ``connections``: open at once. Picklable, and safe for threads, forks and event loops.

    A judge that failed is treated as ``on_failure`` says, and so is a server that cannot be reached. A rubric or judge
    of the Rewarder's own that the server does not know is raised whatever the policy: no training goes on without one.
    """

    def __init__(
        self,
        rubric: str | Mapping[str, Any] | None = None,
        *,
        url: str | None = None,
        api_key: str | None = None,
        judge: str | None = None,
        on_failure: OnFailure | str | float | None = None,
        deadline_seconds: float | None = None,
        priority: str | None = None,
        attempts: int = Backoff.attempts,
        connections: int = DEFAULT_CONNECTIONS,
    ) -> None:
        self.terms = Terms(rubric, judge, deadline_seconds, priority).with_environment()
        self.on_failure = OnFailure.choose(on_failure, default=OnFailure.RAISE)
        self._connection = Connection(Address.of(url, api_key), connections)
        self._conduct = Conduct(Limits(), Backoff(attempts=attempts))
        self._counts = Counts()

    def __repr__(self) -> str:
        url = self._connection.address.url
        return f"Rewarder(rubric={self.terms.rubric!r}, url={url!r}, on_failure={str(self.on_failure)!r})"

    def __getstate__(self) -> dict[str, Any]:
        return {name: value for name, value in vars(self).items() if name != "_counts"}

    def __setstate__(self, state: Mapping[str, Any]) -> None:
        vars(self).update(state)
        self._counts = Counts()

    @property
    def url(self) -> str:
        return self._connection.address.url

    @property
    def counts(self) -> dict[str, int]:
        """``judged``, ``failed``, ``substituted``, ``dropped`` and ``failed/TYPE`` so far, in this process."""
        return self._counts.snapshot()

    def score(self, samples: Sequence[Sample]) -> list[Scored]:
        """In order. Raises JudgeFailed where the policy says so, and Refused for what can never be judged."""
        return self._connection.run(self._scored(samples))

    async def ascore(self, samples: Sequence[Sample]) -> list[Scored]:
        """``score`` on the running event loop."""
        return await self._connection.arun(self._scored(samples))

    def score_one(self, sample: Sample) -> Scored:
        return self.score([sample])[0]

    async def ascore_one(self, sample: Sample) -> Scored:
        return (await self.ascore([sample]))[0]

    def close(self) -> None:
        """Closes idle connections; a later call opens new ones."""
        self._connection.close()

    def _scored(self, samples: Sequence[Sample]) -> Flow[list[Scored]]:
        if not samples:
            return []
        self._require_rubrics(samples)
        try:
            judgments = yield from score_batch(samples, self.terms, self._conduct)
        except Momentary as error:
            judgments = [Judgment.failed(error) for _ in samples]
        self._require_known(samples, judgments)
        return self._after_policy(samples, judgments)

    def _after_policy(self, samples: Sequence[Sample], judgments: Sequence[Judgment]) -> list[Scored]:
        try:
            scored = with_policy(samples, judgments, self.on_failure)
        except JudgeFailed as error:
            found = Counter(judged=len(samples), failed=len(error.judgments))
            found.update(f"failed/{judgment.failure}" for judgment in error.judgments)
            self._counts.add(found, self.on_failure)
            raise
        self._counts.note(scored, self.on_failure)
        return scored

    def _require_rubrics(self, samples: Sequence[Sample]) -> None:
        for place, sample in enumerate(samples):
            if sample.rubric is None and self.terms.rubric is None:
                raise BadConfiguration(
                    f"samples[{place}] names no rubric, and neither does the Rewarder.",
                    remedy="Give Rewarder(rubric), JUDGE_RUBRIC, or a rubric with each sample.",
                )

    def _require_known(self, samples: Sequence[Sample], judgments: Sequence[Judgment]) -> None:
        """A misspelt rubric or judge of our own fails every sample for good."""
        for sample, judgment in zip(samples, judgments):
            failure, detail = judgment.failure or "", judgment.failure_detail or ""
            if failure in _OF_THE_RUBRIC and sample.rubric is None:
                raise _OF_THE_RUBRIC[failure](detail)
            if failure == errors.UnknownJudge.type and sample.judge is None:
                raise errors.UnknownJudge(detail)
