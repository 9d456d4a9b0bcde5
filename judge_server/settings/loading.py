"""Settings and judges from files, flags and the environment; faults name the field and never the value."""

import os
from collections.abc import Mapping
from difflib import get_close_matches
from pathlib import Path
from typing import Any, Final

from pydantic import ValidationError
from pydantic_settings import SettingsError

from judge_server.core.api_key import ApiKey
from judge_server.core.caller import Allowance
from judge_server.core.errors import BadConfiguration
from judge_server.core.judge import JudgeSpecification
from judge_server.core.monitor import MonitorLimits
from judge_server.settings.environment import PREFIX
from judge_server.settings.settings import Settings
from judge_server.util.parsing import parse_toml
from judge_server.util.redaction import keep_keys

_MOST_TOLD = 20
_ENGINE_KEY: Final = "engine.api_key_env, the name of the variable with the key"


def load_settings(config: Path | None = None) -> Settings:
    """Settings from the file and the environment. Raises BadConfiguration naming the file, the field and the fault."""
    named = os.environ.get(f"{PREFIX}CONFIG")
    path = config or (Path(named) if named else None)
    where = f"{path} or the environment" if path else "the environment"
    try:
        return Settings(**(_read_toml(path) if path else {})).read_from(path)
    except ValidationError as fault:
        raise _unusable(where, describe(fault, Settings)) from None
    except SettingsError as fault:
        raise _unusable("the environment", f"{fault}; lists and tables are written as JSON there") from None


def judge_specification(fields: Mapping[str, Any], where: str) -> JudgeSpecification:
    """A judge from plain data. Raises BadConfiguration."""
    keep_keys(fields.get("engine"))
    try:
        return JudgeSpecification.model_validate(fields)
    except ValidationError as fault:
        raise _unusable(where, describe(fault, JudgeSpecification)) from None


def _unusable(where: str, faults: str) -> BadConfiguration:
    return BadConfiguration(
        f"Settings from {where} cannot be used: {faults}.", remedy="See judge-server docs configuration."
    )


def describe(fault: ValidationError, model: type[Settings | JudgeSpecification]) -> str:
    """Every fault (at most the first few) with its field and a suggestion for an unknown field; never the value, which
    may be secret."""
    lines = []
    for error in fault.errors(include_url=False, include_input=False, include_context=False)[:_MOST_TOLD]:
        location = [str(part) for part in error["loc"]]
        name = ".".join(location) or "the judge"
        if error["type"] == "extra_forbidden":
            near = _nearest(location, model)
            lines.append(f"{name} is not known" + (f" (did you mean {near}?)" if near else ""))
        else:
            lines.append(f"{name}: {error['msg'].removeprefix('Value error, ')}")
    return "; ".join(lines)


def _nearest(location: list[str], model: type[Settings | JudgeSpecification]) -> str | None:
    """Of close names one of the same letters goes first: ``modle`` is ``model`` rather than ``mode``."""
    given = location[-1]
    if given in ("api_key", "api_key_env") and location[0] != "api_keys":
        return _ENGINE_KEY
    near = get_close_matches(given, _fields_at(location, model), 3)
    return next((name for name in near if sorted(name) == sorted(given)), near[0] if near else None)


def _fields_at(location: list[str], model: type[Settings | JudgeSpecification]) -> list[str]:
    if len(location) == 1:
        return list(model.model_fields)
    if location[0] == "monitor":
        return list(MonitorLimits.model_fields)
    if location[0] != "api_keys":
        return list(JudgeSpecification.model_fields)
    return list(Allowance.model_fields if "allowance" in location[:-1] else ApiKey.model_fields)


def _read_toml(path: Path) -> dict[str, Any]:
    try:
        return parse_toml(path.read_bytes())
    except OSError as fault:
        raise BadConfiguration(f"The configuration file {path} cannot be read: {fault.strerror}.") from None
    except ValueError as fault:
        raise BadConfiguration(f"The configuration file {path} cannot be used: {fault}.") from None
