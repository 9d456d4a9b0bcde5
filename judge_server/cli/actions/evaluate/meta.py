"""HealthBench's meta-evaluation: physicians' verdicts on criteria become labels, the criteria a rubric, and the judge's
agreement with the physicians a certificate."""

from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path

import typer

from judge_server.authoring.emitting import yaml_of
from judge_server.authoring.interchange.record import slug
from judge_server.authoring.parsing import from_data
from judge_server.authoring.writing import replace_file
from judge_server.cli.actions.calibrate.gate import GateOptions, gate_file
from judge_server.cli.actions.calibrate.run import RunOptions, measure
from judge_server.cli.actions.evaluate.evaluating import EvaluationOptions
from judge_server.cli.actions.rubric_exchange import records_in
from judge_server.cli.calibrate import sources
from judge_server.core.rubric import Rubric
from judge_server.labels.label_set import LabelSet
from judge_server.labels.public.catalogue import import_public
from judge_server.labels.readers.healthbench import criterion_names
from judge_server.labels.writing import write_labels
from judge_server.settings.settings import Settings
from judge_server.util.wording import many

RUBRIC_ID = "medical/healthbench-meta"
_WHOLE = sources.SplitChoice()


async def certify(settings: Settings, options: EvaluationOptions, out: Path) -> int:
    """Measure the judge and decide about its certificate; the exit status of ``calibrate gate``, or 1 without any
    verdict. ``out`` gets rubric.yaml, labels.csv and judged.csv."""
    stored = settings.with_database()
    whole = import_public("healthbench-meta", [options.file], unverified=True)
    rubric, names = _rubric_of(options.file)
    labels = _renamed(whole, names)
    replace_file(out / "rubric.yaml", yaml_of(rubric))
    write_labels(labels, out / "labels.csv")
    typer.echo(
        f"{many(labels.counts.items, 'completion')}, {many(labels.counts.criteria, 'criterion', 'criteria')}, "
        f"{many(len(labels.table.annotators_of('human')), 'physician')}: {out / 'rubric.yaml'}, {out / 'labels.csv'}",
        err=True,
    )
    judged = out / "judged.csv"
    running = RunOptions(
        labels=str(out / "labels.csv"),
        part=_WHOLE,
        rubric=str(out / "rubric.yaml"),
        judge=options.judge,
        out=judged,
        partial=False,
        positives=(),
        raw=False,
        concurrency=options.concurrency,
        as_json=options.as_json,
    )
    if not await measure(stored, running):
        return 1
    gating = GateOptions(judged, judge=None, rubric=None, fingerprint=None, part=_WHOLE, as_json=options.as_json)
    return await gate_file(stored, gating)


def _rubric_of(file: Path) -> tuple[Rubric, dict[str, str]]:
    """The criteria of the file as a rubric, and the id of each by its name in the labels. Their weights do not matter:
    what is measured is each verdict."""
    named = criterion_names([record for _, record in records_in(file)])
    taken: set[str] = set()
    ids = {name: slug(name.rpartition(":")[2], taken) for name in named.values()}
    criteria = [
        {"id": ids[name], "statement": text, "points": 1, "tags": [category]}
        for (category, text), name in named.items()
    ]
    data = {
        "id": RUBRIC_ID,
        "version": "1.0.0",
        "title": "HealthBench's consensus criteria, as its meta-evaluation has them",
        "domain": "medical",
        "criteria": criteria,
    }
    return from_data(data, file=str(file)).rubric, ids


def _renamed(labels: LabelSet, ids: Mapping[str, str]) -> LabelSet:
    column = replace(labels.table.criteria, names=tuple(ids[name] for name in labels.table.criteria.names))
    scales = tuple(scale.model_copy(update={"criterion": ids[scale.criterion]}) for scale in labels.scales)
    return replace(labels, table=replace(labels.table, criteria=column), scales=scales)
