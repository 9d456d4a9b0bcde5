"""Answers that say nothing: blanks, empty frames, announcements without an answer, echoes, pure repetition.

Judge models are known to reward all of them: Zhao et al., "One Token to Fool LLM-as-a-Judge" (2507.08794). A text is
stripped of markup, of the prompt's own words and of what only announces an answer; what is left must hold a word, a
value or a sign that may answer. If the prompt asks for such a thing, or the reference holds it, the text is doubtful
instead of empty: a judge is asked.
"""

import re
import string
from dataclasses import dataclass, replace
from functools import lru_cache

from judge_server.guard.content import (
    content_of,
    has_content,
    is_code,
    is_fragment,
    is_in_reference,
    is_picture,
    key_words,
    words_of_all,
)
from judge_server.guard.discourse import LONGEST_OPTION, OPTION, Discourse, discourse, words_of
from judge_server.guard.disguise import turned_readings, undisguised
from judge_server.guard.impression import sounds_empty, sounds_full
from judge_server.guard.marks import other_readings, single_spaced
from judge_server.guard.remark import is_remark
from judge_server.guard.sanitize import visible
from judge_server.guard.user_request import UserRequest, user_request

_FEWEST_TIMES = 4
_SHORTEST_REPETITION = 6
_FEWEST_DIGITS = 10  # the same one again
_READ_CHARACTERS = 200_000
_LONGEST_ANNOUNCEMENT = 2_000
_LONGEST_LINE = 120
_MOST_WORDS_BEFORE_A_COLON = 14
_COLONS = ":：﹕︰፦៖՝"
_LINE = re.compile(r"[^\n\r]+")
_SENTENCE_END = re.compile(r"[.!?。！？\n]+")
_SENTENCE = re.compile(r"[^.!?;。！？；…।۔።：:፦៖՝\n\r]+(?:[:：፦៖՝]*)")
_DIGIT = re.compile(r"\d")
_EMPTY_TAGS = re.compile(r"(?:`{3}\w*)?\s*<[-!/|｜]*\s*(\w+).*>\s*(?:`{3})?", re.DOTALL)
_STEP_NUMBER = re.compile(r"(?<![\d.,])\d{1,2}(?![\d.,])")
# one of these alone may well be the answer; a dot, a colon or a dash is not
_OPERATORS = frozenset(
    ("@", "$", "''", "::", ".*", "===", "+", "*", "/", "%", "<", ">", "=", "<=", ">=", "==", "!=", "<>",
     "&&", "||", "&", "|", "^", "~", "//", "->", "=>")
)  # fmt: skip
_ASCII_SIGNS = frozenset(string.punctuation)
_CODE_IN_A_LINE = re.compile(r"[(){}\[\]=<>\\/|@$;\"]|\w\.\w")
_LONGEST_SIGNS = 200
_LONGEST_DRAWING = 20_000
_AROUND = " \t\r\n:：*`_#-.,;"  # what stands around an answer: stops, and marks of emphasis and code
_LAST_LETTER = re.compile(r".*[^\W_]", re.DOTALL)
_PROSE_WORD = re.compile(r"[^\W\d_]{3,}")
_PROSE_WORDS = 4  # a unit with as many words is no row of a table, whatever numbers it holds
_SHORTEST_ECHO = 3
_FIRST_IDEOGRAPH = "\u3040"
_LONGEST_TERM, _MOST_IN_A_NAME = 4, 3
_LONG_IN_UNSPACED = 8
_BRACKETED = re.compile(r"\[[^\[\]]+\]|\([^()]+\)|<[^<>]+>|\{[^{}]+\}")  # a placeholder: [insert the answer]
_ASKS_WHICH = ("which ", "what ", "what's ", "what’s ", "how is ", "how are ")
_FEW_WORDS = 2
_STOPS = tuple(".!?;。！？।")
_SHORTEST_BEGINNING = 12  # of a prompt's text in which a response breaks off
_FEWEST_IN_A_PHRASE = 4  # a title or an idiom ("Step by step") has fewer words
_FEW_SIGNS = 3
_FEWEST_SPELT, _LONGEST_SPELT = 6, 400
_FEWEST_SAME = 4  # of one letter, or three of one word
_FIRST_SIGNS, _MOST_SIGNS = 40, 9
_WORD = re.compile(r"[^\W\d_]{3}")
_SMALL = re.compile(r"[^\W\d_A-Z]{2}")
_NUMBER_OR_CODE = re.compile(r"\d|\w\(|[{}=<>\\]|\w\.\w\w")
_REPEATED = "the response repeats one piece of text"


