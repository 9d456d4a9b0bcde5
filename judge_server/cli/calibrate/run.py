"""``judge-server calibrate run``: judge labelled items on the scoring path."""

from pathlib import Path
from typing import Annotated

import typer

from judge_server.cli import options
from judge_server.cli.calibrate import sources

Split = Annotated[
    str, typer.Option("--split", metavar="dev|test|all", help="Split of the prompts; reading test is recorded.")
]
Reader = Annotated[str, typer.Option("--reader", metavar="NAME", help="Who reads the locked test split.")]
Reason = Annotated[str, typer.Option("--reason", metavar="TEXT", help="Why the locked test split is read.")]
Partial = Annotated[bool, typer.Option("--partial", help="Accept labels and a rubric that share only some criteria.")]

Positive = Annotated[
    list[str] | None,
    typer.Option("--positive", metavar="CRITERION=CLASS", help="The class that means met. Repeatable."),
]


@options.takes_flags
def run(
    labels: Annotated[
        str,
        typer.Option(
            "--labels", metavar="FILE|ID", help="A file of labels with prompts and responses, or a stored set."
        ),
    ],
    rubric: Annotated[str, typer.Option("--rubric", metavar="ID_OR_FILE", help="The rubric to judge under.")],
    judge: Annotated[
        str | None, typer.Option("--judge", metavar="NAME", help="A judge of the configuration (default: its default).")
    ] = None,
    out: Annotated[
        Path | None,
        typer.Option("--out", "-o", metavar="FILE", help="People's and the judge's labels: .csv or .jsonl."),
    ] = None,
    split: Split = "dev",
    reader: Reader = "",
    reason: Reason = "",
    partial: Partial = False,
    positive: Positive = None,
    raw: Annotated[
        bool, typer.Option("--raw", help="Do not apply fitted maps, so that new ones can be fitted.")
    ] = False,
    concurrency: Annotated[int, typer.Option("--concurrency", min=1, help="Concurrent items.")] = 64,
    *,
    judging: options.JudgeFlags,
    library: options.LibraryFlags,
    as_json: Annotated[bool, typer.Option("--json", help="Print the calibration as JSON.")] = False,
    estimate: options.Estimate = False,
) -> None:
    """Judge every labelled item on the scoring path, and write the judge's labels with the people's.

    Known verdicts are not asked again, so an interrupted run resumes. A judge failure becomes an empty label with its
    reason. Run, fit and gate share ./judge-server.db unless --database is given. The exit status is 1 if nothing could
    be judged.

    Example: judge-server calibrate run --labels kqa.csv --rubric medical/consultation --model vllm:Qwen/Qwen3.5-9B
    """
    from judge_server.cli.actions.calibrate import run as measuring
    from judge_server.cli.running import run as run_to_its_end

    settings = options.settings_given(judging, library)
    chosen = measuring.RunOptions(
        labels=labels,
        part=sources.SplitChoice(split, reader, reason),
        rubric=rubric,
        judge=judge,
        out=out,
        partial=partial,
        positives=tuple(positive or ()),
        raw=raw,
        concurrency=concurrency,
        as_json=as_json,
    )
    if estimate:
        run_to_its_end(measuring.estimate(settings.with_database(), chosen))
    elif not run_to_its_end(measuring.measure(settings.with_database(), chosen)):
        raise typer.Exit(1)
