"""POST /v1/score and /v1/score/batch."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

from judge_client.backoff import Backoff
from judge_client.configuration import Terms
from judge_client.deadline import Deadline
from judge_client.errors import BadInput, Momentary, TooLarge, UnreadableAnswer
from judge_client.exchange import Call, exchange
from judge_client.flow import Flow, Reply, Request, Together
from judge_client.judgment import Judgment
from judge_client.sample import Sample, encode, sample_from
from judge_client.splitting import Limits, split
from judge_client.wire import parse, read

Samples = Iterable[Sample | Mapping[str, Any]]
JSON = {"Content-Type": "application/json"}
_BATCH = "/v1/score/batch"


@dataclass(frozen=True)
class Conduct:
    """How calls are made. ``parts_at_once``: of one call, under way at the same time."""

    limits: Limits = field(default_factory=Limits)
    backoff: Backoff = field(default_factory=Backoff)
    parts_at_once: int = 4


def score(sample: Sample | Mapping[str, Any], terms: Terms, conduct: Conduct) -> Flow[Judgment]:
    """One judgment, failed ones included."""
    body = {**said_by(terms), **sample_from(sample).submission()}
    request = Request("POST", "/v1/score", content=encode(body, "the sample"), headers=JSON)
    return (yield from exchange(Call(request, _judgment), Deadline.after(terms.deadline_seconds), conduct.backoff))


def score_batch(
    samples: Sequence[Sample],
    terms: Terms,
    conduct: Conduct,
    *,
    deadline: Deadline | None = None,
    part_items: int | None = None,
    done: Callable[[int], None] | None = None,
) -> Flow[list[Judgment]]:
    """Judgments in order. A part that could not be asked about becomes failed judgments; if that holds for all of
    them, the error is raised. ``done`` is told how many more are settled; ``part_items``: at most, in one request."""
    if not samples:
        return []
    batch = _Batch.of(samples, terms, conduct)
    deadline = deadline or Deadline.after(terms.deadline_seconds)
    limits = replace(conduct.limits, items=min(part_items or conduct.limits.items, conduct.limits.items))
    parts = split(batch.sizes, limits, len(batch.head))
    flows = [_part(batch, part, deadline, done or _nobody) for part in parts]
    outcomes: list[list[Judgment] | Momentary]
    outcomes = [(yield from flows[0])] if len(flows) == 1 else (yield Together(flows, conduct.parts_at_once))
    failed = [one for one in outcomes if isinstance(one, Momentary)]
    if failed and len(failed) == len(outcomes):
        raise failed[0]
    judgments = [one for part, outcome in zip(parts, outcomes, strict=True) for one in _judgments(part, outcome)]
    _require_order(samples, judgments)
    return judgments


def _require_order(samples: Sequence[Sample], judgments: Sequence[Judgment]) -> None:
    """Raises UnreadableAnswer if a judgment names another sample than the one in its place: its reward would go to the
    wrong completion."""
    for place, (sample, judgment) in enumerate(zip(samples, judgments, strict=True)):
        sent, came = sample.id, judgment.submission.id
        if sent is not None and came is not None and came != sent:
            raise UnreadableAnswer(
                f"results[{place}] is the judgment of {came!r}, and {sent!r} was asked about.",
                remedy="The server or a proxy changed the order of the results.",
            )


@dataclass(frozen=True)
class _Batch:
    """``items`` and ``head``: JSON; the head is what every part of the batch says."""

    items: list[bytes]
    head: bytes
    conduct: Conduct

    @classmethod
    def of(cls, samples: Sequence[Sample], terms: Terms, conduct: Conduct) -> _Batch:
        items = [encode(sample.submission(), f"samples[{place}]") for place, sample in enumerate(samples)]
        head = encode(said_by(terms))
        return cls(items, head, conduct)

    @property
    def sizes(self) -> list[int]:
        return [len(item) for item in self.items]

    def body(self, part: range) -> bytes:
        comma = b"," if len(self.head) > 2 else b""
        return self.head[:-1] + comma + b'"items":[' + b",".join(self.items[place] for place in part) + b"]}"


def _part(
    batch: _Batch, part: range, deadline: Deadline, done: Callable[[int], None]
) -> Flow[list[Judgment] | Momentary]:
    """The judgments of one part, or why there are none."""
    body = batch.body(part)
    call = Call(Request("POST", _BATCH, content=body, headers=JSON), lambda reply: _results(reply, len(part)))
    limits = batch.conduct.limits
    try:
        judgments = yield from exchange(call, deadline, batch.conduct.backoff)
    except Momentary as error:
        done(len(part))
        return error
    except (BadInput, TooLarge) as error:
        if not limits.learn(error, len(part), len(body)):
            raise
    else:
        done(len(part))
        return judgments
    sizes = [len(batch.items[place]) for place in part]
    smaller = split(sizes, limits, len(batch.head))
    found: list[Judgment] = []
    for one in smaller:
        within = part[one.start : one.stop]
        found += _judgments(within, (yield from _part(batch, within, deadline, done)))
    return found


def _judgments(part: range, outcome: list[Judgment] | Momentary) -> Iterator[Judgment]:
    if isinstance(outcome, Momentary):
        yield from (Judgment.failed(outcome) for _ in part)
    else:
        yield from outcome


def _judgment(reply: Reply) -> Judgment:
    data = parse(reply.content)
    found = data.get("judgment", data) if isinstance(data, Mapping) and reply.status >= 400 else data
    return read(Judgment, found)


def _results(reply: Reply, count: int) -> list[Judgment]:
    data = parse(reply.content)
    found = read(tuple[Judgment, ...], data.get("results") if isinstance(data, Mapping) else data, "results")
    if len(found) != count:
        raise UnreadableAnswer(f"results: {len(found)} judgments came for {count} samples.")
    return list(found)


def said_by(terms: Terms) -> dict[str, Any]:
    """What holds for samples that say nothing themselves. The deadline goes out as a header, new with every attempt."""
    given = {"rubric": terms.rubric, "judge": terms.judge, "priority": terms.priority}
    return {name: value for name, value in given.items() if value is not None}


def _nobody(_count: int) -> None:
    pass
