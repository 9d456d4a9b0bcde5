"""A trainer's batch → samples: columns of the data set beside the prompts and the responses."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, fields
from difflib import get_close_matches
from typing import TYPE_CHECKING, Any

from judge_client.configuration import refuse_unknown
from judge_client.errors import BadConfiguration, BadSample
from judge_client.sample import Sample, Text, encode, is_empty
from judge_client.wire import value_of

if TYPE_CHECKING:
    from typing_extensions import Self

Batch = Mapping[str, Any]
_OBJECT = 'Write {"name": …}.'


@dataclass(frozen=True)
class Columns:
    """What the data set calls its columns; each is optional, and so is a value in it (null, or empty text).

    ``rubric``: a name, ``id@version``, or a whole rubric as an object or its JSON text. ``facts``: an object, or its
    JSON text. ``reference`` and ``judge``: text.
    """

    rubric: str = "rubric"
    reference: str = "reference"
    facts: str = "facts"
    judge: str = "judge"

    def __new__(cls, *_: Any, **given: Any) -> Self:
        """Raises BadConfiguration for a column that there is none of."""
        refuse_unknown("Columns", given, [one.name for one in fields(cls)])
        return super().__new__(cls)

    def samples(
        self, prompts: Iterable[Text], responses: Iterable[Text], batch: Batch, *, step: int | None = None
    ) -> list[Sample]:
        """Samples in order. ``batch``: columns as lists of the same length, among others. Responses to one row of the
        data set get the same ``group``. Raises BadSample."""
        prompts, responses = _listed("prompts", prompts), _listed("completions", responses)
        if len(prompts) != len(responses):
            raise BadSample(
                f"{len(prompts)} prompts came with {len(responses)} responses.",
                remedy="Repeat each prompt for every response to it, in the same order.",
            )
        self._require_named(batch)
        rows = zip(prompts, responses, self._rows(batch, len(prompts)), strict=True)
        return [self._sample(prompt, response, row, step) for prompt, response, row in rows]

    def _require_named(self, batch: Batch) -> None:
        """A column that somebody named has to be there."""
        for one in fields(self):
            name = getattr(self, one.name)
            if name != one.default and name not in batch:
                near = get_close_matches(name, [str(known) for known in batch], 1)
                raise BadSample(
                    f"Columns({one.name}={name!r}): the data set has no such column.",
                    remedy=f"Did you mean {near[0]!r}?" if near else f"It has {', '.join(map(str, batch)) or 'none'}.",
                )

    def _sample(self, prompt: Text, response: Text, row: Mapping[str, Any], step: int | None) -> Sample:
        said = hashlib.sha256(encode([prompt, row])).hexdigest()[:16]
        return Sample(prompt, response, group=said if step is None else f"{step}/{said}", step=step, **row)

    def _rows(self, batch: Batch, count: int) -> Iterator[dict[str, Any]]:
        taken: dict[str, list[Any]] = {
            "rubric": [_object_or_text(one, self.rubric) for one in _column(batch, self.rubric, count)],
            "reference": [_text(one, self.reference) for one in _column(batch, self.reference, count)],
            "facts": [_object(one, self.facts) for one in _column(batch, self.facts, count)],
            "judge": [_text(one, self.judge) for one in _column(batch, self.judge, count)],
        }
        return ({name: values[place] for name, values in taken.items()} for place in range(count))


USUAL = Columns()


def require_columns(given: Any) -> Columns:
    """Raises BadConfiguration for anything else than Columns."""
    if not isinstance(given, Columns):
        raise BadConfiguration(
            f"columns: a {type(given).__name__} is no Columns.", remedy='Write columns=Columns(reference="solution").'
        )
    return given


def _listed(what: str, given: Any) -> list[Any]:
    if isinstance(given, str | bytes | Mapping) or not isinstance(given, Iterable):
        raise BadSample(
            f"{what}: a {type(given).__name__} is no list.", remedy="Give one text or conversation for each."
        )
    return list(given)


def _column(batch: Batch, name: str, count: int) -> Sequence[Any]:
    values = batch.get(name)
    if values is None:
        return [None] * count
    if isinstance(values, str | Mapping) or not isinstance(values, Iterable):
        raise BadSample(f"column {name!r} should be a list of {count} values, one for each prompt.")
    listed = [None if is_empty(value) else value for value in values]
    if len(listed) != count:
        raise BadSample(f"column {name!r} has {len(listed)} values for {count} prompts.", remedy="Give one for each.")
    return listed


def _text(value: Any, name: str) -> str | None:
    """Numbers become text. Raises BadSample for lists and objects, whose text no judge should read."""
    plain = value.item() if getattr(value, "ndim", None) == 0 else value
    if plain is None or plain == "":
        return None
    if not isinstance(plain, str | int | float):
        raise BadSample(
            f"column {name!r} holds a {type(plain).__name__}, not text.", remedy="Give one text for each prompt."
        )
    return str(plain)


def _object_or_text(value: Any, name: str) -> str | Mapping[str, Any] | None:
    if isinstance(value, Mapping) or (isinstance(value, str) and value.lstrip().startswith("{")):
        return _object(value, name)
    return _text(value, name)


def _object(value: Any, name: str) -> Mapping[str, Any] | None:
    if value is None or value == "":
        return None
    try:
        found = value_of(value) if isinstance(value, str) else value
    except ValueError as fault:
        raise BadSample(f"column {name!r} holds {value[:60]!r}, which is no JSON: {fault}.", remedy=_OBJECT) from None
    if not isinstance(found, Mapping):
        raise BadSample(f"column {name!r} should hold objects, not {type(found).__name__}.", remedy=_OBJECT)
    kept: dict[str, Any] = _without_nulls(found)
    return kept or None


def _without_nulls(value: Any) -> Any:
    """Arrow gives every row of a column the members of all the others, as nulls."""
    if isinstance(value, Mapping):
        return {name: _without_nulls(one) for name, one in value.items() if one is not None}
    return [_without_nulls(one) for one in value] if isinstance(value, list) else value


def logged_step(given: Mapping[str, Any]) -> int | None:
    """The step under which the trainers of transformers log what they compute now: they count a step when it is done,
    after its rewards. ``given``: the arguments of a reward function, with ``trainer_state``."""
    done = getattr(given.get("trainer_state"), "global_step", None)
    return done + 1 if isinstance(done, int) else None
