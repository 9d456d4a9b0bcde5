"""Requests and answers of decision models, in the two formats that their servers speak.

System One (``POST /v1/systemone``): a state, and questions by id. Decisions (``POST /v1/decisions``): an input, and a
list of questions that are answered in order. Sources: vllm 0.32, ``entrypoints/generate/structured_decisions``; openai
3.57, ``types/decision.py``; litellm 1.106, ``types/decisions.py``.

The server is not trusted: probabilities are numbers in [0, 1] that add up to 1, and every question has one answer.
"""

import math
from collections.abc import Mapping, Sequence
from functools import lru_cache
from typing import Any, Literal

import orjson

from judge_server.core.errors import JudgeFailure, UnusableVerdict
from judge_server.core.judgment import Usage
from judge_server.models.decision_contradiction import contradiction, turned
from judge_server.models.error_body import says_something
from judge_server.models.openai_reply import object_in, origin_in, token_count
from judge_server.models.openai_wire import broken, plain_text
from judge_server.models.protocol import (
    IMPOSSIBLE_LOGPROB,
    Completion,
    Decisions,
    Prompt,
    Request,
    Segment,
    TokenProbability,
    Turn,
    TypedAnswer,
    TypedOption,
    TypedQuestion,
    UnusableCompletion,
)
from judge_server.models.reserved import UNKNOWN, ControlStrings
from judge_server.util.parsing import has_key_twice, writable

Format = Literal["systemone", "decisions"]
FORMATS: tuple[Format, ...] = ("systemone", "decisions")
MOST_LEVELS = 10  # of a score question, in both formats; a longer scale is asked as a choice
_ROUNDING = 0.02
_NOTHING = 1e-6  # what rounding to 32 bits makes of 0
_KINDS = {"noul": "predicate", "predicate": "predicate", "score": "score", "choice": "choice"}
MASS_UNKNOWN = (
    "it does not tell how much probability the labels had together (label_mass): answers that were likelier to be no "
    "label at all cannot be noticed."
)


def decision_body(
    request: Request,
    questions: Sequence[TypedQuestion],
    model: str,
    form: Format,
    strings: ControlStrings = UNKNOWN,
) -> dict[str, Any]:
    """The JSON body that asks ``questions`` about the material of ``request``; no outside text spells a control
    string."""
    asked = [_as_choice(question) for question in questions]
    if form == "systemone":
        return {
            "model": model,
            "instructions": instructions_in(request.prompt, strings),
            "state": state_of(request.prompt, strings),
            "questions": {f"q{place}": _systemone(question, strings) for place, question in enumerate(asked)},
        }
    text = "\n\n".join(plain_text(turn.segments, strings) for turn in request.prompt.turns)
    return {
        "model": model,
        "input": text,
        "questions": [_openai(question, f"q{place}", strings) for place, question in enumerate(asked)],
    }


def decision_bytes(
    request: Request, questions: Sequence[TypedQuestion], model: str, form: Format, strings: ControlStrings = UNKNOWN
) -> bytes:
    """``decision_body`` as JSON. A question is written once, and not for every submission that it is asked about."""
    if form != "systemone":
        return encoded(decision_body(request, questions, model, form, strings))
    asked = [b'"q%d":%b' % (place, _written(question, strings)) for place, question in enumerate(questions)]
    return encoded(
        {
            "model": model,
            "instructions": instructions_in(request.prompt, strings),
            "state": state_of(request.prompt, strings),
            "questions": orjson.Fragment(b"{%b}" % b",".join(asked)),
        }
    )


@lru_cache(maxsize=2_048)
def _written(question: TypedQuestion, strings: ControlStrings) -> bytes:
    return encoded(_systemone(_as_choice(question), strings))


def encoded(body: Any) -> bytes:
    """The body as JSON."""
    try:
        return orjson.dumps(body)
    except TypeError:  # a lone surrogate, which JSON can escape but UTF-8 cannot encode
        return orjson.dumps(_writable(body))


def _writable(value: Any) -> Any:
    if isinstance(value, str):
        return writable(value)
    if isinstance(value, dict):
        return {writable(name): _writable(inner) for name, inner in value.items()}
    return [_writable(inner) for inner in value] if isinstance(value, list) else value


