"""Compares a report with a previous one."""

from collections.abc import Iterator
from pathlib import Path

from pydantic import ValidationError

from judge_server.agreement.metric import Estimate
from judge_server.calibration.comparison import MetricChange
from judge_server.core.errors import BadInput
from judge_server.report.model import Metrics, Report
from judge_server.report.tables import HEADLINE

SHOWN = (
    "cohen_kappa_pairwise",
    "cohen_kappa_quadratic_pairwise",
    "accuracy",
    "false_positive_rate",
    "youden_j",
    "brier",
    "pearson",
)


def read_report(path: Path) -> Report:
    """A report written with --json. Raises ``BadInput`` for anything else."""
    try:
        return Report.model_validate_json(path.read_bytes())
    except OSError as fault:
        raise BadInput(f"{path} cannot be read: {fault.strerror}.", remedy="Name a report's JSON file.") from fault
    except ValidationError as fault:
        raise BadInput(
            f"{path} is not a report of this version ({fault.error_count()} faults).",
            remedy="Give the JSON that calibrate report --json or -o report.json wrote, or compute it again.",
        ) from fault


def with_previous(report: Report, previous: Report) -> Report:
    return report.model_copy(update={"previous": tuple(changes(report, previous))})


def changes(report: Report, previous: Report) -> Iterator[MetricChange]:
    """Changes of the main metrics for judges and criteria in both reports; a single judge is matched regardless of
    name."""
    for judge, side in report.judges.items():
        before = previous.judges.get(judge)
        if before is None and len(report.judges) == len(previous.judges) == 1:
            before = next(iter(previous.judges.values()))
        if before is None:
            continue
        yield from changed(judge, "", side.overall, before.overall)
        if len(side.criteria) > 1:
            for name in side.criteria:
                if name in before.criteria:
                    yield from changed(judge, name, side.criteria[name], before.criteria[name])


def changed(judge: str, criterion: str, now: Metrics, before: Metrics) -> Iterator[MetricChange]:
    wanted = SHOWN[:2] if criterion else SHOWN
    for metric in (name for name in HEADLINE if name in wanted):
        new, old = now.get(metric, Estimate()), before.get(metric, Estimate())
        if new.value is not None or old.value is not None:
            difference = None if new.value is None or old.value is None else new.value - old.value
            yield MetricChange(
                judge=judge, criterion=criterion, metric=metric, before=old, after=new, difference=difference
            )
