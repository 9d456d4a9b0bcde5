"""One judge compares candidates shown in one order; its answer is read as scores in [0, 1]."""

import hashlib
from collections.abc import Callable
from math import fsum
from typing import Any

from judge_server.core.errors import UnusableVerdict
from judge_server.core.judgment import Usage
from judge_server.core.verdict import VerdictStatus
from judge_server.judging.answer import Answer, Judge, Reading, Terms
from judge_server.judging.cascade import CascadeJudge
from judge_server.judging.exemplified import ExemplifiedJudge
from judge_server.judging.panel import PanelJudge
from judge_server.judging.reading import DIGIT, label_reading, read_structured, verdict_schema, whole_json
from judge_server.judging.relative.comparison import Kind, Shown
from judge_server.judging.relative.prompt import Question, Script, letters, relative_digest
from judge_server.judging.single import SingleJudge, asked, trusted
from judge_server.models.protocol import Completion, Labels, Request, Sampling, Structured
from judge_server.models.reserved import RESERVED_DIGEST
from judge_server.util.concurrency import together

PAIR = ("A", "B")
_PAIR_OR_TIE = (*PAIR, "tie")
_STEP = 5
_SCORES = tuple(range(0, 101, _STEP))
_REASON_CHARACTERS = 300
PAIR_SCHEMA = verdict_schema([_PAIR_OR_TIE])


def list_schema(labels: tuple[str, ...]) -> dict[str, Any]:
    """The JSON Schema of the answer about a list: for each label a reason and then a score."""
    entry = {
        "type": "object",
        "properties": {
            "reason": {"type": "string", "minLength": 1, "maxLength": _REASON_CHARACTERS},
            "score": {"type": "integer", "enum": list(_SCORES)},
        },
        "required": ["reason", "score"],
        "additionalProperties": False,
    }
    return {
        "type": "object",
        "properties": dict.fromkeys(labels, entry),
        "required": list(labels),
        "additionalProperties": False,
    }


def read_list(completion: Completion, labels: tuple[str, ...]) -> tuple[float, ...]:
    """A score in [0, 1] for each label. Raises UnusableVerdict unless the answer has exactly the requested form."""
    answer = whole_json(completion, DIGIT)
    if not isinstance(answer, dict) or set(answer) != set(labels):
        raise UnusableVerdict(f"The answer does not score exactly the responses {', '.join(labels)}.")
    return tuple(_score(label, answer[label]) for label in labels)


def _score(label: str, entry: Any) -> float:
    if not isinstance(entry, dict) or set(entry) != {"reason", "score"} or not isinstance(entry["reason"], str):
        raise UnusableVerdict(f"The answer does not hold exactly a reason and a score for response {label}.")
    score = entry["score"]
    if isinstance(score, bool) or score not in _SCORES:
        raise UnusableVerdict(f"The score of response {label} is none of 0, {_STEP}, … 100.")
    return float(score / 100)


def read_pair(completion: Completion) -> tuple[float, float]:
    """Shares of the first and the second response: all, none, or a half each. Raises UnusableVerdict."""
    (said,) = read_structured(completion, [_PAIR_OR_TIE])
    first = {"A": 1.0, "B": 0.0, "tie": 0.5}[said.label]
    return first, 1.0 - first


