"""The work of one attempt to improve a judge on this server: the ladder of ``calibrate improve``, kept in the store.

Imported when the first one begins: it needs the calibration extra.
"""

import asyncio
import io
from collections.abc import Awaitable, Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field

from judge_server.calibration.improve_run import Attempt, ImproveRun
from judge_server.calibration.improvement import Improvement, Limits, PartSize, Spend
from judge_server.calibration.kept_proposals import ProposalLog, Proposals
from judge_server.calibration.meter import Meter
from judge_server.calibration.model_proposer import proposing
from judge_server.calibration.parts import divided, size
from judge_server.calibration.tuning import require_trained_on_revise
from judge_server.calibration.workspace import EXAMPLES
from judge_server.core.errors import BadInput, NotFound
from judge_server.core.judge import ExampleRule
from judge_server.core.rubric import Rubric
from judge_server.labels.archive import find
from judge_server.labels.label_set import LabelSet
from judge_server.labels.writing import about_text, write_csv
from judge_server.report.improvement_pages import html, markdown
from judge_server.server.improvement_progress import ImprovementRun, ImprovementTerms
from judge_server.store.payload import encode
from judge_server.store.store import Store
from judge_server.util.parsing import parse_json
from judge_server.wiring.service import Service

_AT_ONCE = 32
Keep = Callable[..., Awaitable[bool]]


@dataclass
class StoredWorkspace:
    """A row of the store. Remembered verdicts do the work of a journal; what was spent is kept with the progress."""

    spent: Spend
    proposals: ProposalLog
    examples: str = EXAMPLES
    files: dict[str, str] = field(default_factory=dict)
    answers: None = None

    def meter(self, limits: Limits) -> Meter:
        return Meter(limits, spent=self.spent)

    async def write(self, key: str, files: Mapping[str, str], examples: LabelSet | None) -> None:
        """Whose examples' texts stay in the label set alone."""
        self.files.update(files)


@dataclass
class StoredProposals:
    """``kept``: what the row has."""

    kept: dict[str, Proposals]
    keep_row: Keep

    def known(self) -> Mapping[str, Proposals]:
        return self.kept

    async def keep(self, key: str, proposals: Proposals) -> None:
        self.kept[key] = list(proposals)
        await self.keep_row(proposals=encode(self.kept))


async def improved(service: Service, run: ImprovementRun, keep: Keep) -> Mapping[str, str]:
    """Climb the ladder and return the files of its result; ``run`` is told how far it is. Raises BadInput as the
    command does, and for labels that changed after it was begun."""
    terms = run.terms
    whole = await labels_of(service.store, terms)
    await require_shown(service, whole, terms.rubric, terms.judge, terms.second, terms.tuned, terms.proposer)
    proposals = StoredProposals(dict(parse_json(await service.store.improvements.proposals(run.progress.id))), keep)
    tuned = None if terms.tuned is None else service.judge_registry.named(terms.tuned)
    if tuned is not None:
        await asyncio.to_thread(require_trained_on_revise, tuned.specification, whole, terms.seed)
    place = StoredWorkspace(run.progress.spent, proposals)
    own = ImproveRun(
        attempt=_attempt(terms),
        whole=whole,
        rubric=terms.rubric,
        judge=service.judge_registry.named(terms.judge),
        place=place,
        scorer_of=lambda judges: service.measuring_scorer(raw=True, judges=judges),
        second=None if terms.second is None else service.judge_registry.named(terms.second),
        tuned=tuned,
        proposer=terms.proposer,
        pages=lambda found: {"improvement.md": markdown(found), "improvement.html": html(found)},
        at_once=_AT_ONCE,
    )
    own.tell = lambda line: _follow(run, own, line)
    own.watching = lambda items: _watched(run, own, items)
    run.note(steps=(), candidates=())
    found = await own.climb(
        proposing(service.judge_registry, terms.proposer, whole, terms.rubric), service.store.labels
    )
    run.note(result=found, spent=found.spent, candidates=found.candidates)
    return place.files


async def require_shown(service: Service, labels: LabelSet, rubric: Rubric, *judges: str | None) -> None:
    """Raises UnknownJudge, and JudgeNotAllowed if one of ``judges`` may not be shown these texts."""
    specifications = [service.judge_registry.named(one).specification for one in judges if one is not None]
    await service.shown_again.require_labelled(labels, *specifications, rubric=rubric)


def _attempt(terms: ImprovementTerms) -> Attempt:
    return Attempt(
        tries=terms.tries,
        search=terms.search,
        seed=terms.seed,
        limits=terms.limits,
        examples=tuple(ExampleRule(source="revise", k=count) for count in dict.fromkeys(terms.examples) if count),
        second_share=terms.second_share,
        positives=terms.positives,
        reader=terms.caller,
        reason=terms.reason,
    )


def _follow(run: ImprovementRun, own: ImproveRun, line: str | None = None) -> None:
    """What the ladder knows now."""
    told = () if line is None else (line,)
    ladder = own.ladder
    if ladder is not None:
        run.note(parts=ladder.sizes, rung=ladder.rung, candidates=tuple(ladder.candidates), spent=own.meter.spent)
    run.note(steps=(*run.progress.steps, *told))


@contextmanager
def _watched(run: ImprovementRun, own: ImproveRun, items: int) -> Iterator[Callable[[], None]]:
    def advance() -> None:
        run.note(done=run.progress.done + 1, spent=own.meter.spent)

    _follow(run, own)
    run.note(done=0, of=items)
    yield advance


async def labels_of(store: Store, terms: ImprovementTerms) -> LabelSet:
    """Raises BadInput for labels that changed after the attempt was begun."""
    labels = await stored_labels(store, terms.labels)
    if labels.digest != terms.digest:
        raise BadInput(
            f"The labels {terms.labels!r} changed after this was begun.", remedy="Begin another one: answers are kept."
        )
    return labels


async def stored_labels(store: Store, named: str) -> LabelSet:
    """Raises NotFound."""
    labels = await find(named, store.labels)
    if labels is None:
        raise NotFound(f"labels: there is no label set {named!r}.", remedy="GET /v1/label-sets lists them.")
    return labels


async def shown_sizes(store: Store, named: str, seed: int = 0) -> tuple[PartSize, ...]:
    """What the labels can show, before anything is asked. Raises NotFound."""
    labels = await stored_labels(store, named)
    return await asyncio.to_thread(_sizes, labels, seed)


def _sizes(labels: LabelSet, seed: int) -> tuple[PartSize, ...]:
    revise, select = divided(labels.split("dev"), seed)
    return size("revise", revise), size("select", select)


async def example_files(store: Store, terms: ImprovementTerms, found: Improvement) -> Mapping[str, str]:
    """The labels that the examples of ``judge.toml`` come from, if it has any."""
    if found.setup.examples is None:
        return {}
    revise, _ = divided((await labels_of(store, terms)).split("dev"), terms.seed)
    text = io.StringIO(newline="")
    await asyncio.to_thread(write_csv, revise, text)
    return {EXAMPLES: text.getvalue(), f"{EXAMPLES}.about.json": about_text(revise)}
