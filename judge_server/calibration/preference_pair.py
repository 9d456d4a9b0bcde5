"""Pairs of answers shown in both orders: matches the items of a pair, and reads the preference in a label.

Two items are mirrors if their names say so: ``81/gpt4-vs-claude`` and ``81/claude-vs-gpt4`` (``vs`` or ``|`` between
the answers), or one name with a mark at its end, ``81`` and ``81@swapped`` (also ``#swapped``, ``:swap``, ``/ba`` and,
on the unswapped side, ``@original``, ``:ab``).
"""

import re
from collections.abc import Mapping, Sequence

import numpy as np

from judge_server.agreement.array import Ints
from judge_server.agreement.interval import estimate
from judge_server.agreement.metric import Estimate
from judge_server.agreement.preference import MISSING, PREFERENCE_METRICS, preference_evidence
from judge_server.agreement.resampling import Resampling
from judge_server.calibration.panels import View

FIRST = {"a", "first", "1", "left", "model_a", "assistant_a", "answer_a", "response_a", "[[a]]", "a>b", "a>>b"}
SECOND = {"b", "second", "2", "right", "model_b", "assistant_b", "answer_b", "response_b", "[[b]]", "b>a", "b>>a"}
TIE = {"tie", "c", "[[c]]", "equal", "same", "draw", "both", "neither", "0", "a=b", "both_bad", "tie (bothbad)"}
MARK = re.compile(r"[@#:/|_ -](?:(swapped|swap|reversed|flipped|ba)|original|forward|ab)$", re.IGNORECASE)
VERSUS = re.compile(r"^(?P<head>.*[:/#])?(?P<one>[^:/#]+?)(?P<link>[ _-]+vs\.?[ _-]+|\|)(?P<two>[^:/#]+)$")


def preferences(labels: Sequence[str]) -> dict[int, int] | None:
    """By label code: 1 the answer shown first, −1 the second, 0 a tie; None if the labels are not preferences."""
    read: dict[int, int] = {}
    for code, label in enumerate(labels):
        word = label.strip().lower()
        if word in FIRST:
            read[code] = 1
        elif word in SECOND:
            read[code] = -1
        elif word in TIE:
            read[code] = 0
        else:
            return None
    return read if {1, -1} <= set(read.values()) else None


def spelled(labels: Sequence[str]) -> bool:
    """Whether the labels are clearly preferences rather than plain numbers."""
    return preferences(labels) is not None and not all(label.strip().isdigit() for label in labels)


def mirrors(names: Sequence[str]) -> dict[int, int]:
    """By index of an item in its first order: the index of its mirror."""
    place = {name: code for code, name in enumerate(names)}
    found: dict[int, int] = {}
    unswapped = {MARK.sub("", name): code for name, code in place.items() if not is_swapped(name)}
    for name, code in place.items():
        if is_swapped(name):
            forward = unswapped.get(MARK.sub("", name))
            if forward is not None:
                found[forward] = code
        elif (match := VERSUS.match(name)) and match["one"] < match["two"]:
            mirror = place.get(f"{match['head'] or ''}{match['two']}{match['link']}{match['one']}")
            if mirror is not None:
                found[code] = mirror
    return found


def is_swapped(name: str) -> bool:
    mark = MARK.search(name)
    return bool(mark and mark.group(1))


def position_effects(view: View, judge: str, swapped: Mapping[int, int], resampling: Resampling) -> dict[str, Estimate]:
    """Preference accuracy, tie rates and swap consistency of a judge on one criterion; empty if its labels are not
    preferences.
    """
    meaning = preferences(view.scale.labels)
    if meaning is None or not (swapped or spelled(view.scale.labels)):
        return {}
    words = np.array([meaning[code] for code in range(view.scale.size)] + [MISSING], dtype=np.int64)
    human, own = words[view.panel.majority()], words[view.panel.judges[judge].codes]
    unit_of = {(int(c), int(i)): unit for unit, (c, i) in enumerate(zip(view.criterion, view.item, strict=True))}
    back = {
        unit: unit_of[key, swapped[item]]
        for (key, item), unit in unit_of.items()
        if item in swapped and (key, swapped[item]) in unit_of
    }
    behind = set(back.values())
    forward = np.array([unit for unit in range(len(own)) if unit not in behind], dtype=np.int64)
    mirror = np.array([back.get(int(unit), -1) for unit in forward], dtype=np.int64)
    turned = np.where(mirror >= 0, against(own)[mirror], MISSING)
    wanted = np.where((human[forward] == MISSING) & (mirror >= 0), against(human)[mirror], human[forward])
    evidence = preference_evidence(wanted, own[forward], turned, view.panel.cluster[forward])
    return estimate(evidence, PREFERENCE_METRICS, resampling)


def against(words: Ints) -> Ints:
    """The same verdicts with the answers swapped."""
    return np.where(words == MISSING, MISSING, -words)
