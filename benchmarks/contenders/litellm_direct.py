"""LiteLLM called directly: one ``acompletion`` a verdict, 64 in flight, nothing stored.

python -m benchmarks.contenders.litellm_direct URL ITEMS MARK
"""

import asyncio
import json
import os
import resource
import sys
import time

os.environ["LITELLM_LOCAL_MODEL_COST_MAP"] = "True"

import litellm

from benchmarks.workload import items, statements


async def main(url: str, count: int, mark: str) -> None:
    limit = asyncio.Semaphore(64)

    async def ask(prompt: str, response: str, statement: str) -> None:
        text = f"Conversation:\n{prompt}\n\nResponse:\n{response}\n\nCriterion: {statement}\nAnswer Yes or No."
        async with limit:
            answer = await litellm.acompletion(
                model="openai/stub",
                api_base=url,
                api_key="none",
                messages=[{"role": "user", "content": text}],
                max_tokens=1,
                logprobs=True,
                top_logprobs=20,
            )
        assert answer.choices[0].logprobs.content[0].top_logprobs

    await asyncio.gather(*(ask(item.prompt, item.response, statements()[0]) for item in items(2, f"warm{mark}")))
    wall, cpu = time.perf_counter(), _cpu()
    work = [ask(item.prompt, item.response, statement) for item in items(count, mark) for statement in statements()]
    await asyncio.gather(*work)
    print(json.dumps({"verdicts": len(work), "seconds": time.perf_counter() - wall, "cpu_seconds": _cpu() - cpu}))


def _cpu() -> float:
    usage = resource.getrusage(resource.RUSAGE_SELF)
    return usage.ru_utime + usage.ru_stime


if __name__ == "__main__":
    asyncio.run(main(sys.argv[1], int(sys.argv[2]), sys.argv[3]))
