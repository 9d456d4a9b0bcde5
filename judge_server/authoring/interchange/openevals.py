"""OpenEvals' judges: the arguments of ``create_llm_as_judge`` as an object.

Source: openevals' ``create_llm_as_judge(prompt, feedback_key, continuous, choices, system, few_shot_examples)``; the
prompt holds ``{inputs}``, ``{outputs}``, ``{reference_outputs}``. A boolean score is met or not, ``choices`` are the
levels of a scale. A continuous score has no levels: it becomes five, and ``continuous`` is counted as not carried over.
"""

from collections.abc import Mapping
from typing import Any

from judge_server.authoring.interchange import grader_prompt as prompts
from judge_server.authoring.interchange.record import wrong_shape
from judge_server.authoring.interchange.rubrics_as_rewards import Pitfalls
from judge_server.authoring.parsing import from_data
from judge_server.core.rubric import Rubric

_NOUNS = {"inputs": prompts.PROMPT, "outputs": prompts.RESPONSE, "reference_outputs": prompts.REFERENCE}
_SHAPE = "A judge is {prompt, feedback_key, choices | continuous, few_shot_examples}."
_FIVE = (0.0, 0.25, 0.5, 0.75, 1.0)


def fits(record: Any) -> bool:
    """Whether a record is a judge's arguments: a prompt that shows ``{outputs}``."""
    prompt = record["prompt"] if isinstance(record, Mapping) and "prompt" in record else None
    return isinstance(prompt, str) and "{outputs}" in prompt


def read(record: Any, where: str, rubric_id: str = "", pitfalls: Pitfalls = None) -> Rubric:
    """A rubric of one criterion."""
    template = record.get("prompt") if isinstance(record, Mapping) else None
    if not isinstance(template, str):
        raise wrong_shape(where, "there is no prompt as a text", _SHAPE)
    system = record.get("system") if "system" in record else None
    asked = prompts.grader_prompt(
        f"{system}\n\n{template}" if isinstance(system, str) and system.strip() else template, _NOUNS, where
    )
    name = str(record.get("feedback_key") if "feedback_key" in record else "score") or "score"
    made = prompts.criterion(name, asked, _kind(record, where), set())
    made = prompts.with_sign(made, pitfalls, name, where)
    examples = [] if "kind" in made else _examples(record)
    data = {
        "id": rubric_id or f"openevals/{made['id']}",
        "version": "1.0.0",
        "title": name.replace("_", " ")[:200],
        "aggregate": {"kind": "points" if made.get("points", 1) < 0 else "weighted_mean"},
        "criteria": [made | ({"examples": examples} if examples else {})],
    }
    facts = prompts.facts_of([asked])
    return from_data(data | ({"facts": facts} if facts else {}), file=where).rubric


def _kind(record: Mapping[str, Any], where: str) -> dict[str, Any]:
    choices = record.get("choices") if "choices" in record else None
    if isinstance(choices, list) and choices:
        try:
            return prompts.levels(choices)
        except (TypeError, ValueError) as fault:
            raise wrong_shape(where, f"choices are no levels: {fault}", _SHAPE) from None
    return prompts.levels(_FIVE) if dict.get(dict(record), "continuous") is True else {}


def _examples(record: Mapping[str, Any]) -> list[dict[str, Any]]:
    found = record.get("few_shot_examples") if "few_shot_examples" in record else None
    made = []
    for one in found if isinstance(found, list) else ():
        if (
            isinstance(one, Mapping)
            and isinstance(one.get("outputs"), str)
            and isinstance(one.get("score"), bool | int)
        ):
            reason = one.get("reasoning") if "reasoning" in one else None
            made.append(
                {"response": one.get("outputs"), "met": bool(one.get("score"))}
                | ({"reason": reason} if isinstance(reason, str) and reason.strip() else {})
            )
    return made
