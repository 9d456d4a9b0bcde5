"""One entry of a list of criteria, in the words of many formats, as a criterion of ours.

Read are the statement, the weight, the tags, an axis, options with scores, and a rule that a program checks. What is
left unread is counted by the record that holds the entry (``tracked``).
"""

import re
from collections.abc import Mapping, Sequence
from typing import Any

from judge_server.authoring.interchange.constraints import check_of
from judge_server.authoring.interchange.record import first_given, slug, wrong_shape
from judge_server.authoring.interchange.tracked import TrackedFields, use_all

_TEXTS = (
    "criterion", "description", "statement", "requirement", "text", "rubric_description", "criterion_description",
    "criteria", "question", "rubric_item", "rubric", "content", "value", "title", "name",
)  # fmt: skip
_WEIGHTS = ("points", "weight", "rubric_weight", "criterion_weight", "score_weight", "importance_weight")
GIVEN_ID = re.compile(r"[a-z][a-z0-9_]{0,99}")
_RANDOM_ID = re.compile(r"[0-9a-f-]{16,}")
_SAYS_SO = (
    "criterion", "statement", "requirement", "rubric_description", "criterion_description", "criteria", "rubric_item",
)  # fmt: skip
_SAYS_LITTLE = ("name", "title", "content", "value")
_PASSES = {"yes": "{}", "no": "The answer to this question is no: {}"}
_RULE = ("rule", "code", "program", "python", "function", "ifeval")
_NEGATIVE = ("negative", "penalty", "-")
_TRUE, _FALSE = (True, "true", "yes"), (False, "false", "no")
_SIGNS: Mapping[str, tuple[Any, ...]] = {
    "negative": _TRUE,
    "is_negative": _TRUE,
    "penalty": _TRUE,
    "is_penalty": _TRUE,
    "inverse": _TRUE,
    "invert": _TRUE,
    "reverse": _TRUE,
    "reversed": _TRUE,
    "positive": _FALSE,
    "is_positive": _FALSE,
    "polarity": _NEGATIVE,
    "sign": _NEGATIVE,
    "direction": _NEGATIVE,
}
SHAPE = "An entry is an object with a statement (criterion, description, requirement, …) and perhaps points or weight."


def criterion_of(entry: Any, taken: set[str], where: str, *, default_weight: float | None = 1) -> dict[str, Any]:
    """The criterion as plain data. ``taken``: ids in use, to which its own is added. Raises BadInput if it has no
    statement, or no weight and there is no default."""
    if isinstance(entry, str):
        entry = TrackedFields({"criterion": entry})
    if not isinstance(entry, Mapping):
        raise wrong_shape(where, "an entry is neither an object nor a text", SHAPE)
    fields = _plain(entry)
    text = next((entry[name] for name in _TEXTS if isinstance(fields.get(name), str) and fields[name].strip()), None)
    severity, gate = _modified(entry, where)
    given = severity if severity is not None else default_weight
    names = (*_WEIGHTS, "score") if "rubric_item_id" in fields else _WEIGHTS  # of GDPval: what the item is worth
    weight = next((entry[name] for name in names if fields.get(name) not in (None, "")), given)
    if text is None or weight is None:
        raise wrong_shape(where, "an entry lacks a statement or a weight", SHAPE)
    _refuse_a_sign_in_words(fields, where)
    if str(_plain(entry).get("category") or "").lower() == "pitfall" and not any(name in entry for name in _WEIGHTS):
        raise wrong_shape(where, "a pitfall has no weight, so its sign is not known", "Read it as rubrics-as-rewards.")
    number = number_of(weight)
    points = weight if number is None else number
    made = {"id": _id(_named(entry, text), taken), "statement": _passing(entry, text.strip(), where), "points": points}
    tags = _tags(entry)
    if tags:
        made["tags"] = tags
    return made | gate | decided_by(entry, where)


