"""The configured judges over their models."""

import re
from collections.abc import Callable, Mapping
from types import MappingProxyType
from typing import Any, Final

from judge_server.core.errors import BadConfiguration
from judge_server.core.judge import CascadeRule, JudgeSpecification
from judge_server.core.price import Price
from judge_server.judging.answer import Judge
from judge_server.judging.cascade import CascadeJudge
from judge_server.judging.exemplified import ExamplePool, ExemplifiedJudge
from judge_server.judging.panel import PanelJudge
from judge_server.judging.prompt import PromptWriter
from judge_server.judging.single import SingleJudge
from judge_server.models.protocol import Model
from judge_server.models.registry import open_model
from judge_server.scheduling.observers import Observers
from judge_server.scheduling.scheduler import ScheduledModel
from judge_server.scheduling.spending import Spending
from judge_server.settings.environment import environment_variable
from judge_server.settings.settings import DEFAULT_JUDGE, Settings
from judge_server.util.canonical import canonical_json


def judge_specifications(settings: Settings) -> tuple[dict[str, JudgeSpecification], str]:
    """The configured judges and the default's name; the embedded baseline if none is configured."""
    judges = dict(settings.judges)
    if not judges:
        judges = {DEFAULT_JUDGE: JudgeSpecification(name=DEFAULT_JUDGE, model="baseline")}
    default = settings.chosen_judge
    for setting, name in (("default_judge", default), ("audit_judge", settings.audit_judge)):
        if name is not None and name not in judges:
            raise BadConfiguration(
                f"{setting}: {name!r} is not among the judges.", remedy=f"Known: {', '.join(sorted(judges))}."
            )
    return judges, default


_VARIABLE: Final = re.compile(r"[A-Za-z_][A-Za-z0-9_]*")
Opening = Callable[[str, Mapping[str, Any]], Model]


class Models:
    """Judges that name the same model with the same engine options and price share one."""

    def __init__(
        self,
        observers: Observers,
        lower_class_share: float,
        opening: Opening = open_model,
        spending: Spending | None = None,
    ) -> None:
        self._observers = observers
        self._spending = spending
        self._opening = opening
        self._lower_class_share = lower_class_share
        self.opened: dict[tuple[str, str, Price | None], ScheduledModel] = {}

    def open(self, specification: JudgeSpecification) -> ScheduledModel:
        name = specification.model or ""
        key = (name, canonical_json(specification.engine), specification.price)
        if key not in self.opened:
            self.opened[key] = ScheduledModel(
                self._opening(name, engine_options(specification)),
                self._observers,
                lower_class_share=self._lower_class_share,
                price=specification.price,
                spending=self._spending,
            )
        return self.opened[key]


def engine_options(specification: JudgeSpecification) -> dict[str, Any]:
    """Engine options with the key that ``api_key_env`` names read from the environment. Raises BadConfiguration."""
    options = dict(specification.engine)
    variable = options.pop("api_key_env", None)
    if variable is not None:
        if not _VARIABLE.fullmatch(str(variable)):  # most likely the key itself
            raise BadConfiguration(
                f"judges.{specification.name}.engine.api_key_env: what stands there is not the name of a variable.",
                remedy="Set a variable of the environment to the provider's API key, and write the variable's name.",
            )
        key = environment_variable(str(variable))
        if not key:
            raise BadConfiguration(
                f"judges.{specification.name}.engine.api_key_env: the environment has no {variable}.",
                remedy="Set it to the provider's API key.",
            )
        options["api_key"] = key
    return options


def _writer_of(specification: JudgeSpecification, writer: PromptWriter) -> PromptWriter:
    versioned = writer.of(specification.prompt)
    return versioned.turned() if specification.order == "opposite" else versioned


def build_judges(
    specifications: Mapping[str, JudgeSpecification],
    models: Models,
    writer: PromptWriter,
    pools: Mapping[str, ExamplePool] = MappingProxyType({}),
) -> dict[str, Judge]:
    """``pools``: the labelled examples of the judges that show some."""
    judges: dict[str, Judge] = {}
    for name, specification in specifications.items():
        if specification.model is not None:
            single = SingleJudge(specification, models.open(specification), _writer_of(specification, writer))
            judges[name] = ExemplifiedJudge(specification, single, pools[name]) if name in pools else single
    for name, specification in specifications.items():
        if not specification.panel:
            continue
        unknown = [member for member in specification.panel if member not in judges]
        if unknown:
            raise BadConfiguration(
                f"judges.{name}.panel: {', '.join(unknown)} is not a judge with a model.",
                remedy="A panel names judges that have a model of their own.",
            )
        judges[name] = PanelJudge(specification, [judges[member] for member in specification.panel])
    asked_alone = dict(judges)
    for name, specification in specifications.items():
        if specification.cascade is not None:
            judges[name] = _cascade(specification, specification.cascade, asked_alone)
    return judges


def _cascade(specification: JudgeSpecification, rule: CascadeRule, judges: Mapping[str, Judge]) -> CascadeJudge:
    unknown = [member for member in (rule.first, rule.then) if member not in judges]
    if unknown:
        raise BadConfiguration(
            f"judges.{specification.name}.cascade: {', '.join(unknown)} is not a judge with a model or a panel.",
            remedy="A cascade names two judges that have a model, or panels of such judges.",
        )
    return CascadeJudge(specification, judges[rule.first], judges[rule.then])
