"""The engine options of a vLLM judge: an allow-list, so that a misspelt option is an error."""

from typing import Literal

from pydantic import Field, model_validator

from judge_server.core.model import Frozen


class VllmOptions(Frozen):
    """Engine options, named as in vLLM. None leaves the choice to vLLM.

    ``kv_cache_gib``: memory for the KV cache in GiB, instead of a share of the device's (``gpu_memory_utilization``).
    ``enforce_eager``, ``block_size``: None means True and 32 on CPUs: compiling takes longer than it saves, and small
    blocks share more of a prompt. ``loras``: the adapters that may be used, name to path; ``lora``: the one that this
    judge uses. ``max_in_flight``: how many requests to keep in the engine; None means ``max_num_seqs``.
    ``enable_sleep_mode``: the engine's memory can be freed while it is not needed. ``load_format``: ``dummy`` takes
    random weights of the shape that config.json describes, to measure speed; the server then says so.
    """

    dtype: str = "auto"
    quantization: str | None = None
    tensor_parallel_size: int = Field(default=1, ge=1)
    pipeline_parallel_size: int = Field(default=1, ge=1)
    max_model_len: int | None = Field(default=None, ge=1)
    max_num_seqs: int | None = Field(default=None, ge=1)
    max_num_batched_tokens: int | None = Field(default=None, ge=1)
    max_in_flight: int | None = Field(default=None, ge=1)
    gpu_memory_utilization: float | None = Field(default=None, gt=0, le=1)
    kv_cache_gib: float | None = Field(default=None, gt=0)
    kv_cache_dtype: str = "auto"
    block_size: int | None = Field(default=None, ge=1)
    enable_prefix_caching: bool = True
    enforce_eager: bool | None = None
    language_model_only: bool = False
    revision: str | None = None
    tokenizer: str | None = None
    tokenizer_mode: str = "hf"
    trust_remote_code: bool = False
    seed: int = Field(default=0, ge=0)
    loras: dict[str, str] = Field(default_factory=dict)
    lora: str | None = None
    max_lora_rank: int = Field(default=16, ge=1)
    enable_sleep_mode: bool = False
    load_format: Literal["auto", "dummy"] = "auto"

    @model_validator(mode="after")
    def _listed(self) -> "VllmOptions":
        if self.lora is not None and self.lora not in self.loras:
            raise ValueError(f"lora {self.lora!r} is not one of loras: {', '.join(sorted(self.loras)) or 'none'}")
        return self