def instructions_in(prompt: Prompt, strings: ControlStrings) -> str:
    return "\n\n".join(plain_text(turn.segments, strings) for turn in prompt.turns if turn.role == "system")


def state_of(prompt: Prompt, strings: ControlStrings) -> dict[str, str]:
    """The material by part: conversation, response, reference; each text stands in its fence."""
    state: dict[str, str] = {}
    for turn in prompt.turns:
        for segment in turn.segments if turn.role == "user" else ():
            state[segment.part] = state.get(segment.part, "") + plain_text((segment,), strings)
    return {part: text.strip("\n") for part, text in state.items()}


def _as_choice(question: TypedQuestion) -> TypedQuestion:
    """A scale with more levels than the formats allow, as a choice; the distribution is what counts."""
    if question.kind != "score" or len(question.options) <= MOST_LEVELS:
        return question
    return TypedQuestion("choice", question.instructions, question.options)


def _systemone(question: TypedQuestion, strings: ControlStrings) -> dict[str, Any]:
    instructions = plain_text(question.instructions, strings)
    match question.kind:
        case "predicate":
            return {"type": "noul", "instructions": instructions}
        case "score":
            return {
                "type": "score",
                "instructions": instructions,
                "criteria": [_level(o, strings) for o in question.options],
            }
        case "choice":
            described = {broken(o.name, strings): _described(o, strings) for o in question.options}
            return {"type": "choice", "instructions": instructions, "criteria": described}


def _openai(question: TypedQuestion, name: str, strings: ControlStrings) -> dict[str, Any]:
    asked: dict[str, Any] = {
        "type": question.kind,
        "name": name,
        "instructions": plain_text(question.instructions, strings),
    }
    if question.kind == "predicate":
        return asked
    field, key = ("levels", "label") if question.kind == "score" else ("choices", "value")
    options = [{key: broken(o.name, strings), "description": _described(o, strings)} for o in question.options]
    return asked | {field: [{k: v for k, v in option.items() if v is not None} for option in options]}


def _level(option: TypedOption, strings: ControlStrings) -> str:
    described = _described(option, strings)
    return broken(option.name, strings) if described is None else f"{broken(option.name, strings)}: {described}"


def _described(option: TypedOption, strings: ControlStrings) -> str | None:
    return None if option.description is None else broken(option.description, strings)


def answer_in(raw: bytes) -> dict[str, Any]:
    """The decoded answer. Raises UnusableVerdict, also if a key stands twice in an object: which value is meant?"""
    answer = object_in(raw)
    if has_key_twice(raw, answer):
        raise _unusable(answer, "a key stands twice in it")
    return answer


def completion_in(
    answer: Mapping[str, Any], questions: Sequence[TypedQuestion], form: Format, strings: ControlStrings = UNKNOWN
) -> Completion:
    """The decoded answer to ``questions``, with what it cost. Raises UnusableCompletion if the answer as a whole is not
    of the format."""
    decisions = decisions_in(answer, questions, form, strings)
    return Completion("", usage=usage_in(answer), decisions=decisions, origin=origin_in(answer))


def decisions_in(
    answer: Mapping[str, Any], questions: Sequence[TypedQuestion], form: Format, strings: ControlStrings = UNKNOWN
) -> tuple[TypedAnswer, ...]:
    """One decision for each question. Raises UnusableCompletion if the answer as a whole is not of the format."""
    found = _by_place(answer, len(questions), form)
    diagnostics = answer.get("diagnostics")
    masses = diagnostics if isinstance(diagnostics, dict) else {}
    decisions = []
    for name, question, one in zip(_ids(len(questions)), questions, found, strict=True):
        told = masses.get(name)
        mass = _share(told.get("label_mass")) if isinstance(told, dict) else None
        shares = _plain_shares(one) if question.kind == "predicate" else None
        if shares is not None:
            decisions.append(TypedAnswer(shares, mass))
        else:
            decisions.append(_decision(one, _as_choice(question), form, strings, mass))
    return tuple(decisions)


@lru_cache(maxsize=64)
def _ids(count: int) -> tuple[str, ...]:
    """The ids of so many questions."""
    return tuple([f"q{place}" for place in range(count)])


