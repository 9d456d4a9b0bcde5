"""POST /v1/score/group, in parts where the server takes no more and the members are judged each for itself."""

from __future__ import annotations

from collections.abc import Mapping

from judge_client.configuration import Terms
from judge_client.deadline import Deadline
from judge_client.errors import BadInput, TooLarge, UnreadableAnswer
from judge_client.exchange import Call, exchange
from judge_client.flow import Flow, Reply, Request
from judge_client.group import GroupResult, Rollouts, statistics_of
from judge_client.sample import encode, samples_of
from judge_client.scoring import JSON, Conduct, said_by, score_batch
from judge_client.wire import parse, read

_INDIVISIBLE = "Responses that are compared go in one request: raise max_batch_items or max_body_bytes of the server."


def score_group(rollouts: Rollouts, terms: Terms, conduct: Conduct) -> Flow[GroupResult]:
    """Judgments, rewards and statistics. Raises TooLarge if a group that cannot be divided is too large."""
    count = len(rollouts.responses)
    body = encode({**said_by(terms), **rollouts.body()}, "the group")
    deadline = Deadline.after(terms.deadline_seconds)
    if rollouts.divisible and (count > conduct.limits.items or len(body) > conduct.limits.body_bytes):
        return (yield from _in_parts(rollouts, terms, conduct, deadline))
    request = Request("POST", "/v1/score/group", content=body, headers=JSON)
    call = Call(
        request, lambda reply: _result(reply, count), repeatable=rollouts.expected is None or bool(rollouts.ids)
    )
    try:
        return (yield from exchange(call, deadline, conduct.backoff))
    except (BadInput, TooLarge) as error:
        smaller = conduct.limits.learn(error, count, len(body))
        if not smaller:
            raise
        if not rollouts.divisible:
            raise TooLarge(error.detail, remedy=_INDIVISIBLE, status=error.status, problem=error.problem) from error
    return (yield from _in_parts(rollouts, terms, conduct, deadline))


def _in_parts(rollouts: Rollouts, terms: Terms, conduct: Conduct, deadline: Deadline) -> Flow[GroupResult]:
    judgments = yield from score_batch(samples_of(rollouts.submissions()), terms, conduct, deadline=deadline)
    rewards = tuple(judgment.reward for judgment in judgments)
    errors = tuple(judgment.failure for judgment in judgments)
    return GroupResult(tuple(judgments), rewards, statistics_of(rewards, rollouts.advantages), errors)


def _result(reply: Reply, count: int) -> GroupResult:
    data = parse(reply.content)
    found = read(GroupResult, data if isinstance(data, Mapping) else {})
    if len(found.results) != count or len(found.rewards) != count or len(found.errors) not in (0, count):
        raise UnreadableAnswer(f"results: {len(found.results)} judgments came for {count} responses.")
    return found
