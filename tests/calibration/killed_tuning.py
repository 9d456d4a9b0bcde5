"""A tuning whose judge answers by itself, killed after some: ``python -m tests.calibration.killed_tuning OUT POINT``.

Every answered question goes into ``OUT/../asked.txt``. With a POINT it answers so many questions, waits until what was
answered is kept, and kills itself with SIGKILL; without one it goes to its end.
"""

import asyncio
import hashlib
import os
import signal
import sys
from dataclasses import replace
from pathlib import Path

from benchmarks.simulation.ladder import RUBRIC, people
from judge_server.calibration.tune_run import TRAINED
from judge_server.core.rubric import Rubric
from judge_server.labels.table_builder import table_of
from tests.calibration.test_tune_run import TRAINING, answering, answers, tuning
from tests.scoring.assembly import judge

SEED = 5
ITEMS = 120


class Counted:
    """A judge's model that writes down what it answers, and answers no more than ``most`` questions."""

    def __init__(self, model, told, most):
        self.model, self.told, self.most = model, told, most
        self.answered = 0
        self.full = asyncio.Event()

    def __getattr__(self, name):
        return getattr(self.model, name)

    async def complete(self, request):
        if self.most is not None and self.answered >= self.most:
            self.full.set()
            await asyncio.Event().wait()
        self.answered += 1
        asked = f"{self.revision} {request.prompt.turns[-1].text}"
        with self.told.open("a", encoding="utf-8") as file:
            file.write(hashlib.sha256(asked.encode()).hexdigest() + "\n")
        return await self.model.complete(request)


def kept(out):
    """Answers in the journals."""
    rows = [line for path in out.glob("asked-*") for line in path.read_text().splitlines() if line]
    return len(rows) - len(list(out.glob("asked-*")))


async def killing_itself(out, models, point):
    """Once so many were answered and are kept."""
    while not any(model.full.is_set() for model in models) or kept(out) < point:  # noqa: ASYNC110 - files change
        await asyncio.sleep(0.05)
    os.kill(os.getpid(), signal.SIGKILL)


async def main(out: Path, point: int | None) -> None:
    drawn = people(ITEMS, SEED)  # on one criterion: an item is kept once all its criteria are answered
    whole = replace(drawn, table=table_of([row for row in drawn.table if row.criterion == "c0"]))
    told = out.parent / "asked.txt"
    before = told.read_text().count("\n") if told.exists() else 0
    left = None if point is None else point - before
    first = Counted(answering(whole, ("c0",)), told, left)
    second = Counted(answering(whole, ()), told, None)
    first.model.revision, second.model.revision = "1", "1+main-tuned"
    watch = None if point is None else asyncio.create_task(killing_itself(out, (first, second), point))
    run = tuning(whole, out)
    run.rubric = Rubric.model_validate({**RUBRIC.model_dump(mode="json"), "criteria": RUBRIC.criteria[:1]})
    task = await run.prepare(judge(first), first.model, answers(out))
    if left is not None:
        second.most = left - first.answered

    async def learnt(path):
        with (out.parent / "trained.txt").open("a", encoding="utf-8") as file:
            file.write("begun\n")
        path.with_name(TRAINED).write_text(TRAINING.model_dump_json())

    trained = await run.train(task, learnt)
    found = await run.compare(judge(second, name="main-tuned"), answers(out), trained, "judge-server calibrate tune")
    if watch is not None:
        watch.cancel()
    sys.stdout.write(found.text)


if __name__ == "__main__":
    asyncio.run(main(Path(sys.argv[1]), int(sys.argv[2]) if len(sys.argv) > 2 else None))
