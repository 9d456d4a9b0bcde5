"""inspect_ai's model-graded scorers: a scorer with its options, or an evaluation log in JSON with its samples.

Source: inspect_ai's ``model_graded_qa`` and ``model_graded_fact`` (``template``, ``instructions``,
``partial_credit``) and its log format (``eval.scorers``, ``samples``). The target is the criterion (qa) or the
expert's answer (fact): here the reference. The grades C, P and I are worth 1, 0.5 and 0.
"""

from collections.abc import Mapping
from typing import Any

from judge_server.authoring.interchange import grader_prompt as prompts
from judge_server.authoring.interchange.record import first_given, slug, wrong_shape
from judge_server.authoring.interchange.row import submission_of as row_submission
from judge_server.authoring.interchange.tracked import tracked
from judge_server.authoring.parsing import from_data
from judge_server.core.errors import BadInput
from judge_server.core.rubric import Rubric

_NOUNS = {
    "question": prompts.PROMPT, "answer": prompts.RESPONSE, "criterion": prompts.REFERENCE, "instructions": "",
}  # fmt: skip
_SHAPE = "A scorer is {name: model_graded_qa | model_graded_fact, options}; a log is {eval: {scorers}, samples}."
_STATEMENTS = {
    "model_graded_qa": "The response meets the criterion that stands in the reference.",
    "model_graded_fact": "The response contains the facts of the reference; style and grammar do not count.",
}
_GRADES = {
    "kind": "scale",
    "options": [
        {"label": "incorrect", "value": 0},
        {"label": "partially correct", "value": 0.5},
        {"label": "correct", "value": 1},
    ],
}
_SCORER, SAMPLE = "scorer", "sample"
_ATTACHMENT = "attachment://"


def fits(record: Any) -> bool:
    """Whether a record is a model-graded scorer, or an evaluation log."""
    return bool(_scorers(record)) or _is_log(record)


def _is_log(record: Any) -> bool:
    holds = isinstance(record, Mapping) and ("samples" in record or "status" in record)
    return holds and isinstance(dict(record).get("eval"), Mapping)


def split(record: Any) -> list[Any]:
    """A record for each sample and each model-graded scorer of a log. Raises BadInput for a log without such a
    scorer."""
    scorers = _scorers(record)
    if not scorers and _is_log(record):
        raise BadInput(
            "the log has no model-graded scorer, so it holds no rubric.",
            remedy="Write one for its samples; calibrate import reads the scores of its scorers as labels.",
        )
    samples = record.get("samples") if isinstance(record, Mapping) and "samples" in record else None
    if isinstance(record, Mapping) and "eval" in record and scorers:
        evaluation = record.get("eval")
        if isinstance(evaluation, Mapping):
            evaluation.get("scorers")
    if isinstance(samples, list) and samples:
        return [tracked({_SCORER: scorer, SAMPLE: sample}) for sample in samples for scorer in scorers]
    return [tracked({_SCORER: scorer}) for scorer in scorers] or [record]


def read(record: Any, where: str, rubric_id: str = "") -> Rubric:
    """A rubric of one criterion."""
    scorer = record.get(_SCORER) if isinstance(record, Mapping) and _SCORER in record else record
    name = _name(scorer)
    if not isinstance(scorer, Mapping) or name not in _STATEMENTS:
        raise wrong_shape(where, "there is no model-graded scorer", _SHAPE)
    options = _options(scorer)
    kind = _GRADES if options.get("partial_credit") is True else {}
    template = options.get("template") if "template" in options else None
    if isinstance(template, str) and template.strip():
        asked = prompts.grader_prompt(template, _NOUNS, where)
        made = prompts.criterion(name, asked, kind, set())
        facts = prompts.facts_of([asked])
    else:
        stated = {"id": name, "statement": _STATEMENTS[name], "reference": "required"}
        made = stated | ({"reference_role": "facts"} if name.endswith("fact") else {}) | kind
        facts = []
    data = {
        "id": rubric_id or f"inspect/{slug(name, set())}",
        "version": "1.0.0",
        "title": name.replace("_", " "),
        "criteria": [made],
    }
    return from_data(data | ({"facts": facts} if facts else {}), file=where).rubric


def submission_of(record: Any) -> dict[str, Any]:
    """A sample's input, target and completion."""
    sample = record.get(SAMPLE) if isinstance(record, Mapping) and SAMPLE in record else None
    if not isinstance(sample, Mapping):
        return {}
    kept = sample.get("attachments") if "attachments" in sample else None
    texts: Mapping[str, Any] = kept if isinstance(kept, Mapping) else {}
    made = row_submission({"prompt": _whole(sample.get("input"), texts), "id": first_given(sample.get("id"))})
    target = sample.get("target")
    if isinstance(target, list):
        target = "\n".join(map(str, target))
    if isinstance(target, str) and target.strip():
        made["reference"] = _whole(target, texts)
    said = _whole(_said(sample.get("output") if "output" in sample else None), texts)
    return made | ({"response": said} if isinstance(said, str) else {})


def _said(output: Any) -> Any:
    """The completion, or the text of the first choice in logs that hold no completion."""
    if not isinstance(output, Mapping):
        return None
    if "completion" in output:
        return output.get("completion")
    choices = output.get("choices")
    first = choices[0] if isinstance(choices, list) and choices else None
    message = first.get("message") if isinstance(first, Mapping) else None
    content = message.get("content") if isinstance(message, Mapping) else None
    if isinstance(content, list):
        parts = [part.get("text") for part in content if isinstance(part, Mapping) and part.get("type") == "text"]
        return "\n".join(map(str, parts))
    return content


def _whole(value: Any, texts: Mapping[str, Any]) -> Any:
    """The value with what stands under the sample's attachments in place of its name. Raises BadInput for a name that
    stands there not."""
    if isinstance(value, list):
        return [_whole(one, texts) for one in value]
    if isinstance(value, Mapping):
        return {name: _whole(value.get(name), texts) for name in value}
    if not isinstance(value, str) or not value.startswith(_ATTACHMENT):
        return value
    found = texts.get(value.removeprefix(_ATTACHMENT))
    if not isinstance(found, str):
        raise BadInput(f"A sample has no attachment {value[len(_ATTACHMENT) :][:80]!r}, which it names.")
    return found


def _scorers(record: Any) -> list[Any]:
    if not isinstance(record, Mapping):
        return []
    evaluation = record.get("eval")
    if isinstance(evaluation, Mapping):
        found = evaluation.get("scorers")
        return [one for one in found if _name(one) in _STATEMENTS] if isinstance(found, list) else []
    return [record] if _name(record) in _STATEMENTS else []


def _name(scorer: Any) -> str:
    """A scorer's name without the package that it is registered in."""
    name = scorer["name"] if isinstance(scorer, Mapping) and "name" in scorer else ""
    return str(name).rsplit("/", 1)[-1]


def _options(scorer: Mapping[str, Any]) -> Mapping[str, Any]:
    for name in ("options", "args", "params"):
        found = scorer.get(name) if name in scorer else None
        if isinstance(found, Mapping):
            return found
    return {}
