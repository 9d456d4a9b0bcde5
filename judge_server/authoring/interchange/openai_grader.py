"""OpenAI's graders as rubrics.

Source: the graders of OpenAI's evaluation and fine-tuning API (docs/graders.md has their fields). A ``label_model``
becomes options worth 1 if they pass, a ``score_model`` a scale of its range, ``string_check`` and
``text_similarity`` checks, ``multi`` an expression over its parts. ``python`` graders are code and are refused: the
server runs them as graders.
"""

import re
from collections.abc import Mapping
from typing import Any

from judge_server.authoring.interchange import grader_prompt as prompts
from judge_server.authoring.interchange import openai_export
from judge_server.authoring.interchange.record import slug, wrong_shape
from judge_server.authoring.interchange.row import PROMPT_NAMES, REFERENCE_NAMES
from judge_server.authoring.interchange.row import submission_of as row_submission
from judge_server.authoring.interchange.rubrics_as_rewards import Pitfalls
from judge_server.authoring.parsing import from_data
from judge_server.core.errors import BadInput
from judge_server.core.rubric import Rubric

_TYPES = frozenset({"string_check", "text_similarity", "score_model", "label_model", "python", "multi"})
_SHAPE = "A grader is {type: label_model | score_model | string_check | text_similarity | multi, …}."
_NAME = re.compile(r"[A-Za-z_][A-Za-z0-9_]*")
_ID = re.compile(r"[a-z][a-z0-9_]{0,99}")
_ITEM = re.compile(r"\{\{\s*item\.([\w.]+)\s*\}\}")
_SAMPLE = re.compile(r"\{\{\s*sample\.output_text\s*\}\}")
_METRICS = {"fuzzy_match": "ratio", "bleu": "bleu", "rouge_1": "rouge_1", "rouge_2": "rouge_2", "rouge_l": "rouge_l"}
_FUNCTIONS = frozenset({"min", "max", "abs", "floor", "ceil", "exp", "sqrt", "log"})
_STEPS = 4
_MOST_STEPS = 10
_EVAL = "testing_criteria"


def fits(record: Any) -> bool:
    """Whether a record is a grader, holds one under ``grader``, or is an eval with graders."""
    return _grader(record) is not None or bool(_graders(record))


def split(record: Any) -> list[Any]:
    """A record for each grader of an eval; the record itself if it is a grader or a row."""
    if _grader(record) is not None:
        return [record]
    found = _graders(record)
    if found:
        record.get(_EVAL)
    return found or [record]


def _graders(record: Any) -> list[Any]:
    held = dict(record).get(_EVAL) if isinstance(record, Mapping) else None
    if not isinstance(held, list) or not any(_grader(one) is not None for one in held):
        return []
    return held


def read(record: Any, where: str, rubric_id: str = "", pitfalls: Pitfalls = None) -> Rubric:
    """The rubric of one grader."""
    grader = _grader(record)
    if grader is None:
        raise wrong_shape(where, "there is no grader", _SHAPE)
    name = str(grader.get("name") or grader.get("type"))
    facts: list[prompts.GraderPrompt] = []
    taken: set[str] = set()
    if grader.get("type") == "multi":
        parts, terms = _parts(grader, where, taken, facts)
        aggregate = _aggregate(str(grader.get("calculate_output")), parts, terms)
    else:
        parts = [prompts.with_sign(_criterion(grader, name, taken, where, facts), pitfalls, name, where)]
        aggregate = {"kind": "points" if parts[0].get("points", 1) < 0 else "weighted_mean"}
    shown = prompts.facts_of(facts)
    data = {
        **_named(name, rubric_id),
        "aggregate": aggregate,
        "criteria": parts,
    }
    return from_data(data | ({"facts": shown} if shown else {}), file=where).rubric


def _named(name: str, rubric_id: str) -> dict[str, Any]:
    written = openai_export.NAMED.fullmatch(name)
    if written:
        found = written.groupdict()
        return found | ({"id": rubric_id} if rubric_id else {})
    made_id, title = f"openai/{slug(name, set())}", name.replace("_", " ")[:200]
    return {"id": rubric_id or made_id, "version": "1.0.0", "title": title}


