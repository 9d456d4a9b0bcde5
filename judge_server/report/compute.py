"""Computes the report from a label set: humans among themselves, each judge against them, by criterion and overall."""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field, replace
from functools import partial

import numpy as np

from judge_server.agreement.human import human_agreement
from judge_server.agreement.judge import Measurement, judge_agreement
from judge_server.agreement.metric import Estimate
from judge_server.calibration.bias import BiasPanel, bias_panel
from judge_server.calibration.disagreement import Disagreement, disagreements
from judge_server.calibration.headline import ceiling_gap, headline_metric, sentence, standing
from judge_server.calibration.panels import Scaled, View, groups, scaled, view, views
from judge_server.calibration.preference_pair import mirrors, position_effects
from judge_server.calibration.readings import Readings, present, readings, require_asked
from judge_server.core.errors import BadInput
from judge_server.core.rubric import Rubric
from judge_server.labels.label_set import LabelSet
from judge_server.report.dangers import DangerEvidence, danger, danger_evidence
from judge_server.report.detail import human_detail, judge_detail
from judge_server.report.model import (
    CriterionTrust,
    Detail,
    JudgeSummary,
    JudgeVerdict,
    Method,
    Metrics,
    MissingLabels,
    Report,
    Side,
    Subject,
)
from judge_server.report.slicing import by_annotator, by_band, by_tag
from judge_server.report.tables import metric_of, pairwise_name
from judge_server.report.trust import held_to_danger, missing_labels, trust
from judge_server.report.worst import worst_criterion

OVERALL = ""
Progress = Callable[[int, int, str], None]


@dataclass(frozen=True)
class ReportContent:
    """The requested content of a report. ``judges`` and ``criteria``: None takes all. ``rubric``: says what the
    criteria state and which name a danger; None takes the one that the labels carry."""

    measurement: Measurement = field(default_factory=Measurement)
    judges: tuple[str, ...] | None = None
    criteria: tuple[str, ...] | None = None
    split: str = "all"
    disagreements: int = 50
    rubric: Rubric | None = None


def silent(done: int, total: int, what: str) -> None:
    """No progress is shown."""


def compute(labels: LabelSet, wish: ReportContent | None = None, progress: Progress = silent) -> Report:
    """Compute the report. Raises ``BadInput`` for a label set without humans' labels, for an unknown judge or
    criterion, and if an annotator rated an item twice.
    """
    wish = wish or ReportContent()
    parts = readings(chosen(labels, wish))
    require_asked(parts.judged, present(parts.judged, "judge"))
    report = _Work(parts.judged, wish, progress).report()
    return report.model_copy(update={"checks": checks(parts, wish)})


def checks(parts: Readings, wish: ReportContent) -> dict[str, Metrics]:
    """Agreement of programs with people, by criterion; kept apart from judges' figures."""
    found: dict[str, Metrics] = {}
    if parts.checked is not None:
        for seen in views(parts.checked):
            for program in seen.panel.judges:
                found[seen.criteria[0]] = judge_agreement(seen.panel, program, wish.measurement)
    return found


def chosen(labels: LabelSet, wish: ReportContent) -> LabelSet:
    """The label set with the requested judges and criteria only."""
    table = labels.table
    people, machines = present(labels, "human"), present(labels, "judge")
    if not people:
        raise BadInput(
            "No row has the role human: there are no labels by people to measure a judge against.",
            remedy="Mark the people's rows with role human, or give --human NAME where the file has no roles.",
        )
    keep = np.ones(len(table), dtype=np.bool_)
    if wish.judges is not None:
        known(wish.judges, machines, "judge")
        gone = [place for place, name in enumerate(table.annotators.names) if name in {*machines} - {*wish.judges}]
        keep &= ~np.isin(table.annotators.codes, gone)
    if wish.criteria is not None:
        known(wish.criteria, table.criteria.names, "criterion")
        keep &= np.isin(table.criteria.codes, [table.criteria.index(name) for name in wish.criteria])
    return labels if keep.all() else replace(labels, table=table.select(keep))