@dataclass(frozen=True, slots=True)
class Emptiness:
    """``cause``: why a text says nothing, or None. ``doubtful``: it would, but the prompt asks for such a text.
    ``thin``: it may say nothing; only a judge can tell."""

    cause: str | None = None
    doubtful: bool = False
    thin: bool = False


_FULL = Emptiness()
_THIN = Emptiness(thin=True)


def says_nothing(text: str, reference: str | None = None) -> str | None:
    """Why ``text`` says nothing whatever the prompt, or None. What the reference says is something."""
    return emptiness(text, replace(user_request(), reference=reference)).cause


def emptiness(answer: str, request: UserRequest | None = None) -> Emptiness:
    """Whether ``answer`` says nothing in reply to ``request``, by default to an unknown one, also when it is written in
    look-alike letters or with its letters set apart."""
    request = request or user_request()
    given = answer.strip()[:_READ_CHARACTERS]
    text = visible(given).strip()
    found = _emptiness(text, request)
    if found is _FULL or found.thin:
        for plain in (*other_readings(text), *turned_readings(given)):
            other = _emptiness(plain, request)
            found = found if other is _FULL else other
    if (found.cause is not None or found.thin) and given and is_in_reference(given, request.reference):
        return Emptiness(doubtful=True)
    if found.cause is not None and text and (_may_be_asked_for(request) or _may_be_a_name(text, request)):
        literal = request.for_programming and request.text.startswith(_ASKS_WHICH) and content_of(text) is None
        return Emptiness(doubtful=True, thin=not literal)
    return found


def _may_be_asked_for(request: UserRequest) -> bool:
    """Whether the prompt may ask for a phrase or a frame that says nothing elsewhere."""
    return request.for_a_form() or (request.known and request.for_a_copy)


def _may_be_a_name(text: str, request: UserRequest) -> bool:
    """Whether a word or a few signs may answer a short question."""
    few = len(text) <= _LONG_IN_UNSPACED or len(text.split(None, _MOST_IN_A_NAME)) <= _MOST_IN_A_NAME
    return request.for_a_name and few and not text.endswith(tuple(_COLONS))


def _emptiness(text: str, request: UserRequest) -> Emptiness:
    if not text:
        return Emptiness("the response has no answer")
    shown = content_of(text)
    if shown is None:
        return _without_content(text, request)
    found = _announcement(shown, request) or _repetition(text, request)
    if request.only_greets and not shown.endswith(tuple(_COLONS)) and (found is None or found.cause != _REPEATED):
        return _FULL
    if found is not None:
        return found
    if request.known and not any(map(str.isalnum, shown)):
        return _only_signs(shown, request)
    return _THIN if _may_say_nothing(shown, request) else _FULL


def _may_say_nothing(shown: str, request: UserRequest) -> bool:
    """Whether a text is made of remarks that would fit any prompt, or is a part of the prompt."""
    if len(shown) > _LONGEST_ANNOUNCEMENT + len(request.text):
        return False
    rest = _without_echo(shown, request.text)
    if len(shown) >= _SHORTEST_BEGINNING and request.text.startswith(shown.lower()) and not request.for_a_copy:
        return True
    may_be_one = len(rest) <= _LONGEST_LINE and (
        "\n" in rest or len(rest) <= _SHORTEST_BEGINNING or not rest.endswith(_STOPS) or not _SMALL.search(rest)
    )
    code = request.for_programming or request.for_signs
    if may_be_one and is_fragment(rest, code=code, program=request.for_a_program, number=request.asks_how_many):
        return True
    if len(rest) > _LONGEST_ANNOUNCEMENT:
        return False
    if _is_letters_alone(rest) or _is_remark(rest, request, beside_an_echo=rest != shown):
        return True
    return _says_nothing_undisguised(rest, request, code=code)


