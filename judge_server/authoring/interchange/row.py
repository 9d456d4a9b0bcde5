"""What a row of a data set holds beside its rubric: prompt, reference and id, ready to be scored together."""

from collections.abc import Mapping
from typing import Any

from judge_server.authoring.interchange.record import first_given
from judge_server.authoring.interchange.tracked import unpacked

PROMPT_NAMES = (
    "orig_instruction", "prompt", "question", "instruction", "messages", "conversation", "conversations", "problem",
    "query", "input", "user_prompt",
)  # fmt: skip
REFERENCE_NAMES = (
    "reference", "reference_answer", "reference_response", "ideal_answer", "ideal_completion", "orig_reference_answer",
    "gold_answer", "ground_truth", "answer", "solution", "expected_output", "expected_answer",
)  # fmt: skip
_ROLES = {"human": "user", "user": "user", "gpt": "assistant", "assistant": "assistant", "system": "system"}
_SYSTEM = ("system_prompt",)
_IDS = ("id", "prompt_id", "sample_id", "task_id", "uuid", "uid", "key", "example_id", "session_id", "idx")
_NESTED = ("reward_model", "extra_info", "responses_create_params", "ideal_completions_data", "metadata")


def submission_of(record: Any) -> dict[str, Any]:
    """The fields of a submission that a row holds: ``id``, ``prompt`` (a text or messages) and ``reference``, each if
    it is there."""
    if not isinstance(record, Mapping):
        return {}
    places = [record, *(record.get(name) for name in _NESTED if isinstance(dict.get(_dict(record), name), Mapping))]
    found = {
        "id": _first(places, _IDS, lambda value: str(value) if isinstance(value, str | int) else None),
        "prompt": _first(places, PROMPT_NAMES, _conversation),
        "reference": _first(places, REFERENCE_NAMES, _text),
    }
    if isinstance(found["prompt"], str) and (system := _first(places, _SYSTEM, _text)):
        found["prompt"] = [{"role": "system", "content": system}, {"role": "user", "content": found["prompt"]}]
    return {name: value for name, value in found.items() if value is not None}


def no_submission(_record: Any) -> dict[str, Any]:
    """Of a grader or a rubric: it belongs to no prompt, and its own prompt is the judge's."""
    return {}


def _text(value: Any) -> str | None:
    if isinstance(value, int | float) and not isinstance(value, bool):
        return str(value)
    return value if isinstance(value, str) and value.strip() else None


def _first(places: list[Any], names: tuple[str, ...], read: Any) -> Any:
    for place in places:
        for name in names:
            if name in place and (value := read(dict.get(_dict(place), name))) is not None:
                place.get(name)
                return value
    return None


def _dict(value: Mapping[str, Any]) -> dict[str, Any]:
    return value if isinstance(value, dict) else dict(value)


def _conversation(value: Any) -> Any:
    """A prompt as a text, or as messages of role and content."""
    if isinstance(value, str):
        held = unpacked(value) if value.lstrip().startswith("[") else None
        if not isinstance(held, list) or not (said := _conversation(held)):
            return value if value.strip() else None
        return said
    if not isinstance(value, list) or not value or not all(isinstance(turn, dict) and _role(turn) for turn in value):
        return None
    asked = max((place for place, turn in enumerate(value, 1) if _role(turn) != "assistant"), default=0)
    turns = []
    for turn in value[:asked]:  # what follows is an answer, not carried over and counted
        content = turn.get("content") if "role" in turn else turn.get("value")
        if isinstance(content, list):  # parts of text
            parts = [part.get("text") for part in content if isinstance(part, dict)]
            content = "\n".join(str(first_given(part, default="")) for part in parts)
        turn.get("role" if "role" in turn else "from")
        turns.append({"role": _role(turn), "content": content if isinstance(content, str) else ""})
    return turns or None


def _role(turn: dict[str, Any]) -> str:
    """The role, also of a turn ``{from, value}`` as ShareGPT writes it; none of anything else."""
    if "role" in turn:
        return str(dict.get(turn, "role"))
    return _ROLES.get(str(dict.get(turn, "from")), "") if "from" in turn and "value" in turn else ""
