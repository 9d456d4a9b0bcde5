"""The computed report: every number with its interval or reason, independent of layout.

``humans`` and ``judges[NAME]`` hold the metrics by name under ``overall`` and ``criteria[ID]``. Counts, confusion
matrices and reliability curves have their own fields.
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


class Side(Frozen):
    """Results of the humans among themselves, or of one judge against them.

    ``scales``: criteria pooled by scale, if there are several scales. ``tags``: by tag of the item. ``annotators``:
    each human against the others, or the judge against each human. ``gap``: the judge's headline metric less the
    humans' own, on the items that at least two humans and the judge rated; by criterion, and ``""`` overall.
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
    """The measured label set and the part of it that was read."""

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
    verdicts: dict[str, JudgeVerdict]
    bias: dict[str, BiasPanel] = Field(default_factory=dict)
    checks: dict[str, Metrics] = Field(default_factory=dict)
    disagreements: dict[str, tuple[Disagreement, ...]] = Field(default_factory=dict)
    previous: tuple[MetricChange, ...] = ()
    warnings: tuple[str, ...] = ()
