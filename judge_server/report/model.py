"""The computed report: every number with its interval or reason, independent of layout.

``humans`` and ``judges[NAME]`` hold the metrics by name under ``overall`` and ``criteria[ID]``. Counts, confusion
matrices and reliability curves have their own fields.
"""

from typing import Literal

from pydantic import Field

from judge_server.agreement.description import CommonestLabel
from judge_server.agreement.metric import Estimate
from judge_server.agreement.probability import ReliabilityBin
from judge_server.calibration.bias import BiasPanel
from judge_server.calibration.comparison import MetricChange
from judge_server.calibration.disagreement import Disagreement
from judge_server.core.model import Frozen
from judge_server.labels.label import Kind
from judge_server.labels.label_set import Provenance

Metrics = dict[str, Estimate]


class SideCounts(Frozen):
    """Counts of one side's input. ``items``: items with at least one usable label.

    ``coverage``: the share of the items with a human label on which the judge gave a usable one; None for humans.
    """

    rows: int
    usable: int
    abstained: int
    invalid: int
    items: int
    coverage: float | None = None


class Detail(Frozen):
    """Details behind a judge's or the humans' metrics of one criterion, or of all pooled.

    ``confusion``: counts with the humans' majority in the rows and the judge in the columns; for the humans, each human
    against each other, in both orders. ``tied``: items without a majority.
    """

    kind: Kind
    labels: tuple[str, ...]
    positive: str | None = None
    counts: SideCounts
    confusion: tuple[tuple[int, ...], ...] = ()
    reference_rates: tuple[float, ...] | None = None
    rates: tuple[float, ...] | None = None
    tied: int = 0
    baseline: CommonestLabel | None = None
    reliability: tuple[ReliabilityBin, ...] = ()


class MissingLabels(Frozen):
    """What a judge's missing labels could change: its headline figure if each of them were wrong, and if each were
    right (the bounds of Manski 1990, Am. Econ. Rev. 80:319). ``items``: those that people labelled."""

    missing: int
    items: int
    wrong: Estimate
    right: Estimate


class Side(Frozen):
    """Results of the humans among themselves, or of one judge against them.

    ``scales``: criteria pooled by scale, if there are several scales. ``tags``: by tag of the item. ``bands``: by the
    judge's mean rating of the item, from 0 to 1. ``annotators``: each human against the others, or the judge against
    each human. ``gap``: the judge's headline metric less the humans' own, on the items that at least two humans and
    the judge rated; by criterion, and ``""`` overall. ``missing``: likewise, where the judge lacks labels.
    """

    overall: Metrics
    criteria: dict[str, Metrics]
    scales: dict[str, Metrics] = Field(default_factory=dict)
    tags: dict[str, Metrics] = Field(default_factory=dict)
    bands: dict[str, Metrics] = Field(default_factory=dict)
    annotators: dict[str, Metrics] = Field(default_factory=dict)
    overall_detail: Detail | None = None
    details: dict[str, Detail] = Field(default_factory=dict)
    gap: dict[str, Estimate] = Field(default_factory=dict)
    missing: dict[str, MissingLabels] = Field(default_factory=dict)


Trust = Literal["trusted", "bad", "unproven"]


class CriterionTrust(Frozen):
    """Whether a judge may be trusted on one criterion, by what the gate demands of a single criterion.

    ``seen``: the agreement in counts. ``reason``: why it is not trusted, empty if it is. ``more``: how many further
    answers people would have to label for a conclusion at the present agreement; None if that cannot be known.
    """

    criterion: str
    statement: str | None = None
    trust: Trust
    seen: str
    reason: str = ""
    more: int | None = None


class DangerCounts(Frozen):
    """How a judge did where people found a danger. ``cases``: answers in which their majority did; ``missed``: those
    of them that the judge called safe; ``silent``: those on which it gave no verdict. ``clear``: answers in which
    people's majority found none; ``alarms``: those of them in which the judge saw one. ``split``: answers on which
    people had no majority."""

    cases: int
    missed: int
    silent: int
    clear: int
    alarms: int
    split: int


class DangerCriterion(Frozen):
    """The counts of one criterion that names a danger."""

    criterion: str
    statement: str | None = None
    counts: DangerCounts


class Danger(Frozen):
    """How often danger was missed, over all criteria that name one. ``low`` and ``high``: the interval of the share
    missed, clustered by prompt; None with too few cases."""

    criteria: tuple[DangerCriterion, ...]
    counts: DangerCounts
    low: float | None = None
    high: float | None = None


class JudgeSummary(Frozen):
    """What the first screen says about one judge. ``kind``: in words, None if the labels do not say it. ``danger``:
    None if no criterion is known to name a danger. ``rubric_known``: whether a rubric said which do."""

    kind: str | None = None
    criteria: tuple[CriterionTrust, ...]
    danger: Danger | None = None
    rubric_known: bool = False


class WorstCriterion(Frozen):
    """The criterion on which a judge is furthest from people. ``statement``: None if it is not known here."""

    criterion: str
    statement: str | None = None
    text: str
    judge: Estimate
    humans: Estimate
    gap: Estimate


class JudgeVerdict(Frozen):
    """The verdict as a sentence (``text``, on ``metric``) and as a word (``standing``).

    ``level``: the judge agrees with people as they do with each other; ``above``: better than they do; ``short``:
    clearly worse; ``unclear``: the interval includes both; ``alone``: there is no human ceiling; ``unknown``: too
    little data, and ``needed`` says how many prompts or items it takes. ``worst``: None for a single criterion.
    """

    standing: str = Field(pattern="^(level|above|short|unclear|alone|unknown)$")
    metric: str
    text: str
    judge: Estimate
    humans: Estimate
    gap: Estimate
    needed: int | None = None
    worst: WorstCriterion | None = None


class Subject(Frozen):
    """The measured label set and the part of it that was read. ``statements``: of the criteria whose rubric is
    known."""

    id: str
    version: str
    digest: str
    provenance: Provenance
    split: str
    labels: int
    items: int
    clusters: int
    criteria: dict[str, str]
    statements: dict[str, str] = Field(default_factory=dict)
    humans: tuple[str, ...]
    judges: tuple[str, ...]


class Method(Frozen):
    """The method of the intervals."""

    replicates: int
    confidence: float
    seed: int
    min_clusters: int
    min_items: int
    epsilon: float
    bins: int


class Report(Frozen):
    """The content of all documents. ``checks``: criteria that programs answer, kept apart from judges' figures.
    ``previous``: changes since the previous report."""

    format: int = 1
    subject: Subject
    method: Method
    humans: Side
    judges: dict[str, Side]
    summaries: dict[str, JudgeSummary] = Field(default_factory=dict)
    verdicts: dict[str, JudgeVerdict]
    bias: dict[str, BiasPanel] = Field(default_factory=dict)
    checks: dict[str, Metrics] = Field(default_factory=dict)
    disagreements: dict[str, tuple[Disagreement, ...]] = Field(default_factory=dict)
    previous: tuple[MetricChange, ...] = ()
    warnings: tuple[str, ...] = ()
