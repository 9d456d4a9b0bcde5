"""An engine in the server's process beside vLLM's own decision route, on one checkpoint: verdicts a second, and whether
the probabilities are equal.

    python -m benchmarks.beside_vllm [--submissions 192] [--rounds 3] [--json]

Each serves a random Qwen3 checkpoint in turn on this machine's processors. A client keeps 64 submissions of 12
yes-or-no questions in flight; nothing is sent twice. vLLM is started as its own server. Its route is also sent our
judge's instructions and fences with every text, because a prompt without them has a third of the tokens: rows under
the same words are compared with that. The probabilities are those of one prompt text that both read: vLLM's own
rendering of a question with three options.
"""

import argparse
import asyncio
import json
import math
import os
import signal
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import aiohttp
from rich.console import Console
from rich.table import Table

from benchmarks.contenders.served import rubric
from benchmarks.throughput import free_port, server
from benchmarks.workload import CRITERIA, statements
from examples.tiny_checkpoint import build
from judge_server.judging.judge_input import JudgeInput
from judge_server.judging.prompt import PromptWriter
from judge_server.models.protocol import Labels, Prompt, Request, Segment, Turn
from judge_server.models.registry import open_model

IN_FLIGHT = 64
_START_SECONDS = 300.0
_LETTERS = ("A", "B", "C")
# Qwen's: line breaks stand together before a word, so that each label is one token at the start of an answer
_WORDS = (
    r"(?i:'s|'t|'re|'ve|'m|'ll|'d)|[^\r\n\p{L}\p{N}]?\p{L}+|\p{N}| ?[^\s\p{L}\p{N}]+[\r\n]*|\s*[\r\n]+|\s+(?!\S)|\s+"
)
_CONVERSATION = "My mother has had a headache since Monday and takes ibuprofen; she is 67. " * 4
_WRITER = PromptWriter(b"beside vLLM")
_RESPONSE = "Rest, water and a dark room help; a sudden severe headache needs emergency care at once. " * 3


def checkpoint(folder: Path) -> Path:
    """A random checkpoint whose tokenizer splits words as Qwen3's does: vLLM's route refuses others."""
    build(folder)
    told = json.loads((folder / "tokenizer.json").read_text("utf-8"))
    split = {"type": "Split", "pattern": {"Regex": _WORDS}, "behavior": "Isolated", "invert": False}
    told["pre_tokenizer"] = {
        "type": "Sequence",
        "pretokenizers": [split, told["pre_tokenizer"] | {"use_regex": False}],
    }
    (folder / "tokenizer.json").write_text(json.dumps(told), "utf-8")
    return folder


def state(mark: str) -> str:
    """What a submission is about."""
    return f"[{mark}] {_CONVERSATION}\n\nThe response: [{mark}] {_RESPONSE}"


def framed(mark: str) -> str:
    """The same as our judge reads it before its question: with instructions and fences."""
    shown = _WRITER.material(JudgeInput((), state(mark)))
    return "\n".join(turn.text for turn in shown.turns)


def questions() -> dict[str, Any]:
    asked = (f"Is this criterion met by the response? {text}" for text in statements())
    return {f"q{place}": {"type": "noul", "instructions": text} for place, text in enumerate(asked)}


@dataclass(frozen=True)
class Way:
    """A route of a server. ``state``: what ``/v1/systemone`` is told about a submission; None for ``/v1/score``."""

    name: str
    url: str
    model: str
    state: Callable[[str], str] | None = None

    @property
    def path(self) -> str:
        return "/v1/score" if self.state is None else "/v1/systemone"

    def body(self, own: str) -> dict[str, Any]:
        if self.state is None:
            return {"rubric": rubric(), "prompt": f"[{own}] {_CONVERSATION}", "response": f"[{own}] {_RESPONSE}"}
        return {"model": self.model, "state": self.state(own), "questions": questions()}


async def rate(way: Way, count: int, mark: str) -> float:
    """Verdicts a second with 64 submissions in flight."""
    limit = asyncio.Semaphore(IN_FLIGHT)
    timeout = aiohttp.ClientTimeout(600)
    async with aiohttp.ClientSession(way.url, timeout=timeout, connector=aiohttp.TCPConnector(limit=0)) as session:

        async def ask(number: int) -> None:
            async with limit, session.post(way.path, json=way.body(f"{mark}-{number}")) as answer:
                told = await answer.json()
            if answer.status != 200 or len(told.get("answers", told.get("verdicts"))) != CRITERIA:
                raise SystemExit(f"{way.url}{way.path}: {answer.status} {json.dumps(told)[:1_000]}")

        await asyncio.gather(*(ask(-number) for number in range(1, 9)))
        began = time.perf_counter()
        await asyncio.gather(*(ask(number) for number in range(count)))
        return CRITERIA * count / (time.perf_counter() - began)


