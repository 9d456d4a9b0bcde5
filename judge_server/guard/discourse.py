"""Words that only announce an answer, and remarks that would fit any prompt.

A text of discourse words alone ("Let's think step by step", "Lösung:", "最终答案") says nothing, whatever their order.
The words are those of ``discourse.toml``, in some seventy languages; a text must be made of the words of one of them. A
text that is mostly made of the words of ``remarks.toml``, in some ninety languages, may well say nothing: no list of
words can tell, a judge has to.
"""

import re
import tomllib
import unicodedata
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache, lru_cache
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
_MOSTLY = 0.54  # of the words that tell something, more than this share must be those of remarks
_NEARLY = 0.66
_LEAST_COVERED = 0.65  # of the characters of a remark without blanks
_LEAST_REMARK = 0.4  # the share of all words that must stand there if the others come from the prompt
_FEWEST_IN_A_REMARK = 4
_FEWEST_WITH_OTHERS = 6  # a shorter sentence may hold no other word at all
_FEWEST_UNSPACED = 5
_FEWEST_KNOWN, _FEWEST_UNCUED = 2, 3  # words of a text in which every word is one of remarks
_FEWEST_UNCUED_ENGLISH = 5  # of which most words are known
OPTION = re.compile(r"(?:^|[\s:：(\[*])[A-Z]\W*$")  # the letter of an option
LONGEST_OPTION = 8
_ELIDED = re.compile("[ldjnstmcg](?=[aeiouh].{3})")  # of an article or a pronoun: "l'explication"
_FIRST = 8  # words that decide about most texts
_STEM, _DENSE_STEM = 4, 3  # letters from which on a word stands for its inflections; scripts beyond Arabic need fewer
_FIRST_DENSE = "\u0900"
_ELIDING = ("french", "italian", "catalan", "haitian")
_SENTENCE = re.compile(r"[^.!?;。！？；…।۔።։:：፦៖՝\n\r]+")
_NAME = re.compile(r"(?<=[^\W\d_][ ,])[ ]?([A-ZÀ-ÞĀ-ŽΑ-ΩА-Я][^\W\d_]+)")
_UNSPACED = re.compile("[\u0e00-\u0eff\u1000-\u109f\u1780-\u17ff\u3040-\u30ff\u3400-\u9fff]")
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
    return _words_in(text[:_MOST_CHARACTERS])


def _words_in(text: str) -> list[str]:
    if text.isascii():
        return _NO_WORD.sub(" ", _APOSTROPHES.sub("", text).lower()).split()
    plain = unicodedata.normalize("NFKD", _APOSTROPHES.sub("", text)).casefold()
    letters = (
        "" if unicodedata.category(character)[0] == "M" else character if character.isalnum() else " "
        for character in plain
    )
    return "".join(letters).split()


def discourse(text: str, *, wide: bool = False) -> Discourse | None:
    """What of the text is discourse, if all of it is; None if any of its words could be an answer. ``wide``: with the
    words that make up a long announcement, and that alone might be an answer."""
    if len(text) > _MOST_CHARACTERS:
        return None
    vocabulary = _vocabulary()
    if next(filter(str.isalpha, text), "") < _FIRST_UNSPACED and not _may_be_discourse(text, vocabulary, wide=wide):
        return None
    words = words_of(text)
    if not words or len(words) > _MOST_WORDS or _denies(words):
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


def _denies(words: Sequence[str]) -> bool:
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


def _languages(word: str, words: dict[str, int], stems: dict[str, int], *, alone: bool) -> int:
    found = words.get(word, 0)
    longest = _LONGEST_ENDING if word.isascii() else _LONGEST_DECOMPOSED
    for end in range(max(2, len(word) - longest), len(word) + 1):
        if end >= _LONG_STEM or len(word) - end <= 1 or not (alone and word.isascii()):
            found |= stems.get(word[:end], 0)
    return found


