"""The tables of the report as plain text, shared by all documents."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from judge_server.agreement.metric import Estimate
from judge_server.calibration.bias import BiasPanel
from judge_server.calibration.headline import NAMES, spoken, standing
from judge_server.report.model import CriterionTrust, Detail, Metrics, Report, Side, SideCounts
from judge_server.util.wording import plain

PEOPLE = "people"
BAND = "judge's mean rating of the item"
STANDINGS = {
    "short": "below people",
    "above": "above people",
    "level": "level with people",
    "unclear": "cannot be told yet",
    "alone": "no human ceiling",
    "unknown": "not enough evidence",
}
HEADLINE = {
    "cohen_kappa_pairwise": "κ with each person",
    "cohen_kappa_quadratic_pairwise": "κ with each person, quadratic weights",
    "cohen_kappa": "κ with the majority",
    "cohen_kappa_linear": "κ with the majority, linear weights",
    "cohen_kappa_quadratic": "κ with the majority, quadratic weights",
    "raw_agreement": "raw agreement",
    "accuracy": "accuracy",
    "balanced_accuracy": "balanced accuracy",
    "f1_macro": "macro F1",
    "f1_pairwise_balanced": "balanced F1 over pairs (HealthBench)",
    "false_positive_rate": "false-positive rate",
    "youden_j": "Youden's J",
    "fleiss_kappa": "Fleiss' κ",
    "krippendorff_alpha_nominal": "Krippendorff's α, nominal",
    "krippendorff_alpha_ordinal": "Krippendorff's α, ordinal",
    "krippendorff_alpha_interval": "Krippendorff's α, interval",
    "gwet_ac1": "Gwet's AC1",
    "gwet_ac2_quadratic": "Gwet's AC2, quadratic weights",
    "icc": "intraclass correlation ICC(2,1)",
    "pearson": "Pearson's r, pooled",
    "spearman": "Spearman's ρ, pooled",
    "kendall_tau_b": "Kendall's τ-b, pooled",
    "spearman_per_item": "Spearman's ρ within a prompt",
    "kendall_tau_b_per_item": "Kendall's τ-b within a prompt",
    "rmse": "root mean squared error",
    "mae": "mean absolute error",
    "brier": "Brier score",
    "ece": "expected calibration error",
    "calibration_error": "calibration error beyond chance",
    "calibration_slope": "calibration slope (1: as sure as it may be)",
    "calibration_intercept": "calibration intercept (0: right on average)",
    "auc": "area under the ROC curve",
    "alt_test_winning_rate": "alternative-annotator test: winning rate ω",
    "alt_test_winning_rate_coin": "the same of a coin",
    "alt_test_winning_rate_commonest": "the same of the commonest answer",
    "alt_test_advantage": "alternative-annotator test: advantage ρ",
    "preference_accuracy": "preference accuracy, ties as a class",
    "preference_accuracy_without_ties": "preference accuracy without ties",
    "swap_consistency": "same verdict when answers swap places",
    "first_shown_rate": "prefers the answer shown first",
}
ORDERED_ONLY = {
    name for name in HEADLINE if name.endswith(("linear", "quadratic", "quadratic_pairwise", "ordinal", "interval"))
}
CHECKED = ("accuracy", "cohen_kappa", "false_positive_rate")


@dataclass(frozen=True)
class Table:
    """``numeric``: the columns from this one on hold numbers."""

    columns: tuple[str, ...]
    rows: tuple[tuple[str, ...], ...]
    caption: str = ""
    numeric: int = 1


def cell(estimate: Estimate | None) -> str:
    if estimate is None or estimate.value is None:
        return "–"
    return spoken(estimate)


def headline_tables(report: Report) -> Iterator[Table]:
    """All judges and the people: overall, or by scale if criteria have several."""
    scales = report.humans.scales
    if not scales:
        sides = {name: side.overall for name, side in report.judges.items()}
        yield headline_table(sides, report.humans.overall, report)
        return
    for scale in scales:
        names = ", ".join(name for name, own in report.subject.criteria.items() if own == scale)
        sides = {name: side.scales.get(scale, {}) for name, side in report.judges.items()}
        yield headline_table(sides, scales[scale], report, f"{names}: {scale}" if names else scale)


def headline_table(sides: dict[str, Metrics], people: Metrics, report: Report, caption: str = "") -> Table:
    two = all(len(detail.labels) == 2 for detail in report.humans.details.values())
    rows = [
        (title, cell(people.get(name)), *(cell(found.get(name)) for found in sides.values()))
        for name, title in HEADLINE.items()
        if not (two and name in ORDERED_ONLY)
    ]
    shown = tuple(row for row in rows if any(value != "–" for value in row[1:]))
    return Table(("", PEOPLE, *sides), shown, caption)


TRUST = {"trusted": "may be trusted", "bad": "shown bad", "unproven": "not yet known"}


def criteria_table(report: Report, judge: str) -> Table:
    """One line per criterion: may it be trusted, the judge, the ceiling, the difference."""
    side = report.judges[judge]
    rows = [
        criterion_row(one, report.subject.statements.get(one.criterion), side, report.humans)
        for one in report.summaries[judge].criteria
    ]
    columns = (
        *("criterion", "trust", "more labels", "metric", "judge", "people", "difference", "beside people"),
        *("false positives", "items"),
    )
    return Table(columns, tuple(rows), numeric=4)


def narrow(content: Table, columns: Sequence[str]) -> Table:
    """The table with these columns only, for a terminal."""
    places = [content.columns.index(name) for name in columns]
    rows = tuple(tuple(row[place] for place in places) for row in content.rows)
    return Table(tuple(columns), rows, content.caption, sum(place < content.numeric for place in places))


def missing_table(report: Report, judge: str) -> Table | None:
    """The headline figure as measured, and if each missing label of the judge were wrong or right; None if none is
    missing."""
    side = report.judges[judge]
    rows = []
    for name, found in side.missing.items():
        detail, metrics = (side.details[name], side.criteria[name]) if name else (side.overall_detail, side.overall)
        if detail is not None:
            key = pairwise_name(metric_of(detail, metrics))
            measured = cell(metrics.get(key))
            counts = f"{found.missing:,} of {found.items:,}"
            rows.append((name or "all criteria", counts, measured, cell(found.wrong), cell(found.right)))
    columns = ("criterion", "missing", "as measured", "if they were wrong", "if they were right")
    return Table(columns, tuple(rows), numeric=1) if rows else None


def criterion_row(trust: CriterionTrust, statement: str | None, side: Side, humans: Side) -> tuple[str, ...]:
    name = trust.criterion
    metric = metric_of(side.details[name], side.criteria[name])
    pairwise = pairwise_name(metric)
    found, people = side.criteria[name].get(pairwise, Estimate()), humans.criteria.get(name, {}).get(pairwise)
    gap = side.gap.get(name, Estimate())
    verdict = STANDINGS[standing(found, gap)] if found.value is not None else found.note or "undefined"
    rate = side.criteria[name].get("false_positive_rate")
    return (
        f"{name}: {statement}" if statement else name,
        TRUST[trust.trust],
        "–" if trust.more is None else f"{trust.more:,}",
        NAMES.get(metric, metric),
        cell(found),
        cell(people),
        cell(gap),
        verdict,
        cell(rate),
        f"{side.details[name].counts.items:,}",
    )


def metric_of(detail: Detail, found: Metrics) -> str:
    """The main metric of a criterion, from the computed ones."""
    if detail.kind == "continuous" or not detail.labels:
        return "pearson"
    ordered = len(detail.labels) > 2 and found.get("cohen_kappa_quadratic", Estimate()).value is not None
    return "cohen_kappa_quadratic" if ordered else "cohen_kappa"


def pairwise_name(metric: str) -> str:
    """The metric's name where each rating of a judge is compared with each person's."""
    return metric if metric == "pearson" else f"{metric}_pairwise"


def checks_table(report: Report) -> Table | None:
    """How programs' answers agree with people's; None without any."""
    if not report.checks:
        return None
    rows = tuple(
        (
            criterion,
            *(cell(found.get(name)) for name in CHECKED),
            f"{max((estimate.n for estimate in found.values()), default=0):,}",
        )
        for criterion, found in report.checks.items()
    )
    return Table(("criterion", *(HEADLINE[name] for name in CHECKED), "items"), rows)


def counts_table(report: Report) -> Table:
    """Counts of each side's input, and the score of a constant judge."""
    rows = [counts_row(PEOPLE, report.humans)] + [counts_row(name, side) for name, side in report.judges.items()]
    columns = ("", "rows", "usable", "abstained", "invalid", "items", "coverage", "always the most common label")
    return Table(columns, tuple(rows))