@contextmanager
def vllm_server(folder: Path) -> Iterator[str]:
    """Yields the address of vLLM's own server."""
    port = free_port()
    command = [
        sys.executable, "-m", "vllm.entrypoints.openai.api_server", "--model", str(folder),
        "--port", str(port), "--host", "127.0.0.1",
        "--served-model-name", "tiny", "--dtype", "float32", "--enforce-eager", "--block-size", "32",
        "--max-num-seqs", "256",
    ]  # fmt: skip
    log = folder.parent / "vllm.log"
    environment = os.environ | {"VLLM_CPU_KVCACHE_SPACE": "1", "VLLM_NO_USAGE_STATS": "1"}
    with log.open("w") as sink, subprocess.Popen(command, stdout=sink, stderr=sink, env=environment) as process:
        try:
            url = f"http://127.0.0.1:{port}"
            limit = time.monotonic() + _START_SECONDS
            while "Application startup complete" not in log.read_text():
                if process.poll() is not None or time.monotonic() > limit:
                    raise SystemExit(f"vLLM did not start:\n{log.read_text()[-3_000:]}")
                time.sleep(0.5)
            yield url
        finally:
            process.send_signal(signal.SIGINT)


def _vllm_version() -> str:
    from vllm.version import __version__  # builds for processors have another name among the installed packages

    return str(__version__)


async def told_by_vllm(url: str) -> dict[str, Any]:
    """The answer to a question with three options, about a text of its own."""
    criteria = {"one": "names it", "two": "hints at it", "three": "is silent"}
    asked = {"type": "choice", "instructions": "Does the response name the danger?", "criteria": criteria}
    body = {"model": "tiny", "state": state("equal"), "questions": {"q": asked}}
    async with aiohttp.ClientSession(url) as session, session.post("/v1/systemone", json=body) as answer:
        told: dict[str, Any] = await answer.json()
    return dict(told["answers"]["q"]["probabilities"])


async def told_in_process(folder: Path) -> dict[str, float]:
    """The same by an engine in this process, for the same text."""
    lines = ("Question: Does the response name the danger?", "A: one - names it", "B: two - hints at it",
             "C: three - is silent", "Answer with the letter of one option only.")  # fmt: skip
    text = f"{state('equal')}\n\n" + "\n".join(lines)
    prompt = Prompt((Turn("user", (Segment(text, "question", trusted=False),)),))
    model = open_model(f"vllm:{folder}", {"dtype": "float32", "kv_cache_gib": 1.0})
    await model.start()
    try:
        completion = await model.complete(Request(prompt, Labels(_LETTERS)))
    finally:
        await model.close()
    found = {one.text.strip(): math.exp(one.logprob) for one in completion.candidates if one.text.strip() in _LETTERS}
    total = sum(found.values())
    return {name: found[letter] / total for name, letter in zip(("one", "two", "three"), _LETTERS, strict=True)}


async def measure(submissions: int, rounds: int) -> dict[str, Any]:
    """Rates by row, and both readings of one prompt. The servers run at once and take turns."""
    with tempfile.TemporaryDirectory() as holder:
        folder = checkpoint(Path(holder) / "tiny")
        ours_told = await told_in_process(folder)
        options = ("--engine", "kv_cache_gib=1", "--engine", "dtype=float32")
        with (
            vllm_server(folder) as theirs,
            server(f"vllm:{folder}", options=options, start_seconds=_START_SECONDS) as (ours, _),
        ):
            ways = (
                Way(f"vLLM {_vllm_version()}, our judge's words", theirs, "tiny", framed),
                Way(f"vLLM {_vllm_version()}, the texts alone", theirs, "tiny", state),
                Way("engine in process, /v1/systemone", ours, "default", state),
                Way("engine in process, /v1/score, stored", ours, "default"),
            )
            rates: dict[str, list[float]] = {way.name: [] for way in ways}
            for _ in range(rounds):
                for way in ways:
                    rates[way.name].append(await rate(way, submissions, str(time.time_ns())))
            theirs_told = await told_by_vllm(theirs)
    furthest = max(abs(ours_told[name] - theirs_told[name]) for name in ours_told)
    return {"rates": rates, "ours": ours_told, "theirs": theirs_told, "furthest": furthest}


def main() -> None:
    parser = argparse.ArgumentParser(description="An engine in process beside vLLM's own decision route.")
    parser.add_argument("--submissions", type=int, default=192)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--json", action="store_true")
    arguments = parser.parse_args()
    found = asyncio.run(measure(arguments.submissions, arguments.rounds))
    if arguments.json:
        sys.stdout.write(json.dumps(found) + "\n")
        return
    table = Table(
        "way", "verdicts/s, median", "beside the first row, by round", title=f"{IN_FLIGHT} submissions in flight"
    )
    first = next(iter(found["rates"].values()))
    for name, rates in found["rates"].items():
        beside = " ".join(f"{one / base:.2f}" for one, base in zip(rates, first, strict=True))
        table.add_row(name, f"{statistics.median(rates):,.0f}", beside)
    console = Console(width=110)
    console.print(table)
    console.print(f"one prompt read by both: probabilities at most {found['furthest']:.1e} apart: {found['ours']}")


if __name__ == "__main__":
    main()
