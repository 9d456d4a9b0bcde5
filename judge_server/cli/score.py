"""``judge-server score``: JSONL of submissions in, JSONL of judgments out, no server needed."""

from pathlib import Path
from typing import Annotated

import typer

from judge_server.cli import options
from judge_server.cli.running import run


def score(
    file: Annotated[
        str, typer.Argument(metavar="FILE|-", help="Submissions, one JSON object a line; - reads standard input.")
    ],
    rubric: Annotated[
        str | None,
        typer.Option(
            "--rubric", metavar="ID_OR_FILE", help="For submissions that name none: an id, id@version or file."
        ),
    ] = None,
    model: options.Model = None,
    mode: options.Mode = None,
    judge: Annotated[
        str | None, typer.Option("--judge", metavar="NAME", help="A judge of the configuration file.")
    ] = None,
    votes: options.Votes = None,
    min_label_mass: options.MinLabelMass = None,
    engine: options.Engine = None,
    rubrics: options.Rubrics = None,
    database: options.Database = None,
    config: options.Config = None,
    output: Annotated[
        Path | None,
        typer.Option(
            "--output", "-o", metavar="FILE", dir_okay=False, help="Write judgments here instead of standard output."
        ),
    ] = None,
    deadline: Annotated[
        float | None, typer.Option("--deadline", min=0.001, metavar="SECONDS", help="Longest time for one submission.")
    ] = None,
    concurrency: Annotated[int, typer.Option("--concurrency", min=1, help="Submissions under way at once.")] = 64,
) -> None:
    """Score a file of submissions.

    Every line of the input becomes one line of the output, in order: a judgment with a reward, or with reward null
    and a typed error. Blank lines are passed over. The exit status is 0 when every line was judged or typed. Judgments
    are kept where --database (or DATABASE_URL) says, and nowhere otherwise.

    Example: judge-server score answers.jsonl --rubric medical/consultation --model openai:NAME@http://127.0.0.1:8001/v1
    """
    from judge_server.cli.actions.score import Task, score_lines

    settings = options.settings_given(
        config=config,
        model=model,
        mode=mode,
        votes=votes,
        min_label_mass=min_label_mass,
        engine=engine,
        rubrics=rubrics,
        database=database,
    )
    run(score_lines(settings, Task(file, rubric, judge, output, deadline, concurrency)))
