"""A grader's free prompt, as a criterion of ours: what it asks in words, without the places for the texts.

Other tools show a judge one text with placeholders: ``{outputs}`` (OpenEvals), ``{{ outputs }}`` (MLflow),
``{{sample.output_text}}`` (OpenAI), ``{answer}`` (inspect_ai). Here the server shows prompt, response and reference
itself, fenced, so a part of the prompt that only holds a placeholder is left out, and a placeholder inside a sentence
becomes its noun ("the response"). Any other placeholder becomes a declared fact that the judge is shown.
"""

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from judge_server.authoring.interchange.record import slug, wrong_shape
from judge_server.authoring.interchange.rubrics_as_rewards import Pitfalls
from judge_server.authoring.rules.wording import AVOIDED, NEGATION
from judge_server.core.errors import BadInput

RESPONSE, PROMPT, REFERENCE = "the response", "the prompt", "the reference"
LONGEST_STATEMENT = 400
_DOUBLE = re.compile(r"\{\{\s*([^{}]{1,200}?)\s*\}\}")
_SINGLE = re.compile(r"(?<!\{)\{([A-Za-z_][\w.]{0,100})\}(?!\})")
_MARK = "\0"
_TAGGED = re.compile(rf"<([\w -]{{1,60}})>\s*{_MARK}[^{_MARK}]*{_MARK}\s*</\1>")
_TEXT = rf"{_MARK}[^{_MARK}]*{_MARK}"
_CARRIER = re.compile(rf"[^\w{_MARK}]*(?:[\w' -]{{1,60}}:)?[^\w{_MARK}]*(?:{_TEXT}[^\w{_MARK}]*)+")
_HEADING = re.compile(r"[^\w]*[\w' -]{1,60}:?[^\w]*")
_IN = re.compile(rf"(?<=\w) (?:in|from|by) (?={_MARK})")
# "The question in {{ inputs }}": the noun stands before the placeholder already
_NAMED = re.compile(
    rf"\b((?:the|a|an|this) )?(response|answer|output|question|prompt|input|request|reference)s? in {_TEXT}",
    re.IGNORECASE,
)
# what is bad if it is there, as far as a name or a question says it
_BAD = re.compile(
    r"toxi|hallucinat|leak|injection|\bbias|harm|unsafe|offensive|explicit|violat|malicious|error|lazy|laziness|refus"
    r"|sensitive|profan|abus|hate|plagiar|fabricat|contradict",
    re.IGNORECASE,
)


@dataclass(frozen=True)
class GraderPrompt:
    """``text``: the instruction in words. ``reference``: whether it speaks of the reference. ``facts``: names of other
    values that it is shown."""

    text: str
    reference: bool
    facts: tuple[str, ...]


def grader_prompt(template: str, nouns: Mapping[str, str], where: str, *, double: bool = False) -> GraderPrompt:
    """``nouns``: what each placeholder holds, as RESPONSE, PROMPT, REFERENCE, or "" for one that is left out.
    ``double``: placeholders stand in double braces. Raises BadInput if the response is not shown."""
    seen: list[str] = []

    def marked(found: re.Match[str]) -> str:
        seen.append(found[1])
        return f"{_MARK}{nouns.get(found[1], _fact_noun(found[1]))}{_MARK}"

    text = (_DOUBLE if double else _SINGLE).sub(marked, template.replace(_MARK, ""))
    if RESPONSE not in {nouns.get(name) for name in seen}:
        shown = ", ".join(dict.fromkeys(seen)) or "no placeholder"
        raise wrong_shape(
            where,
            f"the prompt does not show the response (it holds {shown})",
            "A prompt without the response gives every response the same verdict. Put its placeholder in.",
        )
    if not double:
        text = text.replace("{{", "{").replace("}}", "}")
    facts = tuple(dict.fromkeys(name for name in seen if name not in nouns))
    return GraderPrompt(_without_places(text), any(nouns.get(name) == REFERENCE for name in seen), facts)


def _fact_noun(name: str) -> str:
    return f'the value of "{name}"'


def _without_places(text: str) -> str:
    """The text without the lines and elements that only hold a placeholder, their headings, and the marks."""
    kept: list[str] = []
    for line in _TAGGED.sub("", text).splitlines():
        if line.strip() and _CARRIER.fullmatch(line.strip()):
            while kept and not kept[-1].strip():
                kept.pop()
            if kept and kept[-1].rstrip().endswith(":") and _HEADING.fullmatch(kept[-1].strip()):
                kept.pop()
            continue
        kept.append(line)
    joined = _NAMED.sub(lambda found: f"{found[1] or ''}{found[2]}", "\n".join(kept))
    return re.sub(r"\n{3,}", "\n\n", joined.replace(_MARK, "")).strip()


def criterion(name: str, prompt: GraderPrompt, kind: Mapping[str, Any], taken: set[str]) -> dict[str, Any]:
    """One criterion that asks what the prompt asks; a long prompt becomes its guidance. ``kind``: the fields that say
    how it is answered, such as the options of a scale."""
    short = len(prompt.text) <= LONGEST_STATEMENT and "\n" not in prompt.text
    title = name.replace("_", " ").strip()
    stated = (
        "How well does the response do what the guidance asks for" if kind else "The response is as the guidance asks"
    )
    made: dict[str, Any] = {"id": slug(name, taken)}
    made["statement"] = prompt.text if short else f"{stated}: {title}{'?' if kind else '.'}"
    if not short:
        made["guidance"] = prompt.text
    if prompt.reference:
        made["reference"] = "required"
    return made | dict(kind)


def facts_of(prompts: Iterable[GraderPrompt]) -> list[dict[str, Any]]:
    """The declared facts of several prompts, each shown to the judge."""
    names = dict.fromkeys(name for prompt in prompts for name in prompt.facts)
    return [{"name": name, "show": True} for name in names]


def levels(values: Iterable[float]) -> dict[str, Any]:
    """A scale of numbers as options, lowest first, moved to [0, 1] if they leave it. Raises ValueError below two."""
    ordered = sorted(set(map(float, values)))
    if len(ordered) < 2:
        raise ValueError("fewer than two different scores")
    low, high = (0.0, 1.0) if ordered[0] >= 0 and ordered[-1] <= 1 else (ordered[0], ordered[-1])
    return {
        "kind": "scale",
        "options": [{"label": f"{one:g}", "value": (one - low) / (high - low)} for one in ordered],
    }


def with_sign(made: dict[str, Any], pitfalls: Pitfalls, name: str, where: str) -> dict[str, Any]:
    """The criterion with negative points if a positive verdict is the bad one, as ``pitfalls`` says of its words.
    Without it a positive verdict is good, unless name or statement speak of something bad: then BadInput asks."""
    told = f"{name.replace('_', ' ')}: {made['statement']}"
    if pitfalls is not None:
        return made | {"points": -1} if pitfalls(told) == "bad" else made
    if _BAD.search(told) and not (AVOIDED.search(told) or NEGATION.search(told)):
        raise BadInput(
            f"{where}: whether a positive verdict of {name!r} is good or bad cannot be told from its words.",
            remedy="Say which: --pitfalls bad (positive means that the bad thing is there), --pitfalls good, or ask.",
        )
    return made