def _aggregate(formula: str, parts: list[dict[str, Any]], terms: Mapping[str, str]) -> dict[str, Any]:
    """An expression; a sum of points as ``write`` gives it is points again, which the criteria get."""
    points = openai_export.points_in(formula)
    if points is None or set(points.by_id) != {part["id"] for part in parts}:
        expression = _NAME.sub(lambda found: terms.get(found[0], found[0]), formula)
        return {"kind": "expression", "expression": expression}
    for part in parts:
        part["points"] = points.by_id[part["id"]]
    kind = "points" if points.clipped or min(points.by_id.values()) < 0 else "weighted_mean"
    return {"kind": kind} | ({"clip": [0, 1]} if points.clipped else {})


def submission_of(record: Any) -> dict[str, Any]:
    """What a row holds beside its grader; a grader alone belongs to no prompt."""
    return row_submission(record) if isinstance(record, Mapping) and "grader" in record else {}


def _grader(record: Any) -> Mapping[str, Any] | None:
    inner = record["grader"] if isinstance(record, Mapping) and "grader" in record else record
    if isinstance(inner, Mapping) and "type" in inner and str(inner["type"]) in _TYPES:
        return inner
    return None


def _parts(
    grader: Mapping[str, Any], where: str, taken: set[str], facts: list[prompts.GraderPrompt]
) -> tuple[list[dict[str, Any]], dict[str, str]]:
    """The criteria of a ``multi`` grader, and what stands for each of its names in our formula: a criterion's value is
    in [0, 1], a score in its range."""
    graders = grader.get("graders")
    if not isinstance(graders, Mapping) or not graders:
        raise wrong_shape(where, "a multi grader has no graders", _SHAPE)
    if "type" in graders:  # a single one, named by itself
        graders = {str(graders.get("name") or graders.get("type")): graders}
    made, terms = [], {}
    for key in graders:
        one = graders.get(key)
        if not isinstance(one, Mapping):
            raise wrong_shape(where, f"the grader {key!r} is not an object", _SHAPE)
        one.get("name")
        criterion = _criterion(one, str(key), taken, where, facts)
        low, high = _range(one, where)
        if key not in _FUNCTIONS:
            own = criterion["id"]
            terms[str(key)] = own if (low, high) == (0, 1) else f"({low:g}+{high - low:g}*{own})"
        made.append(criterion)
    return made, terms


def _criterion(
    grader: Mapping[str, Any], name: str, taken: set[str], where: str, facts: list[prompts.GraderPrompt]
) -> dict[str, Any]:
    kind = grader.get("type")
    if kind in ("string_check", "text_similarity"):
        check = _string_check(grader, where) if kind == "string_check" else _similarity(grader, where)
        return {"id": slug(name, taken), "kind": "check", "statement": name, "check": check}
    if kind not in ("label_model", "score_model"):
        raise BadInput(
            f"{where}: the grader {name!r} is of type {kind}, which no rubric can hold.",
            remedy="Keep it as a grader (judge-server docs graders), or write what it checks as a criterion.",
        )
    grader.get("model")
    asked = _prompt(grader, where)
    facts.append(asked)
    if kind == "score_model":
        low, high = _range(grader, where)
        steps = _steps(low, high)
        values = [low + (high - low) * step / steps for step in range(steps + 1)]
        options: list[dict[str, Any]] = [{"label": f"{one:g}", "value": k / steps} for k, one in enumerate(values)]
        return prompts.criterion(name, asked, {"kind": "scale", "options": options}, taken)
    labels, passing = grader.get("labels"), grader.get("passing_labels")
    if not isinstance(labels, list) or not isinstance(passing, list):
        raise wrong_shape(where, f"{name!r} lacks labels or passing_labels", _SHAPE)
    unknown = [str(label) for label in passing if label not in labels]
    if unknown or not passing:
        raise wrong_shape(where, f"{name!r} passes {', '.join(unknown) or 'nothing'}, which is no label of it", _SHAPE)
    if labels == openai_export.BINARY and passing == labels[:1]:
        return prompts.criterion(name, asked, {}, taken)
    options = [{"label": str(label), "value": float(label in passing)} for label in labels]
    return prompts.criterion(name, asked, {"kind": "nominal", "options": options}, taken)


