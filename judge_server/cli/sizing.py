"""Flags of ``size``: how many engines a training needs for its judge."""

from pathlib import Path
from typing import Annotated

import typer

from judge_server.cli.running import run


def size(
    rollouts: Annotated[int, typer.Option("--rollouts", min=1, max=10_000_000, help="Responses of one training step.")],
    criteria: Annotated[int, typer.Option("--criteria", min=1, max=10_000, help="Criteria of the rubric.")],
    tokens: Annotated[int, typer.Option("--tokens", min=1, max=1_000_000, help="Tokens of a response.")],
    model: Annotated[
        str | None,
        typer.Option("--model", metavar="NAME|DIR", help="A known model, or a folder with its config.json."),
    ] = None,
    gpu: Annotated[str | None, typer.Option("--gpu", metavar="CARD", help="The card, such as H100.")] = None,
    profile: Annotated[
        Path | None,
        typer.Option(
            "--profile",
            metavar="FILE",
            exists=True,
            dir_okay=False,
            help="What doctor --profile measured, instead of --model and --gpu.",
        ),
    ] = None,
    group: Annotated[int, typer.Option("--group", min=1, max=100_000, help="Responses to one prompt.")] = 8,
    prompt_tokens: Annotated[
        int, typer.Option("--prompt-tokens", min=1, max=1_000_000, help="Tokens of a prompt.")
    ] = 500,
    criterion_tokens: Annotated[
        int,
        typer.Option("--criterion-tokens", min=1, max=100_000, help="Tokens of one criterion and its question."),
    ] = 100,
    instruction_tokens: Annotated[
        int,
        typer.Option("--instruction-tokens", min=1, max=100_000, help="Tokens that begin every prompt of the judge."),
    ] = 500,
    answer_tokens: Annotated[
        int,
        typer.Option(
            "--answer-tokens",
            min=1,
            max=100_000,
            help="Tokens of an answer: 1 in direct mode, about 100 in reason mode.",
        ),
    ] = 1,
    votes: Annotated[int, typer.Option("--votes", min=1, max=1_000, help="How often each question is asked.")] = 1,
    tensor_parallel: Annotated[int, typer.Option("--tensor-parallel", min=1, max=64, help="Cards of one engine.")] = 1,
    step_tokens: Annotated[
        int, typer.Option("--step-tokens", min=1, help="max_num_batched_tokens of the engine (without --profile).")
    ] = 8192,
    sequences: Annotated[
        int, typer.Option("--sequences", min=1, help="max_num_seqs of the engine (without --profile).")
    ] = 256,
    engines: Annotated[
        int | None, typer.Option("--engines", min=1, max=100_000, help="Say what so many engines achieve.")
    ] = None,
    seconds: Annotated[float | None, typer.Option("--seconds", min=0.001, help="Time that judging may take.")] = None,
    step_seconds: Annotated[
        float | None,
        typer.Option("--step-seconds", min=0.001, help="Time of a training step, judging included."),
    ] = None,
    share: Annotated[float, typer.Option("--share", min=0.001, max=0.999, help="Judging's share of that step.")] = 0.1,
    gpu_hour: Annotated[float | None, typer.Option("--gpu-hour", min=0, help="Dollars for one card and hour.")] = None,
    server_milliseconds: Annotated[
        float, typer.Option("--server-ms", min=0, help="Processor time of the server for one verdict.")
    ] = 0.3,
    as_json: Annotated[bool, typer.Option("--json", help="Print JSON.")] = False,
) -> None:
    """Say how many engines judge a training step in a given time, what that costs, and what one more criterion or vote
    would cost.

    The engine's queue, its prefix cache and its steps are simulated. With --model and --gpu its speed follows from data
    sheets and is a first estimate only; measure your own with judge-server doctor --profile FILE and give that FILE.

    Example: judge-server size --rollouts 512 --criteria 12 --tokens 2000 --model Qwen3-8B --gpu H100 --step-seconds 120
    """
    from judge_server.cli.actions.sizing import Given, show, sized
    from judge_server.sizing.plan import SizingGoal
    from judge_server.sizing.workload import TrainingStep

    workload = TrainingStep(
        rollouts=rollouts,
        criteria=criteria,
        response_tokens=tokens,
        group=group,
        prompt_tokens=prompt_tokens,
        criterion_tokens=criterion_tokens,
        instruction_tokens=instruction_tokens,
        answer_tokens=answer_tokens,
        votes=votes,
    )
    wanted = SizingGoal(engines=engines, seconds=seconds, step_seconds=step_seconds, share=share, gpu_hour=gpu_hour)
    given = Given(profile, model, gpu, tensor_parallel, step_tokens, sequences)
    show(run(sized(workload, given, wanted, server_milliseconds / 1_000)), as_json)
