"""Converts a judgment to rows of labels: the judge's verdict on each criterion, in the label set's classes."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field

from judge_server.calibration.matching import Match
from judge_server.core.criterion import CheckCriterion, Choice
from judge_server.core.fitted_map import MapSet
from judge_server.core.judgment import Judgment
from judge_server.core.model import Frozen
from judge_server.core.verdict import Verdict, VerdictStatus
from judge_server.labels.label import Label

MET = 0.5
CHECKS = "checks"  # the annotator of rows that programs, not a judge, decided


class ItemRows(Frozen):
    """One item's rows, with the status of each verdict and the failures. ``complete``: the judge was reached."""

    item: str
    rows: tuple[Label, ...]
    statuses: tuple[str, ...]
    failures: tuple[str, ...] = ()

    @property
    def complete(self) -> bool:
        return VerdictStatus.UNAVAILABLE.value not in self.statuses


@dataclass(frozen=True)
class RowWriter:
    """``maps``: the fitted maps that were applied; their thresholds decide what counts as met."""

    judge: str
    matches: Mapping[str, Match]
    maps: MapSet | None = None
    clusters: Mapping[str, str] = field(default_factory=dict)

    def rows_of(self, item: str, labelled: Sequence[str], judgment: Judgment) -> ItemRows:
        """``labelled``: the criteria that people labelled on this item; the others are left out."""
        verdicts = {verdict.criterion: verdict for verdict in judgment.verdicts}
        rows: list[Label] = []
        statuses: list[str] = []
        failures: list[str] = []
        for name in labelled:
            verdict = verdicts.get(name)
            rows.append(self._row(item, name, verdict, judgment))
            statuses.append(verdict.status.value if verdict else VerdictStatus.UNAVAILABLE.value)
            failures += _failure(verdict, judgment)
        return ItemRows(item=item, rows=tuple(rows), statuses=tuple(statuses), failures=tuple(failures))

    def _row(self, item: str, name: str, verdict: Verdict | None, judgment: Judgment) -> Label:
        match = self.matches[name]
        silent = Label(
            item=item,
            criterion=match.scale.criterion,
            annotator=CHECKS if isinstance(match.criterion, CheckCriterion) else self.judge,
            role="check" if isinstance(match.criterion, CheckCriterion) else "judge",
            label=None,
            status="abstained",
            cluster=self.clusters.get(item, item),
        )
        if verdict is None or verdict.value is None:
            return silent.model_copy(update={"rationale": _excuse(verdict, judgment)})
        label, shares = self._label(name, match, verdict, verdict.value)
        said = {"label": label, "status": "ok", "probabilities": shares, "rationale": verdict.reason}
        probability = verdict.value if match.binary or not match.values else None
        return silent.model_copy(update={**said, "probability": probability})

    def _label(self, name: str, match: Match, verdict: Verdict, value: float) -> tuple[str, dict[str, float] | None]:
        if not match.values:  # a continuous scale is the value itself
            return f"{value:.6g}", None
        if match.positive is not None:
            return (match.positive if value >= self._threshold(name) else match.other()), None
        classes = {worth: label for label, worth in match.values.items()}
        if verdict.raw is not None or verdict.options is None or not isinstance(match.criterion, Choice):
            return classes[min(classes, key=lambda worth: abs(worth - value))], None
        by_label = {label.strip().casefold(): label for label in match.values}
        said = ((by_label.get(label.strip().casefold()), share) for label, share in verdict.options.items())
        shares = {label: share for label, share in said if label is not None}
        return max(shares, key=shares.__getitem__), shares

    def _threshold(self, name: str) -> float:
        fitted = self.maps.maps.get(name) if self.maps else None
        chosen = fitted.threshold() if fitted else None
        return MET if chosen is None else chosen


def _failure(verdict: Verdict | None, judgment: Judgment) -> Iterator[str]:
    if verdict is None:
        yield judgment.error.type if judgment.error else "no_verdict"
    elif verdict.error is not None:
        yield verdict.error.type


def _excuse(verdict: Verdict | None, judgment: Judgment) -> str:
    """The reason for a missing label, its type first."""
    if verdict is None:
        return f"{judgment.error.type}: {judgment.error.detail}" if judgment.error else "no verdict"
    if verdict.error is not None:
        return f"{verdict.status.value} ({verdict.error.type}): {verdict.error.detail}"
    return verdict.status.value
