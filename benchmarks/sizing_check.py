"""What ``judge-server size`` predicts, beside what the engine of this machine does.

python -m benchmarks.sizing_check [--profile FILE] [--only NAME]

One engine is measured as ``doctor --profile`` does. Then three other configurations of it, with other work, are
predicted from that one measurement and run: verdicts a second and the 95 % quantile of what a rollout waits. The work
is described in tokens as the prompts have them: how many all share, those of a group, and those of a rollout. Of the
answers only the mean length is taken from the run. The model has random weights; its speed is what counts here.
"""

import argparse
import asyncio
import tempfile
import time
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from statistics import fmean
from typing import Any

import numpy as np
import uvloop

from benchmarks.gpu.work import recorded, shared_tokens
from examples.tiny_checkpoint import build
from judge_server.core.engine import EngineLimits
from judge_server.core.judge import JudgeSpecification
from judge_server.core.judgment import Judgment
from judge_server.judging.answer import Terms
from judge_server.models.protocol import Limited, Priority
from judge_server.models.registry import open_model
from judge_server.scoring.batch import score_item
from judge_server.settings.settings import Settings
from judge_server.sizing.engine import EngineSpeed
from judge_server.sizing.profile import profiled
from judge_server.sizing.replica import Replica
from judge_server.sizing.workload import TrainingStep
from judge_server.wiring.service import open_service

ENGINE: dict[str, Any] = {"dtype": "float32", "kv_cache_gib": 1.0}
SERVER_SECONDS = 0.0003
GROUP = 8
_SENTENCE = "Rest, water and a dark room help; a sudden severe headache or weakness needs emergency care at once. "


@dataclass(frozen=True)
class Case:
    """``words``: repetitions of the sentence in a response."""

    name: str
    rollouts: int
    criteria: int
    sentences: int
    mode: str = "direct"
    engine: dict[str, Any] = field(default_factory=dict)


CASES = (
    Case("few requests, short steps", 48, 12, 8, engine={"max_num_seqs": 16, "max_num_batched_tokens": 1024}),
    Case(
        "a KV cache of few prompts",
        48,
        12,
        12,
        engine={"kv_cache_gib": 0.006, "max_num_seqs": 8, "max_model_len": 2048},
    ),
    Case("reasons before verdicts", 24, 4, 8, mode="reason", engine={"max_num_seqs": 64}),
)


def items(case: Case, mark: str) -> list[dict[str, Any]]:
    rubric = {
        "id": "bench/sizing",
        "version": "1.0.0",
        "title": "Made up for measuring",
        "criteria": [
            {"id": f"c{number}", "statement": f"Names warning sign number {number} of the list."}
            for number in range(case.criteria)
        ],
    }
    return [
        {
            "rubric": rubric,
            "prompt": f"Question {mark}-{number // GROUP}: what should I do about a headache? " + _SENTENCE * 4,
            "response": f"Answer {mark}-{number}. " + _SENTENCE * case.sentences,
        }
        for number in range(case.rollouts)
    ]


@dataclass(frozen=True)
class Run:
    """``seconds`` in all, the 95 % quantile of the waits, and processor seconds of this process."""

    seconds: float
    wait: float
    processor_seconds: float
    judgments: list[Judgment]


async def run(checkpoint: Path, case: Case) -> Run:
    judge = JudgeSpecification(
        name="judge", model=f"vllm:{checkpoint}", mode=case.mode, engine=ENGINE | case.engine, min_label_mass=0.0
    )
    async with open_service(Settings(judges={"judge": judge}, database_url="sqlite://")) as service:
        terms = Terms(Priority.BATCH)
        for item in items(Case("warm-up", 2, case.criteria, 2), "warm"):
            await score_item(service.scorer, item, terms)
        start, used = time.perf_counter(), time.process_time()
        waits: list[float] = []

        async def one(item: dict[str, Any]) -> Judgment:
            judged = await score_item(service.scorer, item, terms)
            waits.append(time.perf_counter() - start)
            return judged

        judgments = await asyncio.gather(*[one(item) for item in items(case, str(time.time_ns()))])
        seconds, used = time.perf_counter() - start, time.process_time() - used
        return Run(seconds, float(np.quantile(waits, 0.95)), used, list(judgments))


