"""``judge-server calibrate improve``: a judge that agrees better with people, tested on labels that chose nothing."""

from pathlib import Path
from typing import Annotated, Literal

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
    recorded: Annotated[
        str | None,
        typer.Option("--recorded", metavar="NAME", help="A judge whose answers stand in FILE: nothing is asked."),
    ] = None,
    second: Annotated[
        str | None,
        typer.Option(
            "--second",
            metavar="JUDGE",
            help="A stronger judge for what this one leaves open (with --recorded: of FILE).",
        ),
    ] = None,
    tuned: Annotated[
        str | None,
        typer.Option("--tuned", metavar="JUDGE", help="A judge with the adapter that calibrate tune made of these."),
    ] = None,
    second_share: Annotated[
        float, typer.Option("--second-share", min=0.01, max=1, help="The most of the questions that go to --second.")
    ] = 0.5,
    examples: Annotated[
        list[int] | None,
        typer.Option("--examples", min=0, max=16, help="Examples to try with each question; 0: none. Repeatable."),
    ] = None,
    encoder: Annotated[
        str | None,
        typer.Option("--encoder", metavar="DIR", help="A sentence encoder: also try examples by its vectors."),
    ] = None,
    tries: Annotated[int, typer.Option("--tries", min=1, max=10, help="Wordings proposed for a criterion.")] = 3,
    search: Annotated[
        Literal["once", "gepa"],
        typer.Option("--search", help="Ask the proposer once for a criterion, or let GEPA direct it (extra gepa)."),
    ] = "once",
    questions: Annotated[
        int | None,
        typer.Option("--questions", min=1, help="The most ratings to ask before the test split."),
    ] = None,
    calls: Annotated[int | None, typer.Option("--calls", min=1, help="The most calls of models.")] = None,
    tokens: Annotated[int | None, typer.Option("--tokens", min=1, help="The most tokens.")] = None,
    dollars: Annotated[
        float | None, typer.Option("--dollars", min=1e-9, help="The most money, if prices are known.")
    ] = None,
    minutes: Annotated[float | None, typer.Option("--minutes", min=1e-3, help="The most time, over all runs.")] = None,
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
    """Try maps, wordings, examples, a second judge and a trained adapter; keep what agrees better with people.

    The dev split is divided by prompt: one half drives the candidates, the other half chooses among them, and the
    locked test split is read once at the end to confirm. Ids, kinds, scales and points stay as they are. An interrupted
    run resumes from --out without asking twice. "Nothing better was found" is an answer: the exit status is 0.

    Example: judge-server calibrate improve kqa.csv --rubric medical/consultation --proposer strong --out better
    """
    from judge_server.calibration.improve_run import Attempt
    from judge_server.calibration.improvement import Limits
    from judge_server.cli.actions.calibrate import improve as improving
    from judge_server.cli.calibrate import sources
    from judge_server.cli.running import run

    settings = options.settings_given(judging, library).with_database()
    seconds = None if minutes is None else 60 * minutes
    attempt = Attempt(
        tries=tries,
        search=search,
        seed=seed,
        limits=Limits(questions=questions, calls=calls, tokens=tokens, dollars=dollars, seconds=seconds),
        examples=sources.example_rules(examples, encoder),
        second_share=second_share,
        positives=sources.positives(positive or ()),
        reader=reader,
        reason=reason,
    )
    wished = improving.ImproveOptions(labels, rubric, judge, proposer, second, tuned, out, attempt, as_json, recorded)
    run(improving.improve(settings, wished))
