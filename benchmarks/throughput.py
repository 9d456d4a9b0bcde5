"""Verdicts per second and CPU per verdict through /v1/score/batch, beside LiteLLM called directly and autorubric.

    python -m benchmarks.throughput [--autorubric PYTHON] [--rounds 3] [--items 96]

All three ask the same instant OpenAI-compatible stub the same questions, in turn, in one run; what counts are the
ratios. This project's server stores every judgment and verdict in SQLite, the others store nothing.
"""

import argparse
import json
import os
import signal
import socket
import statistics
import subprocess
import sys
import tempfile
import time
import urllib.request
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

from rich.console import Console
from rich.table import Table

Figures = dict[str, float]
_START_SECONDS = 60.0


def main() -> None:
    parser = argparse.ArgumentParser(description="Verdicts per second beside other ways to do the same work.")
    parser.add_argument("--autorubric", type=Path, help="Python of an environment that has autorubric 1.6.1")
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--items", type=int, default=96, help="submissions a round for LiteLLM and autorubric")
    arguments = parser.parse_args()
    with (
        stub() as judge,
        server(f"openai:stub@{judge}") as (url, pid),
        server(f"decide:stub@{judge}") as (decision_url, decision_pid),
        stub("--lists") as listing,
        server(f"openai:stub@{listing}") as (list_url, list_pid),
    ):
        contenders = {
            "judge-server, store on": [
                sys.executable, "-m", "benchmarks.contenders.served", url, str(pid), str(arguments.items * 8),
            ],
            "judge-server, decision model": [
                sys.executable, "-m", "benchmarks.contenders.served", decision_url, str(decision_pid),
                str(arguments.items * 16),
            ],
            "judge-server, lists of prompts": [
                sys.executable, "-m", "benchmarks.contenders.served", list_url, str(list_pid),
                str(arguments.items * 16),
            ],
            "LiteLLM, called directly": [
                sys.executable, "-m", "benchmarks.contenders.litellm_direct", judge, str(arguments.items),
            ],
        }  # fmt: skip
        if arguments.autorubric:
            contenders["autorubric 1.6.1"] = [
                str(arguments.autorubric), "-m", "benchmarks.contenders.autorubric_package", judge,
                str(arguments.items),
            ]  # fmt: skip
        measured: dict[str, list[Figures]] = {name: [] for name in contenders}
        for number in range(arguments.rounds):
            for name, command in contenders.items():
                measured[name].append(measure([*command, f"{time.time_ns()}-{number}"]))
    _print(measured)


def measure(command: list[str]) -> Figures:
    done = subprocess.run(command, capture_output=True, text=True, timeout=600, check=False)
    if done.returncode:
        raise SystemExit(f"{' '.join(command)} failed:\n{done.stderr[-2_000:]}")
    figures = json.loads(done.stdout.splitlines()[-1])
    return {
        "verdicts_per_second": figures["verdicts"] / figures["seconds"],
        "cpu_milliseconds": 1_000 * figures["cpu_seconds"] / figures["verdicts"],
    }


def _print(measured: dict[str, list[Figures]]) -> None:
    table = Table(title="medians over the rounds; ratios to the first row, round by round", title_justify="left")
    for heading in ("", "verdicts/s", "CPU ms/verdict", "throughput of the first row", "CPU beside the first row"):
        table.add_column(heading, justify="left" if not heading else "right")
    first = next(iter(measured.values()))
    for name, rounds in measured.items():
        faster = [
            ours["verdicts_per_second"] / its["verdicts_per_second"] for ours, its in zip(first, rounds, strict=True)
        ]
        dearer = [its["cpu_milliseconds"] / ours["cpu_milliseconds"] for ours, its in zip(first, rounds, strict=True)]
        table.add_row(
            name,
            f"{statistics.median(figures['verdicts_per_second'] for figures in rounds):,.0f}",
            f"{statistics.median(figures['cpu_milliseconds'] for figures in rounds):.3f}",
            f"{statistics.median(faster):.1f} x",
            f"{statistics.median(dearer):.1f} x",
        )
    Console(width=120).print(table)


@contextmanager
def stub(*flags: str) -> Iterator[str]:
    """Yields the address of a judge that answers at once."""
    command = [sys.executable, "-m", "benchmarks.stub_judge", *flags]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        try:
            yield process.stdout.readline().strip()
        finally:
            process.terminate()


@contextmanager
def server(
    model: str | None, checkout: Path | None = None, options: Sequence[str] = (), start_seconds: float = _START_SECONDS
) -> Iterator[tuple[str, int]]:
    """Yields address and process id of a server with this model and a store of its own; ``checkout``: of the code in
    that folder instead of the installed one; ``options``: more flags of ``serve``, which name the judges if ``model``
    is None."""
    with tempfile.TemporaryDirectory() as folder:
        port = free_port()
        command = [
            sys.executable, "-c", "from judge_server.cli import main; main()", "serve",
            *(() if model is None else ("--model", model)), "--port", str(port),
            "--database", f"sqlite:///{folder}/bench.db", *options,
        ]  # fmt: skip
        log = Path(folder) / "log"
        code = os.environ | ({} if checkout is None else {"PYTHONPATH": str(checkout)})
        with (
            log.open("w") as sink,
            subprocess.Popen(command, stdout=sink, stderr=sink, cwd=folder, env=code) as process,
        ):
            try:
                url = f"http://127.0.0.1:{port}"
                _await_ready(url, process, log, start_seconds)
                yield url, process.pid
            finally:
                process.send_signal(signal.SIGTERM)


def _await_ready(url: str, process: subprocess.Popen[bytes], log: Path, seconds: float) -> None:
    limit = time.monotonic() + seconds
    while time.monotonic() < limit and process.poll() is None:
        try:
            with urllib.request.urlopen(f"{url}/readyz", timeout=2):
                return
        except OSError:
            time.sleep(0.1)
    raise SystemExit(f"the server did not start:\n{log.read_text()[-2_000:]}")


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


if __name__ == "__main__":
    main()
