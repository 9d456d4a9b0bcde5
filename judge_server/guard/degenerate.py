"""Answers that say nothing: blanks, empty frames, announcements without an answer, echoes, pure repetition.

Judge models are known to reward all of them: Zhao et al., "One Token to Fool LLM-as-a-Judge" (2507.08794). A text is
stripped of markup, of the prompt's own words and of what only announces an answer; what is left must hold a word, a
value or a sign that may answer. If the prompt asks for such a thing, or the reference holds it, the text is doubtful
instead of empty: a judge is asked.
"""

import re
import string
import unicodedata
from dataclasses import dataclass
from functools import cache, lru_cache

from judge_server.guard.discourse import Discourse, discourse, words_of
from judge_server.guard.normalize import looks_alike, normalize, unspaced
from judge_server.guard.repetition import repeated_unit
from judge_server.guard.request import UserRequest
from judge_server.guard.sanitize import visible
from judge_server.guard.shell import without_shell

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
_OPTION = re.compile(r"(?:^|[\s:：(\[*])[A-Z]\W*$")  # the letter of an option
_STEP_NUMBER = re.compile(r"(?<![\d.,])\d{1,2}(?![\d.,])")
# one of these alone may well be the answer; a dot, a colon or a dash is not
_OPERATORS = frozenset(
    ("@", "$", "''", "::", ".*", "===", "+", "*", "/", "%", "<", ">", "=", "<=", ">=", "==", "!=", "<>",
     "&&", "||", "&", "|", "^", "~", "//", "->", "=>")
)  # fmt: skip
_ASCII_SIGNS = frozenset(string.punctuation)
_CODE_SIGNS = _ASCII_SIGNS - frozenset(".,:;!?-'\"`#*_~|")
_CODE_IN_A_LINE = re.compile(r"[(){}\[\]=<>\\/|@$;\"]|\w\.\w")
_LONGEST_SIGNS = 200
_LONGEST_DRAWING = 20_000
_AROUND = " \t\r\n:：*`_#-.,;"  # what stands around an answer: stops, and marks of emphasis and code
_LAST_LETTER = re.compile(r".*[^\W_]", re.DOTALL)
_BLANKS = re.compile(
    "[\u115f\u1160\u2500-\u259f\u25a0-\u25a3\u25fc\u25fb\u2800\ufffd\u3164\uffa0]"
)  # rules, boxes, blanks
_PROSE_WORD = re.compile(r"[^\W\d_]{3,}")
_PROSE_WORDS = 4  # a unit with as many words is no row of a table, whatever numbers it holds
_SHORTEST_ECHO = 3
_LONGEST_TERM = 4
_LONGEST_OPTION = 8
_FEW_WORDS = 2
_LONGEST_REFERENCE = 60


@dataclass(frozen=True, slots=True)
class Emptiness:
    """``cause``: why a text says nothing, or None. ``doubtful``: it would, but the prompt asks for such a text."""

    cause: str | None = None
    doubtful: bool = False


_FULL = Emptiness()
_UNASKED = UserRequest()


def says_nothing(text: str, reference: str | None = None) -> str | None:
    """Why ``text`` says nothing whatever the prompt, or None. What the reference says is something."""
    return emptiness(text, UserRequest(reference=reference)).cause


def emptiness(answer: str, request: UserRequest = _UNASKED) -> Emptiness:
    """Whether ``answer`` says nothing in reply to ``request``, also when it is written in look-alike letters or with
    its letters set apart."""
    text = answer.strip()[:_READ_CHARACTERS]
    found = _emptiness(text, request)
    if found is _FULL:
        for plain in _read_otherwise(text):
            found = _emptiness(plain, request)
            if found is not _FULL:
                break
    if found.cause is not None and text and _is_in_reference(text, request.reference):
        return Emptiness(doubtful=True)
    return found


def _read_otherwise(text: str) -> list[str]:
    if looks_alike(text):
        return [normalize(text)]
    if len(text) <= _LONGEST_LINE and (joined := unspaced(normalize(text))) != text.lower():
        return [joined]
    return []


def _emptiness(text: str, request: UserRequest) -> Emptiness:
    if not text:
        return Emptiness("the response has no answer")
    shown = without_shell(text)
    cause = _without_content(text, shown, request) or _announcement(shown, request) or _repetition(text, request)
    return cause or _FULL


