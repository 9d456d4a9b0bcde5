"""How many bytes a judgment takes: python -m benchmarks.store_size [--judgments N] [--verdicts N] [--characters N]
[--database postgresql://…].

Sentences of this project's pages, drawn at random, stand for prompts (about 400 characters, eight responses each) and
responses (about 900 characters); ten verdicts with probabilities, remembered for the cache as well. By table and index:
SQLite after a checkpoint, or an empty database of PostgreSQL after VACUUM.
"""

import argparse
import asyncio
import random
import re
import sqlite3
import tempfile
from contextlib import closing
from datetime import UTC, datetime
from pathlib import Path

import psycopg

from judge_server.core.judgment import JudgeReference, Judgment, Timing, Usage
from judge_server.core.outcome import JudgmentStatus
from judge_server.core.rubric import Rubric
from judge_server.core.submission import Submission
from judge_server.core.verdict import Verdict, VerdictStatus
from judge_server.store import Store

VERDICTS = 10
ROLLOUTS = 8
RESPONSE = 900


def sentences() -> list[str]:
    pages = " ".join(path.read_text("utf-8") for path in sorted(Path("docs").rglob("*.md")))
    return re.findall(r"[A-Z][a-z ,]{30,160}\.", " ".join(pages.split()))


def drawn(chance: random.Random, known: list[str], characters: int) -> str:
    text = ""
    while len(text) < characters:
        text += chance.choice(known) + " "
    return text


def judged(chance: random.Random, rubric: Rubric, submission: Submission, number: int) -> Judgment:
    values = [chance.random() for _ in rubric.leaves]
    return Judgment(
        id=f"jdg_{number:016x}{chance.getrandbits(48):012x}",
        reward=sum(values) / len(values),
        status=JudgmentStatus.OK,
        coverage=1.0,
        judged_coverage=1.0,
        components={"axis:context": values[0]},
        verdicts=tuple(
            Verdict(
                criterion=leaf.id, status=VerdictStatus.OK, source="judge", points=leaf.points, value=value, met=value,
                label_mass=1 - value / 1e3,
            )
            for leaf, value in zip(rubric.leaves, values, strict=True)
        ),
        rubric=rubric.reference,
        judge=JudgeReference(
            name="main", model="vllm:Qwen/Qwen3.5-9B", mode="direct", fingerprint="sha256:" + f"{7:064x}"
        ),
        submission=submission.coordinates,
        submission_digest=submission.digest,
        response_characters=len(submission.read.text),
        usage=Usage(prompt_tokens=chance.randrange(9_000, 12_000), cached_tokens=chance.randrange(9_000), calls=10),
        timing=Timing(total_seconds=chance.random(), model_seconds=chance.random()),
        created_at=datetime.now(UTC),
    )  # fmt: skip


async def fill(url: str, count: int, verdicts: int = VERDICTS, characters_each: int = RESPONSE) -> int:
    """The number of characters of the texts."""
    chance, known, characters = random.Random(1), sentences(), 0
    criteria = [{"id": f"names_sign_{n}", "statement": f"Says thing {n}.", "points": 1} for n in range(verdicts)]
    rubric = Rubric.model_validate({"id": "bench/size", "version": "1.0.0", "title": "Bench", "criteria": criteria})
    store = await Store.open(url)
    for prompt_number in range(count // ROLLOUTS):
        prompt = drawn(chance, known, 400)
        characters += len(prompt)
        for rollout in range(ROLLOUTS):
            number = prompt_number * ROLLOUTS + rollout
            submission = Submission(
                rubric="bench/size", prompt=prompt, response=drawn(chance, known, characters_each), run="grpo-7",
                group=f"prompt-{prompt_number}", step=prompt_number // 8, id=f"row-{number}",
            )  # fmt: skip
            characters += len(submission.read.text)
            judgment = judged(chance, rubric, submission, number)
            shown = f"{chance.getrandbits(128):032x}"
            verdicts = {
                f"{shown}{chance.getrandbits(128):032x}": {
                    "value": one.value, "shares": [one.value, 1 - (one.value or 0)], "label_mass": one.label_mass
                }
                for one in judgment.verdicts
            }  # fmt: skip
            await store.remember(verdicts)
            await store.save(judgment, submission, rubric)
    await store.close()
    return characters


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--judgments", type=int, default=4_000)
    parser.add_argument("--verdicts", type=int, default=VERDICTS)
    parser.add_argument("--characters", type=int, default=RESPONSE, help="of a response")
    parser.add_argument("--database", help="an empty one of PostgreSQL; a SQLite file if left out")
    given = parser.parse_args()
    count = given.judgments
    with tempfile.TemporaryDirectory() as folder:
        url = given.database or f"sqlite:///{folder}/judge.db"
        characters = asyncio.run(fill(url, count, given.verdicts, given.characters))
        rows = postgresql_sizes(url) if given.database else sqlite_sizes(Path(folder) / "judge.db")
    for name, size in rows:
        if size / count >= 1:
            print(f"{name:36} {size / count:8.0f} bytes a judgment")
    print(f"{'texts as characters':36} {characters / count:8.0f}")
    print(f"{'all':36} {sum(size for _, size in rows) / count:8.0f} bytes a judgment")


def sqlite_sizes(file: Path) -> list[tuple[str, int]]:
    with closing(sqlite3.connect(file)) as connection:
        connection.execute("PRAGMA wal_checkpoint(TRUNCATE)")
        return connection.execute("SELECT name, SUM(pgsize) FROM dbstat GROUP BY name ORDER BY 2 DESC").fetchall()


def postgresql_sizes(url: str) -> list[tuple[str, int]]:
    """A table's size has the texts that PostgreSQL moved out of its rows."""
    with psycopg.connect(url, autocommit=True) as connection:
        connection.execute("VACUUM")
        return connection.execute(
            "SELECT relname, CASE relkind WHEN 'r' THEN pg_table_size(oid) ELSE pg_relation_size(oid) END "
            "FROM pg_class "
            "WHERE relnamespace = 'public'::regnamespace AND relkind IN ('r', 'i') ORDER BY 2 DESC"
        ).fetchall()


if __name__ == "__main__":
    main()
