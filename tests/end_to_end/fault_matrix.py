"""Judges that fail, a cell for each way and number of criteria, and what the rubric says the reward must then be.

One stub serves every judge of the matrix: the model's name in a request says which cell asks.
"""

import json
import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from benchmarks.stub_judge import answer
from tests.stub_judge import Reply, faithful, labels, text, wants_schema

CRITERIA = 20
COUNTS = (1, 5, CRITERIA)
MODES = ("direct", "reason")
POLICIES = ("null", "skip", "worst")
LEAST_COVERAGE = 0.7
P_MET = 0.75
TIMEOUT_SECONDS = 0.4
_CRITERION = re.compile(r"Says thing (\d+)\.")
_GONE = frozenset({"judge_unavailable", "timeout"})
_UNREADABLE = frozenset({"unusable_verdict"})
_LOST = _UNREADABLE | {"judge_unavailable"}  # after several in a row no call is made for a while
_WHOLE = json.dumps(answer("Yes", {"Yes": P_MET, "No": 1 - P_MET})).encode()

# What the judge does, and as which types of failure that may be told.
FAULTS: dict[str, tuple[Reply, frozenset[str]]] = {
    "timeout": (Reply(delay_seconds=20.0), _GONE),
    "429": (Reply(429, {"error": {"message": "slow down"}}), _GONE),
    "500": (Reply(500, {"error": {"message": "boom"}}), _GONE),
    "reset": (Reply(reset=True), _GONE),
    "garbage": (Reply(200, b"<<<no json, but Yes and No and 0>>>"), _LOST),
    "truncated": (Reply(200, _WHOLE[: len(_WHOLE) // 2]), _LOST),
    "cut": (Reply(200, _WHOLE, cut=True), _GONE),
    "drip": (Reply(200, _WHOLE, drip_seconds=0.05), _GONE),
    "wrong label": (labels(banana=0.9, No=0.0, Yes=0.0), frozenset({"low_label_mass"})),
}
# A rate limit that passes costs no reward (test_rate_limited_judge), so in the matrix a spent quota stands for it.
_SPENT = Reply(429, {"error": {"message": "no quota", "code": "insufficient_quota"}})
_LASTING = FAULTS | {"429": (_SPENT, frozenset({"judge_refused"}))}
_WRONG_VERDICT = (text('{"reason": "It is.", "verdict": "Maybe"}'), _UNREADABLE)


def fault_of(name: str, mode: str, *, passing: bool = False) -> tuple[Reply, frozenset[str]]:
    """The reply and its types in this mode. ``passing``: the next call may be answered."""
    if name == "wrong label" and mode == "reason":
        return _WRONG_VERDICT
    return (FAULTS if passing else _LASTING)[name]


@dataclass(frozen=True)
class Cell:
    """``broken`` of the criteria get the fault, the others an answer."""

    mode: str
    fault: str
    broken: int

    @property
    def judge(self) -> str:
        return f"{self.mode}-{self.fault.replace(' ', '_')}-{self.broken}"

    @property
    def types(self) -> frozenset[str]:
        """What the broken criteria's errors may be; where calls fail in a row the judge is spared for a while."""
        return fault_of(self.fault, self.mode)[1] | _GONE

    @property
    def value(self) -> float:
        """Of every criterion that is answered."""
        return P_MET if self.mode == "direct" else 1.0


CELLS = {
    cell.judge: cell for cell in (Cell(mode, fault, broken) for mode in MODES for fault in FAULTS for broken in COUNTS)
}


def behave(body: dict[str, Any]) -> Reply:
    """The stub of all judges."""
    asked = _CRITERION.search(json.dumps(body["messages"]))
    cell = CELLS.get(body["model"])
    if asked is None or cell is None or int(asked[1]) >= cell.broken:
        return faithful(P_MET)(body)
    return fault_of(cell.fault, "reason" if wants_schema(body) else "direct")[0]


def judges(address: str) -> dict[str, dict[str, Any]]:
    """The settings of all judges: each asks once."""
    engine = {"transport_attempts": 1, "timeout_seconds": TIMEOUT_SECONDS}
    return {
        name: {"model": f"openai:{name}@{address}", "mode": cell.mode, "attempts": 1, "engine": engine}
        for name, cell in CELLS.items()
    }


def points_of(number: int) -> int:
    """Criteria are worth 3 points or cost 1, so that no sum of right verdicts is 0."""
    return -1 if number % 2 else 3


def rubric(policy: str) -> dict[str, Any]:
    criteria = [
        {"id": f"c{number}", "statement": f"Says thing {number}.", "points": points_of(number)}
        for number in range(CRITERIA)
    ]
    missing = {"policy": policy} | ({} if policy == "null" else {"min_coverage": LEAST_COVERAGE})
    return {"id": f"matrix/{policy}", "version": "1.0.0", "title": policy, "criteria": criteria, "missing": missing}


def reward_of(policy: str, values: list[float | None]) -> float | None:
    """What the format's documentation says of values, None where there is no verdict."""
    weights = [points_of(number) for number in range(CRITERIA)]
    missing = [number for number, value in enumerate(values) if value is None]
    covered = 1 - sum(abs(weights[number]) for number in missing) / sum(map(abs, weights))
    if missing and (policy == "null" or covered < LEAST_COVERAGE or len(missing) == CRITERIA):
        return None
    used = [
        (weight, (0.0 if weight > 0 else 1.0) if value is None else value)
        for weight, value in zip(weights, values, strict=True)
        if value is not None or policy == "worst"
    ]
    return sum(weight * value for weight, value in used) / sum(max(weight, 0) for weight, _ in used)


def faults_in(judgment: dict[str, Any], cell: Cell, policy: str) -> Iterator[str]:
    """What is wrong with a judgment of this cell; nothing, one hopes."""
    values: list[float | None] = []
    for number, verdict in enumerate(judgment["verdicts"]):
        value, error = verdict["value"], verdict["error"]
        values.append(value)
        if value is None and (error is None or error["type"] not in cell.types):
            yield f"criterion {number} has neither a value nor a typed error of this fault: {error}"
        if value is not None and (number < cell.broken or abs(value - cell.value) > 1e-6):
            yield f"criterion {number} has the value {value}, which the judge never said"
    wanted = reward_of(policy, values)
    if (wanted is None) != (judgment["reward"] is None) or (
        wanted is not None and abs(wanted - judgment["reward"]) > 1e-6
    ):
        yield f"the reward is {judgment['reward']}, not {wanted}"
    if judgment["reward"] is None and not (judgment["error"] or {}).get("type"):
        yield "there is no reward and no typed error"
