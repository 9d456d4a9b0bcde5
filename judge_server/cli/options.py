"""Flags that several commands share: which judge, which rubrics, which database."""

import json
from pathlib import Path
from typing import Annotated, Any

import typer
from pydantic import ValidationError

from judge_server.core.errors import BadConfiguration
from judge_server.core.judge import JudgeSpecification
from judge_server.settings import DEFAULT_JUDGE, Settings, load_settings

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


def settings_from(
    *,
    config: Path | None,
    model: str | None,
    mode: str | None,
    votes: int | None = None,
    min_label_mass: float | None = None,
    engine: list[str] | None = None,
    rubrics: list[Path] | None = None,
    database: str | None = None,
    **flags: Any,
) -> Settings:
    """Settings of file and environment with the flags on top. ``--model`` makes a judge named ``default``; the other
    judge flags change that judge, or the configured default judge where no model is given."""
    settings = load_settings(config)
    changes = {"mode": mode, "votes": votes, "min_label_mass": min_label_mass}
    given: dict[str, Any] = {name: value for name, value in changes.items() if value is not None}
    if engine:
        given["engine"] = _pairs(engine)
    judges, default = dict(settings.judges), settings.default_judge
    if model is not None or given:
        default = DEFAULT_JUDGE if model is not None or not judges else default or next(iter(judges))
        base: dict[str, Any] = (
            {} if model is not None or default not in judges else judges[default].model_dump(exclude_unset=True)
        )
        base |= {"name": default, **given}
        if model is not None or ("model" not in base and "panel" not in base):
            base["model"] = model or "baseline"
        judges[default] = _specification(base)
    return settings.with_flags(
        judges=judges,
        default_judge=default,
        rubrics=tuple(rubrics) if rubrics else None,
        database_url=database,
        **flags,
    )


def _specification(fields: dict[str, Any]) -> JudgeSpecification:
    try:
        return JudgeSpecification.model_validate(fields)
    except ValidationError as fault:
        lines = [
            f"{'.'.join(map(str, error['loc'])) or 'judge'}: {error['msg']}"
            for error in fault.errors(include_url=False, include_input=False, include_context=False)
        ]
        raise BadConfiguration("The judge's flags cannot be used: " + "; ".join(lines)) from None


def _pairs(given: list[str]) -> dict[str, Any]:
    """KEY=VALUE pairs; a value that is JSON is taken as such, anything else as text."""
    options: dict[str, Any] = {}
    for pair in given:
        key, separator, value = pair.partition("=")
        if not separator or not key:
            raise BadConfiguration(f"--engine {pair!r} is not KEY=VALUE.")
        try:
            options[key] = json.loads(value)
        except ValueError:
            options[key] = value
    return options


def is_file(named: str) -> bool:
    """Whether a name given for a rubric is a file's."""
    return Path(named).is_file()