def is_criterion(entry: Any) -> bool:
    """Whether an object of a list that nobody calls criteria is one: its statement has a name that says so, or stands
    beside a weight. A name or a title alone may belong to anything."""
    if not isinstance(entry, Mapping):
        return False
    held = {name for name in _TEXTS if isinstance(dict(entry).get(name), str) and dict(entry)[name].strip()}
    weighs = any(number_of(dict(entry).get(name)) is not None for name in _WEIGHTS)
    return not held.isdisjoint(_SAYS_SO) or (weighs and bool(held - set(_SAYS_LITTLE)))


def _modified(entry: Mapping[str, Any], where: str) -> tuple[Any, dict[str, Any]]:
    """The weight and the gate that ``modifiers`` give (``{severity, category: must_pass}``, NeMo Gym's finance agent):
    there a criterion that must pass and does not makes the score 0."""
    fields = _plain(entry).get("modifiers")
    if not isinstance(fields, Mapping):
        return None, {}
    severity = fields.get("severity") if "severity" in fields else None
    number = number_of(severity)
    if severity is not None and (number is None or number <= 0):
        raise wrong_shape(where, f"the severity {severity!r} is no number above 0", "Give a positive number.")
    must = dict(fields).get("category") == "must_pass"
    if must:
        fields.get("category")
    entry.get("modifiers")
    return severity, {"gate": {"when": "unmet", "reward": 0.0}} if must else {}


def _passing(entry: Mapping[str, Any], text: str, where: str) -> str:
    """The statement of a question that passes with yes, or with no (``pass_criteria``, NeMo Gym's MultiChallenge)."""
    given = _plain(entry).get("pass_criteria")
    if given is None:
        return text
    form = _PASSES.get(str(given).strip().lower())
    if form is None:
        raise wrong_shape(where, f"pass_criteria {str(given)[:60]!r} is neither YES nor NO", "Write a statement.")
    entry.get("pass_criteria")
    return form.format(text)


def _refuse_a_sign_in_words(fields: Mapping[str, Any], where: str) -> None:
    """Some files say beside a positive weight that being met is bad; whether the statement is worded as the bad thing
    stands nowhere."""
    for name, bad in _SIGNS.items():
        said = fields.get(name)
        if said is not None and (said in bad or str(said).strip().lower() in bad):
            raise wrong_shape(
                where, f"an entry says {name}: {said}, and not whether being met costs points", "Give signed points."
            )


def number_of(value: Any) -> float | int | None:
    """A number, also one written as text; None for anything else."""
    if isinstance(value, str):
        try:
            value = float(value.strip())
        except ValueError:
            return None
    if isinstance(value, bool) or not isinstance(value, int | float):
        return None
    return int(value) if isinstance(value, float) and value.is_integer() else value


def _id(name: str, taken: set[str]) -> str:
    """The name if it may be an id and is free, else an id from its words."""
    if GIVEN_ID.fullmatch(name) and name not in taken:
        taken.add(name)
        return name
    return slug(name, taken)


def _named(entry: Mapping[str, Any], text: str) -> str:
    given = _plain(entry).get("id")
    if isinstance(given, str) and GIVEN_ID.fullmatch(given) and not _RANDOM_ID.fullmatch(given):
        entry.get("id")
        return given
    name = entry.get("title") if "title" in entry else entry.get("name") if "name" in entry else None
    return name if isinstance(name, str) and name.strip() else text


def _tags(entry: Mapping[str, Any]) -> list[str]:
    found: list[str] = []
    tags = entry.get("tags") if "tags" in entry else None
    if isinstance(tags, list):
        found += [str(tag) for tag in tags]
    for name in ("axis", "category", "importance", "criterion_type", "dimension", "section"):
        value = entry.get(name) if isinstance(_plain(entry).get(name), str) else None
        if value:
            found.append(f"{name}:{value}".lower() if name in ("category", "importance") else f"{name}:{value}")
    return list(dict.fromkeys(tag.strip()[:100] for tag in found if tag.strip()))


def _plain(entry: Mapping[str, Any]) -> dict[str, Any]:
    """A copy that may be read without noting what was read."""
    return dict(entry)


