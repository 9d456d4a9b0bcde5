"""``judge-server rescore``: stored verdicts under another rubric version, without asking a judge."""

from typing import Annotated

import typer

from judge_server.cli import options
from judge_server.cli.running import run


def rescore(
    rubric: Annotated[str, typer.Option("--rubric", metavar="ID_OR_FILE", help="The rubric to aggregate under.")],
    judgments: Annotated[
        list[str] | None, typer.Argument(metavar="[JUDGMENT]...", help="Ids; all of the rubric's if none.")
    ] = None,
    database: options.Database = None,
    rubrics: options.Rubrics = None,
    config: options.Config = None,
    as_json: Annotated[bool, typer.Option("--json", help="One JSON object a line.")] = False,
) -> None:
    """Aggregate stored verdicts under another rubric version: new weights, the same verdicts, no model call.

    A criterion whose wording changed needs a judge; such judgments are named on standard error and left alone.

    Example: judge-server rescore --rubric draft.yaml --database sqlite:///judge-server.db
    """
    from judge_server.cli.actions.rescore import rescore_stored, show

    settings = options.settings_given(config=config, rubrics=rubrics, database=database).with_database()
    show(run(rescore_stored(settings, rubric, judgments or [])), as_json)