def counts_row(name: str, side: Side) -> tuple[str, ...]:
    details = [side.overall_detail] if side.overall_detail else list(side.details.values())
    total = SideCounts(
        **{
            field: sum(getattr(each.counts, field) for each in details)
            for field in ("rows", "usable", "abstained", "invalid", "items")
        }
    )
    covered = [each.counts.coverage for each in details if each.counts.coverage is not None]
    coverage = f"{sum(covered) / len(covered):.1%}" if covered else "–"
    base = details[0].baseline if len(details) == 1 else None
    baseline = f"{base.label}: accuracy {plain(base.accuracy)}" if base else "–"
    return (
        name,
        *(f"{value:,}" for value in (total.rows, total.usable, total.abstained, total.invalid, total.items)),
        coverage,
        baseline,
    )


def metrics_table(groups: dict[str, Metrics], first: str) -> Table | None:
    """The headline metrics of each tag or person; None if there are none."""
    if not groups:
        return None
    names = [
        name for name in HEADLINE if any(name in found and found[name].value is not None for found in groups.values())
    ]
    rows = tuple(
        (group, *(cell(found.get(name)) for name in names), f"{max((e.n for e in found.values()), default=0):,}")
        for group, found in groups.items()
    )
    return Table((first, *(HEADLINE[name] for name in names), "items"), rows)


