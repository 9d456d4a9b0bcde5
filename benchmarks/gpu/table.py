"""What ``benchmarks.gpu`` found, as tables."""

from collections.abc import Iterator
from typing import Any

from rich.console import Console
from rich.table import Table

_MODES = ("direct", "reason")


def show(found: dict[str, Any], width: int = 130) -> None:
    console = Console(width=width)
    machine = found["machine"]
    cards = "; ".join(machine["cards"]) or f"no card: {machine['processors']} processors"
    console.print(f"{cards}; {', '.join(f'{name} {one}' for name, one in machine['versions'].items())}")
    table = Table(
        "shape", "prefix cache", "mode", "way", "verdicts/s", "beside vLLM", "tokens computed", "failed", "CPU ms"
    )
    for row in rows(found["parts"]):
        table.add_row(*row)
    console.print(table)
    for part in found["parts"]:
        for one in part.get("sleep", []):
            console.print(f"{part['shape']}, level {one['level']}: {_sleep(one)}")
        if "error" in part:
            console.print(f"{part['shape']}, {part['way']}: {part['error']}", markup=False)


def rows(parts: list[dict[str, Any]]) -> Iterator[tuple[str, ...]]:
    """``beside vLLM``: verdicts a second over those of vLLM alone; ``tokens computed``: over the fewest possible;
    ``failed``: verdicts without a value; ``CPU ms``: of the server's process for a verdict."""
    for part in parts:
        for mode in _MODES:
            if mode not in part:
                continue
            told = part[mode]
            computed = told["prompt_tokens"] - told["cached_tokens"]
            rate = told["verdicts"] / told["seconds"]
            alone = _alone(parts, part, mode)
            yield (
                part["shape"],
                "on" if part["prefix_caching"] else "off",
                mode,
                part["way"],
                f"{rate:,.1f}",
                "" if alone is None or part["way"] == "vLLM alone" else f"{rate / alone:.2f}",
                f"{computed / part['least_tokens'][mode]:.2f} x",
                str(told["verdicts"] - told["statuses"].get("ok", 0)) if "statuses" in told else "",
                f"{1_000 * told['cpu_seconds'] / told['verdicts']:.2f}" if "cpu_seconds" in told else "",
            )


def _alone(parts: list[dict[str, Any]], part: dict[str, Any], mode: str) -> float | None:
    """Verdicts a second of vLLM alone on the same work."""
    for one in parts:
        same = (one["shape"], one["prefix_caching"]) == (part["shape"], part["prefix_caching"])
        if same and one["way"] == "vLLM alone" and mode in one:
            rate: float = one[mode]["verdicts"] / one[mode]["seconds"]
            return rate
    return None


def _sleep(one: dict[str, Any]) -> str:
    times = [
        f"{name} {one[key]:.2f} s"
        for name, key in (("sleep", "sleep_seconds"), ("wake", "wake_seconds"), ("first verdict", "verdict_seconds"))
        if key in one
    ]
    memory = "" if one["mib_awake"] is None else f"; {one['mib_awake']:,} MiB awake, {one['mib_asleep']:,} asleep"
    return ", ".join(times) + memory + (f"; {one['error']}" if "error" in one else "")