def _without_content(text: str, shown: str, request: UserRequest) -> Emptiness | None:
    """Nothing but signs, blanks and markup."""
    if has_content(shown):
        return None
    if _may_be_signs(text, request):
        return Emptiness(doubtful=True) if request.known else _FULL
    if has_content(text):
        return Emptiness("the response is a frame without content")
    return Emptiness("the response has no letter, digit or symbol of content")


def _may_be_signs(text: str, request: UserRequest) -> bool:
    if request.for_signs:
        seen = visible(text).strip()
        return bool(seen) and not seen.isspace() and len(text) <= _LONGEST_DRAWING
    if not request.for_code:
        return False
    if (tag := _EMPTY_TAGS.fullmatch(text)) is not None:
        return discourse(tag[1]) is None
    return text in _OPERATORS or _is_code(text)


def _announcement(shown: str, request: UserRequest) -> Emptiness | None:
    """Nothing but words that announce an answer, or that repeat the prompt."""
    if len(shown) > _LONGEST_ANNOUNCEMENT + len(request.text):
        return None
    rest = _without_echo(shown, request)
    if rest != shown and request.for_a_copy:  # asked last: most answers do not echo the prompt, and the search is long
        rest = shown
    if rest != shown and (not words_of(rest) or discourse(rest) is not None):
        return Emptiness("the response is an echo of the prompt")
    if len(rest) > _LONGEST_ANNOUNCEMENT or (rest == shown and _ends_in_code(shown)):
        return None
    lines = [line.group() for line in _LINE.finditer(rest)]
    if not lines or not all(_announces(line, request, alone=len(lines) == 1) for line in lines):
        return None
    if _may_be_the_answer(rest, request):
        return Emptiness(doubtful=True)
    return Emptiness("the response announces an answer and gives none")


def _may_be_the_answer(text: str, request: UserRequest) -> bool:
    words = words_of(text)
    if text.rstrip(" *_`").endswith(tuple(_COLONS)) and request.known:
        return request.for_a_term and (request.for_code or request.for_a_salutation)
    return len(words) <= _LONGEST_TERM and (request.for_a_term or request.offers(text))


def _announces(line: str, request: UserRequest, *, alone: bool) -> bool:
    """Whether a line ends in a colon with nothing behind it, or is made of words of discourse and of signs."""
    bare = line.strip(" \t*_`#>-~|")
    if not bare or (not bare[0].isalnum() and _ASCII_SIGNS.issuperset(bare.replace(" ", ""))):
        return bare not in _OPERATORS
    if bare.endswith(tuple(_COLONS)):
        if _is_heading(bare):
            return True
    elif _OPTION.search(bare[-_LONGEST_OPTION:]):
        return False
    core = words = 0
    for piece in _SENTENCE.finditer(bare):
        found = _discourse_of(piece.group())
        if found is not None:
            core += found.core
            words += found.words
        elif any(map(str.isalnum, piece.group())):
            return False
    if alone and words <= _FEW_WORDS and not request.known and not bare.endswith(tuple(_COLONS)):
        return not _keys().isdisjoint((*words_of(bare), "".join(words_of(bare))))
    return core > 0


def _is_heading(bare: str) -> bool:
    """Words before a colon: no code, no numbers but those of steps."""
    words = bare.rstrip(_COLONS + " ").split()
    if len(bare) > _LONGEST_LINE or len(words) > _MOST_WORDS_BEFORE_A_COLON or _CODE_IN_A_LINE.search(bare):
        return False
    found = _discourse_of(bare)
    if found is not None and found.core:
        return True
    return not _DIGIT.search(bare) and (len(words) > 1 or not bare.isascii())


def _discourse_of(piece: str) -> Discourse | None:
    announced = piece.rstrip(" *_`~").endswith(tuple(_COLONS))
    return discourse(_STEP_NUMBER.sub(" ", piece)) if announced else discourse(piece)


# if nothing is known of the prompt, a few words of discourse must be among these to be refused
_KEYS = (
    "answer solution resolution process think respuesta solución réponse lösung antwort risposta soluzione resposta "
    "solução antwoord oplossing odpowiedź rozwiązanie cevap çözüm jawaban решение ответ відповідь الإجابة الجواب الحل "
    "उत्तर हल 정답 풀이 해설 解 解答 解析 解説 かいせつ 答案 回答 答え"
)


