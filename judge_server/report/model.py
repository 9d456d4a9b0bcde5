"""The computed report: every number with its interval or its reason, nothing about how it looks.

``humans`` and ``judges[NAME]`` hold the metrics by name under ``overall`` and ``criteria[ID]``. What is no metric
(counts, confusion matrices, reliability curves) stands beside them under names of its own.
"""

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
    """What came in from one side, before anything is measured. ``items``: items with at least one usable label.

    ``coverage``: the share of the items with a human label on which the judge gave a usable one; None for humans.
    """

    rows: int
    usable: int
    abstained: int
    invalid: int
    items: int
    coverage: float | None = None


class Detail(Frozen):
    """What stands behind a judge's or the humans' metrics of one criterion, or of all of them pooled.

    ``confusion``: counts with the humans' majority in the rows and the judge in the columns; for the humans, each human
    against each other one, both ways round. ``tied``: items without a majority.
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


class Side(Frozen):
    """The humans among themselves, or one judge against them.

    ``scales``: criteria pooled scale by scale, if there is more than one scale. ``tags``: by tag of the item.
    ``annotators``: each human against the others, or the judge against each human. ``gap``: the judge's headline metric
    less the humans' own, on the items that at least two humans and the judge rated; by criterion, and ``""`` overall.
    """

    overall: Metrics
    criteria: dict[str, Metrics]
    scales: dict[str, Metrics] = Field(default_factory=dict)
    tags: dict[str, Metrics] = Field(default_factory=dict)
    annotators: dict[str, Metrics] = Field(default_factory=dict)
    overall_detail: Detail | None = None
    details: dict[str, Detail] = Field(default_factory=dict)
    gap: dict[str, Estimate] = Field(default_factory=dict)


class WorstCriterion(Frozen):
    """The criterion on which a judge is furthest from people. ``statement``: None if it is not known here."""

    criterion: str
    statement: str | None = None
    text: str
    judge: Estimate
    humans: Estimate
    gap: Estimate


class JudgeVerdict(Frozen):
    """The answer in a sentence. ``metric`` is what ``text`` speaks of; ``standing`` in a word.

    ``level``: the judge agrees with people as they do with each other; ``above``: better than they do; ``short``: it
    falls short for sure; ``unclear``: the interval cannot tell; ``alone``: there is no human ceiling; ``unknown``: too
    little was seen to say, and ``needed`` says how many prompts or items it would take. ``worst``: None for a single
    criterion.
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
    """What was measured: the label set and the part of it that was read."""

    id: str
    version: str
    digest: str
    provenance: Provenance
    split: str
    labels: int
    items: int
    clusters: int
    criteria: dict[str, str]
    humans: tuple[str, ...]
    judges: tuple[str, ...]


class Method(Frozen):
    """How intervals were made."""

    replicates: int
    confidence: float
    seed: int
    min_clusters: int
    min_items: int
    epsilon: float
    bins: int


class Report(Frozen):
    """Everything the documents say. ``checks``: criteria that programs answer, outside every figure of a judge.
    ``previous``: changes since the report given as the previous one."""

    format: int = 1
    subject: Subject
    method: Method
    humans: Side
    judges: dict[str, Side]
    verdicts: dict[str, JudgeVerdict]
    bias: dict[str, BiasPanel] = Field(default_factory=dict)
    checks: dict[str, Metrics] = Field(default_factory=dict)
    disagreements: dict[str, tuple[Disagreement, ...]] = Field(default_factory=dict)
    previous: tuple[MetricChange, ...] = ()
    warnings: tuple[str, ...] = ()
