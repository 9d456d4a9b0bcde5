"""Remarks that would fit any prompt: texts that are mostly made of words that name no thing.

Such a text may well say nothing, and no list of words can tell: a judge has to. The words are those of
``remarks.toml``, ``talk.toml`` and ``discourse.toml``, in some ninety languages.
"""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache, lru_cache

from judge_server.guard.discourse import (
    LONGEST_OPTION,
    OPTION,
    add_language,
    denies,
    longest_ending,
    names_an_answer,
    pieces_of,
    word_lists,
    words_in,
    words_of,
)

_MOSTLY = 0.54  # of the words that tell something, more than this share must be those of remarks
_NEARLY = 0.66
_STRICTER = 0.12  # by so much higher where most short texts are made of known words
_LEAST_COVERED = 0.72  # of the characters of a remark without blanks
_LEAST_REMARK = 0.4  # the share of all words that must stand there if the others come from the prompt
_LEAST_KNOWN = 0.6  # the share of the first words, be they plain, in any other
_FEWEST_IN_A_REMARK = 4
_LONGEST_TERM = 3
_SPOKEN = 0.9
_FEW_STRANGE, _MOST_STRANGE = 0.3, 2  # of the words of a sentence in the first person, or of a longer one with a cue
_FEWEST_SPOKEN, _FEWEST_CUED = 5, 7
_SHORTEST_SPOKEN = 9
_FEWEST_MIXED, _MIXED_CUES = 5, 3  # of words in any languages
_FEWEST_WITH_OTHERS = 6  # a shorter sentence may hold no other word at all
_FEWESTUNSPACED = 5
_FEWEST_KNOWN, _FEWEST_UNCUED = 2, 3  # words of a text in which every word is one of remarks
_FEWEST_UNCUED_ENGLISH = 5  # of which most words are known
_ELIDED = re.compile("[ldjnstmcg](?=[aeiouh].{3})")  # of an article or a pronoun: "l'explication"
_FIRST = 8  # words that decide about most texts
_STEM, _DENSE_STEM = 4, 3  # letters from which on a word stands for its inflections; scripts beyond Arabic need fewer
_FIRST_DENSE = "\u0900"
_STRICT = ("english", "vietnamese")
_ELIDING = ("french", "italian", "catalan", "haitian")
_CLAUSE = re.compile(r"[^.!?;,/|。！？；，、…।۔።։:：፦៖՝،\n\r–—]+")
_FEWEST_CLAUSES, _LONGEST_CLAUSES = 3, 400
_SENTENCE = re.compile(r"[^.!?;。！？；…।۔།።։:：፦៖՝\n\r]+")
NAME = re.compile(r"(?<=[^\W\d_][ ,])[ ]?([A-ZÀ-ÞĀ-ŽΑ-ΩА-Я][^\W\d_]+)")
UNSPACED = re.compile("[\u0e00-\u0eff\u1000-\u109f\u1780-\u17ff\u3040-\u30ff\u3400-\u9fff]")


def is_remark(
    text: str, prompt: str = "", *, beside_an_echo: bool = False, term: bool = False, dressed: bool = False
) -> bool:
    """Whether every sentence is a remark about an answer: most of its words are words of remarks in one language, or
    the others come from the prompt. A number, a name or the letter of an option is no remark. A part of the prompt is.

    A text without a cue (answer, explain, gladly) must be longer, and hold fewer others. A text of few words may hold
    no others at all, and the prompt may ask for no ``term``. What stands ``beside_an_echo`` of the prompt ("The user
    writes") may be short."""
    if len(text) <= len(prompt) and _is_part_of(words_of(text), prompt):
        return True
    if any(map(str.isdigit, text)) or OPTION.search(text[-LONGEST_OPTION:]):
        return False
    return _is_made_of_remarks(text, prompt, beside_an_echo=beside_an_echo, term=term, dressed=dressed) or (
        not term and _is_made_of_clauses(text)
    )


@dataclass(frozen=True, slots=True)
class Traits:
    """What the word lists know of a text's ``words``, in the language that knows most of them: ``strange`` words belong
    to no remark, ``cues`` name an answer or the thinking about it, ``speaks`` tells of the first person. ``covered``:
    of a text without blanks, the share of its characters, else None."""

    strange: int
    longest_strange: int
    cues: int
    speaks: bool
    covered: float | None


def traits_of(words: Sequence[str]) -> Traits:
    """The traits of the ``words`` of a short text."""
    masks = [_remark_languages(word) for word in words]
    _, languages = _most_known(masks)
    strange = [len(word) for word, mask in zip(words, masks, strict=True) if not mask & languages]
    return Traits(
        strange=len(strange),
        longest_strange=max(strange, default=0),
        cues=sum(map(_is_cue, words)),
        speaks=any(_remarks().person.get(word, 0) & languages for word in words),
        covered=_covered("".join(words))[0] if any(map(UNSPACED.search, words)) else None,
    )


