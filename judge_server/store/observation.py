"""Stored judgments in the reduced form that monitors read, with the parts of the texts that they need."""

import json
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final

from sqlalchemy import ColumnElement

from judge_server.core.outcome import JudgmentStatus
from judge_server.store.judgment_row import content_json
from judge_server.store.payload import decode_mapping, microseconds

MOST_TEXT_CHARACTERS: Final = 4_000
MOST_SUBMISSION_CHARACTERS: Final = 131_072
_UNSURE: Final = frozenset({"abstained", "unusable"})


@dataclass(frozen=True, slots=True)
class TimeRange:
    """Timezone-aware; ``since`` is included, ``until`` is not."""

    since: datetime
    until: datetime | None = None

    def holds(self, moment: ColumnElement[int]) -> list[ColumnElement[bool]]:
        """The conditions on a column of microseconds."""
        since = moment >= microseconds(self.since)
        return [since] if self.until is None else [since, moment < microseconds(self.until)]


@dataclass(frozen=True, slots=True)
class Observed:
    """One judgment. ``cluster``: the prompt, or its substitute; ``group``: rollouts of one prompt at one step.

    ``scores`` by criterion, in [0, 1]: whether it was met, or the value on its scale; a mean over steps. ``values``:
    the same with probabilities; ``points`` by criterion; ``negative``: criteria that are better not met. ``asked``
    counts verdicts asked of the judge, ``unsure`` those among them that it abstained from or answered unreadably.
    ``characters``: of the whole response; ``response`` and ``prompt``: the first and the last part of each, None if the
    submission is too long to be read at every survey.
    """

    id: str
    created_us: int
    cluster: str
    group: str | None
    policy: str | None
    reward: float | None
    failed: bool
    flags: tuple[str, ...]
    characters: int
    scores: Mapping[str, float]
    values: Mapping[str, float]
    points: Mapping[str, float]
    negative: frozenset[str]
    asked: int
    unsure: int
    response: str | None
    prompt: str | None


@dataclass(frozen=True, slots=True)
class Windows:
    """``baseline`` came before ``recent``; neither is longer than asked for, and both are oldest first."""

    baseline: tuple[Observed, ...]
    recent: tuple[Observed, ...]


@dataclass(frozen=True, slots=True)
class Audited:
    """Two judges on one response. ``difference``: the training judge's value minus the audit judge's, as mean over the
    criteria that both decided, in [-1, 1]; ``disagreed``: the number of ``compared`` criteria on which they disagree.
    Verdicts of programs and the guard are the same for both and are not compared."""

    id: str
    created_us: int
    cluster: str
    policy: str | None
    difference: float
    disagreed: int
    compared: int


def split(rows: Sequence[Any], window: int) -> tuple[tuple[Any, ...], tuple[Any, ...]]:
    """The first and the last ``window`` rows, or two halves if there are fewer."""
    each = min(window, len(rows) // 2)
    return tuple(rows[:each]), tuple(rows[len(rows) - each :])


def observed(row: Any) -> Observed:
    """From a row of the judgment's columns, with the JSON of prompt and response."""
    judgment = decode_mapping(content_json(row))
    verdicts = judgment.get("verdicts", ())
    judged = [verdict["status"] for verdict in verdicts if verdict["source"] == "judge"]
    asked = [status for status in judged if status != "not_applicable"]
    short = row.prompt_text is not None and row.response_text is not None
    prompt = _text(json.loads(row.prompt_text), None) if short else None
    response = _text(json.loads(row.response_text), "assistant") if short else None
    return Observed(
        id=row.id,
        created_us=row.created_us,
        cluster=_cluster(row),
        group=_group(row),
        policy=row.policy,
        reward=row.reward,
        failed=row.status == JudgmentStatus.FAILED.value or row.reward is None,
        flags=tuple(json.loads(row.flags)),
        characters=judgment.get("response_characters", 0),
        scores=scores_of(verdicts),
        values=_means((verdict["criterion"], verdict.get("value")) for verdict in verdicts),
        points={verdict["criterion"]: verdict["points"] for verdict in verdicts},
        negative=frozenset(verdict["criterion"] for verdict in verdicts if verdict["points"] < 0),
        asked=len(asked),
        unsure=sum(status in _UNSURE for status in asked),
        response=_ends(response),
        prompt=_ends(prompt),
    )


def audited(row: Any) -> Audited | None:
    """From a row with the payloads of both judgments; None if no criterion was decided by both judges."""
    trained, auditing = decode_mapping(content_json(row)), decode_mapping(content_json(row, "auditing_"))
    own, other = (
        scores_of([verdict for verdict in one.get("verdicts", ()) if verdict["source"] == "judge"])
        for one in (trained, auditing)
    )
    shared = own.keys() & other.keys()
    if not shared:
        return None
    signs = {verdict["criterion"]: -1 if verdict["points"] < 0 else 1 for verdict in trained["verdicts"]}
    difference = sum(signs[one] * (own[one] - other[one]) for one in shared) / len(shared)
    return Audited(
        id=row.id,
        created_us=row.created_us,
        cluster=_cluster(row),
        policy=row.policy,
        difference=difference,
        disagreed=sum((own[one] >= 0.5) != (other[one] >= 0.5) for one in shared),
        compared=len(shared),
    )


def scores_of(verdicts: Sequence[Mapping[str, Any]]) -> dict[str, float]:
    """The decision on each criterion: met or not, or the value on a scale."""
    return _means((verdict["criterion"], _decision(verdict)) for verdict in verdicts)


def _decision(verdict: Mapping[str, Any]) -> float | None:
    value: float | None = verdict.get("value")
    return value if value is None or verdict.get("option") is not None else float(value >= 0.5)


def _means(values: Iterable[tuple[str, float | None]]) -> dict[str, float]:
    found: dict[str, list[float]] = defaultdict(list)
    for criterion, value in values:
        if value is not None:
            found[criterion].append(value)
    return {criterion: sum(one) / len(one) for criterion, one in found.items()}


def _text(given: Any, role: str | None) -> str:
    if isinstance(given, str):
        return given
    return "\n".join(message.get("content", "") for message in given if role in (None, message["role"]))


def _group(row: Any) -> str | None:
    """Trainers that name no group still send rollouts of one prompt at one step."""
    name = row.group_name or (None if row.step is None else row.prompt_key)
    return None if name is None else f"{row.run or ''}\x1f{name}\x1f{row.step}"


def _cluster(row: Any) -> str:
    """Rollouts of one prompt resemble each other, so intervals are clustered on it."""
    return str(row.prompt_key or row.group_name or row.id)


def _ends(text: str | None) -> str | None:
    if text is None or len(text) <= MOST_TEXT_CHARACTERS:
        return text
    half = MOST_TEXT_CHARACTERS // 2
    return f"{text[:half]}\n{text[-half:]}"
