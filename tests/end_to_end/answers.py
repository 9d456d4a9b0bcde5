"""A hundred answers to health questions with a rubric for each: K-QA's where its file lies beside the repository."""

import csv
import json
from importlib.resources import files
from pathlib import Path
from typing import Any

KQA = Path(__file__).parents[3] / "shared" / "data" / "kqa_nli_physicians.csv"
RUBRICS = (
    "medical/consultation",
    "medical/emergency_referral",
    "medical/hedging",
    "medical/medication_safety",
)
COUNT = 100


def submissions() -> list[dict[str, Any]]:
    """Each answer twice, under two of the medical rubrics; the claims that physicians demand are the reference."""
    answers = _of_physicians() if KQA.exists() else _of_the_demonstration()
    whole = []
    for place in range(COUNT):
        question, answer, reference = answers[place % len(answers)]
        rubric = RUBRICS[(place + place // len(answers)) % len(RUBRICS)]
        whole.append(
            {
                "id": f"row-{place}",
                "group": f"question-{place % len(answers)}",
                "rubric": rubric,
                "prompt": question,
                "response": answer,
                "reference": reference,
            }
        )
    return whole


def _of_physicians() -> list[tuple[str, str, str]]:
    with KQA.open(encoding="utf-8", newline="") as file:
        rows = list(csv.DictReader(file))
    claims: dict[tuple[str, str], list[str]] = {}
    for row in rows:
        claims.setdefault((row["Question"], row["answer"]), []).append(row["claim"])
    return [(question, answer, " ".join(said)) for (question, answer), said in claims.items()]


def _of_the_demonstration() -> list[tuple[str, str, str]]:
    """The bundled medical answers, cut to different lengths: no two are the same."""
    lines = files("judge_server").joinpath("demo", "medical.jsonl").read_text("utf-8").splitlines()
    items = [json.loads(line) for line in lines if line.strip()]
    return [
        (item["prompt"], " ".join(item["response"].split()[: 20 + cut]), item.get("reference") or item["response"])
        for cut in range(13)
        for item in items
        if isinstance(item["prompt"], str) and isinstance(item["response"], str)
    ][:50]
