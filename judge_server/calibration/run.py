"""Sends labelled items through the scoring path to get a judge's labels for comparison with people's."""

import asyncio
import secrets
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime

import numpy as np

from judge_server.calibration.journal import Heading, Journal
from judge_server.calibration.matching import Match, match, unlabelled, with_positives
from judge_server.calibration.meter import Meter
from judge_server.calibration.pairing import rows_digest
from judge_server.calibration.readings import given_blind
from judge_server.calibration.run_rows import ItemRows, RowWriter
from judge_server.calibration.summary import summary_of
from judge_server.core.calibration import Calibration, LabelsReference
from judge_server.core.errors import BadInput, BadSubmission
from judge_server.core.fact import FoundFact, value_in
from judge_server.core.fitted_map import MapSet
from judge_server.core.judgment import JudgeReference
from judge_server.core.rubric import Rubric
from judge_server.core.submission import Submission
from judge_server.core.verdict import Failure, require_paid
from judge_server.judging.answer import Judge, Terms
from judge_server.labels.label import CriterionScale, Item, Label
from judge_server.labels.label_set import LabelSet
from judge_server.labels.splits import Part
from judge_server.labels.table_builder import table_of
from judge_server.models.protocol import Priority
from judge_server.scoring.batch import score_item
from judge_server.scoring.calibration_state import ActiveMaps
from judge_server.scoring.plan import plan
from judge_server.scoring.scorer import Scorer
from judge_server.util.concurrency import task_group


@dataclass(frozen=True)
class CalibrationTask:
    """What to measure. ``labels`` are those of one ``split``; ``maps`` are already applied by the scorer."""

    labels: LabelSet
    split: Part
    rubric: Rubric
    matches: Mapping[str, Match]
    judge: JudgeReference
    maps: MapSet | None = None
    whole_digest: str | None = None

    @classmethod
    def of(
        cls,
        whole: LabelSet,
        part: LabelSet,
        *,
        split: Part,
        rubric: Rubric,
        judge: Judge,
        maps: ActiveMaps | None,
        partial: bool = False,
        positives: Mapping[str, str] | None = None,
    ) -> "CalibrationTask":
        """The task for the ``part`` of a ``whole`` label set that is its ``split``. ``maps``: None to measure without.
        ``positives``: the class that means met, by criterion. Raises BadInput if labels and rubric do not match, and
        JudgeNotAllowed if the labels or the rubric name other judges to which their texts may be shown."""
        whole.require_shown(judge.specification)
        if rubric.judges:
            judge.specification.require_shown(rubric.judges, f"The rubric {rubric.name}")
        return cls(
            labels=with_positives(part, positives or {}),
            split=split,
            rubric=rubric,
            matches=match(rubric, with_positives(whole, positives or {}), partial=partial),
            judge=judge.reference,
            maps=None if maps is None else maps.find(judge.reference.fingerprint, rubric.digest),
            whole_digest=whole.digest,
        )

    @property
    def mapping(self) -> tuple[str, ...]:
        """How the labels of each criterion are read, in a line each."""
        return tuple(one.described for one in self.matches.values())

    def submission(self, item: Item) -> Submission:
        return Submission(
            rubric=self.rubric,
            prompt=item.prompt or "",
            response=item.response or "",
            reference=item.reference,
            facts=item.facts,
            judge=self.judge.name,
        )

    @property
    def heading(self) -> Heading:
        return Heading(
            judge=self.judge.name,
            fingerprint=self.judge.fingerprint,
            rubric=self.rubric.digest,
            labels=self.labels.digest,
            split=self.split,
            maps=self.maps.id if self.maps else None,
        )


@dataclass(frozen=True)
class RunResult:
    """``labels``: the people's rows and the judge's. ``calibration``: the record for the store."""

    labels: LabelSet
    calibration: Calibration
    resumed: int = 0


@dataclass
class _Running:
    task: CalibrationTask
    scorer: Scorer
    writer: RowWriter
    places: asyncio.Semaphore
    journal: Journal | None
    advance: Callable[[], None]
    meter: Meter | None = None
    rows: dict[str, ItemRows] = field(default_factory=dict)

    async def judge(self, item: Item, labelled: Sequence[str]) -> None:
        async with self.places:
            if self.meter is not None and self.meter.reached() is not None:
                return
            submission = self.task.submission(item)
            judgment = await score_item(self.scorer, submission, Terms(Priority.BATCH))
        require_paid((*(verdict.error for verdict in judgment.verdicts), judgment.error))
        found = self.writer.rows_of(item.id, labelled, judgment)
        self.rows[item.id] = found
        if self.meter is not None:
            asked = sum(not verdict.cached for verdict in judgment.verdicts if verdict.criterion in labelled)
            self.meter.add(judgment.usage, asked)
        if self.journal is not None:
            self.journal.add(found)
        self.advance()


