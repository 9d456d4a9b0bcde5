"""Implements ``calibrate fit``."""

import json
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import typer
from rich.console import Console
from rich.table import Table

from judge_server.authoring.writing import replace_file
from judge_server.calibration.fit import CriterionFit, Demands, fit, map_set
from judge_server.calibration.matching import with_positives
from judge_server.calibration.pairing import rows_digest
from judge_server.cli.calibrate import sources
from judge_server.core.calibration import Calibration
from judge_server.core.errors import BadInput
from judge_server.core.fitted_map import MapSet
from judge_server.core.rubric import Rubric
from judge_server.labels.label_set import LabelSet
from judge_server.settings.settings import Settings
from judge_server.store.store import Store
from judge_server.wiring.archive import open_archive


@dataclass(frozen=True)
class FitOptions:
    """The flags of the command."""

    file: Path
    rubric: str
    judge: str | None
    out: Path | None
    apply: bool
    undo: bool
    fingerprint: str | None
    partial: bool
    positives: tuple[str, ...]
    min_labels: int
    min_prompts: int
    rates: tuple[float, ...]
    as_json: bool


async def fit_file(settings: Settings, options: FitOptions) -> bool:
    """False if nothing was fitted."""
    looked_up = sources.looking_back(settings)
    async with open_archive(looked_up) as (store, shelf):
        stored = await sources.label_set(str(options.file), store)
        labels = with_positives(stored, sources.positives(options.positives))
        rubric = await sources.rubric(options.rubric, shelf)
        judge = sources.only_judge(labels, options.judge)
        record = await store.calibrations.calibration_of_rows(rows_digest(labels, judge))
        fingerprint = _fingerprint(record, rubric, options)
        if options.undo:
            return await _undo(store, fingerprint, rubric)
        demands = Demands(labels=options.min_labels, clusters=options.min_prompts, false_positive_rates=options.rates)
        fits = fit(labels, judge, rubric, demands, partial=options.partial)
        maps = _maps(fits, judge, fingerprint, rubric, labels)
        applied = await _keep(maps, store, options, kept=looked_up.database_url is not None)
    _tell(fits, maps, applied=applied, known=fingerprint is not None, as_json=options.as_json)
    return any(one.fitted for one in fits)


def _fingerprint(record: Calibration | None, rubric: Rubric, options: FitOptions) -> str | None:
    """The fingerprint of the judge. Raises BadInput for values that were mapped already or made under another
    rubric."""
    if record is None:
        return options.fingerprint
    if record.judge.calibration is not None:
        raise BadInput(
            f"{options.file}: fitted maps were applied in this run already ({record.judge.calibration}).",
            remedy="Run it again with judge-server calibrate run --raw, and fit on that file.",
        )
    if record.rubric.digest != rubric.digest:
        raise BadInput(
            f"{options.file} was judged under {record.rubric.id}@{record.rubric.version} ({record.rubric.digest}), "
            f"not under {rubric.name} ({rubric.digest}).",
            remedy="Run the judge again under this rubric, or name the one of the run.",
        )
    return record.judge.fingerprint


async def _undo(store: Store, fingerprint: str | None, rubric: Rubric) -> bool:
    if fingerprint is None:
        raise BadInput("This database knows no run with these rows.", remedy="Name the judge with --fingerprint.")
    retired = await store.calibrations.retire_maps(fingerprint, rubric.digest)
    typer.echo("values are raw again" if retired else "no maps were in use")
    return True


def _maps(
    fits: Sequence[CriterionFit], judge: str, fingerprint: str | None, rubric: Rubric, labels: LabelSet
) -> MapSet | None:
    if fingerprint is None:
        return None
    return map_set(fits, judge=judge, fingerprint=fingerprint, rubric=rubric, labels=labels)


async def _keep(maps: MapSet | None, store: Store, options: FitOptions, *, kept: bool) -> bool:
    if maps is None:
        if options.out is not None:
            raise BadInput(
                "There are no maps to write.", remedy="Name the judge's --fingerprint, or give it more labels."
            )
        return False
    if options.out is not None:
        replace_file(options.out, maps.to_json())
    if kept:
        await store.calibrations.put_maps(maps, active=options.apply)
    return kept and options.apply


def _tell(fits: Sequence[CriterionFit], maps: MapSet | None, *, applied: bool, known: bool, as_json: bool) -> None:
    if as_json:
        shown = [one.model_dump(mode="json") for one in fits]
        typer.echo(json.dumps({"fits": shown, "maps": maps.id if maps else None, "applied": applied}))
        return
    table = Table("criterion", "labels", "prompts", "Brier", "Platt", "isotonic", "ECE", "Platt", "isotonic", "outcome")
    for one in fits:
        trials = {trial.method: trial for trial in one.trials}
        briers = [_number(trials[name].brier if name in trials else None) for name in ("platt", "isotonic")]
        errors = [_number(trials[name].ece if name in trials else None) for name in ("platt", "isotonic")]
        table.add_row(
            one.criterion, str(one.labels), str(one.clusters), _number(one.brier), *briers, _number(one.ece), *errors,
            _outcome(one),
        )  # fmt: skip
    Console().print(table)
    typer.echo("Brier score and ECE on labels held out by prompt, lower is better.")
    if maps is not None:
        typer.echo(f"{maps.id}: " + ("in use from now on" if applied else "not in use"))
    elif not known:
        typer.echo(
            "Not kept: this database knows no run with these rows. Judge them with calibrate run, or name the judge's "
            "--fingerprint."
        )


def _outcome(one: CriterionFit) -> str:
    if one.fitted is None:
        return f"{one.outcome}: {one.reason}"
    pool = "" if one.pool == "criterion" else f" on {one.pool}"
    met = "".join(f", met from {t.value:.3f} for {t.target:.0%} false positives" for t in one.fitted.thresholds)
    return f"{one.fitted.curve.kind}{pool}{met}"


def _number(value: float | None) -> str:
    return "–" if value is None else f"{value:.4f}"