def _is_made_of_clauses(text: str) -> bool:
    """Whether all words of each clause are words of remarks in a language of its own, and one names an answer."""
    if len(text) > _LONGEST_CLAUSES:
        return False
    words = words_of(text)
    if len(words) >= _FEWEST_MIXED and all(map(_remark_languages, words)) and sum(map(_is_cue, words)) >= _MIXED_CUES:
        return True
    clauses = [words_of(clause.group()) for clause in _CLAUSE.finditer(text)]
    if len(clauses) < _FEWEST_CLAUSES or not all(map(_is_all_of_remarks, filter(None, clauses))):
        return False
    return any(_is_cue(word) for words in clauses for word in words)


def _is_all_of_remarks(words: Sequence[str]) -> bool:
    joined = "".join(words)
    if any(map(UNSPACED.search, words)):
        return _covered(joined)[0] == 1.0
    known, _ = _most_known([_remark_languages(word) for word in words])
    return known == len(words)


def _is_made_of_remarks(text: str, prompt: str, *, beside_an_echo: bool, term: bool, dressed: bool) -> bool:
    found, known, least, cued = 0, 0, 1.0, False
    for piece in _SENTENCE.finditer(text):
        words = words_of(piece.group())
        if not words:
            continue
        unspaced = any(map(UNSPACED.search, words))
        share, pieces = _covered("".join(words)) if unspaced else (0.0, 0)
        if not unspaced:
            share, pieces = _share_of_remarks(piece.group(), words, prompt), len(set(words))
        if share <= _MOSTLY:
            return False
        found += len("".join(words)) if unspaced else len(words)
        known += _FEWEST_UNCUED_ENGLISH if " ".join(words) in _remarks().whole else pieces
        least = min(least, share)
        cued = cued or unspaced or share == _SPOKEN or any(map(_is_cue, words))
    if beside_an_echo or (dressed and known):
        return True
    if (
        least == 1.0
        and (not term or found > _LONGEST_TERM or all(map(_is_cue, words_of(text))))
        and _says_no_more(text, known, cued=cued)
    ):
        return True
    return found >= _FEWEST_IN_A_REMARK and (cued or (found >= _FEWEST_WITH_OTHERS and least >= _NEARLY))


def _says_no_more(text: str, known: int, *, cued: bool) -> bool:
    """Whether a text of so many different words, all of them of remarks, is one: a denial ("I don't know") is an
    answer, and a few short words may be one."""
    words = words_of(text)
    if known < _FEWEST_KNOWN or denies(words):
        return False
    if cued or known >= _FEWEST_UNCUED_ENGLISH:
        return True
    if _speaks(words) and len(text) >= _SHORTEST_SPOKEN and not _is_english(words):
        return True
    return known >= _FEWEST_UNCUED and not _is_english(words) and len(max(words, key=len)) >= _STEM


def _speaks(words: Sequence[str]) -> bool:
    """Whether words of one language alone speak in the first person, or propose something to the reader."""
    languages = -1
    for word in words:
        languages &= _remark_languages(word)
    return bool(languages) and any(_remarks().person.get(word, 0) & languages for word in words)


def _share_of_remarks(piece: str, words: Sequence[str], prompt: str) -> float:
    """Of the words that tell something, each once, the share of those of remarks."""
    if _is_part_of(words, prompt) or " ".join(words) in _remarks().whole:
        return 1.0
    words = list(dict.fromkeys(words))
    masks = [_remark_languages(word) for word in words[:_FIRST]]
    known, languages = _most_known(masks)
    if known < _LEAST_REMARK * len(masks):
        return 0.0
    strange = [word for word, mask in zip(words, masks, strict=False) if not mask & languages]
    if known < _LEAST_KNOWN * len(masks) and not _words_asked(prompt).issuperset(strange):
        return 0.0
    masks += [_remark_languages(word) for word in words[_FIRST:]]
    known, languages = _most_known(masks)
    strange = [word for word, mask in zip(words, masks, strict=True) if not mask & languages]
    if known == len(words):
        return 1.0
    if known >= _LEAST_REMARK * len(words) and _words_asked(prompt).issuperset(strange):
        return 1.0
    if strange and not set(words_of(" ".join(NAME.findall(piece)))).isdisjoint(strange):
        return 0.0
    share = _share_of_telling(words, masks, languages) if len(words) >= _FEWEST_WITH_OTHERS else 0.0
    if share <= _MOSTLY and len(strange) <= min(_FEW_STRANGE * len(words), _MOST_STRANGE) and not denies(words):
        speaks = any(_remarks().person.get(word, 0) & languages for word in words)
        if (speaks and len(words) >= _FEWEST_SPOKEN) or (len(words) >= _FEWEST_CUED and any(map(_is_cue, words))):
            return _SPOKEN
    return share


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
    shares, plain, stricter = [0.0], _remarks().plain, _remarks().stricter
    while languages:
        language = languages & -languages
        languages ^= language
        known = [word for word, mask in zip(words, masks, strict=True) if mask & language]
        telling = sum(len(word) >= _stem_letters(word) and not plain.get(word, 0) & language for word in known)
        share = telling / (telling + len(words) - len(known))
        shares.append(share - _STRICTER if language & stricter else share)
    return max(shares)