def _is_remark(text: str, request: UserRequest, *, beside_an_echo: bool = False, dressed: bool = False) -> bool:
    """Whether the lists of words know a text as a remark, unless it sounds like an answer."""
    term = request.for_a_term
    if not is_remark(text, request.text, beside_an_echo=beside_an_echo, term=term, dressed=dressed):
        return False
    return beside_an_echo or dressed or not sounds_full(text) or not is_remark(text, term=term)


def _sounds_empty(text: str, request: UserRequest) -> bool:
    """Whether a text without numbers or code sounds like a remark; more is asked of what may be a term."""
    short = _is_short(text) and (request.for_a_term or len(words_of(text)) <= _MOST_IN_A_NAME)
    return sounds_empty(text, surely=short) and _NUMBER_OR_CODE.search(text) is None


def _is_letters_alone(text: str) -> bool:
    """Whether every word is a single letter, as in a text whose letters are set apart by signs, or all letters are the
    same."""
    if len(text) > _LONGEST_SPELT or (len(set(text[:_FIRST_SIGNS])) > _MOST_SIGNS and _WORD.search(text)):
        return False
    words = words_of(text)
    letters = "".join(words)
    if len(letters) < _FEWEST_SAME or any(map(str.isdigit, letters)):
        return False
    if len(set(letters)) == 1 or (len(words) > _FEWEST_SAME - 2 and len(set(words)) == 1):
        return True
    return len(letters) >= _FEWEST_SPELT and max(map(len, words)) == 1


def _says_nothing_undisguised(text: str, request: UserRequest, *, code: bool) -> bool:
    """Whether nothing but remarks is left of a text without the forms that it wears."""
    said = undisguised(text)
    if said == text:
        return _sounds_empty(text, request)
    words = words_of(said)
    if code and len(words) < _FEW_WORDS:
        return False
    if not words:
        return not all(map(str.isdigit, words_of(text)))
    return _is_remark(said, request, dressed=True) or _sounds_empty(said, request)


def _without_content(text: str, request: UserRequest) -> Emptiness:
    """Nothing but signs, blanks and markup."""
    if _may_be_signs(text, request):
        asked = request.for_signs or (request.for_programming and request.text.startswith(_ASKS_WHICH))
        return Emptiness(doubtful=True, thin=not asked) if request.known else _FULL
    if has_content(text):
        return Emptiness("the response is a frame without content")
    return Emptiness("the response has no letter, digit or symbol of content")


def _only_signs(shown: str, request: UserRequest) -> Emptiness:
    """Signs beyond ASCII without a letter or digit: ornaments say nothing, a picture or a formula may."""
    if request.for_signs:
        return Emptiness(doubtful=True)
    may_answer = len(shown) <= _FEW_SIGNS or any(is_picture(sign) for sign in shown)
    return _THIN if may_answer else Emptiness("the response has no letter, digit or symbol of content")


def _may_be_signs(text: str, request: UserRequest) -> bool:
    if request.for_signs:
        seen = visible(text).strip()
        return bool(seen) and not seen.isspace() and len(text) <= _LONGEST_DRAWING
    if not request.for_code:
        return False
    if (tag := _EMPTY_TAGS.fullmatch(text)) is not None:
        return discourse(tag[1]) is None
    return text in _OPERATORS or is_code(text) or text.isalpha()


