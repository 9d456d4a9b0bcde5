"""What callers of decision models send, in two formats: questions as criteria, a state as material.

Sources: vllm 0.32, ``entrypoints/generate/structured_decisions/protocol.py``; openai 3.57,
``types/decision_create_params.py``.
"""

import re
from collections.abc import Mapping, Sequence
from typing import Annotated, Any

from pydantic import Field, StrictBool, ValidationError

from judge_server.core.criterion import Binary, Judged, Nominal, Scale, ScaleOption
from judge_server.core.errors import BadInput, BadSubmission
from judge_server.core.model import Frozen
from judge_server.core.submission import Message, Submission
from judge_server.judging.judge_input import JudgeInput, shown_input
from judge_server.scoring.batch import describe, parse_submission
from judge_server.util.canonical import as_json, canonical_json
from judge_server.util.parsing import parse_unique_json, writable

MOST_QUESTIONS = 128
MOST_OPTIONS = 20
MOST_CHARACTERS = 20_000
MOST_LABEL_CHARACTERS = 2_000
_SHORTEST_STATEMENT = 3
_WHICH_LEVEL, _WHICH_OPTION = "Which level fits best?", "Which option fits best?"
_PROMPT = ("prompt", "conversation", "messages", "input", "question", "query")
_RESPONSE = ("response", "submission", "output", "answer", "completion")
_REFERENCE = ("reference", "reference_submission", "reference_answer")
# in canonical JSON, where a quotation mark within a string has a backslash before it
_UNSEEN = re.compile(
    r'(?<!\\)"type":"(?P<part>image_url|input_image|input_audio|video_url|input_file)"|"source":\{[^{}]*\},"type":"image"'
)
Text = Annotated[str, Field(max_length=MOST_CHARACTERS)]
AskedStatement = Annotated[str, Field(min_length=_SHORTEST_STATEMENT, max_length=MOST_CHARACTERS, pattern=r"\S")]


class SystemOneQuestion(Frozen):
    type: str
    instructions: Any = ""
    criteria: Any = None


class SystemOneRequest(Frozen):
    """``model``: a judge's name, or ``rubric:ID[@VERSION]``, which needs no questions. ``cache_salt``, ``priority`` and
    ``chat_template_kwargs`` are taken for the sake of clients and have no effect."""

    model: str = Field("default", min_length=1)
    state: Any
    questions: dict[str, SystemOneQuestion] = Field(default_factory=dict)
    instructions: Text | None = None
    cache_salt: str | None = None
    priority: int = 0
    chat_template_kwargs: dict[str, Any] | None = None


class DecisionChoice(Frozen):
    value: str | StrictBool
    description: str | None = None


class DecisionLevel(Frozen):
    label: str
    description: str | None = None


class DecisionQuestion(Frozen):
    type: str
    name: str | None = None
    instructions: Any = ""
    choices: tuple[DecisionChoice, ...] = ()
    levels: tuple[DecisionLevel, ...] = ()


class DecisionRequest(Frozen):
    """``model`` as for System One. ``safety_identifier``, ``prompt_cache_key`` and ``prompt_cache_options`` are taken
    for the sake of clients and have no effect."""

    model: str = Field("default", min_length=1)
    input: str | list[dict[str, Any]]
    questions: tuple[DecisionQuestion, ...] = ()
    safety_identifier: str | None = None
    prompt_cache_key: str | None = None
    prompt_cache_options: dict[str, Any] | None = None


class AskedBinary(Binary):
    """A predicate. Its text may be longer than a rubric's statement: the request's instructions stand ahead of it."""

    statement: AskedStatement


class AskedOption(ScaleOption):
    """A level or option. In both formats its name is often a whole sentence."""

    label: str = Field(min_length=1, max_length=MOST_LABEL_CHARACTERS, pattern=r"\S")


class AskedScale(Scale):
    """A score question."""

    statement: AskedStatement
    options: Annotated[tuple[AskedOption, ...], Field(min_length=2, max_length=MOST_OPTIONS)]


class AskedNominal(Nominal):
    """A choice question."""

    statement: AskedStatement
    options: Annotated[tuple[AskedOption, ...], Field(min_length=2, max_length=MOST_OPTIONS)]


class AskedQuestion(Frozen):
    """One question: its name in the request, what a judge is asked, and the labels of its levels or options.
    ``values``: of a choice, as its sender wrote them, if they may be other than texts."""

    name: str | None
    criterion: Judged
    options: tuple[str, ...] = ()
    values: tuple[str | bool, ...] = ()


def systemone_questions(request: SystemOneRequest) -> list[AskedQuestion]:
    """Raises BadInput that names the question at fault."""
    _require_some(len(request.questions))
    if any(writable(name) != name for name in request.questions):
        raise _bad("questions", "an id holds half a surrogate pair, which no answer can repeat.")
    return [
        _asked(place, name, question, request.instructions)
        for place, (name, question) in enumerate(request.questions.items())
    ]


