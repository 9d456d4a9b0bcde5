"""Which class of a known scale a written label means."""

from judge_server.labels.label import CriterionScale
from judge_server.labels.readers.word import NO, YES, number_of, written


class ClassReader:
    """``read`` gives the class, or None for what is no class of the scale. Case and surrounding space do not matter,
    nor does 1.0 for 1; on a scale of yes and no every spelling of yes and no is understood. Nothing else is guessed."""

    def __init__(self, scale: CriterionScale) -> None:
        self._continuous = scale.kind == "continuous"
        self._exact = {name: name for name in scale.classes}
        folded = [name.casefold() for name in scale.classes]
        self._folded = {fold: name for fold, name in zip(folded, scale.classes, strict=True) if folded.count(fold) == 1}
        numbers = [(number_of(name), name) for name in scale.classes]
        self._numbers = {value: name for value, name in numbers if value is not None}
        self._yes, self._no = _yes_and_no(scale)

    def read(self, word: str) -> str | None:
        if self._continuous:
            value = number_of(word)
            return None if value is None else written(value)
        fold = word.casefold()
        found = self._exact.get(word) or self._folded.get(fold) or self._by_number(word)
        if found is None and fold in YES:
            return self._yes
        if found is None and fold in NO:
            return self._no
        return found

    def _by_number(self, word: str) -> str | None:
        if not self._numbers:
            return None
        value = number_of(word)
        return None if value is None else self._numbers.get(value)


def _yes_and_no(scale: CriterionScale) -> tuple[str | None, str | None]:
    """The classes that mean yes and no, where the scale is made of these."""
    if len(scale.classes) != 2:
        return None, None
    yes = [name for name in scale.classes if name.casefold() in YES]
    no = [name for name in scale.classes if name.casefold() in NO]
    return (yes[0], no[0]) if len(yes) == len(no) == 1 else (None, None)