def _plain_shares(given: Any) -> tuple[float, float] | None:
    """The shares of what nearly every answer to a predicate is: two numbers that add up to 1, and the first of them
    again. None for any other answer, which ``_decision`` reads to the same end."""
    try:
        met, both = given["noul"], given["probabilities"]
        yes, no = both["yes"], both["no"]
    except (KeyError, TypeError):
        return None
    plain = type(yes) is float and type(no) is float and met == yes and given.get("type") == "noul"
    plain = plain and "error" not in given
    return (yes, no) if plain and 0.0 <= yes <= 1.0 and 0.0 <= no <= 1.0 and yes + no == 1.0 else None


def _by_place(answer: Mapping[str, Any], count: int, form: Format) -> list[Any]:
    """The answer to each question, None if there is none. Answers that nobody asked for make the whole unusable."""
    answers = answer.get("answers")
    names = _ids(count)
    if form == "systemone":
        if not isinstance(answers, dict):
            raise _unusable(answer, "it holds no answers by question id")
        unasked = answers.keys() - names
        if unasked:
            raise _unusable(answer, f"it answers {len(unasked)} questions that were not asked")
        return [answers.get(name) for name in names]
    if not isinstance(answers, list):
        raise _unusable(answer, "it holds no list of answers")
    if len(answers) != count:
        raise _unusable(answer, f"it holds {len(answers)} answers to {count} questions")
    given = [one.get("name") if isinstance(one, dict) else None for one in answers]
    if any(name is not None and name != wanted for name, wanted in zip(given, names, strict=True)):
        raise _unusable(answer, "its answers are not in the order of the questions")
    return answers


def _names(question: TypedQuestion, strings: ControlStrings) -> tuple[str, ...]:
    """What the probabilities of the options are called in an answer; none for a predicate."""
    if question.kind == "predicate":
        return ()
    if question.kind == "choice":
        return tuple(broken(option.name, strings) for option in question.options)
    return tuple(str(place) for place in range(len(question.options)))


def _turned(given: Mapping[str, Any], question: TypedQuestion, form: Format, strings: ControlStrings) -> bool:
    if form == "systemone":
        legend, names = given.get("legend"), [_level(option, strings) for option in question.options]
        return turned(legend if isinstance(legend, dict) else {}, names)
    listed, names = given.get("probabilities"), [broken(option.name, strings) for option in question.options]
    entries = [one for one in listed if isinstance(one, dict)] if isinstance(listed, list) else []
    return turned({_called(one.get("value")): one.get("label") for one in entries}, names)


def _decision(
    given: Any, asked: TypedQuestion, form: Format, strings: ControlStrings, mass: float | None
) -> TypedAnswer:
    if not isinstance(given, dict):
        return TypedAnswer(unusable="the question has no answer")
    if given.get("type") == "refusal":
        return TypedAnswer(refused=True)
    if _KINDS.get(str(given.get("type")), asked.kind) != asked.kind:
        return TypedAnswer(unusable="it answers a question of another type")
    if says_something(given.get("error")):
        return TypedAnswer(unusable="the question was answered with an error")
    if asked.kind == "score" and _turned(given, asked, form, strings):
        return TypedAnswer(unusable="it names the levels in another order")
    names = _names(asked, strings)
    shares = _distribution(given, names, form) if names else _predicate(given)
    if shares is None:
        return TypedAnswer(unusable="its answer holds no probability of every option")
    total = math.fsum(shares)
    if abs(total - 1) > _ROUNDING:
        return TypedAnswer(unusable=f"its probabilities add up to {total:.3g}")
    shares = shares if total == 1.0 else [share / total for share in shares]
    wrong = contradiction(asked.kind, given, names, shares)
    return TypedAnswer(unusable=wrong) if wrong else TypedAnswer(tuple(shares), mass)


def _predicate(given: Mapping[str, Any]) -> list[float] | None:
    """By both probabilities, or by the one that is told alone."""
    probabilities = given.get("probabilities")
    if isinstance(probabilities, dict):
        yes, no = _share(probabilities.get("yes")), _share(probabilities.get("no"))
        if yes is not None and no is not None:
            return [yes, no]
    met = _share(given.get("noul", given.get("probability")))
    return None if met is None else [met, 1 - met]