def _announcement(shown: str, request: UserRequest) -> Emptiness | None:
    """Nothing but words that announce an answer, or that repeat the prompt."""
    if len(shown) > _LONGEST_ANNOUNCEMENT + len(request.text):
        return None
    rest = _without_echo(shown, request.text)
    if rest != shown and request.for_a_copy:  # asked last: most answers do not echo the prompt, and the search is long
        if not words_of(rest):
            return _THIN
        rest = shown
    if rest != shown and (not words_of(rest) or discourse(rest) is not None):
        return Emptiness("the response is an echo of the prompt")
    if len(rest) > _LONGEST_ANNOUNCEMENT or (rest == shown and _ends_in_code(shown)):
        return None
    if not _only_announces(rest, request):
        return None
    if _may_be_the_answer(rest, request):
        return Emptiness(doubtful=True, thin=_is_more_than_a_term(rest, request))
    return Emptiness("the response announces an answer and gives none")


def _only_announces(text: str, request: UserRequest) -> bool:
    """Whether every line is a heading or made of words of discourse, and some of them name an answer."""
    lines = [
        bare for line in _LINE.finditer(text) if (bare := line.group().strip(" \t*_`#>-~|")) or line.group().strip()
    ]
    if len(lines) > 1 and all(bare.endswith(tuple(_COLONS)) and not _DIGIT.search(bare) for bare in lines):
        return True
    wide = not _is_short(text) or _BRACKETED.fullmatch(text) is not None
    core = 0
    for bare in lines:
        found = _announced(bare, request, alone=len(lines) == 1, wide=wide)
        if found is None:
            return False
        core += found
    return core > 0


def _is_short(text: str) -> bool:
    """Whether a text may be a term, as far as its length tells."""
    return len(text.split(None, _LONGEST_TERM)) <= _LONGEST_TERM and (text.isascii() or len(text) <= _LONG_IN_UNSPACED)


def _may_be_the_answer(text: str, request: UserRequest) -> bool:
    words = words_of(text)
    if text.rstrip(" *_`").endswith(tuple(_COLONS)) and request.known:
        return request.for_a_term and ((request.for_code and len(words) == 1) or request.for_a_salutation)
    return len(words) <= _LONGEST_TERM and (request.for_a_term or request.offers(text))


def _is_more_than_a_term(text: str, request: UserRequest) -> bool:
    """Whether an announcement is too long for the term that the prompt asks for, or ends in a colon."""
    if text.rstrip(" *_`").endswith(tuple(_COLONS)):
        return not request.for_a_salutation
    words = len(words_of(text))
    long = words >= _FEWEST_IN_A_PHRASE or (
        request.for_a_copy and words >= _FEW_WORDS and sounds_empty(text, surely=True)
    )
    return long and not request.offers(text)


def _announced(bare: str, request: UserRequest, *, alone: bool, wide: bool) -> int | None:
    """How many words of a line name an answer or the thinking about it; None if the line may hold an answer."""
    if not bare or (not bare[0].isalnum() and _ASCII_SIGNS.issuperset(bare.replace(" ", ""))):
        return None if bare in _OPERATORS else 0
    if bare.endswith(tuple(_COLONS)):
        if _is_heading(bare):
            return 1
    elif OPTION.search(bare[-LONGEST_OPTION:]):
        return None
    core = words = 0
    for piece in _SENTENCE.finditer(bare):
        found = _discourse_of(piece.group(), wide=wide)
        if found is not None:
            core += found.core
            words += found.words
        elif any(map(str.isalnum, piece.group())):
            return None
    if alone and words <= _FEW_WORDS and not request.known and not bare.endswith(tuple(_COLONS)):
        return None if key_words().isdisjoint((*words_of(bare), "".join(words_of(bare)))) else 1
    return core


