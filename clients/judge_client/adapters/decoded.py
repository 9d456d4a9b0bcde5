"""Prompts as a chat template rendered them, and responses with what a tokenizer leaves at their end.

Taking a template apart is the server's work: these samples go to its route for such trainers, one by one.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any
from urllib.parse import quote

from judge_client.deadline import Deadline
from judge_client.errors import BadInput, BadSample, Momentary, TooLarge
from judge_client.exchange import Call, exchange
from judge_client.flow import Flow, Reply, Request, Together
from judge_client.judgment import Judgment
from judge_client.rewarder import Rewarder
from judge_client.sample import Sample, encode
from judge_client.scored import Scored
from judge_client.scoring import JSON
from judge_client.wire import parse, read

_AT_ONCE = 64
_BY_SAMPLE = "-"
_REWARD = "score"


class DecodedRewarder(Rewarder):
    """A Rewarder for texts that a trainer decoded. Judgments have a reward and a coverage, but no verdicts."""

    def _judged(self, samples: Sequence[Sample]) -> Flow[list[Scored]]:
        judgments = yield Together([self._judgment_of(sample) for sample in samples], _AT_ONCE)
        return [Scored.of(judgment) for judgment in judgments]

    def _judgment_of(self, sample: Sample) -> Flow[Judgment]:
        rubric = self.terms.rubric if isinstance(self.terms.rubric, str) else None
        query = {"on_error": "raise", "reward_key": _REWARD, "judge": self.terms.judge, "run": sample.run}
        request = Request(
            "POST",
            f"/trainers/slime/{quote(rubric or _BY_SAMPLE, safe='/@')}",
            query=query,
            content=encode(self._body(sample), "the sample"),
            headers=JSON,
        )
        deadline = Deadline.after(self.terms.deadline_seconds)
        try:
            return (yield from exchange(Call(request, _judgment), deadline, self._conduct.backoff))
        except (Momentary, BadInput, TooLarge) as error:  # of this sample: the policy decides
            return Judgment.failed(error)

    def _body(self, sample: Sample) -> dict[str, Any]:
        if not isinstance(sample.response, str):
            raise BadSample("response: messages, where this trainer decodes to text.", remedy="Give one text.")
        whole = None if isinstance(self.terms.rubric, str) else self.terms.rubric
        label = {
            "reference": sample.reference,
            "facts": sample.facts,
            "rubric": whole if sample.rubric is None else sample.rubric,
            "judge": sample.judge,
        }
        said = {name: value for name, value in label.items() if value is not None}
        return {"prompt": sample.prompt, "response": sample.response, "label": said or None}


def _judgment(reply: Reply) -> Judgment:
    """A reward, or the problem document of a judge that failed, with its judgment."""
    data = parse(reply.content)
    if reply.status >= 400:
        return read(Judgment, data["judgment"])
    numbers = read(dict[str, float], data)
    found = reply.headers.get("x-judge-judgment", "")
    return Judgment(id=found, reward=numbers.get(_REWARD), status="ok", coverage=numbers.get("judge_coverage", 0.0))