def _asked(place: int, name: str, question: SystemOneQuestion, context: str | None) -> AskedQuestion:
    where, text, criteria = f"questions.{name[:100]}", _text(question.instructions), question.criteria
    match question.type:
        case "noul":
            statement = _predicate(where, text, criteria)
            return AskedQuestion(name=name, criterion=_binary(where, place, statement, context))
        case "score":
            if not isinstance(criteria, list) or not 2 <= len(criteria) <= 10:
                raise _bad(f"{where}.criteria", "a score question has a list of 2 to 10 levels, lowest first.")
            levels = [(_text(level), None) for level in criteria]
            return _scored(where, place, name, text or _WHICH_LEVEL, levels, context)
        case "choice":
            if not isinstance(criteria, dict) or not 2 <= len(criteria) <= MOST_OPTIONS:
                raise _bad(f"{where}.criteria", f"a choice question maps 2 to {MOST_OPTIONS} options to descriptions.")
            options = [(option, None if told is None else _text(told)) for option, told in criteria.items()]
            return _chosen(where, place, name, text or _WHICH_OPTION, options, context)
    raise _unknown(where, question.type, "noul, choice, score")


def decision_questions(request: DecisionRequest) -> list[AskedQuestion]:
    """Raises BadInput that names the question at fault."""
    _require_some(len(request.questions))
    names = [question.name for question in request.questions if question.name is not None]
    twice = {name for name in names if names.count(name) > 1}
    if twice:
        raise _bad("questions", f"the name {min(twice)[:100]!r} is given to several questions.")
    asked = []
    for place, question in enumerate(request.questions):
        where, text = f"questions.{place}", _text(question.instructions)
        match question.type:
            case "predicate":
                criterion = _binary(where, place, text, None)
                asked.append(AskedQuestion(name=question.name, criterion=criterion))
            case "score":
                if not 2 <= len(question.levels) <= 10:
                    raise _bad(f"{where}.levels", "a score question has 2 to 10 levels, lowest first.")
                levels = [(level.label, level.description) for level in question.levels]
                asked.append(_scored(where, place, question.name, text or _WHICH_LEVEL, levels, None))
            case "choice":
                if not 2 <= len(question.choices) <= MOST_OPTIONS:
                    raise _bad(f"{where}.choices", f"a choice question has 2 to {MOST_OPTIONS} choices.")
                choices = [(_choice_text(choice.value), choice.description) for choice in question.choices]
                made = _chosen(where, place, question.name, text or _WHICH_OPTION, choices, None)
                asked.append(made.model_copy(update={"values": tuple(one.value for one in question.choices)}))
            case _:
                raise _unknown(where, question.type, "predicate, choice, score")
    return asked


def _require_some(count: int) -> None:
    if not count:
        raise _bad("questions", "at least one is needed.", remedy="Or name a rubric as the model: rubric:ID@VERSION.")
    if count > MOST_QUESTIONS:
        raise BadInput(
            f"questions: {count} are more than the {MOST_QUESTIONS} of one request.", remedy="Split the request."
        )


def _bad(field: str, why: str, remedy: str | None = None) -> BadInput:
    """The error for a field."""
    return BadInput(f"{field}: {why}", remedy=remedy, errors=[{"field": field, "message": why}])


def _unknown(where: str, kind: str, known: str) -> BadInput:
    return _bad(f"{where}.type", f"{kind[:60]!r} is no type of question here.", f"Known types: {known}.")


def _predicate(where: str, text: str, criteria: Any) -> str:
    if criteria is None:
        return text
    if not isinstance(criteria, dict) or not criteria or set(criteria) - {"true", "false"}:
        raise _bad(f"{where}.criteria", "a noul question describes true and false, or nothing.")
    described = [
        f"{word}: {_text(criteria[key])}"
        for key, word in (("true", "Yes"), ("false", "No"))
        if criteria.get(key) is not None
    ]
    return "\n".join(filter(None, (text, *described)))


def _binary(where: str, place: int, text: str, context: str | None) -> Binary:
    binary: Binary = _criterion(AskedBinary, where, {"id": f"q{place}", "statement": _with(context, text)})
    return binary


def _scored(
    where: str, place: int, name: str | None, text: str, levels: Sequence[tuple[str, str | None]], context: str | None
) -> AskedQuestion:
    most = len(levels) - 1
    options = [
        {"label": label, "value": index / most} | ({} if described is None else {"description": described})
        for index, (label, described) in enumerate(levels)
    ]
    given = {"id": f"q{place}", "kind": "scale", "statement": _with(context, text), "options": options}
    criterion = _criterion(AskedScale, where, given)
    return AskedQuestion(name=name, criterion=criterion, options=tuple(label for label, _ in levels))


def _chosen(
    where: str, place: int, name: str | None, text: str, options: Sequence[tuple[str, str | None]], context: str | None
) -> AskedQuestion:
    listed = [
        {"label": label, "value": 0.0} | ({} if described is None else {"description": described})
        for label, described in options
    ]
    given = {"id": f"q{place}", "kind": "nominal", "statement": _with(context, text), "options": listed}
    criterion = _criterion(AskedNominal, where, given)
    return AskedQuestion(name=name, criterion=criterion, options=tuple(label for label, _ in options))


def _choice_text(value: str | bool) -> str:
    return str(value).lower() if isinstance(value, bool) else value