def _is_heading(bare: str) -> bool:
    """Words before a colon: no code, no numbers but those of steps."""
    words = bare.rstrip(_COLONS + " ").split()
    if len(bare) > _LONGEST_LINE or len(words) > _MOST_WORDS_BEFORE_A_COLON or _CODE_IN_A_LINE.search(bare):
        return False
    found = _discourse_of(bare)
    if found is not None and found.core:
        return True
    return not _DIGIT.search(bare) and (len(words) > 1 or not bare.isascii())


def _discourse_of(piece: str, *, wide: bool = False) -> Discourse | None:
    announced = piece.rstrip(" *_`~").endswith(tuple(_COLONS))
    return discourse(_STEP_NUMBER.sub(" ", piece) if announced else piece, wide=wide)


@lru_cache(maxsize=8)  # asked twice about each text
@lru_cache(maxsize=8)  # asked twice about each response
def _without_echo(text: str, prompt: str) -> str:
    """The text without the prompt and without its sentences."""
    lowered = single_spaced(text.lower())
    if not any(sentence in lowered for sentence in _sentences(prompt)):
        return text
    said = " ".join(words_of_all(text))
    rest = f" {said} "
    asked = words_of_all(prompt)
    parts = [asked, *(words_of_all(part) for part in _SENTENCE_END.split(prompt))]
    for part in parts:
        if len(part) >= _SHORTEST_ECHO or len("".join(part)) >= _shortest_sentence(part[0] if part else ""):
            rest = rest.replace(f" {' '.join(part)} ", "  ")
    return text if rest == f" {said} " else rest.strip()


@lru_cache(maxsize=256)  # the responses to one prompt share it
def _sentences(text: str) -> tuple[str, ...]:
    """The sentences of some length, each once."""
    plain = single_spaced(text)
    found = (sentence.strip() for sentence in _SENTENCE_END.split(plain))
    return tuple(dict.fromkeys(one for one in found if len(one) >= _shortest_sentence(one)))


def _shortest_sentence(text: str) -> int:
    """In characters: a Chinese character says as much as a few letters."""
    return 4 if text[:1] >= _FIRST_IDEOGRAPH else 8


def _repetition(text: str, request: UserRequest) -> Emptiness | None:
    """A text of some length that is one unit said again and again (the last time perhaps cut off)."""
    plain = single_spaced(text.lower())
    unit = repeated_unit(plain)
    if unit is None:
        return None
    times = (len(plain) + unit.endswith(" ")) / len(unit)
    if any(character.isdigit() for character in unit) and len(_PROSE_WORD.findall(unit)) < _PROSE_WORDS:
        # tables, matrices and digit strings repeat for good reasons
        enough = times >= 24 if request.known else times >= 64 and " " not in unit.strip()
    elif not any(character.isalpha() for character in unit):
        enough = times >= 16
    else:
        enough = len(plain) >= 24 and (times >= 8 or len(plain) >= 200)
    if not enough:
        short = times >= _FEWEST_TIMES and not (request.known and request.for_repetition(round(times)))
        digits = any(map(str.isdigit, unit))
        return _THIN if short and (not digits or (len(unit.strip()) == 1 and times >= _FEWEST_DIGITS)) else None
    asked = request.known and request.for_repetition(round(times))
    return Emptiness(doubtful=True) if asked else Emptiness(_REPEATED)


def repeated_unit(text: str) -> str | None:
    """The shortest text of which ``text`` is a repetition, at least four times over, the last time perhaps cut off.
    Half of a text of period p stands in it again p characters later, and nowhere before: a single search finds it."""
    if len(text) < _SHORTEST_REPETITION:
        return None
    place = text.find(text[: len(text) // 2], 1)
    if place < 0 or place * _FEWEST_TIMES > len(text) + 1 or not text.startswith(text[place:]):
        return None
    return text[:place]


def _ends_in_code(text: str) -> bool:
    """Whether a literal, a pattern or an operator of two signs follows the announcement: ``Final answer: []``."""
    last = _LAST_LETTER.sub("", text[-_LONGEST_SIGNS:]).strip(_AROUND)
    return len(last) > 1 and (last in _OPERATORS or is_code(last))
