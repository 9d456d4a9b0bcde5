"""How long the server takes for each page with many judgments stored: python -m benchmarks.page_speed [--judgments N]
[--postgresql] [--fill URL | --filled URL].

Fills a database as benchmarks/store_size.py does, 200 judgments a transaction, then asks each page five times and
prints the least and the median time by the clock, the median of the processor's time (what counts on a machine that
does other work), and the bound: 300 ms for a page, 500 ms for the explorer with filters. The exit status is 1 if a
median by the clock is above its bound.
"""

import argparse
import asyncio
import random
import statistics
import sys
import tempfile
import time
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path

import httpx

from benchmarks.store_size import ROLLOUTS, VERDICTS, drawn, judged, sentences
from judge_server.core.outcome import JudgmentStatus
from judge_server.core.rubric import Rubric
from judge_server.core.submission import Submission
from judge_server.store import Store
from tests.postgres import cluster
from tests.served import served, settings_of

AT_ONCE = 200
PAGE_SECONDS, FILTER_SECONDS = 0.3, 0.5


async def fill(url: str, count: int) -> None:
    """As trainings, one with four fifths of the judgments: 64 responses a step, eight to a prompt, every hundredth
    flagged and without a reward, and about another hundredth the judge was asked again."""
    chance, known = random.Random(1), sentences()
    criteria = [{"id": f"names_sign_{n}", "statement": f"Says thing {n}.", "points": 1} for n in range(VERDICTS)]
    rubric = Rubric.model_validate({"id": "bench/pages", "version": "1.0.0", "title": "Bench", "criteria": criteria})
    store = await Store.open(url)
    await store.put_rubric(rubric, published=True)
    batch = []
    for number in range(count):
        prompt_number = number // ROLLOUTS
        if number % ROLLOUTS == 0:
            prompt = drawn(chance, known, 400)
        submission = Submission(
            rubric="bench/pages", prompt=prompt, response=drawn(chance, known, 900),
            run="short" if number < count // 5 else "long",
            group=f"prompt-{prompt_number}", step=prompt_number // 8, id=f"row-{number}",
        )  # fmt: skip
        judgment = judged(chance, rubric, submission, number)
        if number % 100 == 0:
            failed = {"reward": None, "status": JudgmentStatus.FAILED, "flags": ("injection_suspected",)}
            judgment = judgment.model_copy(update=failed)
        batch.append((judgment, submission, rubric))
        if len(batch) == AT_ONCE:
            await store.save_many(batch)
            for made, asked, _ in batch[3::100]:
                await store.reasks.keep(
                    made, asked, None if made.reward is None else made.reward + chance.gauss(0, 0.1)
                )
            batch = []
    await store.save_many(batch)
    await store.close()


async def index(url: str) -> None:
    """As the server does behind the judgments, without its rests."""
    store = await Store.open(url)
    while await store.search.index():
        pass
    await store.close()


def pages(client: httpx.Client) -> dict[str, float]:
    """Every page with its bound in seconds."""
    newest = client.get("/v1/judgments?limit=1").json()["judgments"][0]
    group, run, step = (newest["submission"][name] for name in ("group", "run", "step"))
    plain = ["/", "/try", "/rubrics", "/drafts", "/judgments", f"/judgments/{newest['id']}", "/label", "/calibrations"]
    plain += [f"/label/item?set=speed&rubric=bench/pages@1.0.0&annotator=ann&judgment={newest['id']}"]
    plain += [
        "/runs",
        "/runs/one?run=long",
        "/runs/one?run=short",
        f"/groups?group={group}&run={run}&step={step}",
        "/jobs",
        "/judges",
    ]
    plain += ["/keys", "/settings"]
    filters = ["rubric=bench/pages", "judge=main", "run=long", "run=short", f"run={run}&step={step}", f"group={group}"]
    filters += ["status=failed", "status=ok", "reward_below=0.3", "reward_from=0.999", "reward_below=0.001"]
    filters += ["flag=injection_suspected", "policy=nobody", "q=judge", "q=nosuchtext", "q=reward%20of%20the"]
    filters += ["rubric=bench/pages&status=failed", "run=long&status=failed", "run=short&status=failed"]
    filters += ["run=long&q=nosuchtext", "run=long&rewarded=false", "run=long&policy=nobody"]
    return dict.fromkeys(plain, PAGE_SECONDS) | {f"/judgments?{one}": FILTER_SECONDS for one in filters}


@dataclass(frozen=True)
class Measured:
    """Seconds by the clock and of the processor, ours and the client's; a database of its own process counts by the
    clock only."""

    clock: list[float]
    processor: list[float]


def measured(client: httpx.Client, path: str, times: int = 5) -> Measured:
    found = Measured([], [])
    for _ in range(times):
        began, used = time.perf_counter(), time.process_time()
        answer = client.get(path)
        found.processor.append(time.process_time() - used)
        found.clock.append(time.perf_counter() - began)
        if answer.status_code != 200:
            raise RuntimeError(f"{path}: {answer.status_code}")
    return found


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--judgments", type=int, default=50_000)
    parser.add_argument("--postgresql", action="store_true", help="a private cluster; else SQLite in a file")
    parser.add_argument("--filled", help="a database that an earlier --fill made, instead of filling one now")
    parser.add_argument("--fill", help="an empty database: fill it, and measure nothing")
    given = parser.parse_args()
    if given.fill:
        asyncio.run(fill(given.fill, given.judgments))
        asyncio.run(index(given.fill))
        return
    slow = 0
    with ExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory()))
        url = stack.enter_context(cluster()).empty_database() if given.postgresql else f"sqlite:///{folder}/judge.db"
        if given.filled:
            url = given.filled
        else:
            asyncio.run(fill(url, given.judgments))
            asyncio.run(index(url))
        client = stack.enter_context(served(settings_of(database=url)))
        client.timeout = httpx.Timeout(60)
        print(f"{'milliseconds':64} {'least':>6} {'median':>6} {'processor':>9} {'bound':>6}")
        for path, bound in pages(client).items():
            found = measured(client, path)
            median = statistics.median(found.clock)
            slow += median > bound
            figures = (
                f"{min(found.clock) * 1000:6.0f} {median * 1000:6.0f} {statistics.median(found.processor) * 1000:9.0f}"
            )
            print(f"{path[:64]:64} {figures} {bound * 1000:6.0f}{'  ABOVE' if median > bound else ''}", flush=True)
    sys.exit(1 if slow else 0)


if __name__ == "__main__":
    main()
