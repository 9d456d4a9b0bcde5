"""How far the lexical baseline agrees with physicians on K-QA: the floor that a real judge must beat.

    python -m benchmarks.baseline_agreement ../shared/data/kqa_nli_physicians.csv

The file has a row for each claim about an answer, with the labels of three physicians (Entailment, Neutral,
Contradiction). The answer is the response, the claim the criterion, and "entailed" is met. Intervals are percentiles
of a bootstrap that draws whole questions, because claims about one question are not independent.
"""

import asyncio
import csv
import json
import sys
from collections.abc import Callable
from dataclasses import dataclass
from math import exp
from pathlib import Path

import numpy as np

from judge_server.models.baseline import LexicalBaseline
from judge_server.models.protocol import Labels, Prompt, Request, Segment, Turn

PHYSICIANS = ("label_0", "label_1", "label_2")
RESAMPLES = 2_000


@dataclass(frozen=True)
class Claims:
    """Rows of the file: the baseline's probability, each physician's and the majority's decision, and the question."""

    probability: np.ndarray
    physicians: dict[str, np.ndarray]
    majority: np.ndarray
    question: np.ndarray


def read(path: Path) -> Claims:
    """Runs the baseline on every claim of ``path``."""
    with path.open(encoding="utf-8", newline="") as file:
        rows = list(csv.DictReader(file))
    return Claims(
        np.array(asyncio.run(_probabilities(rows))),
        {name: np.array([row[name] == "Entailment" for row in rows]) for name in PHYSICIANS},
        np.array([row["majority_label"] == "Entailment" for row in rows]),
        np.array([row["Question"] for row in rows]),
    )


async def _probabilities(rows: list[dict[str, str]]) -> list[float]:
    baseline = LexicalBaseline()
    answers = [await baseline.complete(Request(_prompt(row), Labels(("Yes", "No")))) for row in rows]
    return [exp(answer.candidates[0].logprob) for answer in answers]


def _prompt(row: dict[str, str]) -> Prompt:
    parts = (Segment(row["answer"], "response", False), Segment(row["claim"], "criterion", False))
    return Prompt((Turn("user", parts),))


def auc(score: np.ndarray, met: np.ndarray) -> float:
    """The chance that a met claim scores above one that is not met; ties count half (Mann-Whitney)."""
    above = score[met][:, None] - score[~met][None, :]
    return float(np.mean((above > 0) + 0.5 * (above == 0)))


def kappa(first: np.ndarray, second: np.ndarray) -> float:
    """Cohen's kappa of two binary raters (Cohen 1960)."""
    observed = np.mean(first == second)
    expected = np.mean(first) * np.mean(second) + np.mean(~first) * np.mean(~second)
    return float((observed - expected) / (1 - expected))


def interval(claims: Claims, measure: Callable[[np.ndarray], float], seed: int = 0) -> tuple[float, float]:
    """The 95 % percentile interval of ``measure``, which gets row numbers, over resampled questions."""
    draw = np.random.default_rng(seed)
    clusters = [np.flatnonzero(claims.question == question) for question in np.unique(claims.question)]
    values = [
        measure(np.concatenate([clusters[index] for index in draw.integers(len(clusters), size=len(clusters))]))
        for _ in range(RESAMPLES)
    ]
    low, high = np.percentile(values, [2.5, 97.5])
    return float(low), float(high)


def measure(claims: Claims) -> dict[str, dict[str, float]]:
    """Every figure with its interval, keyed by what it is."""
    said = claims.probability >= 0.5
    measures: dict[str, Callable[[np.ndarray], float]] = {
        "AUC against the majority": lambda rows: auc(claims.probability[rows], claims.majority[rows]),
        "kappa, baseline and majority": lambda rows: kappa(said[rows], claims.majority[rows]),
    }
    for name, labels in claims.physicians.items():
        measures[f"kappa, baseline and {name}"] = lambda rows, labels=labels: kappa(said[rows], labels[rows])
    for first, second in ((0, 1), (0, 2), (1, 2)):
        one, other = claims.physicians[PHYSICIANS[first]], claims.physicians[PHYSICIANS[second]]
        measures[f"kappa, {PHYSICIANS[first]} and {PHYSICIANS[second]}"] = lambda rows, one=one, other=other: kappa(
            one[rows], other[rows]
        )
    everything = np.arange(len(claims.majority))
    figures = {}
    for name, of_rows in measures.items():
        low, high = interval(claims, of_rows)
        figures[name] = {"value": of_rows(everything), "low": low, "high": high}
    return figures


def main() -> None:
    claims = read(Path(sys.argv[1]))
    figures = measure(claims)
    questions = len(np.unique(claims.question))
    print(f"{len(claims.majority)} claims on {questions} questions, {claims.majority.mean():.1%} entailed")
    for name, figure in figures.items():
        print(f"{name:32} {figure['value']:.3f}  [{figure['low']:.3f}, {figure['high']:.3f}]")
    if "--json" in sys.argv:
        print(json.dumps(figures))


if __name__ == "__main__":
    main()