def is_remark(text: str, prompt: str = "", *, beside_an_echo: bool = False, term: bool = False) -> bool:
    """Whether every sentence is a remark about an answer: most of its words are words of remarks in one language, or
    the others come from the prompt. A number, a name or the letter of an option is no remark. A part of the prompt is.

    A text without a cue (answer, explain, gladly) must be longer, and hold fewer others. A text of few words may hold
    no others at all, and the prompt may ask for no ``term``. What stands ``beside_an_echo`` of the prompt ("The user
    writes") may be short."""
    if len(text) <= len(prompt) and _is_part_of(words_of(text), prompt):
        return True
    if any(map(str.isdigit, text)) or OPTION.search(text[-LONGEST_OPTION:]):
        return False
    found, known, least, cued = 0, 0, 1.0, False
    for piece in _SENTENCE.finditer(text):
        words = words_of(piece.group())
        if not words:
            continue
        unspaced = any(map(_UNSPACED.search, words))
        share, pieces = _covered("".join(words)) if unspaced else (0.0, 0)
        if not unspaced:
            share, pieces = _share_of_remarks(piece.group(), words, prompt), len(set(words))
        if share <= _MOSTLY:
            return False
        found += len("".join(words)) if unspaced else len(words)
        known += _FEWEST_UNCUED_ENGLISH if " ".join(words) in _remarks().whole else pieces
        least = min(least, share)
        cued = cued or unspaced or any(map(_is_cue, words))
    if beside_an_echo:
        return True
    if least == 1.0 and not term and _says_no_more(text, known, cued=cued):
        return True
    return found >= _FEWEST_IN_A_REMARK and (cued or (found >= _FEWEST_WITH_OTHERS and least >= _NEARLY))


def _says_no_more(text: str, known: int, *, cued: bool) -> bool:
    """Whether a text of so many different words, all of them of remarks, is one: a denial ("I don't know") is an
    answer, and a few short words may be one."""
    words = words_of(text)
    if known < _FEWEST_KNOWN or _denies(words):
        return False
    if cued or known >= _FEWEST_UNCUED_ENGLISH:
        return True
    return known >= _FEWEST_UNCUED and not _is_english(words) and len(max(words, key=len)) >= _STEM


def _share_of_remarks(piece: str, words: Sequence[str], prompt: str) -> float:
    """Of the words that tell something, each once, the share of those of remarks."""
    if _is_part_of(words, prompt) or " ".join(words) in _remarks().whole:
        return 1.0
    words = list(dict.fromkeys(words))
    masks = [_remark_languages(word) for word in words[:_FIRST]]
    if _most_known(masks)[0] >= _LEAST_REMARK * len(masks):
        masks += [_remark_languages(word) for word in words[_FIRST:]]
        known, languages = _most_known(masks)
        strange = [word for word, mask in zip(words, masks, strict=True) if not mask & languages]
        if known == len(words):
            return 1.0
        if known >= _LEAST_REMARK * len(words) and _words_asked(prompt).issuperset(strange):
            return 1.0
        if strange and not set(words_of(" ".join(_NAME.findall(piece)))).isdisjoint(strange):
            return 0.0
        if len(words) >= _FEWEST_WITH_OTHERS:
            return _share_of_telling(words, masks, languages)
    return 0.0


def _is_part_of(words: Sequence[str], prompt: str) -> bool:
    """Also if it breaks off in a word."""
    return len(words) >= _FEWEST_IN_A_REMARK and f" {' '.join(words)}" in f" {' '.join(words_of(prompt))}"


def _most_known(masks: Sequence[int]) -> tuple[int, int]:
    """How many words belong to one language at most, and the mask of the languages with as many."""
    with_as_many = [-1]  # by number of words: the languages with at least as many
    for mask in masks:
        with_as_many.append(0)
        for number in range(len(with_as_many) - 1, 0, -1):
            with_as_many[number] |= with_as_many[number - 1] & mask
    most = max(number for number, languages in enumerate(with_as_many) if languages)
    return most, with_as_many[most] if most else 0


def _share_of_telling(words: Sequence[str], masks: Sequence[int], languages: int) -> float:
    """In the best of the languages. Short known words stand in every sentence and tell nothing."""
    shares = [0.0]
    while languages:
        language = languages & -languages
        languages ^= language
        known = [word for word, mask in zip(words, masks, strict=True) if mask & language]
        long, strange = sum(len(word) >= _stem_letters(word) for word in known), len(words) - len(known)
        shares.append(long / (long + strange))
    return max(shares)


def _is_cue(word: str) -> bool:
    """Whether a word names an answer, the thinking about it, or help with it."""
    vocabulary, cues = _vocabulary(), _remarks().cues
    return bool(
        (_ELIDED.match(word) and any(word[1:end] in cues for end in range(1 + _STEM, len(word) + 1)))
        or any(word[:end] in cues for end in range(_stem_letters(word), len(word) + 1))
        or _languages(word, vocabulary.core_words, vocabulary.core_stems, alone=False)
        or _languages(word, vocabulary.soft_words, vocabulary.soft_stems, alone=False)
    )


def _remark_languages(word: str) -> int:
    """The mask of the languages to whose remarks the word belongs, as it is or as an inflection."""
    remarks = _remarks()
    found = remarks.words.get(word, 0)
    longest = _LONGEST_ENDING if word.isascii() else _LONGEST_DECOMPOSED
    for end in range(max(_stem_letters(word), len(word) - longest), len(word)):
        found |= remarks.stems.get(word[:end], 0)
    if not found and _ELIDED.match(word):
        return _remark_languages(word[1:]) & remarks.eliding
    return found


