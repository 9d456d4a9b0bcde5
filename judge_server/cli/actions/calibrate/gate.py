"""Implements ``calibrate gate``."""

import json
from dataclasses import dataclass
from pathlib import Path

import typer

from judge_server.calibration.gate import Gating, certificate, gate, held_to_all
from judge_server.calibration.matching import unlabelled
from judge_server.calibration.pairing import rows_digest
from judge_server.calibration.policy import read_policy
from judge_server.calibration.readings import unfitted
from judge_server.cli.calibrate import sources
from judge_server.core.calibration import Calibration, Certificate, Decision
from judge_server.core.errors import BadInput
from judge_server.core.fitted_map import MapSet
from judge_server.core.rubric import Rubric
from judge_server.labels.label_set import LabelSet
from judge_server.settings.settings import Settings
from judge_server.store.store import Store
from judge_server.wiring.archive import open_archive

EXIT = {Decision.PASS: 0, Decision.FAIL: 1, Decision.NOT_ENOUGH_EVIDENCE: 3}
COLOURS = {
    Decision.PASS: typer.colors.GREEN,
    Decision.FAIL: typer.colors.RED,
    Decision.NOT_ENOUGH_EVIDENCE: typer.colors.YELLOW,
}
_WORST_FIRST = (Decision.FAIL, Decision.NOT_ENOUGH_EVIDENCE, Decision.PASS)


@dataclass(frozen=True)
class GateOptions:
    """The flags of the command."""

    file: Path
    judge: str | None
    rubric: str | None
    fingerprint: str | None
    part: sources.SplitChoice
    as_json: bool


async def gate_file(settings: Settings, options: GateOptions) -> int:
    """The exit status."""
    policy = read_policy(settings.gate_policy)
    looked_up = sources.looking_back(settings)
    async with open_archive(looked_up) as (store, shelf):
        whole = await sources.label_set(str(options.file), store)
        rubric = await sources.rubric(options.rubric, shelf) if options.rubric else None
        names = [options.judge] if options.judge else list(whole.table.annotators_of("judge"))
        if not names:
            sources.only_judge(whole, None)
        labels = await options.part.of(whole, store)
        decided = []
        for name in names:
            record = await _record(whole, name, rubric, options, store)
            known = rubric or await _rubric_of(record, store)
            own = unfitted(labels, await _maps_of(record, store))
            result = held_to_all(gate(own, name, policy, known), _unmeasured(record, rubric, whole))
            made = _certificate(result, record, rubric, options)
            if made is not None and looked_up.database_url is not None:
                await store.calibrations.put_certificate(made)
            decided.append((result, made))
    _tell(decided, policy.name, as_json=options.as_json)
    return EXIT[min((result.decision for result, _ in decided), key=_WORST_FIRST.index)]


async def _rubric_of(record: Calibration | None, store: Store) -> Rubric | None:
    """The rubric of the run that made the judge's rows, if this database knows it."""
    return None if record is None else await store.rubric_by_digest(record.rubric.digest)


async def _maps_of(record: Calibration | None, store: Store) -> MapSet | None:
    """The maps that were applied in the run that made the judge's rows."""
    if record is None or record.judge.calibration is None:
        return None
    return await store.calibrations.maps(record.judge.calibration)


async def _record(
    whole: LabelSet, judge: str, rubric: Rubric | None, options: GateOptions, store: Store
) -> Calibration | None:
    """The run that made the judge's rows. Raises BadInput if it was under another rubric than the one named."""
    record = await store.calibrations.calibration_of_rows(rows_digest(whole, judge))
    if record is not None and rubric is not None and rubric.digest != record.rubric.digest:
        raise BadInput(
            f"{options.file}: {judge} judged under {record.rubric.id}@{record.rubric.version} "
            f"({record.rubric.digest}), not under {rubric.name} ({rubric.digest}).",
            remedy="Run the judge again under this rubric.",
        )
    return record


def _unmeasured(record: Calibration | None, rubric: Rubric | None, whole: LabelSet) -> tuple[str, ...]:
    if record is not None:
        return record.unmeasured
    return () if rubric is None else unlabelled(rubric, whole.table.criteria.names)


def _certificate(
    result: Gating, record: Calibration | None, rubric: Rubric | None, options: GateOptions
) -> Certificate | None:
    """A certificate for the run that made the judge's rows, or for what the flags name; None if neither is known."""
    if record is not None:
        return certificate(
            result,
            fingerprint=record.judge.fingerprint,
            rubric=record.rubric,
            calibration=record.id,
            maps=record.judge.calibration,
        )
    if rubric is not None and options.fingerprint is not None:
        return certificate(result, fingerprint=options.fingerprint, rubric=rubric.reference)
    return None


def _tell(decided: list[tuple[Gating, Certificate | None]], policy: str, *, as_json: bool) -> None:
    if as_json:
        shown = {
            result.judge: {
                "decision": result.decision.value,
                "criteria": result.criteria,
                "kinds": result.kinds,
                "findings": [finding.model_dump(mode="json") for finding in result.findings],
                "certificate": made.id if made else None,
                "labels": result.labels,
                "policy": result.policy,
            }
            for result, made in decided
        }
        typer.echo(json.dumps({"judges": shown}))
        return
    for result, made in decided:
        typer.secho(f"{result.judge}: {result.decision.value}", fg=COLOURS[result.decision], bold=True)
        for finding in result.findings:
            typer.echo(f"  {finding.decision.value}: {finding.reason}")
        for what, standings in (("criteria", result.criteria), ("kinds of items", result.kinds)):
            for standing in ("proven", "not shown", "failed"):
                named = [name for name, own in standings.items() if own == standing]
                if named and len(standings) > 1:
                    typer.echo(f"  {what} {standing}: {', '.join(named)}")
        if made is not None:
            typer.echo(f"  certificate {made.id} for {made.rubric.id}@{made.rubric.version}")
        else:
            typer.echo("  no certificate: the rows are of no run that this database knows")
    typer.echo(f"policy: {policy}")