def bias_facts(panel: BiasPanel) -> Table:
    """The single figures of the bias panel, each with its meaning."""
    rows = [
        (
            "judge − people, mean rating",
            cell(panel.rate_gap),
            reading(panel.rate_gap, "more generous than people", "stricter than people"),
        ),
        (
            "length of the response with the judge's rating, ρ",
            cell(panel.length["judge"]),
            panel.length["judge"].note or "",
        ),
        (
            "length of the response with the people's rating, ρ",
            cell(panel.length["humans"]),
            panel.length["humans"].note or "",
        ),
        (
            "length of the response with judge − people, ρ",
            cell(panel.length["excess"]),
            reading(
                panel.length["excess"],
                "favours long responses more than people do",
                "favours short responses more than people do",
            ),
        ),
        (
            "own responses − others' responses",
            cell(panel.self_preference),
            reading(panel.self_preference, "prefers what it wrote itself", "is harder on what it wrote itself"),
        ),
    ]
    if "swap_consistency" in panel.position:
        rows.append(
            (
                "same verdict when the answers swap places",
                cell(panel.position["swap_consistency"]),
                panel.position["swap_consistency"].note or "",
            )
        )
        first = panel.position["first_shown_rate"]
        rows.append(("verdicts for the answer shown first", cell(first), first.note or reading_half(first)))
    return Table(("", "value", "reading"), tuple(rows))


def reading(estimate: Estimate, above: str, below: str) -> str:
    if estimate.value is None or estimate.low is None or estimate.high is None:
        return estimate.note or "not enough evidence"
    return above if estimate.low > 0 else below if estimate.high < 0 else "no clear leaning"


def reading_half(estimate: Estimate) -> str:
    if estimate.low is None or estimate.high is None:
        return "not enough evidence"
    return (
        "leans to the first answer"
        if estimate.low > 0.5
        else "leans to the second answer"
        if estimate.high < 0.5
        else "no clear leaning"
    )


def changes_table(report: Report) -> Table | None:
    """The changes since the previous report; None without one."""
    if not report.previous:
        return None
    rows = tuple(
        (
            change.judge,
            change.criterion or "all criteria",
            HEADLINE.get(change.metric, change.metric),
            cell(change.before),
            cell(change.after),
            "–" if change.difference is None else f"{'+' if change.difference > 0 else ''}{plain(change.difference)}",
        )
        for change in report.previous
    )
    return Table(("judge", "criterion", "metric", "before", "now", "change"), rows, numeric=3)


def reasons(metrics: Sequence[Metrics]) -> dict[str, list[str]]:
    """Reasons for missing values: reason → metrics, in the headline's order."""
    found: dict[str, list[str]] = {}
    for each in metrics:
        for name, title in HEADLINE.items():
            estimate = each.get(name)
            if (
                estimate is not None
                and estimate.value is None
                and estimate.note
                and title not in found.setdefault(estimate.note, [])
            ):
                found[estimate.note].append(title)
    return {note: titles for note, titles in found.items() if titles}
