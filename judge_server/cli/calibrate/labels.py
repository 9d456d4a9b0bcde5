"""``judge-server calibrate import`` and ``list``: labels from files and from public sets, in the long format."""

from pathlib import Path
from typing import Annotated

import typer

from judge_server.cli.options import Database, Rubrics

Texts = list[str] | None


def import_labels(
    name: Annotated[str, typer.Argument(metavar="NAME|FILE", help="A public set of `calibrate list`, or a file.")],
    sources: Annotated[
        Texts, typer.Option("--from", metavar="FILE|URL", help="File or URL of the public set. Repeatable.")
    ] = None,
    out: Annotated[
        Path | None, typer.Option("--out", "-o", metavar="FILE", help="Write the long format here: .csv or .jsonl.")
    ] = None,
    database: Database = None,
    scale: Annotated[
        Texts,
        typer.Option(
            "--scale", metavar="CRITERION=SCALE", help="tone=poor<fair<good, met=no<yes, kind=a|b|c or score=number."
        ),
    ] = None,
    mapping: Annotated[
        Texts,
        typer.Option(
            "--map", metavar="[CRITERION:]WORD=CLASS", help="What a word means: ja=met, 'tone:1=poor'. Repeatable."
        ),
    ] = None,
    rubric: Annotated[
        str | None,
        typer.Option("--rubric", metavar="FILE|ID[@VERSION]", help="Take criteria and scales from this rubric."),
    ] = None,
    column: Annotated[
        Texts, typer.Option("--column", metavar="FIELD=COLUMN", help="item=id: the file's column for a field.")
    ] = None,
    criterion: Annotated[
        str | None,
        typer.Option("--criterion", metavar="NAME", help="The criterion of every row, if no column has it."),
    ] = None,
    criterion_column: Annotated[
        Texts,
        typer.Option(
            "--criterion-column", metavar="[NAME=]COLUMN", help="A column with one criterion's labels. Repeatable."
        ),
    ] = None,
    human: Annotated[
        Texts, typer.Option("--human", metavar="COLUMN", help="A column with one person's labels. Repeatable.")
    ] = None,
    judge: Annotated[
        Texts, typer.Option("--judge", metavar="COLUMN", help="A column with one judge's labels. Repeatable.")
    ] = None,
    annotator: Annotated[
        str | None, typer.Option("--annotator", metavar="NAME", help="The annotator of every row, if no column has it.")
    ] = None,
    role: Annotated[
        str | None,
        typer.Option("--role", metavar="ROLE", help="human or judge: of each row that does not say it."),
    ] = None,
    test_share: Annotated[
        float | None,
        typer.Option("--test-share", metavar="SHARE", help="Lock this share of the prompts as test split."),
    ] = None,
    seed: Annotated[int, typer.Option("--seed", help="Seed of the split into dev and test.")] = 0,
    unverified: Annotated[
        bool, typer.Option("--unverified", help="Accept files without a checksum in the manifest.")
    ] = False,
    cache: Annotated[
        Path | None,
        typer.Option("--cache", metavar="DIR", help="Where downloads are kept (default: the user's cache)."),
    ] = None,
    shown_to: Annotated[
        Texts,
        typer.Option("--shown-to", metavar="JUDGE", help="A judge that may see the texts. Repeatable; default all."),
    ] = None,
    as_json: Annotated[bool, typer.Option("--json", help="Print JSON for programs.")] = False,
) -> None:
    """Check labels and convert them to the long format: your own file, or a public set."""
    from judge_server.cli.actions.calibrate import labels as importing

    chosen = importing.ImportOptions(
        name=name,
        sources=tuple(sources or ()),
        out=out,
        database=database,
        scales=tuple(scale or ()),
        mapping=tuple(mapping or ()),
        rubric=rubric,
        columns=tuple(column or ()),
        criterion=criterion,
        criterion_columns=tuple(criterion_column or ()),
        annotator=annotator,
        role=role,
        humans=tuple(human or ()),
        judges=tuple(judge or ()),
        test_share=test_share,
        seed=seed,
        unverified=unverified,
        cache=cache,
        shown_to=tuple(shown_to or ()),
        as_json=as_json,
    )
    importing.carry_out(chosen)


def sheet(
    rubric: Annotated[
        str, typer.Option("--rubric", metavar="FILE|ID[@VERSION]", help="Rubric with the criteria to label.")
    ],
    items: Annotated[
        Path,
        typer.Option("--items", metavar="FILE", exists=True, dir_okay=False, help="Items: item, prompt, response."),
    ],
    annotator: Annotated[str, typer.Option("--annotator", metavar="NAME", help="Name of the annotator.")],
    xlsx: Annotated[bool, typer.Option("--xlsx", help="A workbook with drop-down lists instead of CSV.")] = False,
    out: Annotated[
        Path | None, typer.Option("--out", "-o", metavar="FILE", help="Default: ITEMS.ANNOTATOR.csv or .xlsx.")
    ] = None,
    rubrics: Rubrics = None,
) -> None:
    """Write an empty sheet for one person: a row per item, a column per criterion with its allowed answers.

    judge-server calibrate import reads the filled sheet without a flag.

    Example: judge-server calibrate sheet --rubric medical/consultation --items items.jsonl --annotator ann --xlsx
    """
    from judge_server.cli.actions.calibrate import labels as actions

    actions.make_sheet(rubric, items, annotator, out, rubrics, xlsx=xlsx)


def list_labels(
    database: Database = None,
    as_json: Annotated[bool, typer.Option("--json", help="Print JSON for programs.")] = False,
) -> None:
    """List the public sets that can be imported; with --database also the stored label sets."""
    from judge_server.cli.actions.calibrate import labels as listing

    listing.show(database, as_json=as_json)


def export(
    file: Annotated[Path, typer.Argument(metavar="FILE", help="Labels in any format that import reads.")],
    form: Annotated[str, typer.Option("--format", metavar="FORMAT", help="csv, label-studio or argilla.")],
    out: Annotated[Path, typer.Option("--out", "-o", metavar="FILE", help="Where to write.")],
    judge: Annotated[
        str | None, typer.Option("--judge", metavar="NAME", help="The judge whose labels become Argilla's suggestions.")
    ] = None,
) -> None:
    """Write labels for another tool: long CSV, Label Studio (JSON) or Argilla (JSON).

    What the format cannot carry is counted in the output.
    """
    from judge_server.cli.actions.calibrate.label_export import export_labels

    export_labels(file, form, out, judge)
