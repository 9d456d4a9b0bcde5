"""A run of train.py as a picture and as lines of text, without a tracker.

python examples/grpo_smollm2/draw.py examples/grpo_smollm2/out
"""

import json
import statistics
import sys
from pathlib import Path
from typing import Any

import matplotlib as mpl

mpl.use("Agg")
from matplotlib import pyplot as plt
from matplotlib.axes import Axes

Steps = list[dict[str, Any]]


def main() -> None:
    """Draws and prints the run in the folder that the command line names."""
    out = Path(sys.argv[1])
    run = json.loads((out / "run.json").read_text())
    draw(run["steps"], run["rubric"], out / "run.png")
    print(table(run["steps"], run["rubric"]))
    print(f"{len(run['steps'])} steps in {run['seconds']:.0f} s of training; {run['counts']}")
    for what, answered in run["pinned"].items():
        print(f"rewarded by: {what}: {answered}")


def draw(steps: Steps, rubric: str, path: Path) -> None:
    """Reward, its components, length, and what the alarms look at."""
    figure, axes = plt.subplots(2, 2, figsize=(9, 6), sharex=True, layout="constrained")
    reward, components, length, alarms = axes.flat
    _reward(reward, steps)
    for name in _named(steps, f"{rubric}/component/"):
        _line(components, steps, f"{rubric}/component/{name}", name)
    for name in _named(steps, f"{rubric}/criterion/"):
        _line(components, steps, f"{rubric}/criterion/{name}", name, thin=True)
    components.set(title="Components and criteria", ylim=(-0.02, 1.02))
    _line(length, steps, "completions/mean_length", "mean")
    _line(length, steps, "completions/max_length", "longest")
    length.set(title="Tokens of a completion", xlabel="step")
    for name in ("distinct_texts", "zero_variance", "flagged", "judge_failed"):
        _line(alarms, steps, f"{rubric}/{name}", name)
    alarms.set(title="Distinct texts, equal groups, flags, failures", xlabel="step", ylim=(-0.02, 1.02))
    for one in (components, length, alarms):
        one.legend(fontsize=6)
    figure.savefig(path, dpi=80)
    plt.close(figure)


def _reward(axes: Axes, steps: Steps) -> None:
    numbers = [step["step"] for step in steps]
    low = [step["reward"] - step["reward_std"] for step in steps]
    high = [step["reward"] + step["reward_std"] for step in steps]
    axes.fill_between(numbers, low, high, alpha=0.2)
    axes.plot(numbers, [step["reward"] for step in steps])
    axes.set(title="Reward, mean and standard deviation", ylim=(-0.02, 1.02))


def _line(axes: Axes, steps: Steps, key: str, label: str, *, thin: bool = False) -> None:
    known = [(step["step"], step[key]) for step in steps if step.get(key) is not None]
    if known:
        axes.plot(*zip(*known, strict=True), label=label, linewidth=0.7 if thin else 1.6)


def _named(steps: Steps, prefix: str) -> list[str]:
    return sorted({key.removeprefix(prefix) for step in steps for key in step if key.startswith(prefix)})


def table(steps: Steps, rubric: str, blocks: int = 9) -> str:
    """Means over stretches of steps: reward, length in tokens, distinct texts, groups of equal rewards."""
    keys = ("reward", "completions/mean_length", f"{rubric}/distinct_texts", f"{rubric}/zero_variance")
    size = max(1, round(len(steps) / blocks))
    rows = ["steps     reward  tokens  distinct  equal groups"]
    for start in range(0, len(steps), size):
        part = steps[start : start + size]
        means = [statistics.fmean(step[key] for step in part if step.get(key) is not None) for key in keys]
        numbers = f"{part[0]['step']:3}–{part[-1]['step']:<3}"
        rows.append(f"{numbers}   {means[0]:.3f}  {means[1]:6.1f}  {means[2]:8.2f}  {means[3]:12.2f}")
    return "\n".join(rows)


if __name__ == "__main__":
    main()
