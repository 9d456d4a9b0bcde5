"""``judge-server data …``: building data sets for training."""

from typing import Annotated

import typer

from judge_server.cli import options
from judge_server.cli.listing import Commands
from judge_server.cli.running import fail

app = Commands(help="Build data sets for training: keep prompts of the right difficulty.", no_args_is_help=True)


@app.command("difficulty")
@options.takes_flags
def difficulty(
    file: Annotated[
        str | None,
        typer.Argument(metavar="[FILE|-]", help="Rollouts with rewards, one JSON object a line; also .gz."),
    ] = None,
    low: Annotated[float, typer.Option("--low", help="Least pass rate that is kept.")] = 0.2,
    high: Annotated[float, typer.Option("--high", help="Greatest pass rate that is kept.")] = 0.8,
    threshold: Annotated[float, typer.Option("--threshold", help="A rollout passes from this reward on.")] = 0.5,
    mean: Annotated[bool, typer.Option("--mean", help="Apply the band to mean rewards instead of pass rates.")] = False,
    min_rollouts: Annotated[
        int,
        typer.Option("--min-rollouts", min=1, help="Minimum number of known rewards; fewer are not enough evidence."),
    ] = 4,
    interval: Annotated[
        str | None,
        typer.Option("--interval", metavar="inside|overlap", help="Judge by Wilson's interval of the pass rate."),
    ] = None,
    confidence: Annotated[
        float, typer.Option("--confidence", min=0.01, max=0.9999, help="Confidence of the interval.")
    ] = 0.95,
    keep_constant: Annotated[
        bool, typer.Option("--keep-constant", help="Keep prompts whose rewards are all equal, too.")
    ] = False,
    key: Annotated[
        str | None, typer.Option("--key", metavar="FIELD", help="What names the prompt: group, else prompt, else id.")
    ] = None,
    reward: Annotated[str, typer.Option("--reward", metavar="FIELD", help="The reward's field.")] = "reward",
    prompts: Annotated[
        str | None,
        typer.Option("--prompts", metavar="FILE", help="The rows to choose from, if FILE does not hold them."),
    ] = None,
    target: Annotated[
        int | None, typer.Option("--target", min=1, metavar="N", help="Draw N prompts, evenly over the band.")
    ] = None,
    seed: Annotated[int, typer.Option("--seed", min=0, help="Seed of the draw.")] = 0,
    group_by: Annotated[
        str | None, typer.Option("--group-by", metavar="FIELD", help="Also count by this field; a.b is field b of a.")
    ] = None,
    output: Annotated[
        str | None, typer.Option("--output", "-o", metavar="FILE|-", help="Write the kept rows to this file.")
    ] = None,
    annotate: Annotated[
        bool, typer.Option("--annotate", help="Add the field difficulty to the rows: rate, rollouts, failed.")
    ] = False,
    run_name: Annotated[
        str | None, typer.Option("--run", metavar="RUN", help="The stored judgments of this run, instead of a file.")
    ] = None,
    *,
    store: options.StoreFlags,
    skip_bad: Annotated[bool, typer.Option("--skip-bad", help="Skip lines that cannot be read.")] = False,
    as_json: Annotated[bool, typer.Option("--json", help="Print JSON for programs.")] = False,
) -> None:
    """Keep the prompts that a policy sometimes gets right.

    Each line has the rewards of one or several rollouts; those of one prompt are combined. A reward of null means that
    the judge failed: it is counted, but neither as pass nor as fail.

    With --run the rewards are those that a training run got so far, so that prompts that teach nothing can be dropped.

    Example: judge-server data difficulty rollouts.jsonl --low 0.2 --high 0.8 --output prompts.jsonl
    """
    from judge_server.cli.actions.difficulty import DifficultyOptions, carry_out

    if (file is None) == (run_name is None):
        fail("give either a file of rollouts or --run RUN")

    carry_out(
        DifficultyOptions(
            file=file or "",
            run=run_name,
            settings=options.settings_given(store).with_database() if run_name else None,
            band={
                "low": low,
                "high": high,
                "threshold": threshold,
                "mean": mean,
                "min_rollouts": min_rollouts,
                "interval": interval,
                "confidence": confidence,
                "keep_constant": keep_constant,
            },
            key=key,
            reward=reward,
            prompts=prompts,
            target=target,
            seed=seed,
            group_by=group_by,
            output=output,
            annotate=annotate,
            skip_bad=skip_bad,
            as_json=as_json,
        )
    )
