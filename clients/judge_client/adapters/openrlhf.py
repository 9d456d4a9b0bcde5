"""OpenRLHF: ``--reward.remote_url PATH/OF/judge_client/adapters/openrlhf.py``, with JUDGE_RUBRIC and JUDGE_ON_FAILURE.

OpenRLHF swallows what a reward function raises, takes None for a reward, and stops later without saying why. So the
only policy is a number, which has to be chosen; it stands in also if the server cannot be reached any more. Until a
first judgment has succeeded there is no number: JudgeFailed is raised, which OpenRLHF makes a reward of None.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any
from urllib.parse import quote

from judge_client.adapters.kept import Profile, number_of
from judge_client.deadline import Deadline
from judge_client.errors import Momentary
from judge_client.exchange import Call, exchange
from judge_client.flow import Flow, Reply, Request
from judge_client.judgment import Failure, Judgment
from judge_client.on_failure import Kind
from judge_client.rewarder import Rewarder
from judge_client.sample import encode
from judge_client.scored import Scored
from judge_client.scoring import JSON
from judge_client.wire import parse, read

_LOADED_AS = "reward_func"  # the name under which OpenRLHF runs this file
_BY_SAMPLE = "-"


class QueryRewarder(Rewarder):
    """A Rewarder for queries that hold prompt and response in one decoded text; the server takes them apart."""

    def score_queries(self, queries: Sequence[str], prompts: Sequence[str], labels: Sequence[Any]) -> list[Scored]:
        """In order. Raises Refused for a rubric or judge that the server does not know."""
        return self._endpoint.connection.run(self._queried(queries, prompts, labels))

    def _queried(self, queries: Sequence[str], prompts: Sequence[str], labels: Sequence[Any]) -> Flow[list[Scored]]:
        rubric = self.terms.rubric if isinstance(self.terms.rubric, str) else _BY_SAMPLE
        query = {"on_error": str(self.on_failure), "judge": self.terms.judge, "run": self.training_run}
        body = {"query": list(queries), "prompts": list(prompts), "labels": list(labels)}
        path = f"/trainers/openrlhf/{quote(rubric, safe='/@')}"
        request = Request("POST", path, query=query, content=encode(body), headers=JSON)
        deadline = Deadline.after(self.terms.deadline_seconds)
        try:
            found = yield from exchange(Call(request, _scored), deadline, self._conduct.backoff)
        except Momentary as error:
            found = [Scored.of(Judgment.failed(error)) for _ in queries]
        return self._after_policy(found, [0] * len(found))


_BEARS: tuple[Kind, ...] = ("number",)
PROFILE = Profile("OpenRLHF", QueryRewarder, bears=_BEARS)


def reward_func(
    queries: Sequence[str], prompts: Sequence[str], labels: Sequence[Any], **_of_openrlhf: Any
) -> dict[str, Any]:
    """Lists of finite numbers: ``rewards``, ``scores`` (the same), and in ``extra_logs`` ``judge_failed`` and
    ``judge_coverage``. ``labels``: references, or envelopes."""
    scored = PROFILE.rewarder({}).score_queries(queries, prompts, labels)
    numbers = [number_of(one) for one in scored]
    logs = {
        "judge_failed": [one.metrics["judge_failed"] for one in scored],
        "judge_coverage": [one.judgment.coverage for one in scored],
    }
    return {"rewards": numbers, "scores": numbers, "extra_logs": logs}


def _scored(reply: Reply) -> list[Scored]:
    """What the server substituted counts as failed here, too, so that the policy is applied in one place."""
    data = parse(reply.content)
    rewards = read(tuple[float, ...], data["rewards"], "rewards")
    coverage = read(tuple[float, ...], data["extra_logs"]["judge_coverage"], "judge_coverage")
    failures = [None if one is None else read(Failure, one, "failures") for one in data["failures"]]
    return [_one(*row) for row in zip(rewards, coverage, failures, strict=True)]


def _one(reward: float, coverage: float, error: Failure | None) -> Scored:
    value = None if error else reward
    return Scored.of(Judgment(id="", reward=value, status="failed" if error else "ok", coverage=coverage, error=error))


if __name__ == _LOADED_AS:
    PROFILE.rewarder({})  # a wrong setting ends the run here; later OpenRLHF would swallow it
