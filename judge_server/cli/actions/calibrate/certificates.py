"""Implements ``calibrate certificates``: the newest decisions of the gate and the maps in use, and which are stale."""

import json
from collections.abc import Sequence

import typer
from rich.console import Console
from rich.table import Table

from judge_server.cli.calibrate import sources
from judge_server.core.calibration import Certificate, Decision
from judge_server.core.errors import BadInput
from judge_server.core.fitted_map import MapSet
from judge_server.settings.settings import Settings
from judge_server.wiring.storage import opened_store


async def show(settings: Settings, *, as_json: bool) -> None:
    """Print one line for each judge and rubric. Raises BadInput without a database."""
    looked_up = sources.looking_back(settings)
    if looked_up.database_url is None:
        raise BadInput(
            "There is no database here: certificates are kept in one.",
            remedy="Name it with --database, or run calibrate run and gate here first.",
        )
    async with opened_store(looked_up, migrate=False) as store:
        certificates = await store.calibrations.newest_certificates()
        maps = await store.calibrations.active_maps()
    if as_json:
        shown = {
            "certificates": [one.model_dump(mode="json") | {"stale": one.stale} for one in certificates],
            "maps": [
                one.model_dump(mode="json", exclude={"maps", "items"})
                | {"id": one.id, "criteria": list(one.maps), "stale": one.stale}
                for one in maps
            ],
        }
        typer.echo(json.dumps(shown, ensure_ascii=False, indent=2))
        return
    _print(certificates, maps)


def _print(certificates: Sequence[Certificate], maps: Sequence[MapSet]) -> None:
    if not certificates and not maps:
        typer.echo("This database has no certificates and no fitted maps.")
        return
    table = Table("judge", "rubric", "what", "counts", "made", "id")
    for one in sorted(certificates, key=lambda each: (each.judge, each.rubric.id)):
        table.add_row(one.judge, _rubric(one), f"gate: {one.decision.value}", _counts(one), _day(one), one.id)
    for fitted in sorted(maps, key=lambda each: (each.judge, each.rubric.id)):
        what = f"maps of {len(fitted.maps)} criteria"
        applied = "applied" if fitted.stale is None else f"not applied, stale: {fitted.stale}"
        table.add_row(fitted.judge, _rubric(fitted), what, applied, _day(fitted), fitted.id[:23])
    Console().print(table)


def _counts(one: Certificate) -> str:
    if one.stale is not None:
        return f"no, stale: {one.stale}"
    return "yes" if one.decision is Decision.PASS else "no"


def _rubric(one: Certificate | MapSet) -> str:
    return f"{one.rubric.id}@{one.rubric.version}"


def _day(one: Certificate | MapSet) -> str:
    return one.created_at.strftime("%Y-%m-%d %H:%M")
