"""``judge-server bench``: what a verdict of the configured judge costs on this machine."""

from typing import Annotated

import typer

from judge_server.cli import options
from judge_server.cli.running import run


def bench(
    model: options.Model = None,
    mode: options.Mode = None,
    engine: options.Engine = None,
    min_label_mass: options.MinLabelMass = None,
    database: options.Database = None,
    config: options.Config = None,
    prompts: Annotated[int, typer.Option("--prompts", min=1, help="Different prompts.")] = 4,
    rollouts: Annotated[int, typer.Option("--rollouts", min=1, help="Responses to each prompt.")] = 8,
    criteria: Annotated[int, typer.Option("--criteria", min=1, max=1_000, help="Criteria of the rubric.")] = 12,
    words: Annotated[int, typer.Option("--words", min=1, help="About how long a response is.")] = 200,
    as_json: Annotated[bool, typer.Option("--json", help="Print JSON.")] = False,
) -> None:
    """Measure verdicts per second, processor time per verdict and the share of prompt tokens that the cache saved.

    The texts are made up and never seen before, so no verdict comes from the cache.
    """
    from judge_server.cli.actions.bench import Workload, measure, show

    settings = options.settings_given(
        config=config, model=model, mode=mode, engine=engine, min_label_mass=min_label_mass, database=database
    )
    show(run(measure(settings, Workload(prompts, rollouts, criteria, words))), as_json)
