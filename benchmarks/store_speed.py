"""How fast judgments are saved: python benchmarks/store_speed.py [--url URL] [--judgments N] [--verdicts N].

Without --url a new SQLite file in the temporary directory is used. Two ways of saving: with verdicts of a rubric in one
judgment (what every request does) and the same with its verdicts remembered for the cache. CPU is that of the whole
process, the event loop and the writing thread together.
"""

import argparse
import asyncio
import resource
import tempfile
import time
from collections.abc import Awaitable, Callable, Sequence
from datetime import UTC, datetime
from hashlib import blake2b
from pathlib import Path

from judge_server.core.judgment import JudgeReference, Judgment, Timing, Usage
from judge_server.core.outcome import JudgmentStatus
from judge_server.core.rubric import Rubric
from judge_server.core.submission import Submission
from judge_server.core.verdict import Verdict, VerdictStatus
from judge_server.store import Store

PARAGRAPH = "Drink enough water, rest, and see a doctor today if the headache came suddenly or your neck is stiff. "
REASON = "The answer names the sign and says what to do, as the statement asks."


def rubric_of(verdicts: int) -> Rubric:
    criteria = [{"id": f"c{number}", "statement": f"Says thing {number}.", "points": 1} for number in range(verdicts)]
    return Rubric.model_validate({"id": "bench/store", "version": "1.0.0", "title": "Bench", "criteria": criteria})


def submission(number: int) -> Submission:
    prompt = "I have had a headache for three days. " * 20
    return Submission(prompt=prompt, response=PARAGRAPH * 15 + str(number), id=str(number), group=str(number // 8))


def judgment(number: int, rubric: Rubric, judged: Submission) -> Judgment:
    met = number % 100 / 100
    return Judgment(
        id=f"bench-{number:08}",
        reward=met,
        status=JudgmentStatus.OK,
        coverage=1.0,
        components={"axis:context": met},
        verdicts=tuple(
            Verdict(
                criterion=leaf.id,
                status=VerdictStatus.OK,
                source="judge",
                points=1,
                value=met,
                met=met,
                reason=REASON,
                label_mass=0.99,
            )
            for leaf in rubric.leaves
        ),
        rubric=rubric.reference,
        judge=JudgeReference(name="main", model="openai:judge", mode="direct", fingerprint="0" * 64),
        submission=judged.coordinates,
        submission_digest=judged.digest,
        response_characters=len(judged.read.text),
        usage=Usage(prompt_tokens=12_000, calls=len(rubric.leaves)),
        timing=Timing(total_seconds=0.5),
        created_at=datetime.now(UTC),
    )


async def measure(what: str, work: Callable[[int], Awaitable[None]], numbers: Sequence[int], at_once: int) -> None:
    waiting = iter(numbers)

    async def one_after_another() -> None:
        for number in waiting:
            await work(number)

    began, cpu = time.perf_counter(), cpu_seconds()
    await asyncio.gather(*(one_after_another() for _ in range(at_once)))
    seconds, cpu = time.perf_counter() - began, cpu_seconds() - cpu
    print(f"{what:34} {len(numbers) / seconds:9,.0f}/s {1000 * cpu / len(numbers):8.3f} ms CPU each")


def keys_of(number: int, verdicts: int) -> list[str]:
    """Of verdicts on one submission: the first half is what was shown."""
    shown = digits(f"{number}")
    return [shown + digits(f"{number} {verdict}") for verdict in range(verdicts)]


def digits(text: str) -> str:
    return blake2b(text.encode(), digest_size=16).hexdigest()


def cpu_seconds() -> float:
    used = resource.getrusage(resource.RUSAGE_SELF)
    return used.ru_utime + used.ru_stime


async def bench(url: str, count: int, verdicts: int, at_once: int) -> None:
    store = await Store.open(url)
    rubric = rubric_of(verdicts)
    judged = {number: submission(number) for number in range(2 * count)}
    made = {number: judgment(number, rubric, judged[number]) for number in range(2 * count)}
    keys = {number: keys_of(number, verdicts) for number in range(count)}

    async def save(number: int) -> None:
        await store.save(made[number], judged[number], rubric)

    async def save_and_remember(number: int) -> None:
        content = {"value": 0.5, "shares": [0.5, 0.5], "reason": REASON, "label_mass": 0.99}
        await store.remember(dict.fromkeys(keys[number], content))
        await store.save(made[count + number], judged[count + number], rubric)

    async def recall(number: int) -> None:
        assert len(await store.recall(keys[number])) == verdicts

    async def read(number: int) -> None:
        assert await store.judgment(made[number].id)

    async def page(number: int) -> None:
        assert (await store.judgments(group=str(number // 8), limit=8)).items

    print(f"{url.partition('@')[2] or url}: {count:,} judgments of {verdicts} verdicts, {at_once} at once")
    numbers = range(count)
    await measure("save", save, numbers, at_once)
    await measure("remember verdicts, then save", save_and_remember, numbers, at_once)
    await measure("recall the verdicts of one", recall, numbers[: count // 4], at_once)
    await measure("read one judgment", read, numbers[: count // 4], at_once)
    await measure("read a group of 8", page, numbers[: count // 4], at_once)
    await store.close()


def main() -> None:
    parser = argparse.ArgumentParser(description="How fast judgments are saved.")
    parser.add_argument("--url", help="an empty database; a new SQLite file if left out")
    parser.add_argument("--judgments", type=int, default=20_000)
    parser.add_argument("--verdicts", type=int, default=10)
    parser.add_argument("--at-once", type=int, default=256)
    given = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        url = given.url or f"sqlite:///{Path(folder) / 'bench.db'}"
        asyncio.run(bench(url, given.judgments, given.verdicts, given.at_once))


if __name__ == "__main__":
    main()