def _is_english(words: Sequence[str]) -> bool:
    english = _remarks().english
    return all(_remark_languages(word) & english for word in words)


def _stem_letters(word: str) -> int:
    return _STEM if word[0] < _FIRST_DENSE else _DENSE_STEM


@lru_cache(maxsize=256)  # the responses to one prompt share it
def _words_asked(prompt: str) -> frozenset[str]:
    return frozenset(words_of(prompt))


def _covered(text: str) -> tuple[float, int]:
    """The share of a text without blanks that pieces of remarks cover, and their number; of few characters all or
    none."""
    pieces = _remarks().pieces
    longest = max(map(len, pieces))
    covered = [False] * len(text)
    number, after = 0, 0
    for start in range(len(text)):
        for end in range(min(len(text), start + longest), start, -1):
            if text[start:end] in pieces:
                covered[start:end] = [True] * (end - start)
                number, after = (number + 1, end) if start >= after else (number, max(after, end))
                break
    share = sum(covered) / len(text)
    return share if share >= (_LEAST_COVERED if len(text) >= _FEWEST_UNSPACED else 1.0) else 0.0, number


@dataclass(frozen=True, slots=True)
class _Remarks:
    """Bit masks of the languages of a word, or of a stem of a word; ``whole``: sentences that are remarks although they
    are short; ``cues``: words and stems in whatever language; ``english``: its mask; ``eliding``: the mask of languages
    with elided articles; ``pieces`` of scripts without blanks."""

    words: dict[str, int]
    stems: dict[str, int]
    whole: frozenset[str]
    cues: frozenset[str]
    english: int
    eliding: int
    pieces: frozenset[str]


@cache
def _remarks() -> _Remarks:
    """The words of both files, by language."""
    content = _file("remarks.toml")
    listed = _file("discourse.toml")
    pieces = {*_pieces(listed["unspaced"]["core"]), *_pieces(listed.pop("unspaced")["rest"])}
    words: dict[str, int] = {}
    stems: dict[str, int] = {}
    whole: set[str] = set()
    cues: set[str] = set()
    english = eliding = 0
    for number, language in enumerate(dict.fromkeys((*content, *listed))):
        cues.update(_words_in(content.get(language, {}).get("cues", "")))
        whole.update(" ".join(_words_in(line)) for line in content.get(language, {}).get("whole", "").splitlines())
        english |= (language == "english") << number
        eliding |= (language in _ELIDING) << number
        texts = (*listed.get(language, {}).values(), *content.get(language, {}).values())
        for word in set(_words_in("\n".join(texts))):
            if _UNSPACED.search(word):
                pieces.add(word)
            else:
                _add(words, word, 1 << number)
                if len(word) >= _stem_letters(word):
                    _add(stems, word, 1 << number)
    return _Remarks(words, stems, frozenset(whole), frozenset(cues), english, eliding, frozenset(pieces))


def _file(name: str) -> dict[str, dict[str, str]]:
    content: dict[str, dict[str, str]] = tomllib.loads(files("judge_server.guard").joinpath(name).read_text("utf-8"))
    return content


@cache
def _vocabulary() -> _Vocabulary:
    content = _file("discourse.toml")
    unspaced = content.pop("unspaced")
    core = _pieces(unspaced["core"])
    pieces = frozenset((*core, *_pieces(unspaced["rest"])))
    made = _Vocabulary({}, {}, {}, {}, {}, {}, {}, pieces, re.compile("|".join(core)))
    for number, lists in enumerate(content.values()):
        for name, listed in lists.items():
            for entry in listed.split():
                stem = entry.endswith("*")
                for word in words_of(entry.rstrip("*")):
                    if name not in ("more", "soft"):
                        _add(made.stems if stem else made.words, word, 1 << number)
                    elif not stem:
                        _add(made.wide, word, 1 << number)
                    if name == "core":
                        _add(made.core_stems if stem else made.core_words, word, 1 << number)
                    elif name == "soft":
                        _add(made.soft_stems if stem else made.soft_words, word, 1 << number)
    return made


def _add(table: dict[str, int], word: str, language: int) -> None:
    table[word] = table.get(word, 0) | language


def _pieces(listed: str) -> list[str]:
    """The pieces as they stand in a text, the longest first."""
    return sorted({"".join(words_of(piece)) for piece in listed.split()} - {""}, key=len, reverse=True)
