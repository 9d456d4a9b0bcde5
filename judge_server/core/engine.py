"""What an engine may do in one step, keep in memory and occupy."""

from pydantic import Field

from judge_server.core.model import Frozen


class EngineLimits(Frozen):
    """``step_tokens``: most tokens of a step (``max_num_batched_tokens``); ``sequences``: most requests under way
    (``max_num_seqs``); ``kv_tokens``: tokens that the KV cache holds, in blocks of ``block_tokens``. ``gpus``:
    that it occupies, 0 on a processor."""

    step_tokens: int = Field(ge=1)
    sequences: int = Field(ge=1)
    kv_tokens: int = Field(ge=1)
    block_tokens: int = Field(ge=1)
    prefix_caching: bool = True
    gpus: int = Field(default=0, ge=0)
