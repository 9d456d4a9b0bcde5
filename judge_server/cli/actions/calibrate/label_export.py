"""Implements ``calibrate export``: labels in the format of another tool, with a count of what it cannot carry."""

import json
from pathlib import Path
from typing import Final

import typer

from judge_server.authoring.writing import replace_file
from judge_server.cli.actions.calibrate.labels import refuse
from judge_server.core.errors import BadInput, JudgeServerError
from judge_server.labels.argilla_records import argilla_records
from judge_server.labels.label_set import LabelSet
from judge_server.labels.label_studio_tasks import label_studio_tasks
from judge_server.labels.readers import read_labels
from judge_server.labels.writing import write_labels

FORMATS: Final = ("csv", "label-studio", "argilla")
_NEXT: Final = {
    "csv": "judge-server calibrate report {out}",
    "label-studio": "in Label Studio: Import, with a control for each criterion",
    "argilla": "in Argilla: dataset.records.from_json({out!r})",
}


def export_labels(file: Path, form: str, out: Path, judge: str | None) -> None:
    """Ends the command with status 2 for labels that cannot be read or written so."""
    try:
        if form not in FORMATS:
            raise BadInput(f"--format: {form!r} is none of {', '.join(FORMATS)}.", remedy="Write --format csv.")
        labels = read_labels(file)
        lost = _written(labels, form, out, judge)
    except JudgeServerError as fault:
        refuse(fault)
    for what, count in lost.items():
        typer.secho(f"  note: {count:,} {what} are not carried by {form}", fg=typer.colors.YELLOW)
    typer.echo(f"{labels.counts.labels:,} labels of {labels.counts.items:,} items written to {out}")
    typer.echo(f"next: {_NEXT[form].format(out=str(out))}")


def _written(labels: LabelSet, form: str, out: Path, judge: str | None) -> dict[str, int]:
    """Write the file; what was left out, with counts."""
    if form == "csv":
        write_labels(labels, out)
        return {}
    found, lost = label_studio_tasks(labels) if form == "label-studio" else argilla_records(labels, judge)
    replace_file(out, json.dumps(found, ensure_ascii=False, indent=1) + "\n")
    return lost
