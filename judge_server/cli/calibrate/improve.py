"""``judge-server calibrate improve``: a judge that agrees better with people, tested on labels that chose nothing."""

from pathlib import Path
from typing import Annotated

import typer

from judge_server.cli import options
from judge_server.cli.calibrate.run import Positive


@options.takes_flags
def improve(
    labels: Annotated[
        str, typer.Argument(metavar="FILE|ID", help="Labels with prompts and responses, or a stored set.")
    ],
    rubric: Annotated[str, typer.Option("--rubric", metavar="ID_OR_FILE", help="The rubric to improve.")],
    out: Annotated[Path, typer.Option("--out", "-o", metavar="DIR", help="Directory of the report and the answers.")],
    judge: Annotated[
        str | None, typer.Option("--judge", metavar="NAME", help="A judge of the configuration (default: its default).")
    ] = None,
    proposer: Annotated[
        str | None, typer.Option("--proposer", metavar="JUDGE", help="The judge whose model proposes other wordings.")
    ] = None,
    tries: Annotated[int, typer.Option("--tries", min=1, max=10, help="Wordings proposed for a criterion.")] = 3,
    questions: Annotated[
        int | None,
        typer.Option("--questions", min=1, help="The most ratings to ask before the test split."),
    ] = None,
    seed: Annotated[int, typer.Option("--seed", min=0, help="Seed of the division into revise and select.")] = 0,
    reader: Annotated[
        str, typer.Option("--reader", metavar="NAME", help="Who reads the test split, if it was read before.")
    ] = "",
    reason: Annotated[str, typer.Option("--reason", metavar="TEXT", help="Why the test split is read once more.")] = "",
    positive: Positive = None,
    *,
    judging: options.JudgeFlags,
    library: options.LibraryFlags,
    as_json: Annotated[bool, typer.Option("--json", help="Print the record as JSON.")] = False,
) -> None:
    """Try fitted maps and other wordings of the criteria, and keep what agrees better with people.

    The dev split is divided by prompt: disagreements in one half drive the candidates, the other half chooses among
    them, and the locked test split is read once at the end to confirm. Ids, kinds, scales and points stay as they are.
    An interrupted run resumes from --out without asking twice. "Nothing better was found" is an answer: the exit status
    is 0.

    Example: judge-server calibrate improve kqa.csv --rubric medical/consultation --proposer strong --out better
    """
    from judge_server.cli.actions.calibrate import improve as improving
    from judge_server.cli.running import run

    settings = options.settings_given(judging, library).with_database()
    wished = improving.ImproveOptions(
        labels=labels,
        rubric=rubric,
        judge=judge,
        proposer=proposer,
        out=out,
        tries=tries,
        questions=questions,
        seed=seed,
        reader=reader,
        reason=reason,
        positives=tuple(positive or ()),
        as_json=as_json,
    )
    run(improving.improve(settings, wished))