@lru_cache(maxsize=2_048)
def _is_cue(word: str) -> bool:
    """Whether a word names an answer, the thinking about it, or help with it."""
    cues = _remarks().cues
    return bool(
        (_ELIDED.match(word) and any(word[1:end] in cues for end in range(1 + _STEM, len(word) + 1)))
        or any(word[:end] in cues for end in range(_stem_letters(word), len(word) + 1))
        or names_an_answer(word)
    )


@lru_cache(maxsize=8_192)  # the words of a few hundred texts
def _remark_languages(word: str) -> int:
    """The mask of the languages to whose remarks the word belongs, as it is or as an inflection."""
    remarks = _remarks()
    found = remarks.words.get(word, 0)
    for end in range(max(_stem_letters(word), len(word) - longest_ending(word)), len(word)):
        found |= remarks.words.get(word[:end], 0)
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
    """Of a text without blanks, what pieces of remarks cover of the characters that tell something, and their number;
    of few characters all or none."""
    pieces = _remarks().pieces
    longest = _remarks().longest_piece
    seen = bytearray(len(text))  # 0: strange, 1: plain, 2: of remarks
    number, after = 0, 0
    for start in range(len(text)):
        for end in range(min(len(text), start + longest), start, -1):
            if (kind := pieces.get(text[start:end])) is not None:
                if end > after:
                    seen[max(start, after) : end] = bytes((kind,)) * (end - max(start, after))
                    number, after = (number + 1, end) if start >= after else (number, end)
                break
    strange, telling = seen.count(0), seen.count(2)
    if len(text) < _FEWESTUNSPACED and strange:
        return 0.0, number
    share = telling / (telling + strange) if telling else 0.0
    return share if share >= _LEAST_COVERED else 0.0, number


@dataclass(frozen=True, slots=True)
class _Remarks:
    """Bit masks of the languages of a word, which stands for its inflections if it is long enough, and of those where
    it tells nothing (``plain``) or speaks in the first ``person``.

    ``whole``: sentences that are remarks although they are short; ``cues``: words and stems in whatever language;
    ``english``: its mask; ``eliding``: of languages with elided articles; ``stricter``: of those where a remark needs
    more known words; ``pieces`` of scripts without blanks: 1 if they are plain, else 2."""

    words: dict[str, int]
    plain: dict[str, int]
    person: dict[str, int]
    whole: frozenset[str]
    cues: frozenset[str]
    english: int
    eliding: int
    stricter: int
    pieces: dict[str, int]
    longest_piece: int


@cache
def _remarks() -> _Remarks:
    """The words of the three files, by language."""
    content, talk, listed = (word_lists(f"{name}.toml") for name in ("remarks", "talk", "discourse"))
    unspaced = listed["unspaced"]
    pieces = dict.fromkeys((*pieces_of(unspaced["core"]), *pieces_of(unspaced["rest"])), 2)
    words: dict[str, int] = {}
    plain: dict[str, int] = {}
    person: dict[str, int] = {}
    whole: set[str] = set()
    cues: set[str] = set()
    english = eliding = stricter = 0
    for number, language in enumerate(dict.fromkeys((*content, *listed, *talk))):
        if language == "unspaced":
            continue
        mask = 1 << number
        lists = content.get(language, {})
        cues.update(words_in(lists.get("cues", "")))
        whole.update(" ".join(words_in(line)) for line in lists.get("whole", "").splitlines())
        english |= mask * (language == "english")
        eliding |= mask * (language in _ELIDING)
        stricter |= mask * (language in _STRICT)
        neutral = set(words_in(talk.get(language, {}).get("plain", "")))
        for word in words_in(talk.get(language, {}).get("person", "")):
            add_language(person, word, mask)
        texts = (*listed.get(language, {}).values(), *lists.values(), *talk.get(language, {}).values())
        for word in {*words_in("\n".join(texts))}:
            if UNSPACED.search(word):
                pieces[word] = 1 if word in neutral else 2
                continue
            add_language(words, word, mask)
            if word in neutral:
                add_language(plain, word, mask)
    longest = max(map(len, pieces))
    return _Remarks(
        words, plain, person, frozenset(whole), frozenset(cues), english, eliding, stricter, pieces, longest
    )
