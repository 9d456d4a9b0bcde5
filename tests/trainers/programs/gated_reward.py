"""A reward around another that stops before chosen steps until a test lets it go on, and writes what it gave.

FOLDER holds ``plan.json`` ({"pauses": [steps]}); ``at-STEP`` appears before the reward of a chosen step is asked for,
and ``go-STEP`` lets it go on. ``rewards.jsonl`` gets a line for each step: {"step", "rewards", "seconds"}.
"""

import json
import time
from pathlib import Path


class Gate:
    def __init__(self, folder):
        self.folder = Path(folder)
        self.pauses = json.loads((self.folder / "plan.json").read_text())["pauses"]
        self.seen = set()

    def before(self, step):
        if step in self.pauses and step not in self.seen:
            self.seen.add(step)
            (self.folder / f"at-{step}").touch()
            while not (self.folder / f"go-{step}").exists():
                time.sleep(0.05)

    def around(self, step, ask):
        """``ask`` gives the rewards of a step."""
        self.before(step)
        began = time.monotonic()
        rewards = ask()
        line = {"step": step, "rewards": rewards, "seconds": time.monotonic() - began}
        with (self.folder / "rewards.jsonl").open("a") as file:
            file.write(json.dumps(line) + "\n")
        return rewards