@cache
def _keys() -> frozenset[str]:
    return frozenset("".join(words_of(key)) for key in _KEYS.split())


def _without_echo(text: str, request: UserRequest) -> str:
    """The text without the prompt and without its sentences."""
    lowered = text.lower()
    if not any(sentence in lowered for sentence in _sentences(request.text)):
        return text
    said = " ".join(words_of_all(text))
    rest = f" {said} "
    asked = words_of_all(request.text)
    parts = [asked, *(words_of_all(part) for part in _SENTENCE_END.split(request.text))]
    for part in parts:
        if len(part) >= _SHORTEST_ECHO or len("".join(part)) >= 8:
            rest = rest.replace(f" {' '.join(part)} ", "  ")
    return text if rest == f" {said} " else rest.strip()


@lru_cache(maxsize=256)  # the responses to one prompt share it
def _sentences(text: str) -> tuple[str, ...]:
    """The sentences of eight characters or more, each once."""
    return tuple(dict.fromkeys(sentence.strip() for sentence in _SENTENCE_END.split(text) if len(sentence) >= 8))


def words_of_all(text: str) -> list[str]:
    """As ``words_of``, of a text of any length."""
    return [word for start in range(0, len(text), 1_000) for word in words_of(text[start : start + 1_000])]


def _repetition(text: str, request: UserRequest) -> Emptiness | None:
    """A text of some length that is one unit said again and again (the last time perhaps cut off)."""
    plain = " ".join(text.casefold().split())
    unit = repeated_unit(plain)
    if unit is None:
        return None
    times = len(plain) / len(unit)
    if any(character.isdigit() for character in unit) and len(_PROSE_WORD.findall(unit)) < _PROSE_WORDS:
        # tables, matrices and digit strings repeat for good reasons
        enough = times >= 24 if request.known else times >= 64 and " " not in unit.strip()
    elif not any(character.isalpha() for character in unit):
        enough = times >= 16
    else:
        enough = len(plain) >= 24 and (times >= 8 or len(plain) >= 200)
    if not enough:
        return None
    asked = request.known and request.for_repetition(round(times))
    return Emptiness(doubtful=True) if asked else Emptiness("the response repeats one piece of text")


def _is_code(text: str) -> bool:
    """Brackets and operators that make a literal, a pattern or a drawing: ``[]``, ``.*``, ``!==``. One sign again and
    again is a rule or a fence, and stops and commas are no answer."""
    signs = set(text) - {" ", "\n"}
    return (
        1 < len(signs) <= len(_ASCII_SIGNS)
        and signs <= _ASCII_SIGNS
        and not signs.isdisjoint(_CODE_SIGNS)
        and (len(text) <= _LONGEST_SIGNS)
    )


def _ends_in_code(text: str) -> bool:
    """Whether a literal, a pattern or an operator of two signs follows the announcement: ``Final answer: []``."""
    last = _LAST_LETTER.sub("", text[-_LONGEST_SIGNS:]).strip(_AROUND)
    return len(last) > 1 and (last in _OPERATORS or _is_code(last))


def has_content(text: str) -> bool:
    """Letters, digits, symbols beyond ASCII such as an emoji, or characters newer than this interpreter's tables."""
    for start in range(0, len(text), 256):
        for character in _BLANKS.sub("", unicodedata.normalize("NFKC", text[start : start + 256])):
            kind = unicodedata.category(character)
            if (
                kind[0] in "LN"
                or (kind[0] == "S" and character > "\x7f")
                or (kind == "Cn" and _may_be_assigned(character))
            ):
                return True
    return False


def _may_be_assigned(character: str) -> bool:
    """Whether a later version of Unicode may give the code a visible character."""
    code = ord(character)
    return not (
        0xFDD0 <= code <= 0xFDEF or code & 0xFFFE == 0xFFFE or 0xE0000 <= code <= 0xE0FFF or 0xFFF0 <= code <= 0xFFF8
    )


def _is_in_reference(answer: str, reference: str | None) -> bool:
    """Whether the reference answer is the same text, or is short and holds it."""
    if reference is None or len(reference) > _READ_CHARACTERS:
        return False
    if answer == reference.strip():
        return True
    said, right = words_of_all(answer), words_of_all(reference)
    if said and said == right:
        return True
    return bool(said) and len(reference) <= _LONGEST_REFERENCE and f" {' '.join(said)} " in f" {' '.join(right)} "
