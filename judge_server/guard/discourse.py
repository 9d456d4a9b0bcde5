"""Words that only announce an answer.

A text of discourse words alone ("Let's think step by step", "Lösung:", "最终答案") says nothing, whatever their order.
The words are those of ``discourse.toml``, in some seventy languages; a text must be made of the words of one of them.
"""

import re
import tomllib
import unicodedata
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache
from importlib.resources import files

_MOST_WORDS = 60
_MOST_CHARACTERS = 1_000
_LONGEST_ENDING = 8
_LONGEST_DECOMPOSED = 18  # Hangul and the marks of other scripts are taken apart
_LONG_STEM = 5  # a word alone with a shorter stem has one more letter: "Stephen" is no ending of "step"
_HEAD = 100
_FIRST_WORDS = 4
_FEWEST_WORDS = 4  # from here on, "let me break this down" announces an answer without naming it
_FIRST_UNSPACED = "\u0e00"  # scripts without blanks between words begin with Thai
_NO_WORD = re.compile("[^a-z0-9]+")
OPTION = re.compile(r"(?:^|[\s:：(\[*])[A-Z]\W*$")  # the letter of an option
LONGEST_OPTION = 8
_DENYING = (
    "not cant cannot couldnt wont wouldnt dont doesnt didnt isnt arent never unable refuse decline impossible nicht "
    "kein keine niemals ne jamais nunca não nao non niet geen nooit inte aldrig ikke aldri nie nem δεν δε не нет "
    "нельзя değil degil لا لن لم לא אין नहीं না khong tidak bukan hapana"
)
_DENIALS = frozenset(_DENYING.split())
_DENIAL = re.compile("(?:[ae]mam|emem|mayacagim|meyecegim|mayız|meyiz)$")  # of Turkish verbs
_APOSTROPHES = re.compile("['’ʼ`´]")


@dataclass(frozen=True, slots=True)
class Discourse:
    """``core`` words name an answer or the thinking about it; ``words`` counts all."""

    core: int
    words: int


@dataclass(frozen=True, slots=True)
class _Vocabulary:
    """Bit masks of the languages to which a word, or a stem of a word, belongs."""

    words: dict[str, int]
    wide: dict[str, int]
    core_words: dict[str, int]
    stems: dict[str, int]
    core_stems: dict[str, int]
    soft_words: dict[str, int]
    soft_stems: dict[str, int]
    unspaced: frozenset[str]
    unspaced_core: re.Pattern[str]

    def languages(self, word: str, *, wide: bool, alone: bool) -> int:
        """Those to which the word belongs."""
        found = _languages(word, self.words, self.stems, alone=alone)
        if wide:
            found |= self.wide.get(word, 0) | _languages(word, {}, self.soft_stems, alone=alone)
        return found


def words_of(text: str) -> list[str]:
    """The words of the beginning in small letters without accents. Marks, stops and signs part words; apostrophes do
    not."""
    return words_in(text[:_MOST_CHARACTERS])


def words_in(text: str) -> list[str]:
    """As ``words_of``, of the whole text."""
    if text.isascii():
        return _NO_WORD.sub(" ", _APOSTROPHES.sub("", text).lower()).split()
    plain = unicodedata.normalize("NFKD", _APOSTROPHES.sub("", text)).casefold()
    shown = {
        ord(character): "" if unicodedata.category(character)[0] == "M" else " "
        for character in set(plain)
        if not character.isalnum()
    }
    return plain.translate(shown).split()


def discourse(text: str, *, wide: bool = False) -> Discourse | None:
    """What of the text is discourse, if all of it is; None if any of its words could be an answer. ``wide``: with the
    words that make up a long announcement, and that alone might be an answer."""
    if len(text) > _MOST_CHARACTERS:
        return None
    vocabulary = _vocabulary()
    if next(filter(str.isalpha, text), "") < _FIRST_UNSPACED and not _may_be_discourse(text, vocabulary, wide=wide):
        return None
    words = words_of(text)
    if not words or len(words) > _MOST_WORDS or denies(words):
        return None
    languages = -1
    alone = len(words) == 1
    for word in words:
        languages &= vocabulary.languages(word, wide=wide, alone=alone)
        if not languages:
            return _unspaced("".join(words), vocabulary)
    core = sum(
        bool(_languages(word, vocabulary.core_words, vocabulary.core_stems, alone=alone) & languages) for word in words
    )
    if not core and len(words) >= _FEWEST_WORDS:
        core = sum(
            bool(_languages(word, vocabulary.soft_words, vocabulary.soft_stems, alone=False) & languages)
            for word in words
        )
    return Discourse(core, len(words))


