"""Maps every written label to a class of its criterion's scale, or counts it as abstained or invalid."""

import re
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from difflib import get_close_matches

import numpy as np
from numpy.typing import NDArray

from judge_server.labels.label import CriterionScale, Role
from judge_server.labels.readers.checking import LONGEST_NAME
from judge_server.labels.readers.finding import MOST_KEPT, LabelFindings
from judge_server.labels.readers.gathering import Gathering, Numbering
from judge_server.labels.readers.inference import infer
from judge_server.labels.readers.no_answer import abstains, plain_noes
from judge_server.labels.readers.scale import EVERY, ClassReader
from judge_server.labels.readers.word import (
    lone_ticks,
    missing_codes,
    nearly_a_number,
    serial_dates,
    several_at_once,
    thousands,
)
from judge_server.labels.table import ABSTAINED, INVALID, Column

_MARKED_TEXT = re.compile(r"'[^']+")  # an apostrophe is how a spreadsheet marks a cell as text


@dataclass(frozen=True)
class Placed:
    scales: tuple[CriterionScale, ...]
    labels: Column
    invalid: Mapping[int, str]
    notes: tuple[str, ...]


class Placer:
    """Works on the distinct (criterion, annotator, word) triples of a file, not on its rows."""

    def __init__(
        self,
        gathering: Gathering,
        roles: Sequence[Role],
        given: Mapping[str, CriterionScale],
        findings: LabelFindings,
        mapping: Iterable[tuple[str, str, str]] = (),
    ) -> None:
        self._gathering, self._roles, self._given, self._findings = gathering, roles, given, findings
        self._mapping = {(criterion, word.casefold()): meant for criterion, word, meant in mapping}
        self._words = gathering.numbering["label"].names
        self._annotators = gathering.numbering["annotator"].names
        self._classes = Numbering()
        self._notes: list[str] = []

    def place(self) -> Placed:
        """Reports people's labels that are not on the scale, and annotators who used another scale."""
        distinct, self._places, counts = np.unique(self._keys(), return_inverse=True, return_counts=True)
        pairs, words = np.divmod(distinct, max(1, len(self._words)))
        criteria, annotators = np.divmod(pairs, max(1, len(self._annotators)))
        codes = np.full(len(distinct), ABSTAINED, dtype=np.int32)
        scales = []
        for criterion, name in enumerate(self._gathering.numbering["criterion"].names):
            own = np.flatnonzero(criteria == criterion)
            uses = [_WordUse(int(at), int(annotators[at]), self._words[words[at]], int(counts[at])) for at in own]
            scale, classes = self._settle(name[:LONGEST_NAME] or "?", uses)  # an invalid name is already reported
            scales.append(scale)
            codes[own] = classes
        placed = codes[self._places] if len(distinct) else codes
        written = self._gathering.codes("label")
        invalid = {int(row): self._words[written[row]] for row in np.flatnonzero(placed == INVALID)}
        return Placed(tuple(scales), Column(self._classes.names, placed), invalid, tuple(self._notes))

    def _keys(self) -> NDArray[np.int64]:
        criterion = self._gathering.codes("criterion").astype(np.int64)
        pair = criterion * len(self._annotators) + self._gathering.codes("annotator")
        keys: NDArray[np.int64] = pair * len(self._words) + self._gathering.codes("label")
        return keys

    def _settle(self, criterion: str, uses: Sequence["_WordUse"]) -> tuple[CriterionScale, list[int]]:
        uses = [self._mapped(criterion, use) for use in uses]
        given = self._given.get(criterion, self._given.get(EVERY))
        reasons: dict[str, str] = {}
        if given is None:
            noes = plain_noes({use.word for use in uses})
            said = [use for use in uses if not abstains(use.word) or use.word in noes]
            reasons = ambiguous({use.word for use in said if self._roles[use.annotator] == "human"})
            reasons |= dict.fromkeys(noes, "can mean no as well as no answer, beside its opposite")
            reasons |= {use.word: told[0] for use in said if (told := nearly_a_number(use.word))}
            said = [use for use in said if use.word not in reasons] or said
            inferred = infer(criterion, self._tally(said, "human"), self._tally(said, "judge"))
            scale, reasons = inferred.scale, {**inferred.refused, **reasons}
            self._notes.extend(inferred.notes)
        else:
            scale = given.model_copy(update={"criterion": criterion})
        reader = ClassReader(scale)
        read = [None if given is None and use.word in reasons else reader.read(use.word) for use in uses]
        codes = [self._code(found, use.word, reasons) for found, use in zip(read, uses, strict=True)]
        self._tell_other_words(scale, uses, codes)
        off = {use.place for use, code in zip(uses, codes, strict=True) if code == INVALID}
        if off:
            self._tell_off_scale(scale, uses, off, reasons)
        return scale, codes

    def _mapped(self, criterion: str, use: "_WordUse") -> "_WordUse":
        fold = use.word.casefold()
        meant = self._mapping.get((criterion, fold), self._mapping.get((EVERY, fold)))
        if meant is None and _MARKED_TEXT.fullmatch(use.word):
            meant = use.word[1:]
        return use if meant is None else replace(use, word=meant, original=use.word)

    def _tell_other_words(self, scale: CriterionScale, uses: Sequence["_WordUse"], codes: Sequence[int]) -> None:
        """List the words that differ from the class they count as, and those that count as no answer, so that the user
        can check the mapping."""
        told: dict[tuple[str, str], int] = {}
        for use, code in zip(uses, codes, strict=True):
            written_as = self._words_at(use)
            if code == ABSTAINED and written_as:
                meant = "no answer"
            elif code >= 0 and scale.kind != "continuous":
                meant = repr(self._classes.names[code])
            else:
                continue
            if repr(written_as).casefold() != meant.casefold():
                told[written_as, meant] = told.get((written_as, meant), 0) + use.times
        shown = [f"{word!r} counts as {meant} ({times})" for (word, meant), times in sorted(told.items())]
        if shown:
            self._notes.append(f"criterion {scale.criterion!r}: {', '.join(shown[:8])}")

    def _words_at(self, use: "_WordUse") -> str:
        return use.original or use.word

    def _tally(self, uses: Sequence["_WordUse"], role: Role) -> dict[str, int]:
        tally: dict[str, int] = {}
        for use in uses:
            if self._roles[use.annotator] == role:
                tally[use.word] = tally.get(use.word, 0) + use.times
        return tally

    def _code(self, found: str | None, word: str, reasons: Mapping[str, str]) -> int:
        if found is not None:
            return self._classes[found]
        return ABSTAINED if abstains(word) and word not in reasons else INVALID

    def _tell_off_scale(
        self, scale: CriterionScale, uses: Sequence["_WordUse"], off: set[int], reasons: Mapping[str, str]
    ) -> None:
        """A person's word that is not a class is an error; a judge's is invalid, unless none of that judge's labels is
        on the scale."""
        for annotator in dict.fromkeys(use.annotator for use in uses):
            own = [use for use in uses if use.annotator == annotator and (use.place in off or not abstains(use.word))]
            wrong = [use for use in own if use.place in off]
            if not wrong:
                continue
            name, times = self._annotators[annotator], sum(use.times for use in wrong)
            if self._roles[annotator] == "human":
                for use in wrong:
                    reason = reasons.get(use.word) or f"is not on the scale of {scale.criterion!r} ({_shown(scale)})"
                    self._add(use, f"the label {use.word[:60]!r} {reason}", _advice(use.word, scale))
            elif len(wrong) == len(own) and times >= 2:
                where = f"the scale of {scale.criterion!r} ({_shown(scale)})"
                message = f"no label of {name!r} is on {where}: two scales are mixed"
                self._add(wrong[0], message, _advice(wrong[0].word, scale))
            else:
                self._notes.append(
                    f"{name}: {times} of {sum(use.times for use in own)} labels on {scale.criterion!r} are not a class "
                    f"({_shown(scale)}) and count as invalid, for example {wrong[0].word[:60]!r}"
                )

    def _add(self, use: "_WordUse", message: str, suggestion: str) -> None:
        """A finding for every row where the annotator wrote it."""
        if self._findings.count >= MOST_KEPT:
            self._findings.count += use.times
            return
        rows = self._gathering.rows[np.flatnonzero(self._places == use.place)[:MOST_KEPT]]
        self._findings.add_rows(rows.tolist(), "label", message, suggestion)
        self._findings.count += use.times - len(rows)