def _distribution(given: Mapping[str, Any], names: Sequence[str], form: Format) -> list[float] | None:
    """The share of each option in order; None if one has no finite share."""
    listed = given.get("probabilities")
    if form == "systemone":
        found = {str(name): share for name, share in listed.items()} if isinstance(listed, dict) else {}
    else:
        entries = listed if isinstance(listed, list) else []
        found = {_called(one.get("value")): one.get("probability") for one in entries if isinstance(one, dict)}
        if len(found) < len(entries):
            return None
    shares = [_share(found.get(name)) for name in names]
    if set(found) - set(names) or None in shares:
        return None
    return [share for share in shares if share is not None]


def _called(value: Any) -> str:
    """An option's value as text; the place of a level may be written 1.0."""
    return str(int(value) if isinstance(value, float) and value.is_integer() else value)


def _share(value: Any) -> float | None:
    """A finite number in [0, 1], or None."""
    if type(value) is float and 0.0 <= value <= 1.0:
        return value
    if isinstance(value, bool) or not isinstance(value, int | float):
        return None
    return min(max(float(value), 0.0), 1.0) if -_NOTHING <= value <= 1 + _ROUNDING else None  # nothing holds for NaN


def usage_in(answer: Mapping[str, Any]) -> Usage:
    """What one call cost; a server that tells nothing is counted as a call without tokens."""
    usage = answer.get("usage")
    told = usage if isinstance(usage, dict) else {}
    details = told.get("input_tokens_details")
    cached = details.get("cached_tokens") if isinstance(details, dict) else told.get("cached_tokens")
    return Usage(
        prompt_tokens=token_count(told.get("input_tokens")),
        cached_tokens=token_count(cached),
        completion_tokens=token_count(told.get("output_tokens")),
        calls=1,
    )


def _unusable(answer: Mapping[str, Any], why: str) -> UnusableCompletion:
    return UnusableCompletion(f"The decision server's answer is not usable: {why}.", usage_in(answer))


def typed(request: Request) -> Decisions:
    """The typed questions of ``request``. A question by labels becomes a choice among them."""
    answer = request.answer
    if isinstance(answer, Decisions):
        return answer
    words = getattr(answer, "words", None)
    if words is None:
        raise UnusableVerdict(
            "A decision model gives probabilities and no text: this question needs a judge that generates text."
        )
    question = Segment("Answer the question at the end of the material.", "question", trusted=True)
    return Decisions((TypedQuestion("choice", (question,), tuple(TypedOption(word) for word in words)),))


def labelled(found: Completion, options: Sequence[TypedOption]) -> Completion:
    """The answer to a choice among words as the distribution of a first token. Raises UnusableCompletion."""
    decision = found.decisions[0]
    if isinstance(decision, JudgeFailure):
        raise decision
    if not decision.shares:
        why = decision.unusable or "it refused"
        raise UnusableCompletion(f"The decision server gave no distribution: {why}.", found.usage)
    mass = 1.0 if decision.label_mass is None else decision.label_mass
    candidates = tuple(
        TokenProbability(option.name, math.log(share * mass) if share * mass > 0 else IMPOSSIBLE_LOGPROB)
        for option, share in zip(options, decision.shares, strict=True)
    )
    likeliest = max(candidates, key=lambda candidate: candidate.logprob)
    return Completion(likeliest.text, candidates, usage=found.usage, origin=found.origin)


def _ours(text: str, part: Literal["instructions", "response", "question"]) -> Segment:
    return Segment(text, part, trusted=True)


PROBE_QUESTIONS = (
    TypedQuestion("predicate", (_ours("Does the text mention water?", "question"),)),
    TypedQuestion("score", (_ours("How long is the text?", "question"),), (TypedOption("short"), TypedOption("long"))),
)
PROBE = Request(
    Prompt(
        (
            Turn("system", (_ours("Answer the questions about the text.", "instructions"),)),
            Turn("user", (_ours("Water is wet.", "response"),)),
        )
    ),
    Decisions(PROBE_QUESTIONS),
)
