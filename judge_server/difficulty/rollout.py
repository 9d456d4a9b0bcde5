"""One line of a file of rollouts: its prompt and its rewards."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from hashlib import blake2b
from math import inf, isfinite
from typing import Any

from judge_server.util.canonical import canonical_json
from judge_server.util.parsing import parse_json

KEYS = ("group", "prompt", "id")
KEYS_OF_A_PROMPT = ("group", "id", "prompt")  # a data set may hold one text twice under different ids
OF_A_ROLLOUT = frozenset(
    {"reward", "rewards", "response", "responses", "completion", "completions", "advantage", "advantages"}
)


@dataclass(frozen=True, slots=True)
class Rollouts:
    """``keys``: 16-byte keys of the prompt, the most specific first. ``rewards``: None if the judge failed.
    ``judgment``: whether the line is a judgment, which does not hold the prompt."""

    keys: tuple[bytes, ...]
    rewards: tuple[float | None, ...]
    row: Mapping[str, Any]
    judgment: bool


def read_row(line: bytes) -> dict[str, Any]:
    """A JSON object. Raises ValueError."""
    row = parse_json(line)
    if not isinstance(row, dict):
        raise ValueError("not a JSON object")  # noqa: TRY004  one exception type for all faults of a line
    return row


def read_rollouts(line: bytes, key: str | None, reward: str) -> Rollouts:
    """``key`` and ``reward``: names of fields; without ``key`` the prompt is identified by group, prompt or id. Raises
    ValueError with the fault of the line."""
    row = read_row(line)
    judgment = isinstance(row.get("submission"), dict) and "verdicts" in row
    return Rollouts(keys_of(row["submission"] if judgment else row, key), _rewards(row, reward), row, judgment)


def keys_of(row: Mapping[str, Any], key: str | None, names: Sequence[str] = KEYS) -> tuple[bytes, ...]:
    """The row's prompt fields, in the order of ``names``, or the field ``key`` alone. Raises ValueError if there is
    none."""
    names = (key,) if key else names
    found = tuple(_digest(row[name]) for name in names if row.get(name) not in (None, "", []))
    if not found:
        raise ValueError(
            f"no {', '.join(names[:-1])}{' or ' if names[1:] else ''}{names[-1]} that says which prompt it is"
        )
    return found


def _digest(value: Any) -> bytes:
    text = value if isinstance(value, str) else canonical_json(value)
    return blake2b(text.encode("utf-8", "surrogatepass"), digest_size=16).digest()


def _rewards(row: Mapping[str, Any], name: str) -> tuple[float | None, ...]:
    several = f"{name}s"
    if name in row:
        return (_number(row[name], name),)
    if isinstance(row.get(several), list):
        return tuple(_number(one, several) for one in row[several])
    raise ValueError(f"no {name} and no list {several}")


def _number(value: Any, name: str) -> float | None:
    if value is None:
        return None
    if not isinstance(value, int | float):
        raise ValueError(f"{name}: {str(value)[:60]!r} is neither a number nor null")  # noqa: TRY004  as above
    try:
        number = float(value)
    except OverflowError:
        number = inf
    if not isfinite(number):
        raise ValueError(f"{name}: {str(value)[:60]} is not finite")
    return number


def prompt_row(rollouts: Mapping[str, Any], reward: str) -> dict[str, Any]:
    """The fields of a line that belong to the prompt: all except the rollout's response and reward."""
    dropped = OF_A_ROLLOUT | {reward, f"{reward}s"}
    return {name: value for name, value in rollouts.items() if name not in dropped}