def known(wished: Sequence[str], names: Sequence[str], what: str) -> None:
    for name in wished:
        if name not in names:
            raise BadInput(
                f"There is no {what} {name!r} in these labels.", remedy=f"There is {', '.join(names) or 'none'}."
            )


@dataclass
class _Gathered:
    """Results of criteria so far, for the people or for one judge."""

    criteria: dict[str, Metrics] = field(default_factory=dict)
    details: dict[str, Detail] = field(default_factory=dict)
    gap: Metrics = field(default_factory=dict)
    disagreements: list[Disagreement] = field(default_factory=list)
    missing: dict[str, MissingLabels] = field(default_factory=dict)
    trust: list[CriterionTrust] = field(default_factory=list)
    dangers: list[DangerEvidence] = field(default_factory=list)


class _Work:
    """One computation: criteria one after another, each released after it is measured, then all of a scale pooled."""

    def __init__(self, labels: LabelSet, wish: ReportContent, progress: Progress) -> None:
        self.labels, self.wish, self.progress = labels, wish, progress
        self.how = wish.measurement
        self.judges = present(labels, "judge")
        self.rubric = wish.rubric or labels.rubric
        self.leaves = {} if self.rubric is None else self.rubric.by_id
        self.swapped = mirrors(labels.table.items.names)
        self.people, self.found = _Gathered(), {judge: _Gathered() for judge in self.judges}
        self.subjects: dict[str, str] = {}
        self.notes: list[str] = []
        scales = scaled(labels)
        self.groups = sorted(groups(scales), key=len, reverse=True)
        self.done = 0
        self.total = (1 + len(self.judges)) * (len(scales) + (len(self.groups) if len(scales) > 1 else 0) + 1)
        self.pooled = [self.single(own) for own in scales] if len(scales) == 1 else self.several(scales)

    def step(self, what: str) -> None:
        self.done += 1
        self.progress(self.done, self.total, what)

    def several(self, scales: Sequence[Scaled]) -> list[View]:
        for own in scales:
            self.single(own)
        return [view(self.labels, group) for group in self.groups]

    def single(self, own: Scaled) -> View:
        """All results of one criterion."""
        seen, name = view(self.labels, [own]), own.criterion
        self.subjects[name] = scale_name(seen)
        self.notes += [f"{name}: {seen.note}."] if seen.note else []
        self.people.criteria[name] = self.measured_people(seen)
        self.people.details[name] = human_detail(seen)
        for judge in seen.panel.judges:
            found = self.found[judge]
            found.criteria[name] = self.measured(seen, judge)
            found.details[name] = judge_detail(seen, judge, self.how.bins)
            found.gap[name] = ceiling_gap(seen, judge, self.how.resampling)
            found.disagreements += disagreements(self.labels, [seen], judge, self.wish.disagreements)
            self.first_said(seen, judge)
        return seen

    def first_said(self, seen: View, judge: str) -> None:
        """What the first screen says about this criterion."""
        found, name = self.found[judge], seen.criteria[0]
        lacking = missing_labels(seen, judge, self.how.resampling)
        if lacking is not None:
            found.missing[name] = lacking
        leaf, detail, metrics = self.leaves.get(name), found.details[name], found.criteria[name]
        figure = metrics.get(pairwise_name(metric_of(detail, metrics)), Estimate(note="there is no figure"))
        said = trust(seen, judge, figure, detail, lacking, leaf.statement if leaf else None)
        if leaf is not None and (dangers := danger_evidence(seen, judge, leaf)) is not None:
            found.dangers.append(dangers)
            own = danger([dangers], self.how.resampling.confidence)
            said = said if own is None else held_to_danger(said, own)
        found.trust.append(said)

    def measured_people(self, seen: View) -> Metrics:
        self.step("people")
        return human_agreement(seen.panel, self.how, seen.strata)

    def measured(self, seen: View, judge: str) -> Metrics:
        self.step(judge)
        if judge not in seen.panel.judges:
            return {}
        found = judge_agreement(seen.panel, judge, self.how, seen.strata)
        return found | position_effects(seen, judge, self.swapped, self.how.resampling)

    def report(self) -> Report:
        humans = self.human_side()
        sides = {judge: self.judge_side(judge) for judge in self.judges}
        return Report(
            subject=self.subject(),
            method=self.method(),
            humans=humans,
            judges=sides,
            summaries={judge: self.summary(judge) for judge in self.judges},
            verdicts={judge: self.verdict(judge, side, humans) for judge, side in sides.items()},
            bias={judge: self.bias(judge, side) for judge, side in sides.items()},
            disagreements={
                judge: first(found.disagreements, self.wish.disagreements) for judge, found in self.found.items()
            },
            warnings=tuple(self.warnings()),
        )

    def summary(self, judge: str) -> JudgeSummary:
        found = self.found[judge]
        return JudgeSummary(
            kind=self.labels.judges.get(judge),
            criteria=tuple(found.trust),
            danger=danger(found.dangers, self.how.resampling.confidence),
            rubric_known=bool(self.statements()),
        )

    def statements(self) -> dict[str, str]:
        return {name: self.leaves[name].statement for name in self.subjects if name in self.leaves}

    def human_side(self) -> Side:
        overall, scales = self.together(self.people.criteria, self.measured_people)
        self.step("people one by one")
        return Side(
            overall=overall,
            criteria=self.people.criteria,
            scales=scales,
            annotators=by_annotator(self.pooled, None, self.how),
            details=self.people.details,
            overall_detail=human_detail(self.pooled[0]) if len(self.pooled) == 1 else None,
        )

    def judge_side(self, judge: str) -> Side:
        found = self.found[judge]
        overall, scales = self.together(found.criteria, partial(self.measured, judge=judge))
        whole = self.pooled[0] if len(self.pooled) == 1 and judge in self.pooled[0].panel.judges else None
        gap = dict(found.gap)
        if whole is not None:
            only = next(iter(found.gap.values()))
            gap[OVERALL] = only if len(self.subjects) == 1 else ceiling_gap(whole, judge, self.how.resampling)
        self.step(f"{judge}: slices")
        return Side(
            overall=overall,
            criteria=found.criteria,
            scales=scales,
            tags=by_tag(self.labels, self.pooled, judge, self.how),
            bands=by_band(self.pooled, judge, self.how),
            annotators=by_annotator(self.pooled, judge, self.how),
            details=found.details,
            overall_detail=judge_detail(whole, judge, self.how.bins) if whole is not None else None,
            gap=gap,
            missing=self.missing(found, whole, judge),
        )

    def missing(self, found: _Gathered, whole: View | None, judge: str) -> dict[str, MissingLabels]:
        """By criterion, and over all of them if they have one scale."""
        lacking = None if whole is None else missing_labels(whole, judge, self.how.resampling)
        return found.missing if lacking is None else found.missing | {OVERALL: lacking}

    def together(
        self, criteria: dict[str, Metrics], measure: Callable[[View], Metrics]
    ) -> tuple[Metrics, dict[str, Metrics]]:
        """Overall, and by scale if the criteria have several."""
        if len(self.subjects) == 1:
            return next(iter(criteria.values()), {}), {}
        if len(self.pooled) == 1:
            return measure(self.pooled[0]), {}
        names = [scale_name(seen) for seen in self.pooled]
        scales = {name: measure(seen) for name, seen in zip(names, self.pooled, strict=True)}
        note = f"the criteria have {len(names)} scales: see the figures by criterion or by scale"
        every = {metric for found in (*scales.values(), *criteria.values()) for metric in found if "[" not in metric}
        return {metric: Estimate(note=note) for metric in sorted(every)}, scales

    def bias(self, judge: str, side: Side) -> BiasPanel:
        position: Metrics = {}
        for found in side.criteria.values():
            position |= {
                name: value for name, value in found.items() if name in {"swap_consistency", "first_shown_rate"}
            }
        return bias_panel(self.labels, self.pooled, judge, position, self.how.resampling)

    def verdict(self, judge: str, side: Side, humans: Side) -> JudgeVerdict:
        seen = next((seen for seen in self.pooled if judge in seen.panel.judges), self.pooled[0])
        metric = headline_metric(seen)
        one = len(self.pooled) == 1
        found = side.overall if one else side.scales.get(scale_name(seen), {})
        people = humans.overall if one else humans.scales.get(scale_name(seen), {})
        name = metric if metric == "pearson" else f"{metric}_pairwise"
        nothing = Estimate(note="this judge rated no item")
        own, ceiling = found.get(name, nothing), people.get(name, people.get(metric, nothing))
        gap = side.gap.get(OVERALL) or ceiling_gap(seen, judge, self.how.resampling)
        text = missed(side.overall_detail) + sentence(metric, judge, own, ceiling, gap)
        if not one:
            text = f"{', '.join(seen.criteria)}: {text}"
        return JudgeVerdict(
            standing=standing(own, gap),
            metric=name,
            text=text,
            judge=own,
            humans=ceiling,
            gap=gap,
            needed=own.needed or gap.needed,
            worst=worst_criterion(side, humans.criteria, self.statements()),
        )

    def subject(self) -> Subject:
        table, labels = self.labels.table, self.labels
        return Subject(
            id=labels.id,
            version=labels.version,
            digest=labels.digest,
            provenance=labels.provenance,
            split=self.wish.split,
            labels=len(table),
            items=len(np.unique(table.items.codes)),
            clusters=len(np.unique(table.clusters.codes)),
            criteria=self.subjects,
            statements=self.statements(),
            humans=present(labels, "human"),
            judges=self.judges,
        )

    def method(self) -> Method:
        resampling = self.how.resampling
        return Method(
            replicates=resampling.replicates,
            confidence=resampling.confidence,
            seed=resampling.seed,
            min_clusters=resampling.min_clusters,
            min_items=resampling.min_items,
            epsilon=self.how.alternative.epsilon,
            bins=self.how.bins,
        )

    def warnings(self) -> Iterator[str]:
        yield from self.labels.notes
        yield from self.notes
        if len(present(self.labels, "human")) == 1:
            yield "One person labelled: agreement among people is undefined, so there is no human ceiling."
        if not self.judges:
            yield "There are no labels by a judge: only agreement among the people is measured."
        if self.labels.provenance.nature == "authored":
            yield "These labels are authored examples, not experts' labels: they show how the commands work."


def missed(detail: Detail | None) -> str:
    """How often what people called positive was missed, and how often the judge alone called it so, in counts."""
    if detail is None or detail.positive is None or len(detail.labels) != 2 or not detail.confusion:
        return ""
    place = detail.labels.index(detail.positive)
    met, unmet = detail.confusion[place], detail.confusion[1 - place]
    said = f"Of {sum(met):,} that people called {detail.positive} it missed {met[1 - place]:,}; "
    return said + f"of {sum(unmet):,} that they did not, it called {unmet[place]:,} so. "


def first(found: list[Disagreement], limit: int) -> tuple[Disagreement, ...]:
    """The clearest disagreements over all criteria."""
    return tuple(sorted(found, key=lambda each: (-each.severity, -each.unanimity, -len(each.humans)))[:limit])


def scale_name(seen: View) -> str:
    """The scale in words: binary (no, yes)."""
    labels = seen.scale.labels
    shown = ", ".join(labels) if len(labels) <= 7 else f"{labels[0]} … {labels[-1]}"
    return f"{seen.kind} ({shown})"
