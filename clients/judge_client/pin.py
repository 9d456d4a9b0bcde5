"""Which rubric version and which judge answered first, and whether they still do: a run's reward must not change."""

from __future__ import annotations

import logging
import threading
from collections.abc import Iterable, Mapping
from typing import Literal, cast

from judge_client.configuration import environment
from judge_client.errors import BadConfiguration, RewardChanged
from judge_client.fork import ForkAware
from judge_client.judgment import JudgeReference, Judgment, RubricReference
from judge_client.run import RunChange

OnChange = Literal["stop", "warn"]
_LOG = logging.getLogger("judge_client")
_UNCALIBRATED = "uncalibrated"
_NOBODY = "none"
"""The mode in a judgment that programs and the guard made alone, such as that of an empty response."""
_REMEDY = (
    "Put back what answered before, accept it with judge-server run repin RUN --reason TEXT, or begin a new run; "
    "on_change='warn' (JUDGE_ON_CHANGE) goes on and logs it."
)


def on_change_of(given: str | None) -> OnChange:
    """The argument, else JUDGE_ON_CHANGE, else ``stop``. Raises BadConfiguration."""
    chosen = given or environment("JUDGE_ON_CHANGE") or "stop"
    if chosen not in ("stop", "warn"):
        raise BadConfiguration(f"on_change: {chosen!r} is not known.", remedy="Choose stop or warn.")
    return cast("OnChange", chosen)


class Pins(ForkAware):
    """For every rubric asked by name, the version and digest of its first judgment; for every judge, its fingerprint
    and calibration; and the guard. A rubric that a sample carries whole cannot change unnoticed and is not pinned."""

    def __init__(self, on_change: OnChange) -> None:
        super().__init__()
        self.on_change = on_change
        self._pinned: dict[tuple[str, str], tuple[str, ...]] = {}
        self.after_fork()

    def after_fork(self) -> None:
        self._lock = threading.Lock()

    @property
    def pinned(self) -> dict[str, str]:
        """For a trainer's log: ``rubric medical/consultation`` → ``1.0.0 3f2a…``."""
        with self._lock:
            return {f"{kind} {name}".rstrip(): " ".join(value) for (kind, name), value in self._pinned.items()}

    def check(
        self, rubric: str | Mapping[str, object] | None, judge: str | None, judgment: Judgment, step: int | None
    ) -> None:
        """``rubric`` and ``judge``: as asked. Raises RewardChanged if another one answered than the first time and
        ``on_change`` is ``stop``."""
        if isinstance(rubric, str) and judgment.rubric is not None and judgment.reward is not None:
            self._compare("rubric", rubric, _of_rubric(judgment.rubric), step)
        asked = judgment.judge is not None and judgment.judge.mode != _NOBODY
        if asked and judgment.judge is not None and judgment.reward is not None:
            self._compare("judge", judge or "default", _of_judge(judgment.judge), step)
        if judgment.guard is not None and judgment.reward is not None:
            self._compare("guard", "", (judgment.guard,), step)

    def give_up(self, changes: Iterable[RunChange]) -> None:
        """Forget the pins that somebody repinned on purpose, so that the next judgment pins anew, and log the acts."""
        acts = {(one.kind, one.before): one for one in changes if one.act == "repinned"}
        with self._lock:
            found = [
                (key, acts[form]) for key, value in self._pinned.items() for form in _kept(key[0], value) & set(acts)
            ]
            for key, _ in found:
                self._pinned.pop(key, None)
        for (kind, name), act in found:
            subject = f"{kind} {name!r}" if name else kind
            _LOG.warning(
                "The %s was repinned by %s: %s", subject, act.by or "somebody", act.reason or "no reason given"
            )

    def _compare(self, kind: str, name: str, found: tuple[str, ...], step: int | None) -> None:
        with self._lock:
            pinned = self._pinned.setdefault((kind, name), found)
            if pinned == found:
                return
            if self.on_change == "warn":
                self._pinned[kind, name] = found
        at = "" if step is None else f" at step {step}"
        subject = f"{kind} {name!r}" if name else kind
        told = f"The {subject} changed{at}: it was {' '.join(pinned)} and is now {' '.join(found)}."
        if self.on_change == "stop":
            raise RewardChanged(told, remedy=_REMEDY)
        _LOG.warning("%s on_change is warn: rewards before and after it are not comparable.", told)


def _kept(kind: str, value: tuple[str, ...]) -> set[tuple[str, str]]:
    """A pin of ours in the words of the server, which keeps the fitted maps of a judge apart."""
    if kind == "judge":
        model, mode, fingerprint, maps = value
        return {("judge", f"{model} {mode} {fingerprint}"), ("maps", "none" if maps == _UNCALIBRATED else maps)}
    if kind == "rubric":
        rubric_id, version, digest = value
        return {(kind, f"{rubric_id}@{version} {digest}")}
    return {(kind, " ".join(value))}


def _of_rubric(found: RubricReference) -> tuple[str, ...]:
    return (found.id, found.version, found.digest)


def _of_judge(found: JudgeReference) -> tuple[str, ...]:
    return (found.model, found.mode, found.fingerprint, found.calibration or _UNCALIBRATED)
