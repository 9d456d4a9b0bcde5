"""Mutation testing: small faults are put into a module, one at a time, and its tests have to find each.

    python -m benchmarks.mutation                      reward algebra and intervals (make mutate)
    python -m benchmarks.mutation judge_server.util.wilson
    python -m benchmarks.mutation --anew               what an earlier run found is tried again

Comparisons, signs, operators, ``and`` and ``or``, ``not``, ``min`` and ``max``, and numbers are changed. A fault is
tried by the tests that run its line, from the shortest on, in a fork of a process that has collected them
(``in_place``); one in what an import runs is tried in a process that has not imported the module (``fresh``). A fault
that no test finds is printed with its place, and the exit status is 1: either a test is missing, or the fault changes
nothing that can be seen and belongs into ``equivalent.toml``, with the reason. Outcomes are kept, so that a run which
was stopped goes on.
"""

import argparse
import os
import sys
import time
from collections.abc import Mapping, Sequence
from pathlib import Path

import pytest

from benchmarks.mutation import fresh
from benchmarks.mutation.fault import Fault, faults
from benchmarks.mutation.in_place import InPlace
from benchmarks.mutation.outcomes import Outcomes, equivalents

ROOT = Path(__file__).resolve().parents[2]
REWARDS = tuple(
    f"tests/core/test_{name}.py"
    for name in ("aggregate", "aggregation", "step", "reward", "reward_gate", "reward_missing", "reward_algebra")
)
INTERVALS = ("tests/agreement/test_interval_parts.py", "tests/agreement")
TARGETS: Mapping[str, tuple[str, ...]] = {
    "judge_server.util.wilson": ("tests/util/test_wilson.py",),
    "judge_server.core.aggregation": REWARDS[:5],
    "judge_server.core.reward": REWARDS,
    "judge_server.util.clustered_share": ("tests/util/test_clustered_share.py",),
    "judge_server.agreement.interval": INTERVALS,
}


def source_of(module: str) -> tuple[Path, str]:
    file = ROOT / (module.replace(".", "/") + ".py")
    return file, file.read_text("utf-8")


def tried(module: str, outcomes: Outcomes, chosen: Sequence[Fault]) -> list[Fault]:
    """The faults among the chosen that survive."""
    file, source = source_of(module)
    tests = [str(ROOT / test) for test in TARGETS[module]]
    started = time.monotonic()

    def report(fault: Fault, outcome: str, running: Sequence[str]) -> None:
        outcomes.add(module, source, fault, outcome, running)
        print(f"{time.monotonic() - started:6.0f} s  {outcome:8}  line {fault.line}", file=sys.stderr, flush=True)

    called = [fault for fault in chosen if fault.called]
    if called:
        options = ["-q", "-p", "no:cacheprovider", "-W", "ignore", "-W", "error::RuntimeWarning"]
        plugin = InPlace(module, called, report)
        ended = fresh.in_fork(lambda: pytest.main([*options, *tests], plugins=[plugin]))
        if ended not in {0, 5}:
            sys.exit(f"{module}: its tests fail without a fault ({ended})")
    survivors = []
    for fault in chosen:
        outcome, running = outcomes.of(module, source).get(fault.name, ("untried", []))
        if not fault.called:
            outcome = "untried"
        if outcome == "untried":
            outcome = "survives" if fresh.survives(module, fault.tree(source), tests) else "found"
            report(fault, outcome, running)
        if outcome == "found":
            continue
        survivors.append(fault)
        told = "" if running or not fault.called else " (no test runs this line)"
        print(f"{file.relative_to(ROOT)}:{fault.line}: {fault.name}{told}", flush=True)
    return survivors


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("modules", nargs="*", default=list(TARGETS))
    parser.add_argument("--outcomes", type=Path, default=ROOT / ".mutation.jsonl")
    parser.add_argument("--anew", action="store_true")
    given = parser.parse_args()
    os.chdir(ROOT)
    os.environ["PYTHONHASHSEED"] = "0"
    fresh.import_tools()
    if given.anew:
        given.outcomes.unlink(missing_ok=True)
    outcomes = Outcomes(given.outcomes)
    left = 0
    for module in given.modules:
        _, source = source_of(module)
        every = list(faults(source))
        known, before = equivalents(module), outcomes.of(module, source)
        left += len(gone := known.keys() - {fault.name for fault in every})
        print(
            "".join(f"{module}: equivalent.toml names a fault that does not exist: {name}\n" for name in gone), end=""
        )
        open_ = [fault for fault in every if fault.name not in known]
        survivors = tried(module, outcomes, [one for one in open_ if before.get(one.name, ("",))[0] != "found"])
        left += len(survivors)
        found = len(open_) - len(survivors)
        print(
            f"{module}: {len(every)} faults, {found} found, {len(known)} equivalent, {len(survivors)} left", flush=True
        )
    sys.exit(left > 0)


if __name__ == "__main__":
    main()
