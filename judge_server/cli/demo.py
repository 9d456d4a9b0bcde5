"""``judge-server demo``: the main job on bundled submissions with the embedded default judge."""

from typing import Annotated

import typer

from judge_server.cli import options
from judge_server.cli.running import run


def demo(
    model: options.Model = None,
    mode: options.Mode = None,
    engine: options.Engine = None,
    full: Annotated[
        bool, typer.Option("--full", help="Show every verdict, not only the ones that weigh most.")
    ] = False,
    as_json: Annotated[bool, typer.Option("--json", help="Print judgments, one JSON object a line.")] = False,
) -> None:
    """Score bundled submissions against the medical, writing, safety and format rubrics.

    Without --model the embedded lexical baseline judges: it shows how everything fits together and says nothing about
    how well a response really answers.
    """
    from judge_server.cli.actions.demo import demonstrate

    settings = options.settings_given(model=model, mode=mode, engine=engine, database="sqlite://")
    run(demonstrate(settings, full=full, as_json=as_json))