def decided_by(entry: Mapping[str, Any], where: str) -> dict[str, Any]:
    """The options of a scale, or the check in place of a judge's verdict; nothing if a judge decides yes or no. A rule
    that has no check of the same meaning stays unread and is counted. Raises BadInput for options without scores: a
    judge cannot answer yes or no to them."""
    options = options_of(_plain(entry).get("options") or _plain(entry).get("choices"))
    if options:
        used = "options" if _plain(entry).get("options") else "choices"
        found = entry.get(used)
        use_all(found)
        if isinstance(found, list):
            for option in found:
                if isinstance(option, TrackedFields) and dict.get(option, "na") is True:
                    option.used.discard("na")
        return {"kind": "scale", "options": options}
    given = _plain(entry).get("options") or _plain(entry).get("choices")
    if given and not _yes_or_no(given):
        shown = given if isinstance(given, list | Mapping) else [given]
        raise wrong_shape(
            where,
            f"the options {', '.join(map(_label, shown))} have no different scores",
            "Give each a score ({label: score}, from worst to best), or take the criterion out.",
        )
    rule = _plain(entry).get("tags")
    holder: Mapping[str, Any] = rule if isinstance(rule, Mapping) else entry
    function = str(_plain(holder).get("function") or "")
    verifier = str(_plain(holder).get("verifier") or "").lower()
    if verifier == "llm":
        holder.get("verifier")
        for name in ("function", "parameters"):  # a judge decides: they say nothing
            use_all(holder.get(name))
        return {}
    arguments = _plain(holder).get("parameters")
    check = check_of(function, arguments if isinstance(arguments, Mapping) else {}) if function else None
    if check is None or (verifier and verifier not in _RULE):
        return {}
    for name in ("function", "parameters", "verifier"):
        use_all(holder.get(name))
    return {"kind": "check", "check": check}


def _label(option: Any) -> str:
    return repr(str(dict.get(option, "label", option) if isinstance(option, dict) else option)[:40])


def _yes_or_no(given: Any) -> bool:
    return isinstance(given, list | Mapping) and {str(one).strip().lower() for one in given} in (
        {"yes", "no"}, {"true", "false"}, {"met", "unmet"},
    )  # fmt: skip


def options_of(given: Any) -> list[dict[str, Any]] | None:
    """The options of a scale from worst to best, their scores moved to [0, 1] if they leave it; None if they have no
    different scores.
    Given as ``{label: score}`` or as objects with a label and a score."""
    pairs: list[tuple[str, float, str | None]] = []
    if isinstance(given, Mapping):
        found: Sequence[tuple[Any, Any, Any]] = [(label, score, None) for label, score in given.items()]
    elif isinstance(given, list):
        found = [
            (
                first_given(*(dict.get(one, name) for name in ("label", "name", "value", "text"))),
                first_given(*(dict.get(one, name) for name in ("score", "points", "value", "weight"))),
                dict.get(one, "description"),
            )
            for one in given
            if isinstance(one, dict)
        ]
        if len(found) != len(given):
            return None
    else:
        return None
    if isinstance(given, list):  # a judge that cannot say abstains: not applicable is no level
        found = [one for one, option in zip(found, given, strict=True) if dict.get(option, "na") is not True]
    for label, score, description in found:
        number = number_of(score)
        if label in (None, "") or number is None:
            return None
        pairs.append((str(label)[:60], float(number), description if isinstance(description, str) else None))
    low, high = min((pair[1] for pair in pairs), default=0), max((pair[1] for pair in pairs), default=0)
    if len(pairs) >= 2 and low >= 0 and high <= 1 and low != high:
        low, high = 0, 1
    if len(pairs) < 2 or low == high or len({pair[1] for pair in pairs}) < len(pairs):
        return None
    return [
        {"label": label, "value": (score - low) / (high - low)} | ({"description": told} if told else {})
        for label, score, told in sorted(pairs, key=lambda pair: pair[1])
    ]
