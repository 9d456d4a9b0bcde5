"""The reward curve of a run as a picture and as a line of text.

python examples/grpo_trl/plot.py examples/grpo_trl/out
"""

import json
import sys
from itertools import pairwise
from pathlib import Path
from typing import Any

import matplotlib as mpl

mpl.use("Agg")
from matplotlib import pyplot as plt

BARS = "▁▂▃▄▅▆▇█"
PREFIX = "examples/short_advice/criterion/"


def sparkline(values: list[float], width: int = 60) -> str:
    """Means of ``width`` stretches, from 0 (the lowest bar) to 1."""
    width = min(width, len(values))
    edges = [len(values) * place // width for place in range(width + 1)]
    means = [sum(values[start:end]) / (end - start) for start, end in pairwise(edges)]
    return "".join(BARS[min(int(mean * len(BARS)), len(BARS) - 1)] for mean in means)


def draw(steps: list[dict[str, Any]], path: Path) -> None:
    """Reward and the criteria it is made of."""
    figure, (left, right) = plt.subplots(1, 2, figsize=(9, 3.4), sharex=True, sharey=True, layout="constrained")
    numbers = [step["step"] for step in steps]
    reward = [step["reward"] for step in steps]
    low = [step["reward"] - step["reward_std"] for step in steps]
    high = [step["reward"] + step["reward_std"] for step in steps]
    left.fill_between(numbers, low, high, alpha=0.2)
    left.plot(numbers, reward)
    left.set(title="Reward, mean and standard deviation", xlabel="step", ylim=(0, 1))
    for name in sorted(name for name in steps[0] if name.startswith(PREFIX)):
        right.plot(numbers, [step.get(name) for step in steps], label=name.removeprefix(PREFIX), linewidth=1)
    right.set(title="Criteria", xlabel="step")
    right.legend(fontsize=6)
    figure.savefig(path, dpi=80)


def main() -> None:
    """Draws and prints the run in the folder that the command line names."""
    out = Path(sys.argv[1])
    run = json.loads((out / "run.json").read_text())
    rewards = [step["reward"] for step in run["steps"]]
    quarter = max(len(rewards) // 4, 1)
    draw(run["steps"], out / "reward.png")
    print(f"reward  {sparkline(rewards)}")
    print(f"first quarter {sum(rewards[:quarter]) / quarter:.2f}, last quarter {sum(rewards[-quarter:]) / quarter:.2f}")
    for when in ("before", "after"):
        print(f"{when}:", *(repr(answer) for answer in run[when]), sep="\n  ")


if __name__ == "__main__":
    main()
