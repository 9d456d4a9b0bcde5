"""Keyword arguments that the blocking and the asynchronous client share."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any, Literal, TypedDict

from judge_client.configuration import refuse_unknown


def checked(what: str, given: Mapping[str, Any], kind: type[Any]) -> dict[str, Any]:
    """``given`` as options of a TypedDict. Raises BadConfiguration for a name that it does not have."""
    refuse_unknown(what, given, kind.__annotations__)
    return dict(given)


class CallOptions(TypedDict, total=False):
    """For samples that name no rubric or judge; how long the call may take, and how urgent it is (``training``,
    ``interactive``, ``batch``, ``audit``)."""

    rubric: str | Mapping[str, Any] | None
    judge: str | None
    deadline_seconds: float | None
    priority: str | None


class JudgmentFilter(TypedDict, total=False):
    """``rubric``: an id, ``id@version`` or digest. ``since`` is included, ``until`` is not; both with a time zone.
    ``reward_from`` (included) and ``reward_below`` (not) leave out judgments without a reward; ``rewarded``: those that
    have one, or those that have none; ``flag``: one of the guard's; ``q``: words in prompt or response; ``include``:
    ``text`` adds what was judged (``submitted``)."""

    rubric: str | None
    judge: str | None
    group: str | None
    run: str | None
    step: int | None
    policy: str | None
    status: str | None
    flag: str | None
    since: datetime | str | None
    until: datetime | str | None
    reward_from: float | None
    reward_below: float | None
    rewarded: bool | None
    tag: str | None
    q: str | None
    include: Literal["text"] | None
    limit: int
    cursor: str | None


class SleepOptions(TypedDict, total=False):
    """``model``: only this one; ``level``: 1 keeps the weights in main memory, 2 drops them; ``waiting``: ``hold`` or
    ``refuse`` calls meanwhile; ``drain_seconds``: for the calls under way; ``holder``: who lets it sleep."""

    model: str | None
    level: int
    waiting: Literal["hold", "refuse"]
    drain_seconds: float
    holder: str | None


class WakeOptions(TypedDict, total=False):
    """``holder`` keeps the engine awake until it lets it sleep, at most ``holder_seconds``."""

    model: str | None
    holder: str | None
    holder_seconds: float


class LabelSetPage(TypedDict, total=False):
    """``split``: ``dev`` or ``test``."""

    split: str
    reader: str
    reason: str
    offset: int
    limit: int


class ExamOptions(TypedDict, total=False):
    """``seed`` decides the surface forms; ``pairs`` in each family; ``families``: only these; ``longest``: tokens of
    the longest response."""

    judge: str | None
    seed: int
    pairs: int
    families: Sequence[str]
    longest: int | None


class ImproveOptions(TypedDict, total=False):
    """``proposer``: the judge whose model writes other wordings, asked once for a criterion or as GEPA directs
    (``search``: ``once`` or ``gepa``); ``tuned``: a judge with an adapter trained on the same labels; ``second``: a
    stronger judge for at most ``second_share`` of the questions; ``examples``: how many to try with each question;
    ``limits``: ``questions``, ``calls``, ``tokens``, ``dollars``, ``seconds``; ``positives``: the class that means met,
    by criterion; ``reason``: why a test split is read that was read before."""

    judge: str | None
    proposer: str | None
    search: str
    second: str | None
    tuned: str | None
    second_share: float
    examples: Sequence[int]
    tries: int
    seed: int
    limits: Mapping[str, float]
    positives: Mapping[str, str]
    reason: str


class CalibrationOptions(TypedDict, total=False):
    """``split``: ``dev``, ``test`` or ``all``. ``partial``: measure what labels and rubric both have. ``raw``: without
    fitted maps. ``fit`` and ``gate``: do that with what was measured."""

    judge: str | None
    split: str
    reader: str
    reason: str
    partial: bool
    raw: bool
    fit: bool
    gate: bool
