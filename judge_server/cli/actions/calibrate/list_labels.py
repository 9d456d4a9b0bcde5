"""What ``calibrate list`` shows."""

import json
from typing import Any

import typer

from judge_server.cli.running import run
from judge_server.labels.public.catalogue import SETS
from judge_server.store.store import Store


def show(database: str | None, *, as_json: bool) -> None:
    """Public sets with source, licence and files; and what the store has."""
    kept = run(_kept(database)) if database else []
    if as_json:
        public = {name: one.manifest.model_dump(mode="json", exclude_none=True) for name, one in SETS.items()}
        typer.echo(json.dumps({"public": public, "stored": kept}, ensure_ascii=False, indent=2))
        return
    for name, one in SETS.items():
        manifest = one.manifest
        typer.echo(f"{name}: {manifest.title}")
        commit = f" at {manifest.commit}" if manifest.commit else ""
        typer.echo(f"  {manifest.source}{commit}, {manifest.licence}")
        for file in manifest.files:
            typer.echo(f"  {file.name}  sha256 {file.sha256}")
        for path in manifest.upstream:
            typer.echo(f"  {path}  (no checksum: give --unverified)")
    for entry in kept:
        typer.echo(f"stored: {entry['id']}@{entry['version']} {entry['digest']}")


async def _kept(database: str) -> list[dict[str, Any]]:
    store = await Store.open(database)
    try:
        return [stored.model_dump(mode="json") for stored in await store.labels.sets()]
    finally:
        await store.close()
