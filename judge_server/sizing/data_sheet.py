"""An engine's speed from the data sheets of a card, for the time before anything could be measured."""

from pydantic import Field

from judge_server.core.engine import EngineLimits
from judge_server.core.errors import BadConfiguration
from judge_server.core.model import Frozen
from judge_server.sizing.engine import EngineSpeed
from judge_server.sizing.model_shape import ModelShape
from judge_server.sizing.step_cost import StepCost

BYTES_16_BIT = 2.0
# What engines reach of the data sheet's figures: assumptions, of which every estimate reminds.
COMPUTE_SHARE = 0.45
ATTENTION_SHARE = 0.25
BANDWIDTH_SHARE = 0.75
MEMORY_SHARE = 0.9
STEP_SECONDS = 0.004
SEQUENCE_SECONDS = 20e-6
_GIGABYTE = 1e9


class Card(Frozen):
    """``flops``: dense 16-bit floating point operations a second; ``bandwidth``: bytes a second; ``memory``: bytes."""

    name: str
    flops: float = Field(gt=0)
    bandwidth: float = Field(gt=0)
    memory: float = Field(gt=0)


def _card(name: str, teraflops: float, terabytes: float, gigabytes: float) -> Card:
    return Card(name=name, flops=teraflops * 1e12, bandwidth=terabytes * 1e12, memory=gigabytes * _GIGABYTE)


CARDS = {
    card.name.lower(): card
    for card in (
        _card("H100", 989, 3.35, 80),
        _card("H200", 989, 4.8, 141),
        _card("H20", 148, 4.0, 96),
        _card("B200", 2250, 7.7, 180),
        _card("A100", 312, 2.04, 80),
        _card("L40S", 362, 0.864, 48),
        _card("L4", 121, 0.3, 24),
        _card("MI300X", 1307, 5.3, 192),
    )
}


def card_of(name: str) -> Card:
    """Raises BadConfiguration for a card that is not listed."""
    card = CARDS.get(name.lower())
    if card is None:
        raise BadConfiguration(
            f"No data sheet of {name!r} is known.",
            remedy=f"Name one of {', '.join(one.name for one in CARDS.values())}, or measure: judge-server doctor "
            "--profile.",
        )
    return card


def speed_of(shape: ModelShape, card: Card, *, cards: int, step_tokens: int, sequences: int) -> EngineSpeed:
    """An engine over ``cards`` cards, with 16-bit weights and KV cache. A step computes 2 operations for each active
    parameter and token, and 4 for each layer, pair of tokens and unit of the heads' width; it reads the weights once,
    and of each request the KV cache. Raises BadConfiguration if the weights do not fit."""
    compute, bandwidth = card.flops * cards, card.bandwidth * cards * BANDWIDTH_SHARE
    weights = shape.parameters * BYTES_16_BIT
    room = card.memory * cards * MEMORY_SHARE - weights
    if room <= 0:
        raise BadConfiguration(
            f"The weights of {shape.name} take {weights / _GIGABYTE:,.0f} GB and {cards} x {card.name} leave "
            f"{card.memory * cards * MEMORY_SHARE / _GIGABYTE:,.0f} GB.",
            remedy="Give an engine more cards: --tensor-parallel.",
        )
    cost = StepCost(
        step=STEP_SECONDS,
        token=2 * shape.active / (compute * COMPUTE_SHARE),
        sequence=SEQUENCE_SECONDS,
        pair=4 * shape.layers * shape.heads * shape.head_size / (compute * ATTENTION_SHARE),
        context=shape.kv_bytes(BYTES_16_BIT) / bandwidth,
        weights=weights / bandwidth,
    )
    limits = EngineLimits(
        step_tokens=step_tokens,
        sequences=sequences,
        kv_tokens=max(int(room / shape.kv_bytes(BYTES_16_BIT)), 1),
        block_tokens=16,
        gpus=cards,
    )
    basis = (
        f"data sheet of {cards} x {card.name} at {COMPUTE_SHARE:.0%} of its 16-bit operations and "
        f"{BANDWIDTH_SHARE:.0%} of its bandwidth; {STEP_SECONDS * 1_000:.0f} ms a step. Nothing of it was measured."
    )
    return EngineSpeed(
        name=f"{shape.name} on {cards} x {card.name}",
        cost=cost,
        limits=limits,
        origin="data sheet",
        basis=basis,
    )