def workload_of(case: Case, prompts: Sequence[Sequence[int]], answer_tokens: int) -> TrainingStep:
    """Parts of the mean prompt. Every rollout but the first of its group shares least with what came before it in its
    first call; so the fewest shared tokens are those between groups, then come those within groups."""
    shared, groups = shared_tokens(prompts), -(-case.rollouts // GROUP)
    of_all, of_groups, of_rollouts = (
        round(fmean(part))
        for part in (shared[: groups - 1], shared[groups - 1 : case.rollouts - 1], shared[case.rollouts - 1 :])
    )
    return TrainingStep(
        rollouts=case.rollouts,
        criteria=case.criteria,
        group=GROUP,
        instruction_tokens=of_all,
        prompt_tokens=of_groups - of_all,
        response_tokens=of_rollouts - of_groups,
        criterion_tokens=round(fmean(map(len, prompts))) - of_rollouts,
        answer_tokens=answer_tokens,
    )


def limits_of(case: Case, usual: EngineLimits) -> EngineLimits:
    """What the engine of ``case`` may do, from what the measured one may."""
    changed = {
        "sequences": case.engine.get("max_num_seqs", usual.sequences),
        "step_tokens": case.engine.get("max_num_batched_tokens", usual.step_tokens),
        "kv_tokens": round(usual.kv_tokens * case.engine.get("kv_cache_gib", ENGINE["kv_cache_gib"])),
    }
    return usual.model_copy(update=changed)


async def measured(checkpoint: Path) -> EngineSpeed:
    model = open_model(f"vllm:{checkpoint}", ENGINE)
    await model.start()
    try:
        assert isinstance(model, Limited)
        return await profiled(model, model.limits, lambda done, of: print(f"burst {done} of {of}", flush=True))
    finally:
        await model.close()


def compare(case: Case, checkpoint: Path, speed: EngineSpeed) -> None:
    questions = uvloop.run(recorded(checkpoint, items(case, str(time.time_ns())), case.mode))
    done = uvloop.run(run(checkpoint, case))
    seconds, wait, judgments = done.seconds, done.wait, done.judgments
    calls = sum(judgment.usage.calls for judgment in judgments)
    if calls != len(questions):
        raise SystemExit(f"{calls} calls were made, not {len(questions)}")
    answer = max(round(sum(judgment.usage.completion_tokens for judgment in judgments) / calls), 1)
    workload = workload_of(case, [one.ids for one in questions], answer)
    engine = speed.model_copy(update={"limits": limits_of(case, speed.limits)})
    predicted = Replica(engine, server_seconds=SERVER_SECONDS).judge(workload)
    front = speed.front.seconds(1, workload.length, workload.different_tokens / workload.verdicts, answer)
    processor = 1_000 * done.processor_seconds / workload.verdicts
    cached = sum(judgment.usage.cached_tokens for judgment in judgments) / workload.sent_tokens
    print(
        f"{case.name}: {workload.verdicts / seconds:,.0f} verdicts/s, predicted "
        f"{workload.verdicts / predicted.seconds:,.0f} ({seconds / predicted.seconds - 1:+.0%}); p95 {wait:.2f} s, "
        f"predicted {predicted.wait(0.95):.2f} ({predicted.wait(0.95) / wait - 1:+.0%}); prompt tokens from the cache "
        f"{cached:.1%}, predicted {predicted.known_tokens / workload.sent_tokens:.1%}; processor time of this process "
        f"{processor:.2f} ms a call, predicted {1_000 * (SERVER_SECONDS + front):.2f}; "
        f"{workload}",
        flush=True,
    )


def main() -> None:
    parser = argparse.ArgumentParser(description="Predicted and measured speed of the engine.")
    parser.add_argument("--profile", type=Path, help="use this measurement instead of a new one")
    parser.add_argument("--only", help="a case whose name contains this")
    arguments = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        checkpoint = build(Path(folder) / "tiny")
        speed = (
            EngineSpeed.model_validate_json(arguments.profile.read_bytes())
            if arguments.profile
            else uvloop.run(measured(checkpoint))
        )
        print(
            f"cost {speed.cost.model_dump()}, {speed.front!r}, mean error {speed.error or 0:.1%}, {speed.limits}",
            flush=True,
        )
        for case in CASES:
            if arguments.only is None or arguments.only in case.name:
                compare(case, checkpoint, speed)


if __name__ == "__main__":
    main()
