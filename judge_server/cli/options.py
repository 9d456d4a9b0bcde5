"""Flags that several commands share, said once: which judge, which rubrics, which database."""

import inspect
from collections.abc import Callable
from dataclasses import dataclass, fields
from functools import wraps
from inspect import Parameter
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, TypeVar, get_type_hints

import typer

from judge_server.cli.running import fail
from judge_server.core.errors import BadConfiguration, JudgeServerError
from judge_server.core.extra import require
from judge_server.util.parsing import read_json

if TYPE_CHECKING:
    from judge_server.core.judge import JudgeSpecification
    from judge_server.core.judgment_filter import JudgmentFilter
    from judge_server.settings.settings import Settings

T = TypeVar("T")
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
Estimate = Annotated[
    bool,
    typer.Option(
        "--estimate", help="Count calls and tokens instead, and ask the judge about one submission for its speed."
    ),
]
OnCluster = Annotated[
    str | None, typer.Option("--on", metavar="ray", help="Run on a Ray cluster; see judge-server docs ray.")
]
ClusterAddress = Annotated[
    str | None,
    typer.Option(
        "--address",
        metavar="HOST:PORT|auto",
        help="The cluster that runs already (default: one of this machine, for this command).",
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
    typer.Option("--config", metavar="FILE", help="TOML of settings and judges: judge-server docs configuration."),
]


class Flags:
    """The base of dataclasses whose fields are flags. ``takes_flags`` makes them options of a command."""


@dataclass(frozen=True)
class JudgeFlags(Flags):
    """Which judge. ``--model`` defines a judge named ``default``; the others change that judge, or the configured
    default judge if no model is given."""

    model: Model = None
    mode: Mode = None
    votes: Votes = None
    min_label_mass: MinLabelMass = None
    engine: Engine = None


@dataclass(frozen=True)
class StoreFlags(Flags):
    """Which database and configuration."""

    database: Database = None
    config: Config = None


@dataclass(frozen=True)
class LibraryFlags(Flags):
    """Which rubrics, database and configuration."""

    rubrics: Rubrics = None
    database: Database = None
    config: Config = None


def _filter(flag: str, help_text: str, metavar: str) -> Any:
    return typer.Option(flag, metavar=metavar, help=help_text)


@dataclass(frozen=True)
class FilterFlags(Flags):
    """Which stored judgments: the filters of ``GET /v1/judgments``."""

    run: Annotated[str | None, _filter("--run", "Of this training run.", "RUN")] = None
    step: Annotated[int | None, typer.Option("--step", min=0, help="Of this step.")] = None
    group: Annotated[str | None, _filter("--group", "Of this group.", "GROUP")] = None
    policy: Annotated[str | None, _filter("--policy", "Of this policy.", "POLICY")] = None
    rubric: Annotated[str | None, _filter("--rubric", "Under this rubric.", "ID[@VERSION]|DIGEST")] = None
    judge: Annotated[str | None, _filter("--judge", "By this judge.", "NAME")] = None
    status: Annotated[str | None, _filter("--status", "With this status.", "ok|partial|failed")] = None
    flag: Annotated[str | None, _filter("--flag", "With this flag of the guard.", "FLAG")] = None
    since: Annotated[str | None, _filter("--since", "Made at this time or later.", "TIME")] = None
    until: Annotated[str | None, _filter("--until", "Made before this time.", "TIME")] = None
    reward_from: Annotated[float | None, typer.Option("--reward-from", help="With at least this reward.")] = None
    reward_below: Annotated[float | None, typer.Option("--reward-below", help="With a reward below this.")] = None
    rewarded: Annotated[bool | None, typer.Option("--rewarded/--without-reward", help="With a reward, or none.")] = None
    tag: Annotated[str | None, _filter("--tag", "With this tag.", "TAG")] = None
    text: Annotated[str | None, _filter("--text", "With this text in prompt, response or reference.", "WORDS")] = None

    @property
    def filter(self) -> "JudgmentFilter":
        """Ends the command, naming the option, if one cannot be read."""
        from pydantic import ValidationError

        from judge_server.core.judgment_filter import JudgmentFilter

        given = {field.name: getattr(self, field.name) for field in fields(self)}
        try:
            return JudgmentFilter(**given)
        except ValidationError as fault:
            first = fault.errors(include_url=False, include_input=False)[0]
            option = "--text" if first["loc"][0] == "q" else f"--{str(first['loc'][0]).replace('_', '-')}"
            fail(f"{option}: {first['msg']}")


def takes_flags(command: Callable[..., T]) -> Callable[..., T]:
    """Decorator: a parameter that is annotated with a class of ``Flags`` becomes one option for each of its fields."""
    signature = inspect.signature(command, eval_str=True)
    gathered = {name: one.annotation for name, one in signature.parameters.items() if _are_flags(one.annotation)}

    @wraps(command)
    def with_flags(**given: Any) -> T:
        for name, kind in gathered.items():
            given[name] = kind(**{field.name: given.pop(field.name) for field in fields(kind)})
        return command(**given)

    options = [
        option
        for name, one in signature.parameters.items()
        for option in (_options_of(gathered[name]) if name in gathered else [one.replace(kind=Parameter.KEYWORD_ONLY)])
    ]
    with_flags.__signature__ = signature.replace(parameters=options)  # type: ignore[attr-defined]
    return with_flags


def _are_flags(annotation: Any) -> bool:
    return isinstance(annotation, type) and issubclass(annotation, Flags)


def _options_of(kind: type[Any]) -> list[Parameter]:
    types = get_type_hints(kind, include_extras=True)
    return [
        Parameter(field.name, Parameter.KEYWORD_ONLY, default=field.default, annotation=types[field.name])
        for field in fields(kind)
    ]


def on_ray(on: str | None, address: str | None) -> bool:
    """Whether --on asks for Ray. Ends the command for another word, for --address without it, and without Ray."""
    if on is None:
        if address is not None:
            fail("--address names a Ray cluster: give --on ray, too.")
        return False
    if on != "ray":
        fail(f"--on {on}: only ray is known.")
    try:
        require("ray", "--on ray", "ray")
    except JudgeServerError as fault:
        fail(str(fault))
    return True


def settings_given(*groups: Flags, **flags: Any) -> "Settings":
    """``settings_from`` for commands: ends the command if the settings cannot be used."""
    try:
        return settings_from(*groups, **flags)
    except JudgeServerError as fault:
        fail(str(fault))


def settings_from(*groups: Flags, **flags: Any) -> "Settings":
    """Settings of file and environment, overridden by the flags of ``groups`` and by ``flags``, names of settings.
    Raises TypeError for a flag that is no setting."""
    from judge_server.settings.loading import load_settings

    given: dict[str, Any] = {}
    for group in groups:
        given |= vars(group)
    settings = load_settings(given.pop("config", None))
    if unknown := flags.keys() - type(settings).model_fields.keys():
        raise TypeError(f"not settings: {', '.join(sorted(unknown))}")
    rubrics, database = given.pop("rubrics", None), given.pop("database", None)
    model, engine = given.pop("model", None), _pairs(given.pop("engine", None) or []) or None
    changes = {name: value for name, value in (given | {"engine": engine}).items() if value is not None}
    if model is not None or changes:
        judge = _judge(settings, model, changes)
        flags |= {"judges": {**settings.judges, judge.name: judge}, "default_judge": judge.name}
    if database is not None:
        flags["database_url"] = database
    return settings.with_flags(rubrics=tuple(rubrics) if rubrics else None, **flags)


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
            options[key] = read_json(value)
        except ValueError:
            options[key] = value
    return options


def is_file(named: str) -> bool:
    """Whether a rubric is given by file name."""
    return Path(named).is_file()
