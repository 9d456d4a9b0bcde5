"""Which alarms simulated runs raise: ``python -m benchmarks.monitors --seeds 5 --clean 40``.

Runs of 2,400 judgments of six criteria, in groups of eight, that drift into a bias, and runs that do not
(``tests/monitoring/simulated.py``).
"""

import argparse
from collections import Counter

from judge_server.core.monitor import MonitorLimits, Series
from judge_server.monitoring.survey import look
from tests.monitoring.simulated import BIASES, RUBRIC, Run, audits, windows

SERIES = Series(rubric=RUBRIC.id, judge="trainer")
LIMITS = MonitorLimits(window=1_000)


def raised(seed: int, bias: str | None) -> set[str]:
    rollouts = list(Run(seed, bias).rollouts())
    found = look(SERIES, windows(rollouts), audits(rollouts), LIMITS)
    return {f"{one.monitor} {one.subject or ''}".strip() for one in found if one.state == "alarm"}


def monitors_of(alarms: set[str]) -> set[str]:
    return {one.split()[0] for one in alarms}


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("--seeds", type=int, default=5)
    parser.add_argument("--clean", type=int, default=40)
    asked = parser.parse_args()
    print(f"{'drift into':<12} runs  alarms by monitor (runs that raised it)")
    for bias in BIASES:
        counts = Counter(name for seed in range(asked.seeds) for name in monitors_of(raised(seed, bias)))
        shown = ", ".join(f"{name} {count}" for name, count in counts.most_common())
        print(f"{bias:<12} {asked.seeds:>4}  {shown}")
    clean = [len(raised(1_000 + seed, None)) for seed in range(asked.clean)]
    print(f"{'nothing':<12} {asked.clean:>4}  {sum(clean)} false alarms in all, at most {max(clean)} in a run")


if __name__ == "__main__":
    main()
