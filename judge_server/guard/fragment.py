"""Short texts that are only the beginning or the frame of an answer, and those that the reference makes an answer."""

import re
from functools import cache

from judge_server.guard.discourse import words_of

_MOST_READ_CHARACTERS = 200_000
_LONGEST_REFERENCE = 60
_COMMAS = (",", "，", "、", "،", "､")
_MOST_BEFORE_A_COMMA = 6
_COLONS, _MOST_BEFORE_A_COLON = (":", "："), 3
_NO_ANSWERS = frozenset(
    ("none", "nil", "n/a", "na", "not applicable", "no answer", "no comment", "empty", "void", "eof")
)
_BOLD_HEADING = re.compile(r"(?:\*\*[^*\n\d]{1,40}\*\*:?)?\s*")
_NUMBERED_HEADING = re.compile(r"[#*\s]*(?:[^\W\d_]{2,20} \d{1,2})?[.:*\s]*")
_HEADING = re.compile(r"(?:#{1,6} [^\n]{1,60})?\s*")
_HEADINGS = (_NUMBERED_HEADING, _HEADING, _BOLD_HEADING)
_PLACEHOLDER = re.compile(
    r"[\[<({]{1,2}(?:[^\W\d_]{3,15}|[^\W\d_]{2}(?=[ _-]))(?:[ _-][^\W\d_]{1,15}){0,3}[\])}>]{1,2}"
    r"|\$[A-Z_]{2,30}|%[sdif]"
)
_HEADER_OF_A_TABLE = re.compile(r"\|[^\n|\d]{1,40}(?:\|[^\n|\d]{1,40}){0,12}\|\s*")
_ENUMERATORS = re.compile("[\u2460-\u2473\u24b6-\u24e9\u2474-\u249b\\s]{2,}")  # circled and bracketed
_EMPTY_STATEMENT = re.compile(
    r"\s*(?:pass|return(?: (?:None|null|nil))?;?|begin|end;?|[{}]*"
    r"|(?:#|//|--|%|;)\s?(?:"
    r"\.\.\.|(?:todo|fixme)\b.{0,80}|(?:(?:add|write|insert|implement|put) )?(?:your|the) "
    r"(?:code|answer|solution|logic)\b(?: goes)?(?: here)?|.*coding.*)"
    r"|exit(?: \d)?;?|return;|SELECT ?;|(?:0x0+\s*)+|(?:%20|\\u[02][0-9a-f]{3}|\\x[0-9a-f]{2})+|\"?\\u0000\"?"
    r"|(?:(?:I|II|III|IV|V|VI)[.)]\s*){3,}|\w{1,20} ?[:=] ?(?:None|null|nil|\'\'|\"\"|\[\]|\{\})"
    r"|(?:def|function|func|fn|sub) \w{1,20} ?\([^()\n]{0,60}\)[^\n\w]{0,10}"  # a function's head
    r"|(?:print|printf|puts|echo|console\.log|return) ?\(?(?:\'\'|\"\")?\)?;?"  # nothing is printed
    r"|\{(?:\s{0,9}['\"]?\w{1,20}['\"]?:\s{0,9}(?:None|null|nil|\'\'|\"\"|\[\]|\{\}),?){1,9}\s{0,9}\})\s*",
    re.IGNORECASE,
)


def is_fragment(text: str, *, code: bool, number: bool) -> bool:
    """Whether a few words end in a comma or a colon, a word says that there is no value, or nothing but headings, the
    header of a table, numbers of a list, a placeholder or empty statements are there. ``code`` and ``number``: whether
    the prompt asks for such a thing, so that "none" or ``[]`` may be the answer."""
    if text.endswith(_COMMAS) and not any(map(str.isdigit, text)):
        return len(text.split(None, _MOST_BEFORE_A_COMMA)) <= _MOST_BEFORE_A_COMMA
    if text.endswith(_COLONS) and not code and not any(map(str.isdigit, text)):
        return len(text.split(None, _MOST_BEFORE_A_COLON)) <= _MOST_BEFORE_A_COLON
    if text.lower() in _NO_ANSWERS:
        return not number
    lines = text.split("\n")
    if len(lines) > 1 and any(all(map(form.fullmatch, lines)) for form in _HEADINGS):
        return True
    if _ENUMERATORS.fullmatch(text):
        return not number
    shell = _PLACEHOLDER.fullmatch(text) or _HEADER_OF_A_TABLE.fullmatch(text)
    return not code and (shell is not None or all(map(_EMPTY_STATEMENT.fullmatch, lines)))


# if nothing is known of the prompt, a few words of discourse must be among these to be refused
_KEYS = (
    "answer solution resolution process think respuesta solución réponse lösung antwort risposta soluzione resposta "
    "solução antwoord oplossing odpowiedź rozwiązanie cevap çözüm jawaban решение ответ відповідь الإجابة الجواب الحل "
    "उत्तर हल 정답 풀이 해설 解 解答 解析 解説 かいせつ 答案 回答 答え"
)


@cache
def key_words() -> frozenset[str]:
    return frozenset("".join(words_of(key)) for key in _KEYS.split())


def words_of_all(text: str) -> list[str]:
    """As ``words_of``, of a text of any length."""
    return [word for start in range(0, len(text), 1_000) for word in words_of(text[start : start + 1_000])]


def is_in_reference(answer: str, reference: str | None) -> bool:
    """Whether the reference answer is the same text, or is short and holds it."""
    if reference is None or len(reference) > _MOST_READ_CHARACTERS:
        return False
    if answer == reference.strip():
        return True
    said, right = words_of_all(answer), words_of_all(reference)
    if said and said == right:
        return True
    return bool(said) and len(reference) <= _LONGEST_REFERENCE and f" {' '.join(said)} " in f" {' '.join(right)} "
