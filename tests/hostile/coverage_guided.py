"""Fuzzing that looks at which branches an input reaches, by atheris, which is no part of the development environment:

    python -m pip install --target /tmp/atheris atheris
    PYTHONPATH=/tmp/atheris python -m tests.hostile.coverage_guided [DOOR …] [--seconds 30]

Each door is fuzzed in a process of its own, beginning with sound inputs. Ends with 1 where one let anything through but
its refusals; what libFuzzer says of it is printed.
"""

import argparse
import re
import subprocess
import sys
import tempfile
from pathlib import Path

import atheris

with atheris.instrument_imports(include=["judge_server"]):
    from tests.hostile.doors import DOORS

from tests.hostile.seeds import seeds

_RUNS = re.compile(r"Done (\d+) runs")
_FEATURES = re.compile(r"cov: (\d+)")


def _fuzz_here(name: str, seconds: int) -> None:
    door = DOORS[name]

    def once(content: bytes) -> None:
        try:
            door.read(content)
        except door.refusals:
            return

    with tempfile.TemporaryDirectory() as corpus:
        for number, sound in enumerate(content for kind in sorted(door.reads) for content in seeds(kind)):
            (Path(corpus) / str(number)).write_bytes(sound)
        limits = [f"-max_total_time={seconds}", "-max_len=8192", "-timeout=5", "-rss_limit_mb=2048"]
        atheris.Setup([sys.argv[0], *limits, f"-artifact_prefix={corpus}/", corpus], once)
        atheris.Fuzz()


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("doors", nargs="*", metavar="DOOR", help="all where none is named")
    parser.add_argument("--seconds", type=int, default=30)
    parser.add_argument("--here", action="store_true", help=argparse.SUPPRESS)
    asked = parser.parse_args()
    if asked.here:
        _fuzz_here(asked.doors[0], asked.seconds)
        return
    failed = False
    for name in asked.doors or DOORS:
        command = [sys.executable, "-m", __spec__.name, name, "--seconds", str(asked.seconds), "--here"]
        ended = subprocess.run(command, capture_output=True, text=True, check=False)
        told = ended.stdout + ended.stderr
        runs, branches = _RUNS.search(told), _FEATURES.findall(told)
        sys.stdout.write(f"{name}: {runs[1] if runs else '?'} runs, {branches[-1] if branches else '?'} branches\n")
        if ended.returncode:
            failed = True
            sys.stdout.write(told[-3_000:])
        sys.stdout.flush()
    sys.exit(1 if failed else 0)


if __name__ == "__main__":
    main()
