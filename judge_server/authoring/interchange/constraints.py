"""Rules that programs of other projects check, as our checks: IFEval's instructions and the verifiers of RuscaRL.

Sources: instructions_registry.py of IFEval (arXiv 2311.07911), whose ids are ``group:name`` with keyword arguments, and
the tags ``{verifier, function, parameters}`` of RuscaRL rows (arXiv 2508.16949). A rule without a check of the same
meaning has none: it is reported, and a judge decides about the statement.
"""

import re
from collections.abc import Callable, Mapping
from typing import Any

Check = dict[str, Any]
Arguments = Mapping[str, Any]

_CODE = re.compile(r"[a-z]{2}")


def check_of(function: str, arguments: Arguments) -> Check | None:
    """The check that decides as ``function`` with its ``arguments`` does; None if there is none."""
    name = function.strip().lower()
    make = _CHECKS.get(name) or next((one for full, one in _CHECKS.items() if full.endswith(f":{name}")), None)
    try:
        return None if make is None else make(arguments)
    except (KeyError, TypeError, ValueError):
        return None


def _bounds(arguments: Arguments, name: str, relation: str = "relation") -> dict[str, int]:
    number = int(float(arguments[name]))
    match str(arguments.get(relation) or "at least"):
        case "at least":
            return {"min": number}
        case "less than":
            return {"max": number - 1}
        case "at most":
            return {"max": number}
        case other:
            raise ValueError(other)


def _texts(value: Any) -> list[str]:
    found = [value] if isinstance(value, str) else list(value)
    if not found or not all(isinstance(one, str) and one.strip() for one in found):
        raise ValueError("no texts")
    return found


def _regex(pattern: str, *flags: str, **more: Any) -> Check:
    return {"kind": "regex", "pattern": pattern, "flags": list(flags), **more}


def _language(arguments: Arguments) -> Check:
    code = str(arguments.get("language") or arguments["lang"]).lower()[:2]
    if not _CODE.fullmatch(code):
        raise ValueError(code)
    return {"kind": "language", "any": [code]}


def _postscript(marker: str) -> Check:
    known = {"P.S.": r"p\.\s?s\.", "P.P.S": r"p\.\s?p\.\s?s"}
    if not marker:
        raise ValueError("no marker")
    return _regex(known.get(marker, re.escape(marker)), "ignore_case")


_PART = r"\s*(?:\*{1,2}[^*]|[^*\s])(?:\*{0,2}[^*])*"  # not blank, and without three asterisks in a row


def _paragraphs(number: int) -> Check:
    """Exactly so many parts with ``***`` between them, none of them blank."""
    if number < 1:
        raise ValueError(number)
    return _regex(rf"\A\s*(?:\*\*\*)?{_PART}(?:\*\*\*{_PART}){{{number - 1}}}(?:\*\*\*\s*)?\*{{0,2}}\z")


def _answer(arguments: Arguments) -> str:
    found = next(arguments[name] for name in ("answer", "ground_truth", "reference", "expected") if arguments.get(name))
    return str(found)


_CHECKS: dict[str, Callable[[Arguments], Check]] = {
    "keywords:existence": lambda a: {"kind": "contains", "all": _texts(a["keywords"])},
    "keywords:forbidden_words": lambda a: _regex(
        rf"\b(?:{'|'.join(map(re.escape, _texts(a['forbidden_words'])))})\b", "ignore_case", negate=True
    ),
    "keywords:frequency": lambda a: _regex(
        re.escape(str(a["keyword"])), "ignore_case", count=_bounds(a, "frequency")
    ),
    "keywords:letter_frequency": lambda a: _regex(
        re.escape(str(a["letter"])), "ignore_case", count=_bounds(a, "let_frequency", "let_relation")
    ),
    "length_constraints:number_words": lambda a: {"kind": "length", "unit": "words", **_bounds(a, "num_words")},
    "length_constraints:number_sentences": lambda a: {
        "kind": "length", "unit": "sentences", **_bounds(a, "num_sentences"),
    },
    "language:response_language": _language,
    "punctuation:no_comma": lambda _: {"kind": "contains", "none": [","]},
    "startend:end_checker": lambda a: _regex(rf'{re.escape(str(a["end_phrase"]).strip())}"?\s*\z', "ignore_case"),
    "startend:quotation": lambda _: _regex(r'\A\s*".*"\s*\z', "dotall"),
    "change_case:english_lowercase": lambda _: _regex(r"\p{Lu}", negate=True),
    "change_case:english_capital": lambda _: _regex(r"\p{Ll}", negate=True),
    "detectable_format:number_bullet_lists": lambda a: _regex(
        r"^\s*[*-][^*]", "multiline", count={"min": int(float(a["num_bullets"])), "max": int(float(a["num_bullets"]))}
    ),
    "detectable_format:number_highlighted_sections": lambda a: _regex(
        r"\*[^\n*]+\*", count={"min": int(float(a["num_highlights"]))}
    ),
    "detectable_format:title": lambda _: _regex(r"<<[^\n]+>>"),
    "detectable_format:json_format": lambda _: {"kind": "json", "extract": "unfenced"},
    "detectable_format:multiple_sections": lambda a: _regex(
        rf"{re.escape(str(a['section_spliter']).strip())}\s?\d+", count={"min": int(float(a["num_sections"]))}
    ),
    "detectable_format:constrained_response": lambda _: {
        "kind": "contains",
        "any": [f"My answer is {said}." for said in ("yes", "no", "maybe")],
        "ignore_case": False,
    },
    "length_constraints:number_paragraphs": lambda a: _paragraphs(int(float(a["num_paragraphs"]))),
    "combination:repeat_prompt": lambda a: _regex(
        rf"\A\s*{re.escape(_texts(a['prompt_to_repeat'])[0].strip())}", "ignore_case"
    ),
    "detectable_content:number_placeholders": lambda a: _regex(
        r"\[[^\[\]]*\]", count={"min": int(float(a["num_placeholders"]))}
    ),
    "detectable_content:postscript": lambda a: _postscript(str(a["postscript_marker"]).strip()),
    "math_verify": lambda a: {"kind": "math", "against": _answer(a)},
    "exact_match": lambda a: {"kind": "exact_match", "against": [_answer(a)]},
    "contains": lambda a: {"kind": "contains", "all": _texts(a.get("keywords") or a["keyword"])},
    "regex": lambda a: _regex(str(a["pattern"])),
    "responselanguagechecker": _language,
}  # fmt: skip
