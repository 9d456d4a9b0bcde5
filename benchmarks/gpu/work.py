"""What is judged, and the prompts that the server's own code makes of it, recorded from an engine that only listens."""

import json
from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass
from itertools import pairwise
from math import log
from pathlib import Path
from typing import Any

from judge_server.core.engine import EngineLimits
from judge_server.core.judge import JudgeSpecification
from judge_server.core.judgment import Usage
from judge_server.judging.answer import Terms
from judge_server.models.protocol import Priority
from judge_server.models.vllm_model import Ask, Generated, VllmModel
from judge_server.models.vllm_options import VllmOptions
from judge_server.scoring.batch import score_item
from judge_server.settings.settings import Settings
from judge_server.util.concurrency import together
from judge_server.wiring.service import open_service

_WORDS = ("rest", "water", "and", "38", "dark", "room", "help", "but", "sudden", "pain", "needs", "care", "at", "once")
_TOKENS_A_WORD = 1.4  # of the checkpoints' tokenizer


@dataclass(frozen=True)
class Work:
    """``rollouts`` responses, ``group`` to a prompt, under ``criteria`` criteria. Lengths in tokens, about."""

    rollouts: int
    criteria: int = 12
    group: int = 8
    prompt_tokens: int = 500
    response_tokens: int = 2_000

    @property
    def verdicts(self) -> int:
        return self.rollouts * self.criteria


def rubric(criteria: int) -> dict[str, Any]:
    asked = [
        {"id": f"c{number}", "statement": f"Names warning sign number {number} of the list for headaches."}
        for number in range(1, criteria + 1)
    ]
    return {"id": "bench/gpu", "version": "1.0.0", "title": "Made up for measuring", "criteria": asked}


def submissions_of(work: Work, mark: str) -> list[dict[str, Any]]:
    """The items, each with its rubric."""
    return [one | {"rubric": rubric(work.criteria)} for one in items(work, mark)]


def items(work: Work, mark: str) -> Iterator[dict[str, Any]]:
    """``mark`` makes the texts new, so that no cache has them."""
    for number in range(work.rollouts):
        group = number // work.group
        yield {
            "id": f"{mark}-{number}",
            "prompt": f"[question {mark}-{group}] {_text(work.prompt_tokens, group + 1_000_000)}",
            "response": f"[{mark}-{number}] {_text(work.response_tokens, number)}",
        }


def _text(tokens: int, number: int) -> str:
    """Words in an order of their own, so that no text repeats itself as a degenerate response does."""
    state, words = number * 2_654_435_761 + 1, []
    for _ in range(round(tokens / _TOKENS_A_WORD)):
        state = (state * 1_103_515_245 + 12_345) & 0x7FFFFFFF
        words.append(_WORDS[(state >> 16) % len(_WORDS)])
    return " ".join(words)


@dataclass(frozen=True)
class Question:
    """One generation as the engine is sent it. ``label_ids``: whose probabilities it is asked for; ``schema``: what the
    written answer follows."""

    ids: list[int]
    max_tokens: int
    label_ids: list[int]
    schema: dict[str, Any] | None


class _Listener:
    """An ``Engine`` (see models/vllm_model.py) that notes what it is asked and answers the plainest thing allowed."""

    context_tokens = 32_768
    commit = ""
    random_weights = True
    limits = EngineLimits(step_tokens=8_192, sequences=256, kv_tokens=1_000_000, block_tokens=16)
    alive = True

    def __init__(self, checkpoint: Path, heard: list[Question]) -> None:
        from transformers import AutoTokenizer

        self.tokenizer = AutoTokenizer.from_pretrained(checkpoint)
        self._heard = heard

    async def generate(self, ask: Ask) -> Generated:
        self._heard.append(Question(list(ask.ids), ask.max_tokens, list(ask.label_ids), ask.schema))
        ids = tuple(ask.label_ids[:1])
        if ask.schema is not None:
            ids = tuple(self.tokenizer.encode(json.dumps(_plainest(ask.schema)), add_special_tokens=False))
        each = -log(len(ask.label_ids) + 1)
        usage = Usage(prompt_tokens=len(ask.ids), completion_tokens=len(ids), calls=1)
        return Generated(ids, truncated=False, usage=usage, logprobs=dict.fromkeys(ask.label_ids, each))

    async def abort(self) -> None: ...

    async def sleep(self, level: int) -> None: ...

    async def wake(self, level: int) -> None: ...

    def shut_down(self) -> None: ...


def _plainest(schema: dict[str, Any]) -> dict[str, Any]:
    return {
        name: one["enum"][0] if "enum" in one else True if one["type"] == "boolean" else "said"
        for name, one in schema["properties"].items()
    }


async def recorded(checkpoint: Path, submissions: Sequence[dict[str, Any]], mode: str) -> list[Question]:
    """What an engine is asked to judge ``submissions``, in the server's order. The codes around texts are those of one
    store: another server's have other digits and nearly the same length."""
    heard: list[Question] = []

    def opening(name: str, options: Any) -> VllmModel:
        return VllmModel(name, VllmOptions(**options), lambda path, _: _Listener(Path(path), heard))

    judge = JudgeSpecification(name="judge", model=str(checkpoint), mode=mode, min_label_mass=0.0)
    settings = Settings(judges={"judge": judge}, database_url="sqlite://", canary="off", reask=0.0)
    async with open_service(settings, opening=opening) as service:
        heard.clear()  # what it was asked to learn what it can do
        await together([score_item(service.scorer, one, Terms(Priority.TRAINING)) for one in submissions])
    asked = sum(len(one["rubric"]["criteria"]) for one in submissions)
    if len(heard) != asked:
        raise SystemExit(f"{len(heard)} questions were recorded, not {asked}")
    return heard


def least_tokens(prompts: Sequence[Sequence[int]]) -> int:
    """Tokens to compute if nothing that begins alike is computed twice: the nodes of the trie of all prompts."""
    return sum(map(len, prompts)) - sum(shared_tokens(prompts))


def shared_tokens(prompts: Sequence[Sequence[int]]) -> list[int]:
    """With how many tokens each prompt begins as another one does that was counted before: for all but one of the
    prompts, from the fewest to the most."""
    ordered = sorted(map(tuple, prompts))
    return sorted(
        next((at for at, (one, other) in enumerate(zip(before, after, strict=False)) if one != other), len(before))
        for before, after in pairwise(ordered)
    )


def write(questions: list[Question], path: Path) -> None:
    path.write_text(json.dumps([asdict(one) for one in questions]), "utf-8")


def read(path: Path) -> list[Question]:
    return [Question(**one) for one in json.loads(path.read_text("utf-8"))]