async def run(
    scorer: Scorer,
    task: CalibrationTask,
    *,
    journal: Journal | None = None,
    advance: Callable[[], None] = lambda: None,
    concurrency: int = 64,
    meter: Meter | None = None,
) -> RunResult:
    """Judge every item that people labelled. ``advance`` is called for each; items in the ``journal`` are not asked
    again.

    Raises BadInput for items without text, for criteria that cannot be measured, and for labelled criteria whose
    conditions hold on no labelled item. A failure of the judge becomes an empty label with a typed reason. Raises
    BudgetSpent if who asks has nothing left to spend, and LimitReached if a limit of the ``meter`` is reached, before
    every item was judged; what was judged is in the journal.
    """
    rows, known = await _judged(scorer, task, journal, advance, concurrency, meter)
    measured = _beside(task, rows)
    record = await asyncio.to_thread(_record, task, measured, rows)  # computing intervals takes long
    return RunResult(measured, record, known)


async def judged(
    scorer: Scorer,
    task: CalibrationTask,
    *,
    journal: Journal | None = None,
    advance: Callable[[], None] = lambda: None,
    concurrency: int = 64,
    meter: Meter | None = None,
) -> LabelSet:
    """As ``run``, without figures: people's rows and the judge's."""
    rows, _ = await _judged(scorer, task, journal, advance, concurrency, meter)
    return _beside(task, rows)


async def _judged(
    scorer: Scorer,
    task: CalibrationTask,
    journal: Journal | None,
    advance: Callable[[], None],
    concurrency: int,
    meter: Meter | None,
) -> tuple[list[ItemRows], int]:
    """The rows of each item, and how many were in the journal."""
    labelled = _labelled(task)
    items = labelled_items(task)
    known = {name: rows for name, rows in (journal.known if journal else {}).items() if name in labelled}
    writer = RowWriter(task.judge.name, task.matches, task.maps, _clusters(task.labels))
    running = _Running(task, scorer, writer, asyncio.Semaphore(concurrency), journal, advance, meter, dict(known))
    for _ in known:
        advance()
    async with task_group() as group:
        for item in items:
            if item.id not in known:
                group.create_task(running.judge(item, labelled[item.id]))
    if meter is not None and len(running.rows) < len(items):
        meter.require()
    return [running.rows[item.id] for item in items], len(known)


def labelled_items(task: CalibrationTask) -> list[Item]:
    """The items that people labelled, in order. Raises BadInput as ``run``."""
    labelled = _labelled(task)
    items = _with_text(task.labels, labelled)
    _require_applicable(task, items, labelled)
    return items


def _labelled(task: CalibrationTask) -> dict[str, list[str]]:
    """The criteria that people labelled on each item, in the rubric's order; where they only abstained, as in the cells
    that a sheet prefills with n/a, or had seen what a judge said, nothing is asked. Raises BadInput for one of step
    scope, and if everybody had seen what a judge said."""
    steps = [name for name, match in task.matches.items() if getattr(match.criterion, "scope", "") == "step"]
    if steps:
        raise BadInput(
            f"{', '.join(steps)} judges steps, and labels are about whole responses.",
            remedy="Leave these criteria out of the labels, or measure a version with another scope.",
        )
    table = given_blind(task.labels).table
    human = table.people & (table.labels.codes >= 0)
    found: dict[str, list[str]] = {}
    for name, matched in task.matches.items():
        if matched.scale.criterion not in table.criteria.names:
            continue
        here = human & (table.criteria.codes == table.criteria.index(matched.scale.criterion))
        for code in np.unique(table.items.codes[here]):
            found.setdefault(table.items.names[code], []).append(name)
    return found


