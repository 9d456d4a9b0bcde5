"""The options of a provider, read from settings: every mistake is named together with what would be right."""

from collections.abc import Mapping
from difflib import get_close_matches
from typing import Any, TypeVar

from pydantic import ValidationError

from judge_server.core.errors import BadConfiguration
from judge_server.core.model import Frozen

OptionsT = TypeVar("OptionsT", bound=Frozen)


def read_options(kind: type[OptionsT], provider: str, options: Mapping[str, Any]) -> OptionsT:
    """``options`` as a value of ``kind``. Raises BadConfiguration naming the option, what is wrong and the known ones;
    the values themselves, which may be secrets, are never in the message."""
    try:
        return kind.model_validate(dict(options))
    except ValidationError as error:
        known = sorted(kind.model_fields)
        problems = [
            _problem(".".join(str(part) for part in found["loc"]), found["type"], found["msg"], known)
            for found in error.errors(include_url=False, include_input=False, include_context=False)
        ]
        raise BadConfiguration(
            f"The options of the {provider} model cannot be used: {'; '.join(problems)}.",
            remedy=f"The {provider} model knows these options: {', '.join(known)}.",
        ) from None


def _problem(field: str, kind: str, message: str, known: list[str]) -> str:
    if kind != "extra_forbidden":
        return f"{field}: {message}" if field else message
    near = get_close_matches(field, known, n=1)
    return f"there is no option {field!r}" + (f" (did you mean {near[0]!r}?)" if near else "")
