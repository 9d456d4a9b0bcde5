"""Adds judgments of newly published versions to old_judgments.jsonl: python -m tests.scoring.record_old_judgments

Four cases of each version that has no lines yet are judged by a scripted model whose probabilities are hashes of the
prompts. Run it when a version is published, and never again for that version."""

import asyncio
import json
from hashlib import sha256
from pathlib import Path

from judge_server.authoring.cases import read_cases
from judge_server.authoring.library import Library, rubrics_directory
from judge_server.authoring.lock import Lock
from judge_server.models.protocol import Labels
from tests.scoring.assembly import judge, scorer
from tests.scripted_model import ScriptedModel, labelled

FILE = Path(__file__).with_name("old_judgments.jsonl")


def by_hash(request):
    assert isinstance(request.answer, Labels)
    drawn = sha256("".join(turn.text for turn in request.prompt.turns).encode()).digest()
    mass = 0.2 if drawn[20] < 3 else 0.97
    weights = [(byte / 255) ** 2 + 0.001 for byte in drawn[: len(request.answer.words)]]
    shares = zip(request.answer.words, weights, strict=True)
    return labelled(**{word: mass * weight / sum(weights) for word, weight in shares})


async def judged(rubric):
    cases = list(read_cases(rubrics_directory() / "cases" / f"{rubric.id}.yaml").cases())
    for scenario, case in cases[:: len(cases) // 4][:4]:
        judgment = await scorer(judge(ScriptedModel(by_hash))).score(scenario.submission(case, rubric))
        yield {
            "rubric": rubric.name,
            "digest": rubric.digest,
            "response_characters": judgment.response_characters,
            "reward": judgment.reward,
            "gates": [gate.criterion for gate in judgment.gates],
            "verdicts": {one.criterion: one.status if one.value is None else one.value for one in judgment.verdicts},
        }


async def main():
    known = {json.loads(line)["rubric"] for line in FILE.read_text("utf-8").splitlines()}
    library = Library(rubrics_directory())
    with FILE.open("a", encoding="utf-8") as file:
        for name, version in sorted(Lock.read(rubrics_directory()).entries):
            if f"{name}@{version}" not in known:
                async for line in judged(library.published(name, version)):
                    file.write(json.dumps(line, separators=(",", ":")) + "\n")


if __name__ == "__main__":
    asyncio.run(main())