def _with_text(labels: LabelSet, labelled: Mapping[str, Sequence[str]]) -> list[Item]:
    """Raises BadInput naming the items without a prompt or a response."""
    items = [labels.items.get(name, Item(id=name)) for name in labelled]
    bare = [item.id for item in items if not (item.prompt or "").strip() or item.response is None]
    if bare:
        more = f" and {len(bare) - 5} more" if len(bare) > 5 else ""
        raise BadInput(
            f"{len(bare)} of {len(items)} items have no text to judge: {', '.join(bare[:5])}{more}.",
            remedy="Give the label file the columns prompt and response (and reference, where the rubric needs one).",
        )
    return items


def _require_applicable(task: CalibrationTask, items: Sequence[Item], labelled: Mapping[str, Sequence[str]]) -> None:
    """Raises BadInput for labelled criteria that the judge would never be asked, because their conditions hold on none
    of the labelled items."""
    open_: dict[str, int] = Counter(name for names in labelled.values() for name in names)
    for item in items:
        if not open_:
            return
        try:
            planned = plan(task.submission(item), task.rubric, asked=_not_asked_yet(task.rubric, item))
            asked = {leaf.id for leaf in (*planned.applicable, *planned.undecided)}
        except BadSubmission:
            asked = set(labelled[item.id])  # scoring this item reports the error
        open_ = {name: count for name, count in open_.items() if name not in asked.intersection(labelled[item.id])}
    if open_:
        named = ", ".join(f"{name!r} (labelled on {count} items)" for name, count in open_.items())
        raise BadInput(
            f"The judge would never be asked {named}: a condition of {task.rubric.name} holds on none of these items.",
            remedy="Add the facts that the conditions read as columns facts.NAME, or leave these criteria out.",
        )


def _not_asked_yet(rubric: Rubric, item: Item) -> list[FoundFact]:
    """Facts that a judge will be asked for: what depends on them may apply."""
    known = rubric.fact_reader.read(item.facts).facts
    later = Failure(type="not_asked_yet", detail="The judge is asked when the item is scored.")
    return [
        FoundFact(name=fact.name, source="judge", status="unavailable", error=later)
        for fact in rubric.facts_to_ask
        if value_in(known, fact.name) is None
    ]


def _clusters(labels: LabelSet) -> dict[str, str]:
    table = labels.table
    codes, first = np.unique(table.items.codes, return_index=True)
    return {
        table.items.names[code]: table.clusters.names[table.clusters.codes[row]]
        for code, row in zip(codes, first, strict=True)
    }


def _beside(task: CalibrationTask, found: Sequence[ItemRows]) -> LabelSet:
    """People's rows and other judges', with this judge's new ones. If a criterion is binary and people used more than
    two classes, all but the positive one are merged into one."""
    by_criterion = {match.scale.criterion: match for match in task.matches.values()}
    kept: list[Label] = []
    for label in task.labels.table:
        match = by_criterion.get(label.criterion)
        if match is None or label.annotator == task.judge.name:
            continue
        said = label.label if label.label is None else match.collapsed(label.label)
        kept.append(label.model_copy(update={"label": said}))
    rows = [row for one in found for row in one.rows]
    scales = tuple(
        _scale(by_criterion[scale.criterion]) for scale in task.labels.scales if scale.criterion in by_criterion
    )
    judges = {**task.labels.judges, task.judge.name: task.judge.kind}
    return replace(task.labels, scales=scales, table=table_of([*kept, *rows]), judges=judges, rubric=task.rubric)


def _scale(match: Match) -> CriterionScale:
    if match.positive is None or len(match.scale.classes) <= 2:
        return match.scale
    classes = (match.other(), match.positive)
    return CriterionScale(criterion=match.scale.criterion, kind="binary", classes=classes, positive=match.positive)


def _record(task: CalibrationTask, measured: LabelSet, found: Sequence[ItemRows]) -> Calibration:
    labels = task.labels
    return Calibration(
        id=f"cal_{secrets.token_hex(8)}",
        judge=task.judge.model_copy(update={"calibration": task.maps.id if task.maps else None}),
        rubric=task.rubric.reference,
        labels=LabelsReference(id=labels.id, version=labels.version, digest=task.whole_digest or labels.digest),
        split=task.split,
        items=len(found),
        rows=rows_digest(measured, task.judge.name),
        statuses=dict(Counter(status for one in found for status in one.statuses)),
        failures=dict(Counter(kind for one in found for kind in one.failures)),
        unmeasured=unlabelled(task.rubric, {name for names in _labelled(task).values() for name in names}),
        mapping=task.mapping,
        summary=summary_of(measured, task.judge.name),
        created_at=datetime.now(UTC),
    )
