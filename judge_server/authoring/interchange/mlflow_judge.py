"""MLflow's judges: ``make_judge`` as an object, registered scorers, and Guidelines.

Source: mlflow.genai's ``make_judge(name, instructions, feedback_value_type)`` and its serialized scorers
(``instructions_judge_pydantic_data``, ``builtin_scorer_class: Guidelines``). Instructions hold ``{{ inputs }}``,
``{{ outputs }}``, ``{{ expectations }}``. A boolean is met or not. Words of an enumeration have no order there: known
pairs such as yes and no are read, others need ``--value WORD=NUMBER``.
"""

from collections.abc import Mapping
from typing import Any

from judge_server.authoring.interchange import grader_prompt as prompts
from judge_server.authoring.interchange.record import slug, wrong_shape
from judge_server.authoring.interchange.rubrics_as_rewards import Pitfalls
from judge_server.authoring.interchange.tracked import parsed
from judge_server.authoring.parsing import from_data
from judge_server.core.errors import BadInput
from judge_server.core.rubric import Rubric

_NOUNS = {"inputs": prompts.PROMPT, "outputs": prompts.RESPONSE, "expectations": prompts.REFERENCE}
_SHAPE = "A judge is {name, instructions, feedback_value_type}, or a registered scorer as JSON."
_NESTED = "instructions_judge_pydantic_data"
_GUIDELINES = "builtin_scorer_pydantic_data"
_POSITIVE = frozenset({"yes", "true", "correct", "pass", "passed", "good", "met"})
_NEGATIVE = frozenset({"no", "false", "incorrect", "fail", "failed", "bad", "unmet"})


def fits(record: Any) -> bool:
    """Whether a record is a judge's arguments or a registered scorer."""
    if not isinstance(record, Mapping):
        return False
    if "serialized_scorer" in record or _NESTED in record or _GUIDELINES in record:
        return True
    instructions = record.get("instructions")
    return isinstance(instructions, str) and "{{" in instructions


def read(
    record: Any,
    where: str,
    rubric_id: str = "",
    pitfalls: Pitfalls = None,
    values: Mapping[str, float] | None = None,
) -> Rubric:
    """A rubric of one criterion, or of one for each guideline, all of which must be met."""
    judge = _unpacked(record, where)
    name = str(judge.get("name") or "judge")
    builtin = judge.get(_GUIDELINES) if _GUIDELINES in judge else None
    if isinstance(builtin, Mapping):
        return _guidelines(builtin, name, where, rubric_id)
    nested = judge.get(_NESTED) if _NESTED in judge else None
    fields = nested if isinstance(nested, Mapping) else judge
    template = fields.get("instructions")
    if not isinstance(template, str):
        raise wrong_shape(where, "there are no instructions", _SHAPE)
    asked = prompts.grader_prompt(template, _NOUNS, where, double=True)
    if asked.facts:
        raise BadInput(
            f"{where}: the judge reads {', '.join(asked.facts)}, which a rubric's judge is not shown.",
            remedy="Rewrite the instructions for inputs, outputs and expectations.",
        )
    kind = _kind(fields, where, values or {})
    made = prompts.with_sign(prompts.criterion(name, asked, kind, set()), pitfalls, name, where)
    return _rubric([made], name, where, rubric_id, "points" if made.get("points", 1) < 0 else "weighted_mean")


def _unpacked(record: Any, where: str) -> Mapping[str, Any]:
    """The scorer, also one that a registry keeps as JSON in a text."""
    if not isinstance(record, Mapping):
        raise wrong_shape(where, "a judge is not an object", _SHAPE)
    if "serialized_scorer" not in record:
        return record
    found = parsed(record, "serialized_scorer")
    if not isinstance(found, Mapping):
        raise wrong_shape(where, "serialized_scorer is not JSON", _SHAPE)
    return found


def _guidelines(fields: Mapping[str, Any], name: str, where: str, rubric_id: str) -> Rubric:
    given = fields.get("guidelines")
    texts = [given] if isinstance(given, str) else given
    if not isinstance(texts, list) or not texts or not all(isinstance(text, str) for text in texts):
        raise wrong_shape(where, "there are no guidelines", _SHAPE)
    taken: set[str] = set()
    made = [{"id": slug(text, taken), "statement": text} for text in texts]
    return _rubric(made, name, where, rubric_id, "all")


def _rubric(criteria: list[dict[str, Any]], name: str, where: str, rubric_id: str, aggregate: str) -> Rubric:
    data = {
        "id": rubric_id or f"mlflow/{slug(name, set())}",
        "version": "1.0.0",
        "title": name.replace("_", " ")[:200],
        "aggregate": {"kind": aggregate},
        "criteria": criteria,
    }
    return from_data(data, file=where).rubric


def _kind(fields: Mapping[str, Any], where: str, values: Mapping[str, float]) -> dict[str, Any]:
    """How it is answered. A judge without a type answers yes or no in words, as MLflow reads it."""
    given = fields.get("feedback_value_type") if "feedback_value_type" in fields else None
    words = given if isinstance(given, list) else given.get("enum") if isinstance(given, Mapping) else None
    named = given.get("type") if isinstance(given, Mapping) else given
    if isinstance(words, list) and len(words) > 1:
        return _options([str(word) for word in words], where, values)
    if named in (None, "bool", "boolean"):
        return {}
    raise BadInput(
        f"{where}: a judge that answers with any {named} has no options.",
        remedy="Give the answers as an enumeration, or make it boolean.",
    )


def _options(words: list[str], where: str, values: Mapping[str, float]) -> dict[str, Any]:
    folded = {word.strip().casefold() for word in words}
    known = {word: values.get(word, _known(word)) for word in words}
    if len(folded) == 2 and folded & _POSITIVE and folded & _NEGATIVE and not values:
        return {}
    missing = [word for word, value in known.items() if value is None]
    if missing:
        raise BadInput(
            f"{where}: what {', '.join(map(repr, missing))} is worth stands nowhere: an enumeration has no order.",
            remedy="Give each a value in [0, 1]: --value 'coherent=1' --value 'incoherent=0'.",
        )
    return {"kind": "nominal", "options": [{"label": word, "value": known[word]} for word in words]}


def _known(word: str) -> float | None:
    folded = word.strip().casefold()
    return 1.0 if folded in _POSITIVE else 0.0 if folded in _NEGATIVE else None
