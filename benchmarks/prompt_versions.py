"""What each version of the prompt does to a judge: the exam, and physicians' labels on K-QA.

    python -m benchmarks.prompt_versions judges.toml ../shared/data/kqa_nli_physicians.csv --claims 200 --pairs 20

Every judge of the configuration is asked the same questions; two that differ in ``prompt`` compare its versions. The
answer is the response, "Entails this claim: …" the criterion. Intervals resample whole questions, as in
``benchmarks.baseline_agreement``; the exam's are Wilson's.
"""

import argparse
import asyncio
import csv
import time
from dataclasses import replace
from pathlib import Path

import numpy as np

from benchmarks.baseline_agreement import PHYSICIANS, Claims, auc, interval, kappa
from judge_server.core.criterion import Binary
from judge_server.core.submission import Message
from judge_server.exam.report import as_markdown
from judge_server.exam.sitting import ExamPlan, answered
from judge_server.judging.answer import Answer, Judge, Terms
from judge_server.judging.judge_input import shown_input
from judge_server.settings.loading import load_settings
from judge_server.wiring.service import open_service

AT_ONCE = 32


async def answers(judge: Judge, rows: list[dict[str, str]]) -> list[Answer]:
    places = asyncio.Semaphore(AT_ONCE)

    async def one(row: dict[str, str]) -> Answer:
        material = shown_input(row["answer"], (Message(role="user", content=row["Question"]),))
        asked = Binary(id="asked", statement=f"Entails this claim: {row['claim']}")
        async with places:
            (answer,) = await judge.ask(material, (asked,), Terms())
        return answer

    return list(await asyncio.gather(*(one(row) for row in rows)))


def sample(path: Path, count: int) -> list[dict[str, str]]:
    """``count`` rows spread evenly over the file; all of them if it has fewer."""
    with path.open(encoding="utf-8", newline="") as file:
        rows = list(csv.DictReader(file))
    return rows if count >= len(rows) else [rows[place * len(rows) // count] for place in range(count)]


def agreement(rows: list[dict[str, str]], said: list[Answer]) -> list[str]:
    """Figures on K-QA, one line each. An abstention keeps the probability that it distrusts: the share is told."""
    readings = [answer.reading or answer.distrusted for answer in said]
    known = [place for place, reading in enumerate(readings) if reading is not None]
    claims = Claims(
        np.array([reading.value for reading in readings if reading is not None]),
        {name: np.array([rows[place][name] == "Entailment" for place in known]) for name in PHYSICIANS},
        np.array([rows[place]["majority_label"] == "Entailment" for place in known]),
        np.array([rows[place]["Question"] for place in known]),
    )
    if not known:
        return [f"{len(rows)} claims, none was read"]
    met = claims.probability >= 0.5
    masses = [reading.label_mass for reading in readings if reading is not None and reading.label_mass is not None]
    abstained = sum(answer.distrusted is not None for answer in said)
    mass = f"{np.median(masses):.2f}" if masses else "not read"
    lines = [f"{len(rows)} claims, {claims.majority.mean():.1%} entailed; read {len(known)}; abstained {abstained}"]
    lines.append(f"says met {met.mean():.1%}; median label mass {mass}")
    for name, of_rows in (
        ("AUC", lambda some: auc(claims.probability[some], claims.majority[some])),
        ("kappa", lambda some: kappa(met[some], claims.majority[some])),
    ):
        low, high = interval(claims, of_rows)
        lines.append(f"{name} {of_rows(np.arange(len(known))):.3f} [{low:.3f}, {high:.3f}]")
    return lines


async def measure(options: argparse.Namespace) -> None:
    rows = sample(options.kqa, options.claims)
    async with open_service(load_settings(options.config)) as service:
        for name in service.judge_registry.judges:
            judge = service.judge_registry.named(name)
            begun = time.monotonic()
            print(f"## {name}: prompt {judge.specification.prompt}, {judge.specification.mode}", flush=True)
            if rows:
                for line in agreement(rows, await answers(judge, rows)):
                    print(line, flush=True)
            plan = replace(ExamPlan(seed=options.seed, pairs=options.pairs), context_tokens=options.context)
            asked = await answered(judge, plan)
            print(as_markdown(asked.result()).partition("\n## ")[0], flush=True)
            print("### Whatever the probability of the labels together")
            print(as_markdown(asked.whatever_mass().result()).partition("\n## ")[0])
            print(f"{time.monotonic() - begun:.0f} s", flush=True)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("config", type=Path)
    parser.add_argument("kqa", type=Path)
    parser.add_argument("--claims", type=int, default=10_000, help="at most so many claims; 0: none")
    parser.add_argument("--pairs", type=int, default=20, help="pairs of each family of the exam")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--context", type=int, default=None, help="tokens that the judge holds, for long responses")
    asyncio.run(measure(parser.parse_args()))


if __name__ == "__main__":
    main()
