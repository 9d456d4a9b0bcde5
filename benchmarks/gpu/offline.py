"""vLLM alone on recorded prompts: all are given to one ``LLM.generate`` at once.

python -m benchmarks.gpu.offline CHECKPOINT OPTIONS QUESTIONS [QUESTIONS...]

``OPTIONS``: engine options as JSON; ``QUESTIONS``: files that ``benchmarks.gpu`` wrote. One line of JSON for each.
"""

import json
import os
import sys
import time
from pathlib import Path
from typing import Any

from benchmarks.gpu.work import Question, read

GIB = 1 << 30
_WARM_UP = 8


def arguments(options: dict[str, Any], *, on_cpu: bool) -> dict[str, Any]:
    """vLLM's own names for the options of a judge, and what a judge's engine always has."""
    given = dict(options)
    gib = given.pop("kv_cache_gib", None)
    given.pop("enable_sleep_mode", None)
    usual = {"enforce_eager": True, "block_size": 32} if on_cpu else {}
    memory = {} if gib is None else {"kv_cache_memory_bytes": int(gib * GIB)}
    structure = {"backend": "xgrammar", "disable_any_whitespace": True}
    return {
        "max_num_seqs": 256,
        "logprobs_mode": "raw_logprobs",
        "structured_outputs_config": structure,
        "disable_log_stats": True,
    } | usual | memory | given  # fmt: skip


def main(checkpoint: str, options: dict[str, Any], files: list[Path]) -> None:
    os.environ |= {"VLLM_LOGGING_LEVEL": "ERROR", "VLLM_LOGGING_STREAM": "ext://sys.stderr", "VLLM_NO_USAGE_STATS": "1"}
    from vllm import LLM
    from vllm.platforms import current_platform

    began = time.perf_counter()
    llm = LLM(model=checkpoint, **arguments(options, on_cpu=current_platform.is_cpu()))
    started = time.perf_counter() - began
    for file in files:
        print(json.dumps({"start_seconds": started, **_measured(llm, read(file))}), flush=True)


def _measured(llm: Any, questions: list[Question]) -> dict[str, float]:
    _generate(llm, questions[:_WARM_UP])
    llm.reset_prefix_cache()
    began = time.perf_counter()
    outputs = _generate(llm, questions)
    seconds = time.perf_counter() - began
    return {
        "seconds": seconds,
        "verdicts": len(outputs),
        "prompt_tokens": sum(len(one.prompt_token_ids) for one in outputs),
        "cached_tokens": sum(one.num_cached_tokens or 0 for one in outputs),
        "answer_tokens": sum(len(one.outputs[0].token_ids) for one in outputs),
    }


def _generate(llm: Any, questions: list[Question]) -> list[Any]:
    from vllm.inputs import tokens_input
    from vllm.sampling_params import SamplingParams, StructuredOutputsParams

    parameters = [
        SamplingParams(
            max_tokens=one.max_tokens,
            temperature=0.0,
            logprob_token_ids=one.label_ids or None,
            structured_outputs=StructuredOutputsParams(json=one.schema) if one.schema is not None else None,
            detokenize=False,
        )
        for one in questions
    ]
    found: list[Any] = llm.generate([tokens_input(one.ids) for one in questions], parameters, use_tqdm=False)
    return found


if __name__ == "__main__":
    main(sys.argv[1], json.loads(sys.argv[2]), [Path(one) for one in sys.argv[3:]])