def _steps(low: float, high: float) -> int:
    """Whole numbers if the range is one of a few of them, as the prompt then speaks of them; four steps otherwise."""
    whole = low.is_integer() and high.is_integer() and 2 <= high - low <= _MOST_STEPS
    return int(high - low) if whole else _STEPS


def _range(grader: Mapping[str, Any], where: str) -> tuple[float, float]:
    given = grader.get("range") if grader.get("type") == "score_model" and "range" in grader else None
    if given is None:
        return 0.0, 1.0
    if isinstance(given, list) and len(given) == 2 and all(isinstance(one, int | float) for one in given):
        low, high = map(float, given)
        if low < high:
            return low, high
    raise wrong_shape(where, "a range is not two rising numbers", _SHAPE)


def _prompt(grader: Mapping[str, Any], where: str) -> prompts.GraderPrompt:
    messages = grader.get("input")
    texts = [_text(one) for one in messages] if isinstance(messages, list) else []
    template = "\n\n".join(text for text in texts if text.strip())
    nouns = {"sample.output_text": prompts.RESPONSE}
    for name in (found[1] for found in _ITEM.finditer(template)):
        if name in PROMPT_NAMES:
            nouns[f"item.{name}"] = prompts.PROMPT
        elif name in REFERENCE_NAMES:
            nouns[f"item.{name}"] = prompts.REFERENCE
    asked = prompts.grader_prompt(template, nouns, where, double=True)
    return prompts.GraderPrompt(
        asked.text.replace('"item.', '"'), asked.reference, tuple(name.removeprefix("item.") for name in asked.facts)
    )


def _text(message: Any) -> str:
    if not isinstance(message, Mapping):
        return ""
    message.get("role")
    content = message.get("content")
    if isinstance(content, Mapping):
        content = [content]
    if isinstance(content, list):
        return "\n".join(
            str(part.get("text", "")) if isinstance(part, Mapping) and part.get("type") else str(part)
            for part in content
        )
    return content if isinstance(content, str) else ""


def _compared(grader: Mapping[str, Any], where: str) -> dict[str, Any]:
    """What the sample is compared with: the reference, or a fixed text."""
    given, reference = str(grader.get("input")), grader.get("reference")
    if not _SAMPLE.fullmatch(given.strip()) or not isinstance(reference, str):
        raise wrong_shape(where, f"a check of {given[:60]!r} does not compare the whole response", _SHAPE)
    placed = _ITEM.fullmatch(reference.strip())
    if placed:
        return {}  # whatever the field is called, its place makes it the reference
    if "{{" in reference:
        raise wrong_shape(where, f"a check compares with {reference[:60]!r}, which is no reference", _SHAPE)
    return {"against": [reference]}


def _string_check(grader: Mapping[str, Any], where: str) -> dict[str, Any]:
    compared, operation = _compared(grader, where), grader.get("operation")
    if operation in ("eq", "ne"):
        return {"kind": "exact_match", "normalize": False, **compared} | ({"negate": True} if operation == "ne" else {})
    if operation in ("like", "ilike") and compared:
        return {"kind": "contains", "all": compared["against"], "ignore_case": operation == "ilike"}
    raise wrong_shape(where, f"no check of ours does {operation!r} with the reference of a row", _SHAPE)


def _similarity(grader: Mapping[str, Any], where: str) -> dict[str, Any]:
    metric = _METRICS.get(str(grader.get("evaluation_metric")))
    if metric is None:
        raise wrong_shape(where, f"no check of ours has the metric {grader.get('evaluation_metric')!r}", _SHAPE)
    return {"kind": "similarity", "metric": metric, **_compared(grader, where)}
