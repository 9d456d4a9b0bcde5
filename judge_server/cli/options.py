"""Flags that several commands share: which judge, which rubrics, which database."""

import json
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from judge_server.cli.running import fail
from judge_server.core.errors import BadConfiguration, JudgeServerError

if TYPE_CHECKING:
    from judge_server.core.judge import JudgeSpecification
    from judge_server.settings.settings import Settings

Model = Annotated[
    str | None,
    typer.Option(
        "--model",
        metavar="SPEC",
        help="vllm:NAME_OR_PATH, openai:NAME@URL[,URL], litellm:PROVIDER/NAME, baseline, or recorded:FILE.",
    ),
]
Mode = Annotated[
    str | None,
    typer.Option(
        "--mode", metavar="direct|reason", help="direct reads one token's probabilities; reason explains first."
    ),
]
Votes = Annotated[int | None, typer.Option("--votes", min=1, help="Ask each question this many times.")]
MinLabelMass = Annotated[
    float | None,
    typer.Option(
        "--min-label-mass",
        min=0,
        max=1,
        help="Direct mode abstains below this probability on the labels (default 0.5).",
    ),
]
Engine = Annotated[
    list[str] | None,
    typer.Option(
        "--engine", metavar="KEY=VALUE", help="An option of the model's engine, e.g. dtype=float32. Repeatable."
    ),
]
Rubrics = Annotated[
    list[Path] | None,
    typer.Option(
        "--rubrics",
        metavar="DIR",
        exists=True,
        file_okay=False,
        help="Directory of rubric files instead of the bundled ones.",
    ),
]
Database = Annotated[
    str | None,
    typer.Option("--database", metavar="URL", help="sqlite:///FILE or postgresql://USER:PASSWORD@HOST/NAME."),
]
Config = Annotated[
    Path | None,
    typer.Option("--config", metavar="FILE", help="TOML file of settings and judges (see docs/configuration.md)."),
]


def settings_given(**given: Any) -> "Settings":
    """``settings_from`` for commands: ends the command if the settings cannot be used."""
    try:
        return settings_from(**given)
    except JudgeServerError as fault:
        fail(str(fault))


def settings_from(
    *,
    config: Path | None = None,
    model: str | None = None,
    mode: str | None = None,
    votes: int | None = None,
    min_label_mass: float | None = None,
    engine: list[str] | None = None,
    rubrics: list[Path] | None = None,
    database: str | None = None,
    **flags: Any,
) -> "Settings":
    """Settings of file and environment, overridden by the flags. ``--model`` defines a judge named ``default``; the
    other judge flags change that judge, or the configured default judge if no model is given."""
    from judge_server.settings.loading import load_settings

    settings = load_settings(config)
    changes = {"mode": mode, "votes": votes, "min_label_mass": min_label_mass, "engine": _pairs(engine or []) or None}
    given = {name: value for name, value in changes.items() if value is not None}
    if model is not None or given:
        judge = _judge(settings, model, given)
        flags |= {"judges": {**settings.judges, judge.name: judge}, "default_judge": judge.name}
    return settings.with_flags(rubrics=tuple(rubrics) if rubrics else None, database_url=database, **flags)


def _judge(settings: "Settings", model: str | None, given: dict[str, Any]) -> "JudgeSpecification":
    """The judge that the flags define or change."""
    from judge_server.settings.loading import judge_specification
    from judge_server.settings.settings import DEFAULT_JUDGE

    if model is not None:
        return judge_specification({"name": DEFAULT_JUDGE, "model": model, **given}, "the flags")
    configured = settings.judges.get(settings.chosen_judge) if settings.judges else None
    if configured is None:
        return judge_specification({"name": DEFAULT_JUDGE, "model": "baseline", **given}, "the flags")
    if configured.model is None:
        raise BadConfiguration(
            f"The flags {', '.join('--' + name.replace('_', '-') for name in given)} cannot change "
            f"{configured.name!r}, which is made of other judges.",
            remedy="Set them in the configuration file for each of them.",
        )
    return judge_specification({**configured.model_dump(exclude_unset=True), **given}, "the flags")


def _pairs(given: list[str]) -> dict[str, Any]:
    """KEY=VALUE pairs; a value is parsed as JSON if possible, otherwise taken as text."""
    options: dict[str, Any] = {}
    for pair in given:
        key, separator, value = pair.partition("=")
        if not separator or not key:
            raise BadConfiguration(
                f"--engine {pair!r} is not KEY=VALUE.", remedy="Write it like --engine dtype=float32."
            )
        try:
            options[key] = json.loads(value)
        except ValueError:
            options[key] = value
    return options


def is_file(named: str) -> bool:
    """Whether a rubric is given by file name."""
    return Path(named).is_file()
