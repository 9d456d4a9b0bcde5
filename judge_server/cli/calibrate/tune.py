"""``judge-server calibrate tune``: a small adapter trained on labels, as a judge of its own."""

import shlex
import sys
from pathlib import Path
from typing import Annotated

import typer

from judge_server.cli import options
from judge_server.cli.calibrate.run import Positive


@options.takes_flags
def tune(
    labels: Annotated[
        str, typer.Argument(metavar="FILE|ID", help="Labels with prompts and responses, or a stored set.")
    ],
    rubric: Annotated[str, typer.Option("--rubric", metavar="ID_OR_FILE", help="The rubric to judge under.")],
    out: Annotated[
        Path, typer.Option("--out", "-o", metavar="DIR", help="Directory of one training: adapter, rows, checkpoints.")
    ],
    judge: Annotated[
        str | None,
        typer.Option("--judge", metavar="NAME", help="A vllm: judge (default: the configuration's default)."),
    ] = None,
    python: Annotated[
        str | None,
        typer.Option("--python", metavar="FILE", help="An interpreter with TRL and peft, if this one has none."),
    ] = None,
    rank: Annotated[int, typer.Option("--rank", min=1, max=256, help="Rank of the adapter's matrices.")] = 16,
    epochs: Annotated[float, typer.Option("--epochs", min=0.01, max=100, help="How often each row is seen.")] = 3.0,
    learning_rate: Annotated[
        float, typer.Option("--learning-rate", min=1e-8, max=1, help="Constant over the training.")
    ] = 2e-4,
    batch: Annotated[int, typer.Option("--batch", min=1, max=1_024, help="Rows a step.")] = 8,
    minutes: Annotated[
        float | None, typer.Option("--minutes", min=1e-3, help="The most time of the training, over all runs.")
    ] = None,
    checkpoint_steps: Annotated[
        int, typer.Option("--checkpoint-steps", min=1, help="Steps between two checkpoints.")
    ] = 10,
    seed: Annotated[
        int, typer.Option("--seed", min=0, help="Seed of the division into revise and select, and of the training.")
    ] = 0,
    positive: Positive = None,
    *,
    judging: options.JudgeFlags,
    library: options.LibraryFlags,
    as_json: Annotated[bool, typer.Option("--json", help="Print the record as JSON.")] = False,
) -> None:
    """Train a LoRA adapter on people's labels, and say whether the judge with it agrees better with them.

    The dev split is divided by prompt as by calibrate improve with the same --seed: the adapter learns people's
    majority on the revise half, question by question as the judge is asked; judge and adapter are compared on the
    select half (exact sign-flip test by prompt). No text of the select half or of the locked test split is in the
    training file. The training runs in a process of its own. An interrupted run goes on from its last checkpoint. The
    exit status is 0 whatever the outcome is; calibrate improve --tuned reads the test split to confirm it.

    Example: judge-server calibrate tune kqa.csv --rubric entails.yaml --config judges.toml --judge small --out tuned
    """
    from judge_server.calibration.tuning import TrainingOptions
    from judge_server.cli.actions.calibrate import tune as tuning
    from judge_server.cli.calibrate import sources
    from judge_server.cli.running import run
    from judge_server.util.redaction import redacted

    settings = options.settings_given(judging, library).with_database()
    training = TrainingOptions(
        rank=rank,
        epochs=epochs,
        learning_rate=learning_rate,
        batch=batch,
        checkpoint_steps=checkpoint_steps,
        seed=seed,
        seconds=None if minutes is None else 60 * minutes,
    )
    wished = tuning.TuneOptions(
        labels=labels,
        rubric=rubric,
        judge=judge,
        python=python or sys.executable,
        training=training,
        positives=sources.positives(positive or ()),
        out=out,
        command=redacted(shlex.join(["judge-server", *sys.argv[1:]])),
        as_json=as_json,
    )
    run(tuning.tune(settings, wished))
