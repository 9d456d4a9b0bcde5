"""Verdicts a second of real shapes with random weights: through the server, and by vLLM alone on the same prompts.

    python -m benchmarks.gpu [--shapes Qwen3-8B Qwen3-32B] [--rollouts 96] [--output gpu.json]
    python -m benchmarks.gpu --shapes small --rollouts 8 --response-tokens 300 --engine kv_cache_gib=1   # processors

For each shape: labels and written reasons, with the prefix cache and (labels, a quarter of the work) without, tokens
computed beside the fewest possible, and what sleeping and waking take. Every part is written to the file when it ends;
what fails or finds no time (--seconds) is named there. Random weights say nothing about quality, and nothing is
downloaded.
"""

import argparse
import asyncio
import json
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

from benchmarks.gpu import served
from benchmarks.gpu.machine import described
from benchmarks.gpu.shapes import SHAPES, checkpoint
from benchmarks.gpu.table import show
from benchmarks.gpu.work import Work, least_tokens, recorded, submissions_of, write

_OFFLINE_SECONDS = 1_800


class Bench:
    """Parts that take turns on the machine; ``found`` is written after each."""

    def __init__(self, output: Path, seconds: float) -> None:
        self.found: dict[str, Any] = {"machine": described(), "parts": []}
        self._output = output
        self._end = time.monotonic() + seconds

    def part(self, names: dict[str, Any], measure: Callable[[], dict[str, Any]]) -> None:
        """Runs ``measure`` and notes what it says, or why it could not."""
        if time.monotonic() > self._end:
            told: dict[str, Any] = {"error": "not run: --seconds were over"}
        else:
            print(" ".join(map(str, names.values())), file=sys.stderr, flush=True)
            try:
                told = measure()
            except (SystemExit, OSError, subprocess.SubprocessError, ValueError) as fault:
                told = {"error": str(fault)[-2_000:]}
        self.found["parts"].append(names | told)
        self._output.write_text(json.dumps(self.found, indent=1), "utf-8")


def shape_parts(bench: Bench, name: str, arguments: argparse.Namespace, folder: Path) -> None:
    made = checkpoint(name, folder / name)
    mark = str(time.time_ns())
    whole = Work(
        arguments.rollouts, arguments.criteria, prompt_tokens=arguments.prompt_tokens,
        response_tokens=arguments.response_tokens,
    )  # fmt: skip
    fewer = replace(whole, rollouts=max(whole.rollouts // 4, 1))
    for caching, works in ((True, {"direct": whole, "reason": fewer}), (False, {"direct": fewer})):
        options = _options(arguments, caching=caching)
        files, least = {}, {}
        for mode, work in works.items():
            questions = asyncio.run(recorded(made, submissions_of(work, f"{mark}-{mode}"), mode))
            files[mode] = folder / f"{name}-{caching}-{mode}.json"
            least[mode] = least_tokens([one.ids for one in questions])
            write(questions, files[mode])
        names = {
            "shape": name,
            "prefix_caching": caching,
            "rollouts": {mode: one.rollouts for mode, one in works.items()},
        }
        names["least_tokens"] = least
        bench.part(names | {"way": "vLLM alone"}, lambda files=files, options=options: _alone(made, options, files))
        asleep = options | ({"enable_sleep_mode": True} if caching else {})
        bench.part(
            names | {"way": "server"},
            lambda works=works, options=asleep: served.measured(made, options, works, mark),
        )


def _options(arguments: argparse.Namespace, *, caching: bool) -> dict[str, Any]:
    given = dict(one.split("=", 1) for one in arguments.engine)
    options = {name: _value(text) for name, text in given.items()}
    usual = {"load_format": "dummy", "max_model_len": 8_192, "tensor_parallel_size": arguments.tensor_parallel}
    return usual | options | {"enable_prefix_caching": caching}


def _value(text: str) -> Any:
    try:
        return json.loads(text)
    except ValueError:
        return text


def _alone(made: Path, options: dict[str, Any], files: dict[str, Path]) -> dict[str, Any]:
    command = [
        sys.executable,
        "-m",
        "benchmarks.gpu.offline",
        str(made),
        json.dumps(options),
        *map(str, files.values()),
    ]
    done = subprocess.run(command, capture_output=True, text=True, timeout=_OFFLINE_SECONDS, check=False)
    if done.returncode:
        raise SystemExit(f"vLLM alone failed:\n{done.stderr[-2_000:]}")
    lines = [json.loads(line) for line in done.stdout.splitlines() if line.startswith("{")]
    start = lines[0].pop("start_seconds")
    return {"start_seconds": start, **dict(zip(files, lines, strict=True))}


def main() -> None:
    parser = argparse.ArgumentParser(description="Verdicts a second of real shapes, through the server and by vLLM.")
    parser.add_argument("--shapes", nargs="+", choices=list(SHAPES), default=["Qwen3-8B", "Qwen3-32B"])
    parser.add_argument("--rollouts", type=int, default=96)
    parser.add_argument("--criteria", type=int, default=12)
    parser.add_argument("--prompt-tokens", type=int, default=500)
    parser.add_argument("--response-tokens", type=int, default=2_000)
    parser.add_argument("--tensor-parallel", type=int, default=1, help="cards of one engine")
    parser.add_argument("--engine", action="append", default=[], metavar="NAME=VALUE", help="an engine option")
    parser.add_argument("--seconds", type=float, default=840.0, help="start no part after that")
    parser.add_argument("--output", type=Path, default=Path("gpu.json"))
    arguments = parser.parse_args()
    bench = Bench(arguments.output, arguments.seconds)
    with tempfile.TemporaryDirectory() as folder:
        for name in arguments.shapes:
            shape_parts(bench, name, arguments, Path(folder))
    show(bench.found)


if __name__ == "__main__":
    main()