class Arbiter:
    """Compares with its judge's model, mode, votes, attempts and label mass."""

    def __init__(self, judge: SingleJudge, kind: Kind) -> None:
        self.judge = judge
        self.kind = kind

    def key(self, presentation: str) -> str:
        """The cache key of an answer, 64 hexadecimal digits; ``presentation`` is the comparison's key of the order."""
        fingerprint = self.judge.reference.fingerprint
        templates = relative_digest(self.judge.writer.version)
        content = f"{fingerprint}\n{RESERVED_DIGEST}\n{templates}\n{self.kind}\n{presentation}"
        return hashlib.sha256(content.encode()).hexdigest()

    async def ask(self, script: Script, shown: Shown, terms: Terms) -> Answer:
        """An answer whose ``shares`` are a score in [0, 1] for each candidate shown: independent scores in a list, or
        the probabilities of being the better one of a pair. A judge that fails gives a typed failure."""
        votes = range(self.judge.specification.votes)
        return _mean(await together([self._vote(script, shown, terms, vote) for vote in votes]))

    async def _vote(self, script: Script, shown: Shown, terms: Terms, vote: int) -> Answer:
        if self.kind == "listwise":
            return await self._list(script, shown, terms, vote)
        if self.judge.mode == "reason":
            return await self._pair_reason(script, shown, terms, vote)
        answer = await self._pair_direct(script, shown, terms, vote)
        settled = answer.reading or answer.status is VerdictStatus.UNAVAILABLE
        if settled or self.judge.specification.fallback != "reason":
            return answer
        second = await self._pair_reason(script, shown, terms, vote)
        seconds = answer.model_seconds + second.model_seconds
        return second._replace(usage=answer.usage + second.usage, model_seconds=seconds)

    async def _list(self, script: Script, shown: Shown, terms: Terms, vote: int) -> Answer:
        labels = letters(len(shown))
        tokens = self.judge.specification.reason_tokens * len(shown)
        wanted = Structured(list_schema(labels), tokens, "scores")

        def read(completion: Completion) -> Reading:
            scores = read_list(completion, labels)
            return Reading(fsum(scores) / len(scores), scores)

        return await self._ask(script, shown, "relative_list", wanted, read, terms, vote)

    async def _pair_direct(self, script: Script, shown: Shown, terms: Terms, vote: int) -> Answer:
        def read(completion: Completion) -> Reading:
            return label_reading(completion, PAIR, (1.0, 0.0))

        answer = await self._ask(script, shown, "relative_pair_direct", Labels(PAIR), read, terms, vote)
        return trusted(answer, self.judge.least_mass)

    async def _pair_reason(self, script: Script, shown: Shown, terms: Terms, vote: int) -> Answer:
        def read(completion: Completion) -> Reading:
            first, second = read_pair(completion)
            return Reading(first, (first, second))

        wanted = Structured(PAIR_SCHEMA, self.judge.specification.reason_tokens)
        return await self._ask(script, shown, "relative_pair_reason", wanted, read, terms, vote)

    async def _ask(
        self,
        script: Script,
        shown: Shown,
        question: Question,
        wanted: Labels | Structured,
        read: Callable[[Completion], Reading],
        terms: Terms,
        vote: int,
    ) -> Answer:
        specification = self.judge.specification
        request = Request(
            prompt=script.prompt(shown, question),
            answer=wanted,
            sampling=Sampling(self.judge.temperature, specification.seed + vote),
            thinking_tokens=specification.thinking_tokens if isinstance(wanted, Structured) else None,
            priority=terms.priority,
            deadline=terms.deadline,
        )
        (answer,) = await asked(specification, self.judge.model, request, lambda completion: (read(completion),))
        return answer


def singles(judge: Judge) -> tuple[SingleJudge, ...]:
    """All single judges that compare responses for ``judge``: of a panel all members, of a cascade the second judge."""
    if isinstance(judge, CascadeJudge):
        return singles(judge.then)
    if isinstance(judge, PanelJudge | ExemplifiedJudge):
        return tuple(single for member in judge.members for single in singles(member))
    return (judge,) if isinstance(judge, SingleJudge) else ()


def _mean(votes: list[Answer]) -> Answer:
    """The mean of the usable votes; more than half must be usable."""
    if len(votes) == 1:
        return votes[0]
    usage = Usage.total(answer.usage for answer in votes)
    seconds = fsum(answer.model_seconds for answer in votes)
    readings = [answer.reading for answer in votes if answer.reading]
    if len(readings) * 2 <= len(votes):
        failed = next(answer for answer in votes if answer.failure)
        return failed._replace(usage=usage, model_seconds=seconds)
    shares = tuple(fsum(column) / len(readings) for column in zip(*(r.shares for r in readings), strict=True))
    return Answer(reading=Reading(fsum(shares) / len(shares), shares), usage=usage, model_seconds=seconds)