def _criterion(kind: type[Any], where: str, given: Mapping[str, Any]) -> Any:
    try:
        return kind.model_validate(given)
    except ValidationError as fault:
        raise _bad(where, f"{describe(fault, whole='question')}.", remedy="Correct the question.") from None


def _with(context: str | None, text: str) -> str:
    """The statement. Two letters are a question too ("ok", or a sentence in Chinese), and none for a statement."""
    asked = f"Question: {text}" if text.strip() and len(text) < _SHORTEST_STATEMENT else text
    return asked if not context else f"{context}\n\n{asked}"


def _text(value: Any) -> str:
    """Instructions and labels may be any JSON; a judge reads text. Raises BadInput for JSON that others cannot hold."""
    if value is None:
        return ""
    try:
        return value if isinstance(value, str) else canonical_json(as_json(value))
    except ValueError as fault:
        raise BadInput(f"{fault}.", remedy="Correct it in the state, the instructions or the labels.") from None


def _shown(value: Any) -> str:
    """``_text`` of a state. Raises BadInput for one with a picture, sound or file in the form in which messages have
    them: a judge would answer about what it has not seen."""
    text = _text(value)
    if not isinstance(value, str) and (found := _UNSEEN.search(text)):
        kind = found["part"] or "image"
        raise _bad("state", f"a part of type {kind!r} is not read.", remedy="Send texts.")
    return text


def material_of_state(state: Any) -> JudgeInput:
    """What the questions are about. A state with a field for the response is split into conversation, response and
    reference; its other fields stand before the conversation. Any other state is the response. Raises BadInput."""
    if not isinstance(state, dict):
        return shown_input(_shown(state))
    response = next((name for name in _RESPONSE if isinstance(state.get(name), str)), None)
    if response is None:
        return shown_input(_shown(state))
    prompt = next((name for name in _PROMPT if state.get(name)), None)
    reference = next((name for name in _REFERENCE if isinstance(state.get(name), str)), None)
    rest = {name: value for name, value in state.items() if name not in (response, prompt, reference)}
    conversation = [Message(role="system", content=_shown(rest))] if rest else []
    asked = state[prompt] if prompt else None
    if isinstance(asked, list):
        conversation += [_message(f"state.{prompt}.{place}", message) for place, message in enumerate(asked)]
    elif asked:
        conversation.append(Message(role="user", content=_shown(asked)))
    return shown_input(state[response], tuple(conversation), state[reference] if reference else None)


def material_of_input(given: str | Sequence[Any]) -> JudgeInput:
    """A text is the response. Of messages, the last one of the assistant is the response, and those before it are the
    conversation; without one, all texts together are the response. Raises BadInput."""
    if isinstance(given, str):
        return shown_input(given)
    messages = [_message(f"input.{place}", message) for place, message in enumerate(given)]
    if messages and messages[-1].role == "assistant":
        return shown_input(messages[-1].content, tuple(messages[:-1]))
    return shown_input("\n\n".join(message.content for message in messages))


def submission_of(given: Any, rubric: str) -> Submission:
    """The submission to a rubric: an object with prompt and response (or its JSON text), or messages that end with the
    assistant's. Raises BadSubmission."""
    why = ""
    if isinstance(given, str):
        try:
            given = parse_unique_json(given)
        except ValueError as fault:
            given, why = None, f" This text is none as JSON: {fault}."
    if isinstance(given, list):
        messages = [_message(f"input.{place}", message) for place, message in enumerate(given)]
        if len(messages) > 1 and messages[-1].role == "assistant":
            given = {"prompt": tuple(messages[:-1]), "response": messages[-1].content}
    if not isinstance(given, dict):
        raise BadSubmission(
            f"A rubric judges a response to a prompt.{why}",
            remedy='Send {"prompt": …, "response": …} with reference and facts as needed, or messages that end with '
            "the assistant's.",
        )
    if "rubric" in given:
        raise BadSubmission("state: the rubric is named by the model field.", remedy="Leave rubric out of the state.")
    return parse_submission({**given, "rubric": rubric})


def _message(where: str, given: Any) -> Message:
    if not isinstance(given, dict) or given.get("type", "message") != "message":
        kind = given.get("type") if isinstance(given, dict) else type(given).__name__
        raise _bad(where, f"an item of type {str(kind)[:60]!r} is not read.", remedy="Send messages.")
    content = given.get("content")
    if not isinstance(content, str | list):
        raise _bad(f"{where}.content", "a text or a list of parts is needed.")
    texts = [content] if isinstance(content, str) else [_part(f"{where}.content", part) for part in content]
    try:
        return Message.model_validate({"role": given.get("role", "user"), "content": "".join(texts)})
    except ValidationError as fault:
        raise _bad(where, f"{describe(fault)}.") from None


def _part(where: str, part: Any) -> str:
    if isinstance(part, dict) and isinstance(part.get("text"), str):
        text: str = part["text"]
        return text
    kind = part.get("type") if isinstance(part, dict) else type(part).__name__
    raise _bad(where, f"a part of type {str(kind)[:60]!r} is not read.", remedy="Send texts.")
