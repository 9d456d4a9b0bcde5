"""The autorubric package (1.6.1, in an environment of its own): one call a criterion, 64 in flight, nothing stored.

PYTHON -m benchmarks.contenders.autorubric_package URL ITEMS MARK
"""

import asyncio
import json
import os
import resource
import sys
import time

os.environ["LITELLM_LOCAL_MODEL_COST_MAP"] = "True"

from autorubric import LLMConfig, Rubric
from autorubric.graders import CriterionGrader

from benchmarks.workload import items, statements


async def main(url: str, count: int, mark: str) -> None:
    config = LLMConfig(model="openai/stub", api_base=url, api_key="none", max_parallel_requests=64, cache_enabled=False)
    grader = CriterionGrader(judge_model_config=config)
    rubric = Rubric.from_dict([{"weight": 1.0, "requirement": statement} for statement in statements()])

    async def grade(prompt: str, response: str) -> None:
        result = await rubric.grade(to_grade=response, grader=grader, query=prompt)
        assert result.score is not None, result

    await asyncio.gather(*(grade(item.prompt, item.response) for item in items(1, f"warm{mark}")))
    wall, cpu = time.perf_counter(), _cpu()
    await asyncio.gather(*(grade(item.prompt, item.response) for item in items(count, mark)))
    verdicts = count * len(statements())
    print(json.dumps({"verdicts": verdicts, "seconds": time.perf_counter() - wall, "cpu_seconds": _cpu() - cpu}))


def _cpu() -> float:
    usage = resource.getrusage(resource.RUSAGE_SELF)
    return usage.ru_utime + usage.ru_stime


if __name__ == "__main__":
    asyncio.run(main(sys.argv[1], int(sys.argv[2]), sys.argv[3]))
