"""What every adapter is built on: samples in, rewards out, and a policy for judges that fail."""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Hashable, Iterable, Mapping, Sequence
from dataclasses import replace
from itertools import count
from typing import TYPE_CHECKING, Any, TypeVar

from judge_client import calls, errors
from judge_client.colocation import Colocation
from judge_client.configuration import Terms, environment, options_of, refuse_unknown
from judge_client.connection import DEFAULT_CONNECTIONS
from judge_client.contact import FIRST_CONTACT_SECONDS, Contact
from judge_client.counts import Counts
from judge_client.deadline import Deadline
from judge_client.endpoint import Endpoint
from judge_client.errors import BadConfiguration, BadSample, JudgeFailed, Momentary
from judge_client.flow import Flow, Pause
from judge_client.group import GroupOptions, GroupStatistics, Rollouts, ScoredGroup
from judge_client.group_scoring import score_group
from judge_client.judgment import Judgment
from judge_client.on_failure import OnFailure
from judge_client.pin import Pins, on_change_of
from judge_client.retry_log import retries
from judge_client.run import RunChange
from judge_client.sample import Sample, Text, samples_of, texts_of
from judge_client.scored import Scored, with_policy
from judge_client.scoring import Conduct, score_batch

if TYPE_CHECKING:
    from typing_extensions import Self, Unpack

_JUDGE_CHANGED, _JUDGE_UNAVAILABLE = "judge_changed", "judge_unavailable"  # of the server's failures
T = TypeVar("T")
Asked = TypeVar("Asked", Sample, Rollouts)
_OF_THE_RUBRIC = {
    kind.type: kind for kind in (errors.UnknownRubric, errors.BadRubric, errors.NotCalibrated, errors.PrereleaseRefused)
}


