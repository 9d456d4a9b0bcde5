"""``judge-server calibrate report``, ``disagreements`` and ``compare``: measure a judge against labels."""

from pathlib import Path
from typing import Annotated

import typer

from judge_server.cli.options import Rubrics

Labels = Annotated[
    Path, typer.Argument(metavar="FILE", exists=True, dir_okay=False, help="Labels in the long format, see docs.")
]
Json = Annotated[bool, typer.Option("--json", help="Print JSON for programs.")]
Judges = Annotated[list[str] | None, typer.Option("--judge", metavar="NAME", help="Only this judge. Repeatable.")]
Criteria = Annotated[
    list[str] | None, typer.Option("--criterion", metavar="ID", help="Only this criterion. Repeatable.")
]
Scales = Annotated[
    list[str] | None,
    typer.Option(
        "--scale", metavar="CRITERION=SCALE", help="tone=poor<fair<good, met=no<yes, kind=a|b|c or score=number."
    ),
]
Replicates = Annotated[
    int, typer.Option("--replicates", min=100, max=100_000, help="Bootstrap resamples of the prompts.")
]
Seed = Annotated[int, typer.Option("--seed", min=0, help="Seed of the resampling.")]
Split = Annotated[
    str | None,
    typer.Option("--split", metavar="dev|test", help="Split of the file: dev (default), or test, which is recorded."),
]
Reader = Annotated[str | None, typer.Option("--reader", metavar="NAME", help="Who reads the locked test split.")]
Reason = Annotated[str | None, typer.Option("--reason", metavar="TEXT", help="Why the locked test split is read.")]


def report(
    file: Labels,
    as_json: Json = False,
    output: Annotated[
        list[Path] | None,
        typer.Option("--output", "-o", metavar="FILE", help="Write the report: .html, .md or .json. Repeatable."),
    ] = None,
    judge: Judges = None,
    criterion: Criteria = None,
    scale: Scales = None,
    previous: Annotated[
        Path | None,
        typer.Option(
            "--previous", metavar="FILE", exists=True, dir_okay=False, help="An earlier report's JSON to compare with."
        ),
    ] = None,
    split: Split = None,
    reader: Reader = None,
    reason: Reason = None,
    replicates: Replicates = 1000,
    seed: Seed = 0,
    min_clusters: Annotated[
        int,
        typer.Option("--min-clusters", min=2, help="Fewer prompts than this are not enough evidence for an interval."),
    ] = 20,
    epsilon: Annotated[
        float,
        typer.Option(
            "--epsilon",
            min=0,
            max=0.99,
            help="Alternative-annotator test: 0.2 experts, 0.15 skilled people, 0.1 a crowd.",
        ),
    ] = 0.2,
    limit: Annotated[
        int, typer.Option("--disagreements", min=0, max=1000, help="How many disagreements to list.")
    ] = 50,
    rubric: Annotated[
        str | None,
        typer.Option(
            "--rubric",
            metavar="FILE|ID[@VERSION]",
            help="Says what the criteria state and which name a danger; the default is the rubric of the run.",
        ),
    ] = None,
    rubrics: Rubrics = None,
) -> None:
    """Measure FILE's judges against its people: agreement, compared with that among people, biases, disagreements."""
    from judge_server.cli.actions.calibrate import report as reporting

    chosen = reporting.ReportOptions(
        file=file,
        judges=tuple(judge) if judge else None,
        criteria=tuple(criterion) if criterion else None,
        scales=tuple(scale or ()),
        split=split,
        reader=reader,
        reason=reason,
        replicates=replicates,
        seed=seed,
        min_clusters=min_clusters,
        epsilon=epsilon,
        limit=limit,
        rubric=rubric,
        rubrics=rubrics,
    )
    reporting.report(chosen, outputs=tuple(output or ()), previous=previous, as_json=as_json)


def disagreements(
    file: Labels,
    judge: Judges = None,
    criterion: Criteria = None,
    scale: Scales = None,
    split: Split = None,
    reader: Reader = None,
    reason: Reason = None,
    limit: Annotated[int, typer.Option("--limit", "-n", min=1, max=10_000, help="How many to show.")] = 20,
    as_json: Json = False,
) -> None:
    """List the items on which a judge is furthest from the people, with both answers, to find rubric faults."""
    from judge_server.cli.actions.calibrate import report as reporting

    chosen = reporting.ReportOptions(
        file=file,
        judges=tuple(judge) if judge else None,
        criteria=tuple(criterion) if criterion else None,
        scales=tuple(scale or ()),
        split=split,
        reader=reader,
        reason=reason,
        limit=limit,
    )
    reporting.list_disagreements(chosen, as_json=as_json)


def compare(
    old: Annotated[Path, typer.Argument(metavar="OLD", exists=True, dir_okay=False, help="Labels with the old judge.")],
    new: Annotated[
        Path,
        typer.Argument(
            metavar="NEW", exists=True, dir_okay=False, help="Labels with the new judge; may be OLD itself."
        ),
    ],
    old_judge: Annotated[
        str | None, typer.Option("--old-judge", metavar="NAME", help="The judge of OLD, if it has several.")
    ] = None,
    new_judge: Annotated[
        str | None, typer.Option("--new-judge", metavar="NAME", help="The judge of NEW, if it has several.")
    ] = None,
    criterion: Criteria = None,
    scale: Scales = None,
    replicates: Replicates = 1000,
    seed: Seed = 0,
    as_json: Json = False,
) -> None:
    """Test whether a new version of a judge or rubric agrees better with people, on the same items of dev."""
    from judge_server.cli.actions.calibrate import compare as comparing

    chosen = comparing.CompareOptions(
        old=old,
        new=new,
        old_judge=old_judge,
        new_judge=new_judge,
        criteria=tuple(criterion) if criterion else None,
        scales=tuple(scale or ()),
        replicates=replicates,
        seed=seed,
    )
    comparing.compare(chosen, as_json=as_json)