def denies(words: Sequence[str]) -> bool:
    """Whether the words may be a refusal or a denial, which is an answer: "I can't help with that"."""
    return not _DENIALS.isdisjoint(words) or any(map(_DENIAL.search, words))


def _may_be_discourse(text: str, vocabulary: _Vocabulary, *, wide: bool) -> bool:
    """Whether the first words do not rule it out: most texts are decided by them."""
    languages = -1
    for word in words_of(" ".join(text[:_HEAD].split()[:_FIRST_WORDS])):
        languages &= vocabulary.languages(word, wide=wide, alone=False)
    return bool(languages)


def _unspaced(text: str, vocabulary: _Vocabulary) -> Discourse | None:
    """As ``discourse``, of a text without blanks: whether it can be cut into pieces of the vocabulary."""
    longest = max(map(len, vocabulary.unspaced))
    ends = {0}
    for start in range(len(text)):
        if start not in ends:
            continue
        found = (end for end in range(start + 1, start + longest + 1) if text[start:end] in vocabulary.unspaced)
        ends.update(found)
        if max(ends) <= start:
            return None
    if len(text) not in ends:
        return None
    return Discourse(len(vocabulary.unspaced_core.findall(text)), max(1, len(text) // 2))


def names_an_answer(word: str) -> bool:
    """Whether a word names an answer, the task, the thinking about it, or help with it, in any language."""
    vocabulary = _vocabulary()
    return bool(
        _languages(word, vocabulary.core_words, vocabulary.core_stems, alone=False)
        or _languages(word, vocabulary.soft_words, vocabulary.soft_stems, alone=False)
    )


def longest_ending(word: str) -> int:
    """How many letters may follow the stem of a word."""
    return _LONGEST_ENDING if word.isascii() else _LONGEST_DECOMPOSED


def _languages(word: str, words: dict[str, int], stems: dict[str, int], *, alone: bool) -> int:
    found = words.get(word, 0)
    for end in range(max(2, len(word) - longest_ending(word)), len(word) + 1):
        if end >= _LONG_STEM or len(word) - end <= 1 or not (alone and word.isascii()):
            found |= stems.get(word[:end], 0)
    return found


@cache
def word_lists(name: str) -> dict[str, dict[str, str]]:
    """A file of words: by language, by kind."""
    content: dict[str, dict[str, str]] = tomllib.loads(files("judge_server.guard").joinpath(name).read_text("utf-8"))
    return content


@cache
def _vocabulary() -> _Vocabulary:
    content = word_lists("discourse.toml")
    unspaced = content["unspaced"]
    core = pieces_of(unspaced["core"])
    pieces = frozenset((*core, *pieces_of(unspaced["rest"])))
    made = _Vocabulary({}, {}, {}, {}, {}, {}, {}, pieces, re.compile("|".join(core)))
    for number, lists in enumerate(lists for language, lists in content.items() if language != "unspaced"):
        for name, listed in lists.items():
            for entry in listed.split():
                stem = entry.endswith("*")
                for word in words_of(entry.rstrip("*")):
                    if name not in ("more", "soft"):
                        add_language(made.stems if stem else made.words, word, 1 << number)
                    elif not stem:
                        add_language(made.wide, word, 1 << number)
                    if name == "core":
                        add_language(made.core_stems if stem else made.core_words, word, 1 << number)
                    elif name == "soft":
                        add_language(made.soft_stems if stem else made.soft_words, word, 1 << number)
    return made


def add_language(table: dict[str, int], word: str, language: int) -> None:
    """Add the mask of a language to those of a word."""
    table[word] = table.get(word, 0) | language


def pieces_of(listed: str) -> list[str]:
    """The pieces as they stand in a text, the longest first."""
    return sorted({"".join(words_of(piece)) for piece in listed.split()} - {""}, key=len, reverse=True)
