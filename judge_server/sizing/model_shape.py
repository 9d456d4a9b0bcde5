"""The shapes of models, as far as speed and memory depend on them."""

from pathlib import Path

from pydantic import Field

from judge_server.core.errors import BadConfiguration
from judge_server.core.model import Frozen
from judge_server.util.parsing import read_json


class ModelShape(Frozen):
    """``parameters``: in units; ``active``: of them those that compute one token (fewer in a mixture of experts)."""

    name: str
    parameters: float = Field(gt=0)
    active: float = Field(gt=0)
    layers: int = Field(ge=1)
    heads: int = Field(ge=1)
    kv_heads: int = Field(ge=1)
    head_size: int = Field(ge=1)

    def kv_bytes(self, bytes_each: float) -> float:
        """Memory of one token in the KV cache: a key and a value for each layer and KV head."""
        return 2 * self.layers * self.kv_heads * self.head_size * bytes_each


def _dense(name: str, parameters: float, layers: int, heads: int, kv_heads: int, head_size: int = 128) -> ModelShape:
    return _mixture(name, parameters, parameters, layers, heads, kv_heads, head_size)


def _mixture(
    name: str, parameters: float, active: float, layers: int, heads: int, kv_heads: int, head_size: int = 128
) -> ModelShape:
    return ModelShape(
        name=name,
        parameters=parameters * 1e9,
        active=active * 1e9,
        layers=layers,
        heads=heads,
        kv_heads=kv_heads,
        head_size=head_size,
    )


KNOWN = {
    shape.name.lower(): shape
    for shape in (
        _dense("Qwen3-0.6B", 0.6, 28, 16, 8),
        _dense("Qwen3-1.7B", 1.7, 28, 16, 8),
        _dense("Qwen3-4B", 4.0, 36, 32, 8),
        _dense("Qwen3-8B", 8.2, 36, 32, 8),
        _dense("Qwen3-14B", 14.8, 40, 40, 8),
        _dense("Qwen3-32B", 32.8, 64, 64, 8),
        _mixture("Qwen3-30B-A3B", 30.5, 3.3, 48, 32, 4),
        _mixture("Qwen3-235B-A22B", 235.0, 22.0, 94, 64, 4),
        _dense("Llama-3.1-8B", 8.0, 32, 32, 8),
        _dense("Llama-3.1-70B", 70.6, 80, 64, 8),
    )
}


def shape_of(name: str) -> ModelShape:
    """The shape of a model by its name (a leading owner is ignored) or from the config.json of a checkpoint's folder.
    Raises BadConfiguration."""
    folder = Path(name).expanduser()
    if (folder / "config.json").is_file():
        return _from_config(folder)
    shape = KNOWN.get(name.rpartition("/")[2].lower())
    if shape is None:
        raise BadConfiguration(
            f"The shape of {name!r} is not known.",
            remedy="Name a folder with the model's config.json, or one of "
            f"{', '.join(one.name for one in KNOWN.values())}.",
        )
    return shape


def _from_config(folder: Path) -> ModelShape:
    try:
        config = read_json((folder / "config.json").read_text("utf-8"))
        layers, hidden = int(config["num_hidden_layers"]), int(config["hidden_size"])
        heads, inner = int(config["num_attention_heads"]), int(config["intermediate_size"])
        kv_heads, words = int(config.get("num_key_value_heads", heads)), int(config["vocab_size"])
        size = int(config.get("head_dim") or hidden // heads)
    except (OSError, ValueError, KeyError, TypeError, AttributeError) as error:
        raise BadConfiguration(
            f"{folder / 'config.json'} does not describe a transformer: {error!r}.",
            remedy="It needs num_hidden_layers, hidden_size, num_attention_heads, intermediate_size and vocab_size.",
        ) from None
    if any(key in config for key in ("num_experts", "num_local_experts", "n_routed_experts")):
        raise BadConfiguration(
            f"{folder / 'config.json'} describes a mixture of experts, whose active parameters it does not say.",
            remedy="Measure the engine instead: judge-server doctor --profile.",
        )
    attention = hidden * size * (2 * heads + 2 * kv_heads)
    embeddings = words * hidden * (1 if config.get("tie_word_embeddings") else 2)
    total = layers * (attention + 3 * hidden * inner) + embeddings
    return ModelShape(
        name=folder.name,
        parameters=total,
        active=total,
        layers=layers,
        heads=heads,
        kv_heads=kv_heads,
        head_size=size,
    )
