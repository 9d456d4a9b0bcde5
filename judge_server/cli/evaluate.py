"""``judge-server eval``: a model measured on prompts with rubrics, or two compared."""

from pathlib import Path
from typing import Annotated, Literal

import typer

from judge_server.cli import options
from judge_server.cli.running import fail, needs, run

Subset = Literal["all", "hard", "consensus", "professional"]


@needs("calibration", "scipy")
@options.takes_flags
def evaluate(
    words: Annotated[
        list[str], typer.Argument(metavar="[healthbench] FILE", help="Prompts with rubrics, one JSON object a line.")
    ],
    rubric: Annotated[
        str | None,
        typer.Option("--rubric", metavar="ID_OR_FILE", help="The rubric of every row (default: each has its own)."),
    ] = None,
    responses: Annotated[
        str,
        typer.Option(
            "--responses",
            metavar="SOURCE",
            help="rows (their own), a FILE of responses, openai:NAME@URL or a configured judge's name to write them; "
            "of HealthBench also ideal and references.",
        ),
    ] = "rows",
    versus: Annotated[
        str | None, typer.Option("--versus", metavar="SOURCE", help="Another source, compared row by row.")
    ] = None,
    subset: Annotated[Subset, typer.Option("--subset", help="Of HealthBench, for the length adjustment.")] = "all",
    *,
    judging: options.JudgeFlags,
    library: options.LibraryFlags,
    judge: Annotated[
        str | None, typer.Option("--judge", metavar="NAME", help="A judge of the configuration file.")
    ] = None,
    examples: Annotated[
        int | None, typer.Option("--examples", min=1, help="So many rows, drawn as simple-evals draws them.")
    ] = None,
    samples: Annotated[int, typer.Option("--samples", min=1, help="Responses that a model writes to a row.")] = 1,
    temperature: Annotated[
        float | None, typer.Option("--temperature", min=0, help="For writing (default: the server's).")
    ] = None,
    max_tokens: Annotated[int | None, typer.Option("--max-tokens", min=1, help="The most that is written.")] = None,
    seed: Annotated[int | None, typer.Option("--seed", help="For writing.")] = None,
    keep: Annotated[
        Path | None,
        typer.Option(
            "--keep",
            metavar="FILE",
            dir_okay=False,
            help="What a model writes is kept here (default: FILE.responses.jsonl).",
        ),
    ] = None,
    rewards: Annotated[
        Path | None,
        typer.Option(
            "--rewards", metavar="FILE", dir_okay=False, help="Write the judgments with their rewards, as score does."
        ),
    ] = None,
    out: Annotated[
        Path, typer.Option("--out", metavar="DIR", help="Of a meta-evaluation: where rubric and labels go.")
    ] = Path("healthbench-meta"),
    concurrency: Annotated[int, typer.Option("--concurrency", min=1, help="Concurrent rows.")] = 64,
    as_json: Annotated[bool, typer.Option("--json", help="Print JSON for programs.")] = False,
    estimate: options.Estimate = False,
) -> None:
    """Measure a model on prompts with rubrics: mean scores by tag with intervals that count prompts.

    ``eval healthbench FILE`` scores as HealthBench does: yes or no for each criterion, its table by theme and axis, the
    bootstrap deviation, and the score adjusted for length. A file of its meta-evaluation measures the judge instead.
    Verdicts are remembered in the database and responses in --keep, so the same command goes on where a run was ended
    and asks nothing twice. The exit status is 1 if no response got a score.

    Example: judge-server eval healthbench rows.jsonl --responses openai:mine@http://127.0.0.1:8001/v1 --judge strong
    """
    from judge_server.cli.actions.evaluate import evaluating, meta, rows, shown
    from judge_server.cli.actions.evaluate import responses as sources
    from judge_server.models.policy_server import WritingOptions

    if len(words) > 2 or (len(words) == 2 and words[0] != rows.HEALTHBENCH):
        fail("give FILE, or healthbench FILE")
    settings = options.settings_given(judging, library).with_database()
    chosen = evaluating.EvaluationOptions(
        file=Path(words[-1]),
        healthbench=len(words) == 2,
        subset=subset,
        rubric=rubric,
        judge=judge,
        responses=responses,
        versus=versus,
        plan=sources.WritingPlan(
            WritingOptions(temperature=temperature, max_tokens=max_tokens, seed=seed),
            samples,
            keep or Path(f"{Path(words[-1]).name}.responses.jsonl"),
        ),
        examples=examples,
        rewards=rewards,
        concurrency=concurrency,
        as_json=as_json,
    )
    if chosen.healthbench and rows.holds_meta_evaluation(chosen.file):
        raise typer.Exit(run(meta.certify(settings, chosen, out)))
    if estimate:
        run(evaluating.estimate(settings, chosen))
        return
    found = run(evaluating.evaluate(settings, chosen))
    shown.show(found, as_json=as_json)
    if not any(model.means for model in found.models):
        raise typer.Exit(1)
