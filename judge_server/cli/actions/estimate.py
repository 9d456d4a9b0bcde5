"""What scoring would cost, before it is spent: calls and tokens are counted on the real path without a judge, money
follows from the prices of the models, and the time from the speed of the judge on one submission."""

import json
from collections.abc import AsyncIterator, Iterable, Mapping
from contextlib import AbstractAsyncContextManager, suppress
from dataclasses import asdict, dataclass, field
from typing import Any

import typer

from judge_server.core.errors import JudgeServerError
from judge_server.core.judgment import Judgment
from judge_server.judging.answer import Terms
from judge_server.models.estimating import BYTES_A_TOKEN, EstimatingModel
from judge_server.models.protocol import Priority
from judge_server.scheduling.observers import ModelCall, Observers
from judge_server.scoring.batch import score_item
from judge_server.scoring.scorer import Scorer
from judge_server.settings.settings import Settings
from judge_server.wiring.service import Service, open_service

Item = tuple[Any, Mapping[str, Any]]
_FREE = frozenset({"baseline", "recorded"})
_CENT = 0.01


@dataclass
class CostEstimate:
    """``failed``: submissions that could not be judged whatever the judge says. ``completion_tokens``: the limit of the
    answers. ``dollars``: None if no price is known of a model that would be asked; ``unpriced`` names them.
    ``seconds``: None if the judge was not measured; ``measured_calls``: how many calls that took."""

    submissions: int = 0
    failed: int = 0
    calls: int = 0
    prompt_tokens: int = 0
    completion_tokens: int = 0
    dollars: float | None = 0.0
    unpriced: list[str] = field(default_factory=list)
    measured_calls: int = 0
    seconds: float | None = None

    def add(self, judgment: Judgment) -> None:
        self.submissions += 1
        self.failed += judgment.error is not None and judgment.usage.calls == 0
        self.calls += judgment.usage.calls
        self.prompt_tokens += judgment.usage.prompt_tokens
        self.completion_tokens += judgment.usage.completion_tokens
        self.dollars = (self.dollars or 0.0) + judgment.usage.dollars

    def priced(self, models: Iterable[str]) -> None:
        """``models``: what was asked without a known price. Those in this process that need no engine are free."""
        self.unpriced = sorted(name for name in models if name.partition(":")[0] not in _FREE)
        if self.unpriced:
            self.dollars = None


@dataclass
class _Calls:
    """Implements ``CallObserver``: the seconds of every call that the model answered."""

    seconds: list[float] = field(default_factory=list)

    def called(self, call: ModelCall) -> None:
        if call.error is None and call.model_seconds is not None:
            self.seconds.append(call.model_seconds)


@dataclass
class Unpriced:
    """Implements ``CallObserver``: the models that answered and have no price."""

    models: set[str] = field(default_factory=set)

    def called(self, call: ModelCall) -> None:
        if call.error is None and not call.usage.dollars:
            self.models.add(call.model)


def estimating_service(settings: Settings, unpriced: Unpriced) -> AbstractAsyncContextManager[Service]:
    """The service with models that only count. Raises as ``open_service``, but for what models raise."""
    return open_service(settings, Observers(calls=[unpriced]), opening=EstimatingModel)


async def count(service: Service, items: AsyncIterator[Item], unpriced: Unpriced) -> tuple[CostEstimate, Item | None]:
    """The counts of all items, each with the defaults of its absent fields, and the first that can be judged."""
    estimate, first = CostEstimate(), None
    scorer = service.uncached_scorer()
    async for item in items:
        judgment = await _judged(scorer, item)
        estimate.add(judgment)
        first = first or (item if judgment.usage.calls else None)
    estimate.priced(unpriced.models)
    return estimate, first


async def time_of(settings: Settings, estimate: CostEstimate, first: Item | None, concurrency: int) -> None:
    """Measure the judge on one submission: the mean seconds of a call, and as many at once as its model takes. Nothing
    is measured if there is nothing to ask, or if the judge fails."""
    calls = _Calls()
    if first is None:
        return
    with suppress(JudgeServerError):
        async with open_service(settings, Observers(calls=[calls])) as service:
            judgment = await _judged(service.uncached_scorer(), first)
            at_once = sum(model.capacity for model in service.models)
        if calls.seconds and judgment.error is None:
            each = sum(calls.seconds) / len(calls.seconds)
            most = min(at_once, concurrency * max(1, round(estimate.calls / max(1, estimate.submissions))))
            estimate.seconds = each * estimate.calls / most
        estimate.measured_calls = len(calls.seconds)


async def _judged(scorer: Scorer, item: Item) -> Judgment:
    submission, defaults = item
    return await score_item(scorer, submission, Terms(Priority.BATCH), defaults)


def show(estimate: CostEstimate, *, as_json: bool) -> None:
    """Print it for people, or as JSON."""
    if as_json:
        typer.echo(json.dumps(asdict(estimate)))
        return
    lines: list[tuple[str, str, str]] = [("submissions", f"{estimate.submissions:,}", "")]
    if estimate.failed:
        lines.append(("cannot be judged", f"{estimate.failed:,}", "score shows why"))
    measured = "the judge was not measured"
    if estimate.seconds is not None:
        measured = f"by {estimate.measured_calls} calls about one submission"
    lines += [
        ("calls", f"{estimate.calls:,}", "without repeats of unreadable answers"),
        ("prompt tokens", f"{estimate.prompt_tokens:,}", f"of {BYTES_A_TOKEN} bytes; equal beginnings may be cached"),
        ("answer tokens", f"{estimate.completion_tokens:,}", "at most"),
        ("money", *_money(estimate)),
        ("time", "?" if estimate.seconds is None else _duration(estimate.seconds), measured),
    ]
    for name, value, note in lines:
        typer.echo(f"{name:18}{value:>14}  {note}".rstrip())


def _money(estimate: CostEstimate) -> tuple[str, str]:
    if estimate.dollars is None:
        named = ", ".join(estimate.unpriced)
        return "?", f"no price of {named} is known: set judges.NAME.price, in dollars for a million tokens"
    if not estimate.dollars:
        return "$0.00", "no call costs anything"
    return (f"${estimate.dollars:,.2f}" if estimate.dollars >= _CENT else "below $0.01"), "at most"


def _duration(seconds: float) -> str:
    if seconds < 100:
        return f"{seconds:.1f} s"
    hours, minutes = divmod(round(seconds / 60), 60)
    return f"{hours} h {minutes:02} min" if hours else f"{minutes} min"