class Rewarder:
    """Rewards under one rubric, or under the one that each sample names.

    Every argument but ``connections`` falls back to an environment variable, then to its default:

    ``rubric`` (JUDGE_RUBRIC): for samples that name none.
    ``url`` (JUDGE_URL): http://127.0.0.1:8000.
    ``api_key`` (JUDGE_API_KEY): none.
    ``judge`` (JUDGE_NAME): the server's default judge.
    ``on_failure`` (JUDGE_ON_FAILURE): ``raise``; or ``drop``, ``neutral``, or a number.
    ``on_change`` (JUDGE_ON_CHANGE): ``stop`` raises RewardChanged if another rubric version or judge answers than the
    first time; ``warn`` logs it.
    ``deadline_seconds`` (JUDGE_DEADLINE_SECONDS): of a whole call, retries included; none.
    ``patience_seconds`` (JUDGE_PATIENCE_SECONDS): how long a failing call is retried; 120, and 30 until a first
    judgment has succeeded.
    ``attempts`` (JUDGE_ATTEMPTS): at most so many per request; no bound but the patience.
    ``run`` (JUDGE_RUN): the name of the training run, kept with every judgment (``judge-server show --run``); none.
    ``priority`` (JUDGE_PRIORITY): ``training``, ``interactive``, ``batch`` or ``audit``; the server's default.
    ``sleep_level`` (JUDGE_SLEEP_LEVEL): 1 or 2 if the judge shares its accelerator with the training: its engine is
    woken for each call and sleeps otherwise, at vLLM's level 1 or 2; it never sleeps.
    ``connections``: open at once; 256.

    Picklable, and safe for threads, forks and event loops. A judge that failed is treated as ``on_failure`` says,
    and so is a server that cannot be reached. Raised regardless of the policy: what fails before any judgment has
    succeeded, and what fails permanently (contact.py).
    """

    def __init__(  # noqa: PLR0913 - one argument for each variable of the environment
        self,
        rubric: str | Mapping[str, Any] | None = None,
        *,
        url: str | None = None,
        api_key: str | None = None,
        judge: str | None = None,
        on_failure: OnFailure | str | float | None = None,
        deadline_seconds: float | None = None,
        priority: str | None = None,
        attempts: int | None = None,
        patience_seconds: float | None = None,
        on_change: str | None = None,
        run: str | None = None,
        sleep_level: int | None = None,
        connections: int = DEFAULT_CONNECTIONS,
        **unknown: Any,
    ) -> None:
        refuse_unknown("Rewarder", unknown, options_of(type(self).__init__))
        terms = Terms(rubric, judge, deadline_seconds, priority)
        self.on_failure = OnFailure.choose(on_failure, default=OnFailure.RAISE)
        self._endpoint = Endpoint(
            url,
            api_key=api_key,
            terms=terms,
            attempts=attempts,
            patience_seconds=patience_seconds,
            connections=connections,
        )
        self._patience_given = patience_seconds is not None or environment("JUDGE_PATIENCE_SECONDS") is not None
        self.training_run = run or environment("JUDGE_RUN")
        self._colocation = Colocation(sleep_level)
        self._counts = Counts()
        self._contact = Contact()
        self._pins = Pins(on_change_of(on_change))

    def __repr__(self) -> str:
        return f"Rewarder(rubric={self.terms.rubric!r}, url={self.url!r}, on_failure={str(self.on_failure)!r})"

    def __getstate__(self) -> dict[str, Any]:
        state = {name: value for name, value in vars(self).items() if name not in ("_counts", "_contact", "_pins")}
        return state | {"_on_change": self._pins.on_change}

    def __setstate__(self, state: Mapping[str, Any]) -> None:
        vars(self).update({name: value for name, value in state.items() if name != "_on_change"})
        self._counts = Counts()
        self._contact = Contact()
        self._pins = Pins(state["_on_change"])

    @property
    def url(self) -> str:
        return self._endpoint.url

    @property
    def terms(self) -> Terms:
        """Rubric, judge, deadline and priority where a sample says nothing."""
        return self._endpoint.terms

    @property
    def counts(self) -> dict[str, int]:
        """``judged``, ``failed``, ``substituted``, ``dropped`` and ``failed/TYPE`` so far, in this process."""
        return self._counts.snapshot()

    @property
    def pinned(self) -> dict[str, str]:
        """Which rubrics and judges answered first, for a trainer's log."""
        return self._pins.pinned

    def score(self, samples: Iterable[Sample], *more: Any) -> list[Scored]:
        """In order; any iterable of samples. Raises JudgeFailed if the policy says so, and Refused for what can
        never be judged."""
        _require_samples(more)
        return self._endpoint.connection.run(self._awake(self._scored(samples)))

    async def ascore(self, samples: Iterable[Sample], *more: Any) -> list[Scored]:
        """``score`` on the running event loop."""
        _require_samples(more)
        return await self._endpoint.connection.arun(self._awake(self._scored(samples)))

    def score_one(self, sample: Sample) -> Scored:
        return self.score([sample])[0]

    async def ascore_one(self, sample: Sample) -> Scored:
        return (await self.ascore([sample]))[0]

    def score_group(self, prompt: Text, responses: Iterable[Text], **options: Unpack[GroupOptions]) -> ScoredGroup:
        """Rollouts of one prompt, also relative to each other; ``group`` of the result holds statistics."""
        rollouts = Rollouts(prompt, texts_of(responses, "responses"), **options)
        return self._endpoint.connection.run(self._awake(self._scored_group(rollouts)))

    async def ascore_group(
        self, prompt: Text, responses: Iterable[Text], **options: Unpack[GroupOptions]
    ) -> ScoredGroup:
        """``score_group`` on the running event loop."""
        rollouts = Rollouts(prompt, texts_of(responses, "responses"), **options)
        return await self._endpoint.connection.arun(self._awake(self._scored_group(rollouts)))

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    async def __aenter__(self) -> Self:
        """Connections of this event loop stay open until the block ends."""
        self._endpoint.connection.hold()
        return self

    async def __aexit__(self, *_: object) -> None:
        await self._endpoint.connection.release()

    def close(self) -> None:
        """Closes what blocking calls left open; a later call opens new connections."""
        self._endpoint.connection.close()

    @property
    def _conduct(self) -> Conduct:
        """Until a first judgment has succeeded, a server that does not answer is more likely at another address."""
        conduct = self._endpoint.conduct
        if self._contact.judged or self._patience_given:
            return conduct
        patience = min(conduct.backoff.patience_seconds, FIRST_CONTACT_SECONDS)
        return replace(conduct, backoff=replace(conduct.backoff, patience_seconds=patience))

    def _awake(self, flow: Flow[T]) -> Flow[T]:
        return self._colocation.awake(flow, self._endpoint.ask)

    def _scored(self, given: Iterable[Sample]) -> Flow[list[Scored]]:
        samples = [self._of_the_run(self._allowing_changes(sample)) for sample in samples_of(given)]
        for place, sample in enumerate(samples):
            self._require_rubric(sample, f"samples[{place}]")
        found = yield from self._judged(samples)
        yield from self._require_sound(samples, found)
        return self._after_policy(found, [sample.prompt_key for sample in samples])

    def _judged(self, samples: Sequence[Sample]) -> Flow[list[Scored]]:
        """Before any policy. Once a judgment has succeeded, a judge that cannot be reached for a whole call is waited
        for as a server is: it may be starting again."""
        deadline, began = Deadline.after(self.terms.deadline_seconds), time.monotonic()
        for attempt in count(1):
            try:
                judgments = yield from score_batch(samples, self.terms, self._conduct, deadline=deadline)
            except Momentary as error:
                judgments = [Judgment.failed(error) for _ in samples]
            wait = self._wait_for_judge(judgments, attempt, time.monotonic() - began)
            if wait is None or not deadline.allows(wait):
                return [Scored.of(judgment) for judgment in judgments]
            yield Pause(wait)
        raise AssertionError("counting has no end")

    def _wait_for_judge(self, judgments: Sequence[Judgment], attempt: int, failing_seconds: float) -> float | None:
        """Seconds until the call is made again; None if it is not."""
        lost = [one.error for one in judgments if one.error is not None and one.error.type == _JUDGE_UNAVAILABLE]
        if not lost or len(lost) < len(judgments) or not self._contact.judged:
            return None
        backoff = self._conduct.backoff
        wait = backoff.wait(attempt, failing_seconds=failing_seconds)
        if wait is not None:
            retries.note(errors.ServerFailure(lost[0].detail), backoff)
        return wait

    def _scored_group(self, rollouts: Rollouts) -> Flow[ScoredGroup]:
        self._require_rubric(rollouts, "the group")
        rollouts = self._of_the_run(rollouts)
        group: GroupStatistics | None = None
        try:
            result = yield from score_group(rollouts, self.terms, self._conduct)
        except Momentary as error:
            found = [Scored.of(Judgment.failed(error)) for _ in rollouts.responses]
        else:
            found, group = result.scored(), result.group
        yield from self._require_sound([rollouts] * len(found), found)
        return ScoredGroup(tuple(self._after_policy(found, [0] * len(found))), group)

    def _after_policy(self, found: Sequence[Scored], prompts: Sequence[Hashable]) -> list[Scored]:
        self._contact.check(found, self._endpoint.connection.address.shown)
        try:
            scored = with_policy(found, prompts, self.on_failure)
        except JudgeFailed:
            failed = [one for one in found if one.failure]
            counted = Counter(f"failed/{one.failure}" for one in failed)
            self._counts.add(counted + Counter(judged=len(found), failed=len(failed)), self.on_failure)
            raise
        self._counts.note(scored, self.on_failure)
        return scored

    def _allowing_changes(self, sample: Sample) -> Sample:
        """The server, too, keeps what rewarded a run."""
        warns = self._pins.on_change == "warn" and sample.on_change is None
        return replace(sample, on_change="warn") if warns else sample

    def _of_the_run(self, asked: Asked) -> Asked:
        return asked if asked.run is not None or self.training_run is None else replace(asked, run=self.training_run)

    def _require_rubric(self, asked: Sample | Rollouts, where: str) -> None:
        if asked.rubric is None and self.terms.rubric is None:
            raise BadConfiguration(
                f"{where} names no rubric, and neither does the Rewarder.",
                remedy="Give Rewarder(rubric), JUDGE_RUBRIC, or a rubric with each sample.",
            )

    def _require_sound(self, asked: Sequence[Sample | Rollouts], found: Sequence[Scored]) -> Flow[None]:
        """Raises what no policy covers."""
        for one, scored in zip(asked, found, strict=True):
            self._require_known(one, scored)
            try:
                self._check_pins(one, scored)
            except errors.RewardChanged as changed:
                if one.run is None:
                    raise
                self._pins.give_up((yield from self._changes(one.run, changed)))
                self._check_pins(one, scored)

    def _check_pins(self, one: Sample | Rollouts, scored: Scored) -> None:
        self._pins.check(one.rubric or self.terms.rubric, one.judge or self.terms.judge, scored.judgment, one.step)

    def _changes(self, run: str, changed: errors.RewardChanged) -> Flow[tuple[RunChange, ...]]:
        """What the server keeps of the run's changes. Raises ``changed`` if it cannot say."""
        try:
            return (yield from self._endpoint.ask(calls.run_summary(run))).changes
        except errors.JudgeClientError as error:
            raise changed from error

    def _require_known(self, asked: Sample | Rollouts, one: Scored) -> None:
        """A misspelt rubric or judge of our own fails every sample permanently, and so does another reward than the
        one that the server keeps for the run, or a model that was replaced while it was asked."""
        replaced = one.failure == _JUDGE_CHANGED and self._pins.on_change == "stop" and self._pins.pinned
        if one.failure == errors.RewardChanged.type or replaced:
            at = "" if asked.step is None else f"At step {asked.step}: "
            raise errors.RewardChanged(f"{at}{one.detail or ''}")
        if one.failure in _OF_THE_RUBRIC and asked.rubric is None:
            raise _OF_THE_RUBRIC[one.failure](one.detail or "")
        if one.failure == errors.UnknownJudge.type and asked.judge is None:
            raise errors.UnknownJudge(one.detail or "")


def _require_samples(more: tuple[Any, ...]) -> None:
    """Raises BadSample for prompts and responses side by side."""
    if more:
        raise BadSample(
            "score takes one list of samples, not prompts and responses side by side.",
            remedy="Write score([Sample(p, r) for p, r in zip(prompts, responses, strict=True)]).",
        )
