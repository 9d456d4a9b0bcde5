"""Does a run still write different texts? Counted from the server's store by a program, which no judge of single
responses can replace.

python examples/reward_hacking/alarms.py examples/reward_hacking/out
"""

import json
import sys
from collections import Counter, defaultdict
from pathlib import Path

from judge_client import Client, Judgment
from judge_client.diversity import distinct_share

WINDOW = 8
ALARM = 0.25
ALARMED = 10
"""The exit status: no program that fails has it."""


def main() -> None:
    """Reads the run's judgments from JUDGE_URL, prints the diversity of each step, and exits with 10 if it is lost."""
    out = Path(sys.argv[1])
    name = json.loads((out / "run.json").read_text())["run"]
    with Client() as client:
        found = list(client.all_judgments(run=name, include="text", limit=100))
    alarms = told(by_step(found))
    print(*alarms or ["No alarm: the texts stayed different."], sep="\n")
    sys.exit(ALARMED if alarms else 0)


def by_step(judgments: list[Judgment]) -> dict[int, list[Judgment]]:
    steps: dict[int, list[Judgment]] = defaultdict(list)
    for one in judgments:
        steps[one.submission.step or 0].append(one)
    return dict(sorted(steps.items()))


def told(steps: dict[int, list[Judgment]]) -> list[str]:
    """Prints a row for each step. Returns the alarms: the first step at which the texts of the last WINDOW steps, over
    all their prompts, are too few, and the first of WINDOW steps in a row whose groups have equal rewards."""
    alarms, equal = [], 0
    recent: list[list[str]] = []
    print("step  reward  distinct: step  last 8 steps  the most frequent text of the last 8 steps")
    for step, judgments in steps.items():
        texts = [text_of(one) for one in judgments]
        rewards = [one.reward for one in judgments if one.reward is not None]
        recent = [*recent, texts][-WINDOW:]
        window = [text for texts in recent for text in texts]
        (common, times), share = Counter(window).most_common(1)[0], distinct_share(window)
        mean = sum(rewards) / max(len(rewards), 1)
        print(f"{step:4}  {mean:6.3f}  {distinct_share(texts):14.2f}  {share:12.2f}  {times}/{len(window)} {common!r}")
        if len(recent) == WINDOW and share <= ALARM and not any("distinct" in one for one in alarms):
            alarms.append(
                f"ALARM at step {step}: {share:.0%} of {len(window)} texts are distinct; {times} are {common!r}."
            )
        equal = equal + 1 if len(rewards) > 1 and max(rewards) - min(rewards) < 1e-6 else 0
        if equal == WINDOW:
            alarms.append(f"ALARM at step {step}: zero variance in {WINDOW} steps in a row; they taught nothing.")
    return alarms


def text_of(judgment: Judgment) -> str:
    response = (judgment.submitted or {})["response"]
    if isinstance(response, str):
        return response
    return "\n".join(str(message["content"]) for message in response)


if __name__ == "__main__":
    main()