@dataclass(frozen=True, slots=True)
class _WordUse:
    """A word that one annotator wrote ``times`` times on one criterion; ``place``: its index among the distinct
    ones."""

    place: int
    annotator: int
    word: str
    times: int
    original: str = ""


def ambiguous(words: Collection[str]) -> dict[str, str]:
    """Words that can be understood only beside the others of a criterion, with the reason why they are refused."""
    folded = {word.casefold() for word in words}
    several = (word for word in words if several_at_once(word, folded - {word.casefold()}))
    return {
        **dict.fromkeys(several, "names several labels at once, and a criterion takes one"),
        **dict.fromkeys(lone_ticks(words), "is the only label, and empty cells beside it can mean no or not labelled"),
        **dict.fromkeys(thousands(words), "may be a decimal or thousands, beside numbers without decimals"),
        **dict.fromkeys(missing_codes(words), "is far from the others, like a code for no answer (--map 'CODE=')"),
        **dict.fromkeys(serial_dates(words), "is probably a date that a spreadsheet made of an entry such as 8/10"),
    }


def _shown(scale: CriterionScale) -> str:
    return "numbers" if scale.kind == "continuous" else ", ".join(scale.classes[:12])


def _advice(word: str, scale: CriterionScale) -> str:
    told = nearly_a_number(word)
    if told is not None:
        return told[1]
    close = get_close_matches(word, scale.classes, 1)
    guess = f"Did you mean {close[0]!r}? " if close and close[0] != word else ""
    return (
        f"{guess}Correct it, leave the label empty or write n/a to abstain, say what it means with --map "
        f"'{word[:30]}=CLASS', or name the scale yourself: --scale '{scale.criterion}=WORST<...<BEST'."
    )
